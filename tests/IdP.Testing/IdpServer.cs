using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using IdP.Accounts;
using IdP.Clients;
using IdP.Http;
using IdP.Keys;
using IdP.Protocol.Jose;
using IdP.Resources;
using IdP.Roles;
using IdP.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace IdP.Testing;

/// <summary>
/// The real server on a free loopback port with a database of its own. It has the demo's API, clients and people under the names
/// below; tests add what they need. The clock is the test's to move.
/// </summary>
internal sealed class IdpServer : IAsyncDisposable
{
    public const string Api = "urn:test:api";
    public const string Secret = "a-secret-of-the-tests-0123456789";
    public const string Password = "correct-horse-battery";
    private readonly string _folder;
    private readonly bool _ownsFolder;
    private readonly List<IdpServer> _others = [];
    private Action<TimeSpan>? _passed;
    private int _turn;

    private IdpServer(WebApplication app, string folder, bool ownsFolder, TestClock clock, LogRecords log, string url, string issuer)
    {
        (App, _folder, _ownsFolder, Clock, Log, Url, Issuer) = (app, folder, ownsFolder, clock, log, url, issuer);
        Http = new HttpClient(Balanced(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false })) { BaseAddress = new Uri(url) };
    }

    public WebApplication App { get; }
    public HttpClient Http { get; }
    public TestClock Clock { get; }
    public LogRecords Log { get; }

    /// <summary>Where it listens; its issuer unless the test configures another.</summary>
    public string Url { get; }
    public string Issuer { get; }
    public Database Database => App.Services.GetRequiredService<Database>();
    public KeyRing Keys => App.Services.GetRequiredService<KeyRing>();

    /// <summary>This server and those that joined it.</summary>
    public IEnumerable<IdpServer> Nodes => [this, .. _others];

    /// <summary>Starts a server with the usual API, clients and people.</summary>
    public static async Task<IdpServer> Start(Action<IdpOptions>? configure = null, bool https = false, Action<WebApplicationBuilder>? customize = null)
    {
        var server = await StartEmpty(configure, https: https, customize: customize);
        await server.Seed();
        return server;
    }

    /// <summary>Starts a server with nothing in it, or on the data of another.</summary>
    /// <param name="configure">Settings of the test's own.</param>
    /// <param name="folder">Where its data is; null makes a folder that goes with it.</param>
    /// <param name="clock">Its time.</param>
    /// <param name="https">Whether it speaks TLS, which pages and their cookies want.</param>
    /// <param name="customize">Parts of the program that the test replaces or adds.</param>
    /// <param name="log">Where its log goes; null makes one of its own.</param>
    public static async Task<IdpServer> StartEmpty(
        Action<IdpOptions>? configure = null, string? folder = null, TestClock? clock = null, bool https = false, Action<WebApplicationBuilder>? customize = null, LogRecords? log = null)
    {
        var data = folder ?? Directory.CreateTempSubdirectory("idp-test-").FullName;
        var url = $"{(https ? "https" : "http")}://localhost:{ChildProcess.FreePort()}";
        var options = new IdpOptions { Urls = url };
        if (https) (options.Http.TlsCertificate, options.Http.TlsKey) = (TestTls.CertificateFile, TestTls.KeyFile);
        options.Storage.DataDirectory = data;
        // A full hash takes a tenth of a second; these tests are about what happens around it.
        options.Passwords.Iterations = 1000;
        // Tests share an address and fail on purpose; those about the limits set them.
        (options.Limits.FailuresPerCaller, options.Limits.FailuresPerAddress, options.Limits.UnknownTokensPerCaller, options.Limits.PushesPerPublicCaller) = (100_000, 100_000, 100_000, 100_000);
        (options.Limits.WrongPasswordsPerNetwork, options.Limits.WrongPasswordsPerAccount) = (100_000, 100_000);
        configure?.Invoke(options);
        url = options.Urls;
        clock ??= new TestClock();
        // A node and its database move together, as time does.
        var database = options.Storage is { Provider: "postgres", ConnectionString: { } given } ? given : null;
        if (database is not null)
        {
            options.Storage.ConnectionString = await PostgresCluster.LetTimePass(database);
            if (clock.PassedInAll != TimeSpan.Zero) await PostgresCluster.SetPassed(database, clock.PassedInAll);
        }
        log ??= new LogRecords();
        var app = Server.Build(options, new ConfigurationBuilder().Build(), clock, builder =>
        {
            builder.Logging.ClearProviders();
            builder.Logging.AddProvider(log);
            builder.Logging.SetMinimumLevel(LogLevel.Trace);
            // The apps of tests have the same certificate as the server.
            builder.Services.AddHttpClient(Outbound.Client).ConfigurePrimaryHttpMessageHandler((handler, _) => TestTls.Pin((SocketsHttpHandler)handler));
            customize?.Invoke(builder);
        });
        await Server.Open(app.Services, CancellationToken.None);
        await app.StartAsync();
        Action<TimeSpan>? passed = database is null ? null : time =>
        {
            PostgresCluster.SetPassed(database, time).GetAwaiter().GetResult();
            // A poll in between has seen the one moved and the other not.
            _ = app.Services.GetRequiredService<ChangePoll>().Poll(CancellationToken.None).GetAwaiter().GetResult();
        };
        if (passed is not null) clock.Followers = clock.Followers.Add(passed);
        return new IdpServer(app, data, folder is null, clock, log, url, options.Issuer ?? url) { _passed = passed };
    }

    public async Task<long> AddResource(string identifier, string[] scopes, Action<Resource>? configure = null)
    {
        var resource = new Resource
        {
            Algorithm = SigningAlgorithms.ES256,
            CreatedAt = Clock.GetUtcNow(),
            Identifiers = [new ResourceIdentifier { Value = identifier }],
        };
        configure?.Invoke(resource);
        await Change(async (db, version) =>
        {
            resource.Version = version;
            db.Add(resource);
            await db.SaveChangesAsync();
            foreach (var name in scopes) db.Add(new Scope { Name = name, ResourceId = resource.Id, Version = version });
            await db.SaveChangesAsync();
            await Keys.Ensure(db, resource.Algorithm, CancellationToken.None);
        });
        return resource.Id;
    }

    public async Task AddClient(string clientId, string grants, string scopes, Action<Client>? configure = null, string? secret = Secret)
    {
        var client = new Client
        {
            ClientId = clientId,
            GrantTypes = Words(grants),
            Scopes = Words(scopes),
            AuthenticationMethods = ["client_secret_basic", "client_secret_post"],
            CreatedAt = Clock.GetUtcNow(),
        };
        if (secret is null) (client.IsPublic, client.AuthenticationMethods) = (true, ["none"]);
        else client.Secrets.Add(App.Services.GetRequiredService<SecretHash>().Make(secret, null));
        configure?.Invoke(client);
        await Change(async (db, version) =>
        {
            client.Version = version;
            db.Add(client);
            await db.SaveChangesAsync();
            if (client.MayUse("authorization_code")) await Keys.Ensure(db, client.IdTokenAlgorithm, CancellationToken.None);
            if (client.UserInfoAlgorithm is { } algorithm) await Keys.Ensure(db, algorithm, CancellationToken.None);
        });
    }

    public async Task<User> AddUser(string name, string password = Password, Action<User>? configure = null)
    {
        var now = Clock.GetUtcNow();
        var user = new User
        {
            Id = Guid.CreateVersion7(now),
            UserName = name,
            NormalizedUserName = name.ToUpperInvariant(),
            Email = $"{name}@example.com",
            NormalizedEmail = $"{name}@example.com".ToUpperInvariant(),
            EmailConfirmed = true,
            SecurityStamp = Guid.NewGuid().ToString("N"),
            PasswordHash = await App.Services.GetRequiredService<HashPool>().Hash(password),
            CreatedAt = now,
            UpdatedAt = now,
        };
        configure?.Invoke(user);
        await Change(async (db, _) =>
        {
            db.Add(user);
            await db.SaveChangesAsync();
        });
        return user;
    }

    public Task<HashedPassword> NewPassword(string password, string owner) =>
        HashedPassword.Make(App.Services.GetRequiredService<HashPool>(), App.Services.GetRequiredService<PasswordRules>(), password, new User { UserName = owner });

    /// <summary>Adds a role that says how whoever holds it signs in, and gives it to somebody.</summary>
    public Task Demand(RoleDemand demand, string role, string user) => Change(async (db, _) =>
    {
        var roles = App.Services.GetRequiredService<RoleStatements>();
        await roles.AddRole(db, role, null, "cli", CancellationToken.None, demand);
        await roles.Assign(db, role, new RoleHolder(user, null), "cli", CancellationToken.None);
    });

    /// <summary>Changes the database as a command would and has this server, and those that joined it, see it at once.</summary>
    public async Task Change(Func<IdpDbContext, long, Task> change)
    {
        await Database.Write(async db => await change(db, await ServerState.NextStamp(db, CancellationToken.None)), CancellationToken.None);
        await Poll();
    }

    public Task Poll() => Task.WhenAll(Nodes.Select(node => node.App.Services.GetRequiredService<ChangePoll>().Poll(CancellationToken.None)));

    /// <summary>From now on each request to this server goes to one of the two in turn, as behind a load balancer that knows no sessions; more may join. The other ends with this one.</summary>
    public void Join(IdpServer other) => _others.Add(other);

    /// <summary>The way of requests to this server.</summary>
    public HttpMessageHandler Balanced(SocketsHttpHandler handler) => new Balancer(this) { InnerHandler = TestTls.Pin(handler) };

    public Task<Answer> Post(string path, string? clientId, params (string Name, string Value)[] form) => Post(path, clientId, Secret, form);

    /// <summary>Posts a form as a client that authenticates by Basic; no client id sends no header.</summary>
    public async Task<Answer> Post(string path, string? clientId, string secret, params (string Name, string Value)[] form)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path)
        {
            Content = new FormUrlEncodedContent(form.Select(pair => new KeyValuePair<string, string>(pair.Name, pair.Value))),
        };
        if (clientId is not null) request.Headers.Authorization = Basic(clientId, secret);
        return await Send(request);
    }

    public async Task<Answer> Send(HttpRequestMessage request)
    {
        var response = await Http.SendAsync(request);
        return new Answer(response, await response.Content.ReadAsStringAsync());
    }

    public static AuthenticationHeaderValue Basic(string clientId, string secret) =>
        new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{Uri.EscapeDataString(clientId)}:{Uri.EscapeDataString(secret)}")));

    public Task<Answer> ClientCredentials(string clientId = "service", string scope = "items:read") =>
        Post("/connect/token", clientId, ("grant_type", "client_credentials"), ("scope", scope));

    public Task<Answer> PasswordGrant(string user, string password = Password, string clientId = "app", string scope = "items:read") =>
        Post("/connect/token", clientId, ("grant_type", "password"), ("username", user), ("password", password), ("scope", scope));

    public Task<Answer> Introspect(string token, string caller = "api") => Post("/connect/introspect", caller, ("token", token));

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        if (_passed is not null) Clock.Followers = Clock.Followers.Remove(_passed);
        foreach (var other in _others) await other.DisposeAsync();
        await App.StopAsync();
        await App.DisposeAsync();
        if (_ownsFolder) Directory.Delete(_folder, recursive: true);
    }

    /// <summary>The usual API, clients and people.</summary>
    public async Task Seed()
    {
        var api = await AddResource(Api, ["items:read", "items:write", "admin"], r => r.Identifiers.Add(new ResourceIdentifier { Value = "https://api.test", Position = 1 }));
        await AddClient("service", "client_credentials", "items:read items:write", c => c.DefaultScopes = ["items:read"]);
        await AddClient("app", "password", "openid profile email items:read items:write", c => c.DefaultScopes = ["openid", "items:read"]);
        await AddClient("api", "", "", c => c.ResourceId = api);
        await AddClient("web", "authorization_code refresh_token", "openid profile email address phone offline_access items:read items:write", c =>
        {
            (c.Name, c.RedirectUris, c.PostLogoutRedirectUris) = ("Web app", ["https://web.test/callback"], ["https://web.test/"]);
        });
        await AddClient("spa", "authorization_code refresh_token", "openid profile email offline_access items:read", c =>
        {
            (c.Name, c.RedirectUris, c.PostLogoutRedirectUris, c.Origins) = ("Browser app", ["https://spa.test/callback"], ["https://spa.test/"], ["https://spa.test"]);
        }, secret: null);
        await AddUser("alice");
        await AddUser("bob");
        await AddUser("mallory", configure: u => u.DisabledAt = Clock.GetUtcNow());
    }

    private sealed class Balancer(IdpServer first) : DelegatingHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var turn = (int)((uint)Interlocked.Increment(ref first._turn) % (first._others.Count + 1));
            if (turn > 0 && request.RequestUri!.GetLeftPart(UriPartial.Authority) == first.Url) request.RequestUri = new Uri(new Uri(first._others[turn - 1].Url), request.RequestUri.PathAndQuery);
            return base.SendAsync(request, cancellationToken);
        }
    }

    private static List<string> Words(string text) => [.. text.Split(' ', StringSplitOptions.RemoveEmptyEntries)];
}

/// <summary>An answer with its body.</summary>
internal sealed record Answer(HttpResponseMessage Response, string Body)
{
    public int Status => (int)Response.StatusCode;
    public JsonObject Json => JsonNode.Parse(Body)!.AsObject();
    public string? Error => Json["error"]?.GetValue<string>();
    public string AccessToken => Json["access_token"]!.GetValue<string>();
    public bool Active => Json["active"]!.GetValue<bool>();

    /// <summary>The claims of the JWT access token, unchecked.</summary>
    public JsonObject Claims => JsonNode.Parse(Convert.FromBase64String(Padded(AccessToken.Split('.')[1])))!.AsObject();

    public string Header(string name) => Response.Headers.TryGetValues(name, out var values) || Response.Content.Headers.TryGetValues(name, out values) ? string.Join(", ", values) : "";

    private static string Padded(string text) => text.Replace('-', '+').Replace('_', '/').PadRight((text.Length + 3) / 4 * 4, '=');
}
