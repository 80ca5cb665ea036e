using System.Security.Cryptography;
using System.Text.RegularExpressions;
using IdP.Testing;
using IdP.Tests.Support;
using Xunit;

namespace IdP.Tests.Observability;

/// <summary>The program with figures, after one of each kind of traffic. A process of its own: instruments are the process's, and these tests run beside others.</summary>
public abstract class WatchedServer : IAsyncLifetime
{
    private readonly string _url = $"http://localhost:{ChildProcess.FreePort()}";

    internal ChildProcess Process { get; private set; } = null!;
    internal HttpClient Http { get; private set; } = null!;
    internal HttpClient Metrics { get; } = new() { BaseAddress = new Uri($"http://127.0.0.1:{ChildProcess.FreePort()}") };

    public async Task InitializeAsync()
    {
        Http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = new Uri(_url) };
        var folder = Directory.CreateTempSubdirectory("idp-watched-").FullName;
        Folder = folder;
        var settings = await Prepare();
        await using (var seed = await IdpServer.StartEmpty(options =>
        {
            options.Issuer = _url;
            if (settings.TryGetValue("Storage__Provider", out var provider)) (options.Storage.Provider, options.Storage.ConnectionString, options.Keys.MasterKey) = (provider, settings["Storage__ConnectionString"], settings["Keys__MasterKey"]);
        }, folder)) await seed.Seed();
        foreach (var limit in (string[])["FailuresPerCaller", "FailuresPerAddress", "WrongPasswordsPerNetwork"]) settings[$"Limits__{limit}"] = "100000";
        settings["Passwords__Iterations"] = "1000";
        settings["Metrics__Urls"] = Metrics.BaseAddress!.ToString();
        Process = await ChildProcess.Serve(new Uri(_url + "/health/ready"), [.. ChildProcess.Provider, "serve", "--data", folder, "--urls", _url],
            environment: settings.ToDictionary(setting => $"IDP__{setting.Key}", setting => setting.Value));
        await Traffic();
    }

    public virtual async Task DisposeAsync()
    {
        await Process.DisposeAsync();
        Http.Dispose();
        Metrics.Dispose();
        Directory.Delete(Folder, recursive: true);
    }

    protected string Folder { get; private set; } = "";

    /// <summary>Settings of the engine.</summary>
    protected abstract Task<Dictionary<string, string>> Prepare();

    /// <summary>What Prometheus gets.</summary>
    internal async Task<string> Scrape() => await Metrics.GetStringAsync("/metrics");

    /// <summary>The value of one series, as it is written; 0 when there is none.</summary>
    internal static double Value(string text, string series) =>
        text.Split('\n').FirstOrDefault(line => line.StartsWith(series + " ", StringComparison.Ordinal)) is { } line ? double.Parse(line[(series.Length + 1)..]) : 0;

    internal async Task<Answer> Post(string path, string clientId, string secret, params (string Name, string Value)[] form) => await Send(Invariants.Form(path, clientId, secret, form));

    internal async Task<Answer> Send(HttpRequestMessage request)
    {
        var response = await Http.SendAsync(request);
        return new Answer(response, await response.Content.ReadAsStringAsync());
    }

    internal Task<Answer> PasswordGrant(string user, string password) =>
        Post("/connect/token", "app", IdpServer.Secret, ("grant_type", "password"), ("username", user), ("password", password), ("scope", "items:read"));

    internal Task<Answer> ClientCredentials() => Post("/connect/token", "service", IdpServer.Secret, ("grant_type", "client_credentials"), ("scope", "items:read"));

    private async Task Traffic()
    {
        using var browser = new Browser(_url);
        var flow = new CodeFlow { Scope = "openid offline_access items:read" };
        var page = await browser.Authorize(flow.Parameters());
        Assert.Equal(400, (await browser.SignIn(page, "alice", "wrong")).Status);
        var code = (await browser.Complete(flow.Parameters())).ResponseParameters()["code"];
        var tokens = await Post("/connect/token", "web", IdpServer.Secret, ("grant_type", "authorization_code"), ("code", code), ("redirect_uri", flow.RedirectUri), ("code_verifier", flow.Verifier));
        Assert.Equal(200, (await Post("/connect/token", "web", IdpServer.Secret, ("grant_type", "refresh_token"), ("refresh_token", tokens.Json["refresh_token"]!.GetValue<string>()))).Status);
        var own = (await ClientCredentials()).AccessToken;
        Assert.Equal(200, (await PasswordGrant("bob", IdpServer.Password)).Status);
        Assert.Equal(400, (await PasswordGrant("bob", "wrong")).Status);
        Assert.Equal(401, (await Post("/connect/token", "service", "wrong", ("grant_type", "client_credentials"))).Status);
        Assert.True((await Post("/connect/introspect", "api", IdpServer.Secret, ("token", own))).Active);
        Assert.False((await Post("/connect/introspect", "api", IdpServer.Secret, ("token", "x"))).Active);
        Assert.Equal(200, (await Post("/connect/revoke", "service", IdpServer.Secret, ("token", own))).Status);
        using var people = new Browser(_url);
        page = await people.Get("/recovery");
        Assert.Equal(200, (await people.Submit(page, "/recovery", ("username", "alice"))).Status);
        Assert.Equal(404, (await people.Get("/nowhere")).Status);
        await Http.GetAsync("/.well-known/jwks.json");
    }
}

public sealed class WatchedOnSqlite : WatchedServer
{
    protected override Task<Dictionary<string, string>> Prepare() => Task.FromResult(new Dictionary<string, string>());
}

public sealed class WatchedOnPostgres : WatchedServer
{
    private PostgresDatabase _database = null!;

    protected override async Task<Dictionary<string, string>> Prepare()
    {
        _database = await PostgresCluster.CreateDatabase();
        return new() { ["Storage__Provider"] = "postgres", ["Storage__ConnectionString"] = _database.ConnectionString, ["Keys__MasterKey"] = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)) };
    }

    public override async Task DisposeAsync()
    {
        await base.DisposeAsync();
        await _database.DisposeAsync();
    }
}

/// <summary>Names of metrics in texts.</summary>
internal static partial class MetricNames
{
    public static HashSet<string> InScrape(string text) => Types().Matches(text).Select(match => match.Groups["name"].Value).ToHashSet(StringComparer.Ordinal);

    /// <summary>Those that an expression asks for; what a histogram is made of counts as the histogram.</summary>
    public static IEnumerable<string> InExpression(string expression) =>
        Names().Matches(Grouping().Replace(expression, "")).Select(match => Parts().Replace(match.Value, "")).Distinct(StringComparer.Ordinal);

    [GeneratedRegex("^# TYPE (?<name>\\S+) ", RegexOptions.Multiline | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 5000)]
    private static partial Regex Types();

    [GeneratedRegex("\\b(idp|http_server|kestrel|dotnet|db_client)_[a-z0-9_]+(?=[{\\[)\\s]|$)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 5000)]
    private static partial Regex Names();

    // Labels, which may be named like metrics.
    [GeneratedRegex("\\b(by|on|without|ignoring) ?\\([^)]*\\)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 5000)]
    private static partial Regex Grouping();

    [GeneratedRegex("_(bucket|sum|count)$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 5000)]
    private static partial Regex Parts();
}
