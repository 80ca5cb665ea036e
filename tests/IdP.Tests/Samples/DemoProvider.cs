using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using IdP.Testing;
using Xunit;

namespace IdP.Tests.Samples;

/// <summary>The provider's demo as its own process, for the samples in other languages, with further clients made by its commands.</summary>
public sealed class DemoProvider : IAsyncLifetime
{
    public const string Api = "urn:demo:api";
    public const string User = "alice";
    public const string Password = "alice-Wonderland-42";
    public const string Administrator = "administrator";
    public const string Secret = "a-secret-of-the-samples-tests-0123456789";
    private readonly string _data = Directory.CreateTempSubdirectory("idp-samples-").FullName;
    private ChildProcess? _process;

    public string Issuer { get; } = $"http://127.0.0.1:{ChildProcess.FreePort()}";

    public HttpClient Http { get; } = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false });

    public async Task InitializeAsync()
    {
        _process = await ChildProcess.Serve(new Uri(Issuer + "/health/ready"), [.. ChildProcess.Provider, "serve", "--demo", "--data", _data, "--urls", Issuer]);
        await Command("client", "add", Administrator, "--secret", Secret, "--grant", "client_credentials", "--scope", "items:read admin");
    }

    public async Task DisposeAsync()
    {
        Http.Dispose();
        if (_process is not null) await _process.DisposeAsync();
        Directory.Delete(_data, recursive: true);
    }

    public Task<string> Command(params string[] arguments) => ChildProcess.Run([.. ChildProcess.Provider, .. arguments, "--data", _data]);

    public Task<string> ServiceToken(string scope) => Token("demo-service", "demo-service-secret", ("grant_type", "client_credentials"), ("scope", scope));

    public async Task<string> Token(string client, string secret, params (string Name, string Value)[] form)
    {
        using var answer = await Post("/connect/token", client, secret, form);
        return JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["access_token"]!.GetValue<string>();
    }

    public async Task Revoke(string token)
    {
        using var answer = await Post("/connect/revoke", "demo-service", "demo-service-secret", [("token", token)]);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    /// <summary>A new API key for the demo's API, as the command prints it.</summary>
    public async Task<string> Key(string owner, string name, string scope) =>
        (await Command("api-key", "add", "--" + owner, name, "--resource", Api, "--scope", scope, "--name", "a test")).Trim().Split(' ')[^1];

    /// <summary>An API's answer to a request with some headers.</summary>
    internal async Task<Answer> Call(HttpMethod method, string address, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, address);
        if (method == HttpMethod.Post) request.Content = new StringContent("""{"name":"a rope"}""", Encoding.UTF8, "application/json");
        foreach (var header in headers) request.Headers.TryAddWithoutValidation(header.Name, header.Value);
        var response = await Http.SendAsync(request);
        return new Answer(response, await response.Content.ReadAsStringAsync());
    }

    /// <summary>The status of the answer to two Authorization headers, which .NET's client would join.</summary>
    internal async Task<string> CallTwice(string address)
    {
        var (_, value) = await Bearer("");
        return await ChildProcess.Run(["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-H", "Authorization: " + value, "-H", "Authorization: " + value, address]);
    }

    /// <summary>The Authorization header that an API is to refuse or to accept.</summary>
    internal async Task<(string, string)> Bearer(string fault)
    {
        var token = await ServiceToken(fault == "too few scopes" ? "items:read" : "items:read items:write");
        var dots = (First: token.IndexOf('.', StringComparison.Ordinal), Last: token.LastIndexOf('.'));
        switch (fault)
        {
            case "revoked": await Revoke(token); break;
            case "garbage": token = "garbage"; break;
            case "tampered": token = token[..(dots.Last + 1)] + (token[dots.Last + 1] == 'A' ? 'B' : 'A') + token[(dots.Last + 2)..]; break;
            case "unsigned": token = Base64("""{"alg":"none","typ":"at+jwt"}""") + token[dots.First..(dots.Last + 1)]; break;
            case "ID token": token = await IdToken(); break;
            case "provider's own": token = await Token("demo-password", "demo-password-secret", ("grant_type", "password"), ("username", User), ("password", Password), ("scope", "openid")); break;
        }
        return ("Authorization", (fault == "mixed case" ? "bEaReR " : "Bearer ") + token);
    }

    private async Task<string> IdToken()
    {
        var flow = new CodeFlow { ClientId = "demo-web", RedirectUri = "http://localhost:7200/callback" };
        using var browser = new Browser(Issuer);
        var code = (await browser.Complete(flow.Parameters(), User, Password)).ResponseParameters()["code"];
        using var answer = await Post("/connect/token", flow.ClientId, "demo-web-secret",
            [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", flow.RedirectUri), ("code_verifier", flow.Verifier)]);
        return JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["id_token"]!.GetValue<string>();
    }

    private static string Base64(string text) => System.Buffers.Text.Base64Url.EncodeToString(Encoding.UTF8.GetBytes(text));

    private Task<HttpResponseMessage> Post(string path, string client, string secret, (string Name, string Value)[] form)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, Issuer + path)
        {
            Content = new FormUrlEncodedContent(form.Select(pair => new KeyValuePair<string, string>(pair.Name, pair.Value))),
        };
        request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{client}:{secret}")));
        return Http.SendAsync(request);
    }
}

[CollectionDefinition(Name)]
[SuppressMessage("Naming", "CA1711:Identifiers should not have incorrect suffix", Justification = "xunit's word for it")]
public sealed class SamplesCollection : ICollectionFixture<DemoProvider>
{
    public const string Name = "Samples in other languages";
}

/// <summary>What every sample answers to a bearer token that is wrong in some way, when it needs items:write.</summary>
public static class BearerFaults
{
    public static TheoryData<string, int, string?> Table { get; } = new()
    {
        { "", 201, null },
        { "mixed case", 201, null },
        { "garbage", 401, "invalid_token" },
        { "tampered", 401, "invalid_token" },
        { "unsigned", 401, "invalid_token" },
        { "ID token", 401, "invalid_token" },
        { "provider's own", 401, "invalid_token" },
        { "too few scopes", 403, "insufficient_scope" },
    };

    internal static void Check(Answer answer, int status, string? error)
    {
        Assert.True(status == answer.Status, $"{answer.Status}: {answer.Body}");
        if (error is null) return;
        Assert.StartsWith($"Bearer realm=\"{DemoProvider.Api}\", error=\"{error}\"", answer.Header("WWW-Authenticate"), StringComparison.Ordinal);
        if (error == "insufficient_scope") Assert.Contains("scope=\"items:write\"", answer.Header("WWW-Authenticate"), StringComparison.Ordinal);
    }
}
