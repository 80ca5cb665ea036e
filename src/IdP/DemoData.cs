using IdP.Account;
using IdP.Accounts;
using IdP.Clients;
using IdP.Commands;
using IdP.Http;
using IdP.Mail;
using IdP.Protocol.Jose;
using IdP.Protocol.OAuth;
using IdP.Resources;
using IdP.Roles;
using IdP.Storage;
using IdP.Ui;
using Microsoft.EntityFrameworkCore;

namespace IdP;

/// <summary>What <c>serve --demo</c> puts into a new database. A later start adds nothing and restores nothing that somebody has changed.</summary>
internal static class DemoData
{
    public const string DefaultApiUrl = "http://localhost:7001";
    private const string Api = "urn:demo:api";
    private const string LegacyApi = "urn:demo:legacy";

    /// <summary>Where the sample API in Python is.</summary>
    private const string PythonApiUrl = "http://localhost:7002";
    private const string Actor = "demo";

    private static readonly (string Name, string Description)[] Scopes =
    [
        ("items:read", "See your items"), ("items:write", "Create items"), ("admin", "Administer the demo's API"),
    ];

    /// <summary>What the demo's people can make API keys for on their account page.</summary>
    public const string AccountScopes = "items:read items:write";

    private static readonly (string Name, string Description)[] Permissions = [("items:delete", "Delete items"), ("items:audit", "See who created items")];

    private static readonly (string Name, string[] Permissions)[] Roles = [("manager", ["items:delete", "items:audit"]), ("auditor", ["items:audit"])];

    private static readonly (string Role, RoleHolder Holder)[] Holders =
        [("manager", new("alice", null)), ("auditor", new("bob", null)), ("auditor", new(null, "demo-service"))];

    /// <summary>Two of the clients answer at the API's own address.</summary>
    private static NewClient[] ClientsFor(string apiUrl) =>
    [
        new("demo-service")
        {
            Secret = "demo-service-secret", Name = "Demo service", GrantTypes = [GrantNames.ClientCredentials],
            Scopes = ["items:read", "items:write", "legacy:read"], DefaultScopes = ["items:read"],
            // For those who type its secret into the interactive documents.
            Origins = [WebOrigin.Of(apiUrl)!, PythonApiUrl],
        },
        new("demo-password")
        {
            Secret = "demo-password-secret", Name = "Demo program with the user's password", GrantTypes = [GrantNames.Password],
            Scopes = ["openid", "profile", "email", "roles", "items:read", "items:write", "legacy:read"], DefaultScopes = ["openid", "items:read"],
        },
        new("demo-web")
        {
            Secret = "demo-web-secret", Name = "Demo web app", GrantTypes = [GrantNames.AuthorizationCode, GrantNames.RefreshToken], RedirectUris = ["http://localhost:7200/callback"],
            PostLogoutRedirectUris = ["http://localhost:7200/"], Scopes = ["openid", "profile", "email", "address", "phone", "offline_access", "items:read", "items:write"],
        },
        new("demo-spa")
        {
            IsPublic = true, Name = "Demo app in the browser", GrantTypes = [GrantNames.AuthorizationCode, GrantNames.RefreshToken], RedirectUris = ["http://localhost:7200/spa.html"],
            PostLogoutRedirectUris = ["http://localhost:7200/spa.html"], Origins = ["http://localhost:7200"],
            Scopes = ["openid", "profile", "email", "offline_access", "items:read", "items:write"],
        },
        new("demo-docs")
        {
            IsPublic = true, Name = "Demo documents of the API", GrantTypes = [GrantNames.AuthorizationCode, GrantNames.Password], AllowPublicPasswordGrant = true,
            RedirectUris = [$"{apiUrl.TrimEnd('/')}/docs/oauth2-redirect.html", $"{PythonApiUrl}/docs/oauth2-redirect"], Origins = [WebOrigin.Of(apiUrl)!, PythonApiUrl],
            Scopes = ["openid", "profile", "roles", "items:read", "items:write", "admin"],
        },
        new("demo-bff")
        {
            Secret = "demo-bff-secret", Name = "Demo site of the API", GrantTypes = [GrantNames.AuthorizationCode, GrantNames.RefreshToken],
            RedirectUris = [$"{apiUrl.TrimEnd('/')}/session/callback", $"{PythonApiUrl}/session/callback"], PostLogoutRedirectUris = [$"{apiUrl.TrimEnd('/')}/", $"{PythonApiUrl}/"],
            Scopes = ["openid", "profile", "roles", "offline_access", "items:read", "items:write"],
        },
        new("demo-api") { Secret = "demo-api-secret", Name = "Demo resource API", Resource = Api },
    ];

