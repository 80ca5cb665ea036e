using IdP.Accounts;
using IdP.Clients;
using IdP.Http;
using IdP.Keys;
using IdP.Protocol;
using IdP.Storage;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;

namespace IdP.Commands;

internal enum FindingLevel
{
    /// <summary>Not fit for production, or the server would not even start.</summary>
    Unsafe,

    /// <summary>Worth knowing.</summary>
    Note,
}

/// <summary>Something that an operator should know before others use the server.</summary>
internal sealed record Finding(FindingLevel Level, string About, string Text);

/// <summary>What is unsafe for production. Looks only; a database that is not there is not made.</summary>
internal static class ProductionChecks
{
    private static readonly TimeSpan SoonExpired = TimeSpan.FromDays(14);

    public static List<Finding> OfSettings(IdpOptions options, IConfiguration configuration, Dictionary<string, GivenSetting> given, DateTimeOffset now) =>
    [
        .. OfIssuer(options), .. OfListener(options, now), .. OfFiles(options, given), .. OfMail(options), .. OfWatching(options),
        .. OfSecrets(given),
        .. Unless(!options.Http.AllowPrivateTargets, "Http:AllowPrivateTargets", "whoever registers a client can have this server call addresses inside your network: leave it out."),
        .. Unless(options.Passwords.Iterations >= PasswordOptions.RecommendedIterations, "Passwords:Iterations",
            $"{options.Passwords.Iterations} rounds make stolen hashes cheap to guess: leave it out, or set at least {PasswordOptions.RecommendedIterations}."),
        .. OfLogLevel(configuration["Serilog:MinimumLevel:Default"] ?? configuration["Serilog:MinimumLevel"]),
    ];

    public static async Task<List<Finding>> OfDatabase(IdpOptions options, CancellationToken ct)
    {
        try
        {
            using var database = new Database(options);
            if (database.Engine == Engine.Sqlite && !File.Exists(database.File)) return [Note("database", $"there is none yet at {database.File}; what is in it cannot be checked.")];
            await Migrator.RequireCurrent(database, ct);
            await new KeyRing(database, options, TimeProvider.System).RequireMasterKeys(ct);
            await using var db = database.OpenForReading();
            return [.. await OfIsolation(db, ct), .. await OfDemo(db, options, ct), .. await OfClients(db, ct)];
        }
        catch (StorageException failure)
        {
            return [Unsafe("database", failure.Message)];
        }
    }

    private static IEnumerable<Finding> OfIssuer(IdpOptions options)
    {
        Issuer issuer;
        try
        {
            issuer = new Issuer(options);
        }
        catch (ConfigurationException failure)
        {
            return [Unsafe("Issuer", failure.Message)];
        }
        if (new Uri(issuer.Value).IsLoopback) return [Unsafe("Issuer", $"{issuer.Value} is this machine only: set the https address that browsers and APIs use.")];
        return issuer.IsHttps ? [] : [Unsafe("Issuer", $"{issuer.Value} is plain http: cookies lose __Host- and Secure, and tokens can be read on the way. Set an https address.")];
    }

    internal static IEnumerable<Finding> OfListener(IdpOptions options, DateTimeOffset now)
    {
        var addresses = options.Urls.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (addresses.Any(address => address.StartsWith("https:", StringComparison.OrdinalIgnoreCase))) return OfCertificate(options, now);
        return options.Http.TrustedProxies.Length > 0 ? [] :
            [Note("Http:TrustedProxies", "is empty while TLS ends elsewhere: every caller seems to come from the proxy, and one who fails too often slows all. Name the proxy's address.")];
    }

    private static IEnumerable<Finding> OfCertificate(IdpOptions options, DateTimeOffset now)
    {
        try
        {
            using var certificate = TlsCertificate.Load(options.Http);
            var end = new DateTimeOffset(certificate.NotAfter.ToUniversalTime());
            if (end <= now) return [Unsafe("Http:TlsCertificate", $"{options.Http.TlsCertificate} expired at {Table.Time(end)}: renew it.")];
            return end - now < SoonExpired ? [Note("Http:TlsCertificate", $"{options.Http.TlsCertificate} expires at {Table.Time(end)}: renew it before.")] : [];
        }
        catch (ConfigurationException failure)
        {
            return [Unsafe("Http:TlsCertificate", failure.Message)];
        }
    }

    internal static IEnumerable<Finding> OfFiles(IdpOptions options, Dictionary<string, GivenSetting> given)
    {
        // Windows has other permissions.
        if (OperatingSystem.IsWindows()) yield break;
        var files = given.Values.Where(setting => setting.File is not null && ConfigCommands.IsSecret(setting.Key)).Select(setting => (setting.Key, File: setting.File!)).ToList();
        files.Add(("Keys:MasterKeyFile", MasterKeys.FileOf(options)));
        if (options.Keys.MasterKeyCertificate is { Length: > 0 } certificate) files.Add(("Keys:MasterKeyCertificate", certificate));
        if (options.Http.TlsKey is { Length: > 0 } key) files.Add(("Http:TlsKey", key));
        files.Add(("Storage:DataDirectory", Path.Combine(options.Storage.DataDirectory, "idp.db")));
        foreach (var (about, named) in files.DistinctBy(file => file.File))
        {
            // A mounted secret is often a link, whose own mode says nothing.
            if (!File.Exists(named)) continue;
            var file = File.ResolveLinkTarget(named, returnFinalTarget: true)?.FullName ?? named;
            if ((File.GetUnixFileMode(file) & (UnixFileMode.OtherRead | UnixFileMode.OtherWrite)) != UnixFileMode.None)
                yield return Unsafe(about, $"every user of this machine may read or write {named}: run 'chmod o= {named}'.");
        }
        var folder = Path.GetFullPath(options.Storage.DataDirectory);
        if (Directory.Exists(folder) && (File.GetUnixFileMode(folder) & UnixFileMode.OtherWrite) != UnixFileMode.None)
            yield return Unsafe("Storage:DataDirectory", $"every user of this machine may replace what is in {folder}: run 'chmod o= {folder}'.");
    }

