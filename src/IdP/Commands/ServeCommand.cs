using System.CommandLine;
using System.Net;
using System.Net.Sockets;
using IdP.Accounts;
using IdP.Clients;
using IdP.Http;
using IdP.Protocol;
using IdP.Protocol.OAuth;
using IdP.Resources;
using IdP.Storage;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace IdP.Commands;

/// <summary>Runs the server until it is told to stop.</summary>
internal static class ServeCommand
{
    public static Command Build()
    {
        var demo = new Option<bool>("--demo") { Description = "Fill a new database with demo clients and people; loopback only" };
        var demoApi = new Option<string>("--demo-api-url") { Description = "URL of the demo's resource API", HelpName = "URL", DefaultValueFactory = _ => DemoData.DefaultApiUrl };
        var settings = new ServerSettings();
        var command = new Command("serve", "Run the identity provider.\n\nExample: IdP serve --demo --data ./data --urls http://localhost:8080") { demo, demoApi };
        settings.AddTo(command);
        command.SetAction((parsed, ct) => CommandHost.Explained(parsed, async () =>
        {
            var (options, configuration) = Settings.Load(parsed.GetValue(CommandHost.Config), settings.Overrides(parsed));
            var demoUrl = parsed.GetValue(demo) ? parsed.GetValue(demoApi) : null;
            if (demoUrl is not null) RequireDemo(options, demoUrl);
            // A demo is there to be tried.
            if (demoUrl is not null && configuration["Registration:Mode"] is null) options.Registration.Mode = "open";
            await using var app = Server.Build(options, configuration);
            RequireListener(app, options);
            return await Serve(app, options, demoUrl, parsed.InvocationConfiguration.Output, ct);
        }));
        return command;
    }

    private static async Task<int> Serve(WebApplication app, IdpOptions options, string? demoUrl, TextWriter output, CancellationToken ct)
    {
        if (demoUrl is not null) MakeFolder(options.Storage.DataDirectory);
        if (demoUrl is not null && options.ApiKeys.AccountScopes.Length == 0) options.ApiKeys.AccountScopes = DemoData.AccountScopes;
        await Server.Open(app.Services, ct);
        if (demoUrl is not null) await DemoData.Fill(app.Services, demoUrl, ct);
        await Warn(app, options, ct);
        try
        {
            await app.StartAsync(ct);
        }
        catch (IOException failure) when (failure.InnerException is Microsoft.AspNetCore.Connections.AddressInUseException)
        {
            throw PortInUse(options.Urls, "--urls");
        }
        if (demoUrl is not null) await DemoData.Print(app.Services, output, ct);
        await app.WaitForShutdownAsync(ct);
        return ExitCodes.Ok;
    }

    private static void RequireDemo(IdpOptions options, string apiUrl)
    {
        foreach (var address in Addresses(options))
            if (!Uri.TryCreate(address, UriKind.Absolute, out var url) || !url.IsLoopback)
                throw new ConfigurationException($"--demo listens on loopback only, because its passwords are public: change {PlainText.Quoted(address)} in --urls to an address such as http://localhost:8080.");
        if (WebOrigin.Of(apiUrl) is null || !ResourceIndicator.IsWellFormed(apiUrl))
            throw new ConfigurationException($"--demo-api-url is {PlainText.Quoted(apiUrl)}: it must be an address such as {DemoData.DefaultApiUrl}.");
    }