    /// <summary>The demo's clients, whose secrets anybody can read here.</summary>
    public static IEnumerable<string> ClientIds => ClientsFor(DefaultApiUrl).Select(client => client.ClientId);

    /// <summary>The demo's people and their passwords, which anybody can read here.</summary>
    public static readonly (string Name, string Password)[] People =
    [
        ("alice", "alice-Wonderland-42"), ("bob", "bob-Builder-4242"), ("mallory", "mallory-Hatter-4242"),
    ];

    /// <summary>Fills the database if it has no clients, resources and users yet, in one transaction.</summary>
    /// <param name="services">The opened server.</param>
    /// <param name="apiUrl">The second identifier of the demo's API.</param>
    /// <param name="ct">Cancels.</param>
    public static async Task Fill(IServiceProvider services, string apiUrl, CancellationToken ct)
    {
        var database = services.GetRequiredService<Database>();
        await using (var db = database.OpenForReading())
            if (!await IsEmpty(db, ct)) return;
        var (pool, rules) = (services.GetRequiredService<HashPool>(), services.GetRequiredService<PasswordRules>());
        // Hashed before the transaction: there it would keep every other change waiting.
        var passwords = await Task.WhenAll(People.Select(person => HashedPassword.Make(pool, rules, person.Password, new User { UserName = person.Name })));
        await database.Write(async db =>
        {
            await ServerState.TakeTurn(db, ct);
            if (await IsEmpty(db, ct)) await Add(db, services, apiUrl, passwords, ct);
        }, ct);
        // What was added must be known before the first request.
        await services.GetRequiredService<ChangePoll>().Poll(ct);
    }

    /// <summary>Prints how to use what is there of the demo data.</summary>
    public static async Task Print(IServiceProvider services, TextWriter output, CancellationToken ct)
    {
        await using var db = services.GetRequiredService<Database>().OpenForReading();
        var (issuer, secrets) = (services.GetRequiredService<Issuer>().Value, services.GetRequiredService<SecretHash>());
        var clients = await db.Set<Client>().Include(c => c.Secrets).Include(c => c.Resource!).ThenInclude(r => r.Identifiers).ToListAsync(ct);
        var users = await db.Users.ToListAsync(ct);
        var clientRows = ClientsFor(DefaultApiUrl).Select(demo => (demo, stored: clients.Find(c => c.ClientId == demo.ClientId))).Where(row => row.stored is not null).Select(row => new[]
        {
            row.demo.ClientId, row.demo.Secret is null ? "(public)" : secrets.Matches(row.stored, row.demo.Secret) ? row.demo.Secret : "(changed)", Purpose(row.stored!),
        }).ToList();
        var userRows = People.Select(demo => (demo, stored: users.Find(u => u.UserName == demo.Name))).Where(row => row.stored is not null).Select(row => new[]
        {
            row.demo.Name, row.demo.Password, (row.stored!.DisabledAt is null ? "enabled" : "disabled") + (row.stored.UpdatedAt > row.stored.CreatedAt ? ", changed since" : ""),
        }).ToList();
        if (clientRows.Count == 0 || userRows.Count == 0)
        {
            await output.WriteLineAsync($"The issuer is {issuer}. The database had contents of its own, so the demo data was not added: for the demo, name an empty folder with --data.");
            return;
        }
        await output.WriteLineAsync(
            $"""

            The demo's issuer is {issuer}

            {Table.Of(["CLIENT", "SECRET", "MAY"], clientRows)}

            {Table.Of(["USER", "PASSWORD", "STATE"], userRows)}

            Try:
              curl -u demo-service:demo-service-secret -d grant_type=client_credentials {issuer}/connect/token
              curl -u demo-password:demo-password-secret -d grant_type=password -d username=alice -d password=alice-Wonderland-42 {issuer}/connect/token
              curl -u demo-api:demo-api-secret -d token=ACCESS_TOKEN {issuer}/connect/introspect

            Click through it (needs Node 20 or newer):
              cd samples/web && npm ci && {(issuer == "http://localhost:8080" ? "" : $"ISSUER={issuer} ")}npm start
              Open http://localhost:7200, press Sign in, and be alice.

            Make an account of your own at {issuer}{PageAddresses.SignUp}, look after it at {issuer}{AccountSection.Overview}
            Mails are written into {MailSender.FolderOf(services.GetRequiredService<IdpOptions>())}

            """);
    }

