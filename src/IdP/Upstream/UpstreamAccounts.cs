using System.Security.Cryptography;
using System.Text.Json;
using IdP.Accounts;
using IdP.Audit;
using IdP.Protocol;
using IdP.Storage;
using IdP.Ui;
using Microsoft.EntityFrameworkCore;

namespace IdP.Upstream;

/// <summary>Somebody whom a provider has named and nobody here knows: connected with an account when its owner signs in here too.</summary>
internal sealed record PendingLink(long ProviderId, string Subject, string? Label, long At);

/// <summary>Which account a person of another provider has here. Known by provider and subject alone; an e-mail address connects nothing.</summary>
internal sealed class UpstreamAccounts(Database database, UserStatements users, UpstreamMetadata metadata, BrowserSeal seal, TimeProvider clock)
{
    private const string Use = "idp upstream link";
    private static readonly TimeSpan Life = TimeSpan.FromMinutes(10);

    /// <summary>The account, disabled ones included; null for somebody new.</summary>
    public Task<User?> Find(UpstreamPerson person, CancellationToken ct) => Find(person.Provider.Id, person.Subject, ct);

    internal async Task<User?> Find(long provider, string subject, CancellationToken ct)
    {
        await using var db = database.OpenForReading();
        var found = await db.Set<UpstreamLogin>().Where(l => l.ProviderId == provider && l.Subject == subject)
            .Join(db.Users, l => l.UserId, u => u.Id, (Login, User) => new { Login.Subject, User }).SingleOrDefaultAsync(ct);
        // SQL Server's "=" does not see spaces at the end, and a provider may give such subjects to two people.
        return found?.Subject == subject ? found.User : null;
    }

    public Task Used(UpstreamPerson person, CancellationToken ct) => database.Write(db => db.Set<UpstreamLogin>()
        .Where(l => l.ProviderId == person.Provider.Id && l.Subject == person.Subject).ExecuteUpdateAsync(set => set.SetProperty(l => l.LastUsedAt, clock.GetUtcNow()), ct), ct);

    /// <summary>
    /// An account for somebody new; null when the name or the proved address is somebody's already, who then signs in here to connect the two.
    /// An address that the provider has not proved is not kept: whoever claims it would learn whether somebody here has it.
    /// </summary>
    public async Task<User?> Create(UpstreamPerson person, CancellationToken ct)
    {
        var told = await Told(person, ct);
        string? Claim(string ours) => told.FirstOrDefault(claims => StrictJson.TryGetString(claims, Theirs(person.Provider, ours), out _)) is { ValueKind: JsonValueKind.Object } claims &&
            claims.GetProperty(Theirs(person.Provider, ours)).GetString() is { } text && PlainText.IsFine(text, 256) ? text : null;
        var isVerified = told.Any(claims => claims.TryGetProperty(Theirs(person.Provider, "email_verified"), out var verified) && verified.ValueKind == JsonValueKind.True);
        var email = isVerified && Claim("email") is { } address ? EmailAddress.Canonical(address) : null;
        var user = new User
        {
            UserName = Claim("preferred_username") ?? email ?? $"{person.Provider.Name}-{RandomNumberGenerator.GetHexString(8, lowercase: true)}",
            Email = email,
            EmailConfirmed = email is not null,
            Name = Claim("name"),
            GivenName = Claim("given_name"),
            FamilyName = Claim("family_name"),
            Locale = Claim("locale"),
        };
        try
        {
            return await database.Write(async db =>
            {
                var added = await users.Add(db, user, password: null, $"upstream:{person.Provider.Name}", ct);
                await Connect(db, added, new PendingLink(person.Provider.Id, person.Subject, Label(person), 0), person.Provider.Name, ct);
                return added;
            }, ct);
        }
        catch (ChangeRefusedException)
        {
            return null;
        }
        catch (DbUpdateException failure) when (Database.IsUniqueViolation(failure))
        {
            // Twice at the same moment: the other one has it.
            return await Find(person, ct);
        }
    }

    /// <summary>Somebody new, for the sign-in page: sealed for this browser and good for ten minutes.</summary>
    public string Pend(HttpContext http, UpstreamPerson person) => seal.Seal(http, Use, JsonSerializer.SerializeToUtf8Bytes(
        new PendingLink(person.Provider.Id, person.Subject, Label(person), clock.GetUtcNow().ToUnixTimeMilliseconds()), UpstreamJson.Default.PendingLink));

    public PendingLink? Pending(HttpContext http, string? sealedText)
    {
        if (seal.Open(http, Use, sealedText) is not { } opened) return null;
        var link = JsonSerializer.Deserialize(opened, UpstreamJson.Default.PendingLink)!;
        return clock.GetUtcNow().ToUnixTimeMilliseconds() - link.At < Life.TotalMilliseconds ? link : null;
    }

    /// <summary>Connects the two, both of which the person has just proved. False when somebody else has that account of the provider already.</summary>
    public async Task<bool> Link(PendingLink link, Guid userId, CancellationToken ct)
    {
        try
        {
            return await database.Write(async db =>
            {
                // Disabled meanwhile, or removed: it says nothing about anybody any more.
                if (await db.Set<UpstreamProvider>().SingleOrDefaultAsync(p => p.Id == link.ProviderId && p.DisabledAt == null, ct) is not { } provider) return false;
                if (await db.Users.SingleOrDefaultAsync(u => u.Id == userId && u.DisabledAt == null, ct) is not { } user) return false;
                await Connect(db, user, link, provider.Name, ct);
                return true;
            }, ct);
        }
        catch (DbUpdateException failure) when (Database.IsUniqueViolation(failure))
        {
            await using var db = database.OpenForReading();
            var subjects = await db.Set<UpstreamLogin>().Where(l => l.ProviderId == link.ProviderId && l.Subject == link.Subject && l.UserId == userId).Select(l => l.Subject).ToListAsync(ct);
            return subjects.Contains(link.Subject);
        }
    }

    private async Task Connect(IdpDbContext db, User user, PendingLink link, string provider, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        db.Add(new UpstreamLogin { Id = Guid.CreateVersion7(now), ProviderId = link.ProviderId, Subject = link.Subject, UserId = user.Id, Label = link.Label, CreatedAt = now, LastUsedAt = now });
        AuditEvent.Record(db, now, new UpstreamLinked(), $"user:{user.Subject}", $"upstream:{provider}");
        await db.SaveChangesAsync(ct);
    }

    // The ID token first: it is signed. Many providers tell names and addresses at userinfo only.
    private async Task<JsonElement[]> Told(UpstreamPerson person, CancellationToken ct)
    {
        if (person.Endpoints.UserInfo is not { } address || person.AccessToken is not { } token) return [person.Claims.Root];
        try
        {
            var userInfo = await metadata.GetJson(address, ct, token);
            // OpenID Connect Core §5.3.2: for somebody else it must not be used.
            return StrictJson.TryGetString(userInfo, "sub", out var subject) && subject == person.Subject ? [person.Claims.Root, userInfo] : [person.Claims.Root];
        }
        catch (UpstreamException)
        {
            return [person.Claims.Root];
        }
    }

    private static string Theirs(UpstreamProvider provider, string ours)
    {
        foreach (var pair in provider.ClaimNames)
            if (pair.StartsWith(ours + "=", StringComparison.Ordinal)) return pair[(ours.Length + 1)..];
        return ours;
    }

    private static string? Label(UpstreamPerson person)
    {
        foreach (var name in (string[])["email", "preferred_username", "name"])
            if (person.Claims.GetString(Theirs(person.Provider, name)) is { } text && PlainText.IsFine(text, 256)) return text;
        return null;
    }
}