    // A demo may make its folder; anything else that names a missing folder has made a mistake.
    private static void MakeFolder(string folder)
    {
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationException($"The data folder {Path.GetFullPath(folder)} cannot be created: name one in a folder that this user may write, with --data.");
        }
    }

    /// <summary>Whether the server will be able to listen as it should: asked before the first look at the data, so that a start that fails leaves no trace.</summary>
    private static void RequireListener(WebApplication app, IdpOptions options)
    {
        _ = app.Services.GetRequiredService<Issuer>();
        // Reading the options parses the addresses and opens the certificate.
        _ = app.Services.GetRequiredService<IOptions<KestrelServerOptions>>().Value;
        foreach (var (address, setting) in Addresses(options).Select(address => (address, "--urls")).Concat(Observability.MetricsListener.Addresses(options.Metrics).Select(url => (url.OriginalString, "Metrics:Urls"))))
        {
            var url = new Uri(address);
            var isLocalhost = url.Host == "localhost";
            IPAddress[] ips = isLocalhost ? [IPAddress.Loopback, IPAddress.IPv6Loopback] : IPAddress.TryParse(url.Host.Trim('[', ']'), out var ip) ? [ip] : [IPAddress.Any];
            foreach (var one in ips)
            {
                if (Bind(new IPEndPoint(one, url.Port)) is not { } problem) continue;
                if (problem == SocketError.AddressAlreadyInUse) throw PortInUse(address, setting);
                // A machine without IPv6 has one localhost only; the listener is content with that.
                if (!isLocalhost || one.AddressFamily == AddressFamily.InterNetwork)
                    throw new ConfigurationException($"This user may not listen on {address}: choose a port above 1023 and an address of this machine with {setting}.");
            }
        }
    }

    private static SocketError? Bind(IPEndPoint endpoint)
    {
        try
        {
            using var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(endpoint);
            return null;
        }
        catch (SocketException failure)
        {
            return failure.SocketErrorCode;
        }
    }

    private static ConfigurationException PortInUse(string address, string setting) =>
        new($"The port of {address} is in use by another program: stop that, or choose another port with {setting}.");

    private static string[] Addresses(IdpOptions options) => options.Urls.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private static async Task Warn(WebApplication app, IdpOptions options, CancellationToken ct)
    {
        var log = app.Services.GetRequiredService<ILoggerFactory>().CreateLogger("IdP");
        Backups.BackupsFeature.WarnOfKeptTokens(options, log);
        if (!app.Services.GetRequiredService<Issuer>().IsHttps)
            log.LogWarning("The issuer is plain http: cookies lose __Host- and Secure, and tokens can be read on the way. Use https in production");
        if (options.Passwords.Iterations < PasswordOptions.RecommendedIterations)
            log.LogWarning("Passwords:Iterations is {Iterations}, under the recommended {Recommended}: stolen hashes are cheaper to guess", options.Passwords.Iterations, PasswordOptions.RecommendedIterations);
        if (options.Mail.SmtpHost is null && !new Uri(app.Services.GetRequiredService<Issuer>().Value).IsLoopback)
            log.LogWarning("Mails are not sent but written into {Folder}: set Mail:SmtpHost", Mail.MailSender.FolderOf(options));
        if (options.Mail.SmtpHost is { } smtp && !options.Mail.SmtpStartTls)
            log.LogWarning("Mail:SmtpStartTls is false: mails, and the links in them, travel in the clear to {Server}", smtp);
        var standsStill = app.Services.GetRequiredService<DatabaseClock>().StandsStillFor;
        if (standsStill > TimeSpan.FromMinutes(1))
            log.LogWarning("The database has seen a time that is {Ahead} ahead of this machine's clock: time stands still until then, and nothing expires. Set the clock; if it is right, 'IdP doctor' says what to do", standsStill);
        if (options.Http.AllowPrivateTargets)
            log.LogWarning("Http:AllowPrivateTargets is set: whoever registers a client can have this server call addresses inside your network");

        foreach (var api in app.Services.GetRequiredService<ResourceCatalog>().Current.SharingSecrets)
            log.LogWarning("{Api} checks tokens with a shared secret (HS256): whoever has it can make tokens for that API, and nobody can tell. ES256 with the published keys needs no secret", api.Identifier);

        await using var db = app.Services.GetRequiredService<Database>().OpenForReading();
        var clients = db.Set<Client>();
        await WarnOf("The password grant is deprecated (RFC 9700 section 2.4) and is allowed for: {Clients}", clients.Where(c => c.GrantTypes.Contains(GrantNames.Password)));
        await WarnOf("Public clients that may use the password grant (--allow-public-password-grant): {Clients}", clients.Where(c => c.AllowPublicPasswordGrant));
        await WarnOf("Clients that may leave PKCE out (--allow-code-without-pkce): {Clients}", clients.Where(c => c.AllowCodeWithoutPkce));
        if (!await clients.AnyAsync(ct))
            log.LogInformation("There are no clients yet. Add an API, a scope and the first client, each command with --data {Data}: 'IdP resource add urn:example:api', " +
                "'IdP scope add items:read --resource urn:example:api', 'IdP client add my-app --grant client_credentials --scope items:read'", options.Storage.DataDirectory);
        if (!await db.Users.AnyAsync(ct))
            log.LogInformation("There are no users yet. Add the first with 'IdP user add alice --data {Data} --password-file FILE'", options.Storage.DataDirectory);

        async Task WarnOf(string message, IQueryable<Client> which)
        {
            const int most = 20;
            var ids = await which.OrderBy(c => c.ClientId).Select(c => c.ClientId).Take(most + 1).ToListAsync(ct);
            if (ids.Count > most) ids[most] = "...";
            if (ids.Count > 0) log.LogWarning(message, ids);
        }
    }
}