    private static IEnumerable<Finding> OfMail(IdpOptions options)
    {
        if (options.Mail.SmtpHost is null) yield return Note("Mail:SmtpHost", "is not set: mails are written into a folder and reach nobody.");
        else if (!options.Mail.SmtpStartTls) yield return Unsafe("Mail:SmtpStartTls", $"mails, and the links in them, travel in the clear to {options.Mail.SmtpHost}: leave it out.");
    }

    private static IEnumerable<Finding> OfWatching(IdpOptions options)
    {
        // A container has to listen on every address of its own, so it cannot be told from here whether that is meant.
        foreach (var url in Observability.MetricsListener.Addresses(options.Metrics).Where(url => !url.IsLoopback))
            yield return Note("Metrics:Urls", $"whoever reaches {url.Authority} reads the figures, without a password: let only your Prometheus get there.");
        if (options.Telemetry is { OtlpEndpoint: { Length: > 0 } endpoint } && new Uri(endpoint) is { IsLoopback: false, Scheme: "http" })
            yield return options.Telemetry.OtlpHeaders is { Length: > 0 }
                ? Unsafe("Telemetry:OtlpHeaders", $"they travel in the clear to {endpoint}: use an https address.")
                : Note("Telemetry:OtlpEndpoint", $"traces travel in the clear to {endpoint}.");
    }

    private static IEnumerable<Finding> OfSecrets(Dictionary<string, GivenSetting> given) => given.Values
        .Where(setting => ConfigCommands.IsSecret(setting.Key) && setting.Origin.StartsWith(SettingSources.EnvironmentPrefix, StringComparison.OrdinalIgnoreCase) && setting.File is null)
        .Select(setting => Note(setting.Key, $"stands in the environment, which tools show: put it into a file that {setting.Origin}_FILE names."));

    private static IEnumerable<Finding> OfLogLevel(string? level) => level?.ToUpperInvariant() is "DEBUG" or "VERBOSE"
        ? [Note("Serilog:MinimumLevel", $"{level} writes a great deal: use Information.")] : [];

    private static async Task<List<Finding>> OfIsolation(IdpDbContext db, CancellationToken ct) => await Migrator.ReadersWait(db, ct)
        ? [Note("database", "readers wait for whoever writes, so that a long change by an operator stops tokens: run 'ALTER DATABASE CURRENT SET READ_COMMITTED_SNAPSHOT ON' while no server is connected.")] : [];

    private static async Task<List<Finding>> OfDemo(IdpDbContext db, IdpOptions options, CancellationToken ct)
    {
        var findings = new List<Finding>();
        var demo = DemoData.ClientIds.ToList();
        var clients = await db.Set<Client>().Where(c => demo.Contains(c.ClientId) && c.DisabledAt == null).OrderBy(c => c.ClientId).Select(c => c.ClientId).ToListAsync(ct);
        if (clients.Count > 0) findings.Add(Unsafe("demo data", $"the clients {string.Join(", ", clients)} are the demo's, and their secrets are public: disable them with 'IdP client disable', or begin with an empty folder."));
        using var pool = new HashPool(options);
        foreach (var (name, password) in DemoData.People)
        {
            if (await db.Users.FirstOrDefaultAsync(u => u.UserName == name && u.DisabledAt == null, ct) is not { PasswordHash: not null } user || pool.TryEnter() is not { } place) continue;
            using (place)
                if (await place.Verify(user, password) != PasswordVerificationResult.Failed)
                    findings.Add(Unsafe("default password", $"{name} still has the demo's password, which is public: run 'IdP user password {name}', or disable the account."));
        }
        return findings;
    }

    private static async Task<List<Finding>> OfClients(IdpDbContext db, CancellationToken ct)
    {
        var withoutPkce = await db.Set<Client>().Where(c => c.AllowCodeWithoutPkce).OrderBy(c => c.ClientId).Select(c => c.ClientId).ToListAsync(ct);
        var withPasswords = await db.Set<Client>().Where(c => c.AllowPublicPasswordGrant).OrderBy(c => c.ClientId).Select(c => c.ClientId).ToListAsync(ct);
        return
        [
            .. withoutPkce.Select(id => Note($"client {PlainText.Quoted(id)}", "may leave PKCE out: a stolen code of it can be redeemed by who has its credentials.")),
            .. withPasswords.Select(id => Note($"client {PlainText.Quoted(id)}", "is public and takes people's passwords: anybody can pretend to be it.")),
        ];
    }

    private static IEnumerable<Finding> Unless(bool isSafe, string about, string text) => isSafe ? [] : [Unsafe(about, text)];

    private static Finding Unsafe(string about, string text) => new(FindingLevel.Unsafe, about, text);

    private static Finding Note(string about, string text) => new(FindingLevel.Note, about, text);
}