    private static string Purpose(Client client)
    {
        var may = client.Resource is { } api
            ? $"introspect for {string.Join(" and ", api.Identifiers.OrderBy(i => i.Position).Select(i => i.Value))}"
            : $"{string.Join(' ', client.GrantTypes)}: {string.Join(' ', client.Scopes)}";
        return client.IsDisabled ? $"nothing: disabled ({may})" : may;
    }

    private static async Task<bool> IsEmpty(IdpDbContext db, CancellationToken ct) =>
        !await db.Set<Client>().AnyAsync(ct) && !await db.Set<Resource>().AnyAsync(ct) && !await db.Users.AnyAsync(ct);

    private static async Task Add(IdpDbContext db, IServiceProvider services, string apiUrl, HashedPassword[] passwords, CancellationToken ct)
    {
        var (resources, clients, users) = (services.GetRequiredService<ResourceStatements>(), services.GetRequiredService<ClientStatements>(), services.GetRequiredService<UserStatements>());
        await resources.AddResource(db, new NewResource([Api, apiUrl]), Actor, ct);
        foreach (var (name, description) in Scopes) await resources.AddScope(db, name, Api, description, Actor, ct);
        // Its secret is nobody's yet: 'resource secret' makes one that is shown.
        await resources.AddResource(db, new NewResource([LegacyApi]) { Algorithm = SharedSecretKey.Algorithm, AllowsSharedSecret = true }, Actor, ct);
        await resources.AddScope(db, "legacy:read", LegacyApi, "See what the old API has", Actor, ct);
        foreach (var client in ClientsFor(apiUrl)) await clients.Add(db, client, Actor, ct);
        await users.Add(db, Alice(), passwords[0], Actor, ct);
        await users.Add(db, new User { UserName = "bob" }, passwords[1], Actor, ct);
        await users.Add(db, new User { UserName = "mallory", DisabledAt = services.GetRequiredService<TimeProvider>().GetUtcNow() }, passwords[2], Actor, ct);
        var roles = services.GetRequiredService<RoleStatements>();
        foreach (var (name, description) in Permissions) await roles.AddPermission(db, name, Api, description, Actor, ct);
        foreach (var (name, permissions) in Roles)
        {
            await roles.AddRole(db, name, description: null, Actor, ct);
            await roles.Permit(db, name, permissions, Actor, ct);
        }
        foreach (var (role, holder) in Holders) await roles.Assign(db, role, holder, Actor, ct);
    }

    /// <summary>Every standard claim of OpenID Connect Core §5.1.</summary>
    private static User Alice() => new()
    {
        UserName = "alice",
        Name = "Alice Liddell",
        GivenName = "Alice",
        FamilyName = "Liddell",
        MiddleName = "Pleasance",
        Nickname = "Al",
        Profile = "https://example.com/alice",
        Picture = "https://example.com/alice.png",
        Website = "https://alice.example.com",
        Email = "alice@example.com",
        EmailConfirmed = true,
        Gender = "female",
        Birthdate = "1990-05-04",
        ZoneInfo = "Europe/London",
        Locale = "en-GB",
        PhoneNumber = "+44 1865 276150",
        PhoneNumberConfirmed = true,
        StreetAddress = "St Aldates",
        Locality = "Oxford",
        Region = "Oxfordshire",
        PostalCode = "OX1 1DP",
        Country = "United Kingdom",
    };
}
