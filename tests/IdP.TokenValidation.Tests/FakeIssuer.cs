using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using IdP.Protocol.Jose;
using IdP.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace IdP.TokenValidation.Tests;

/// <summary>A provider that does as a test says: it may lie about its name, be slow, fail, redirect, send too much or change its keys.</summary>
internal sealed class FakeIssuer : IAsyncDisposable
{
    public const string DiscoveryPath = "/.well-known/openid-configuration";
    public const string KeysPath = "/keys";
    public const string IntrospectionPath = "/introspect";

    private static readonly Lazy<SigningKey> Es256 = new(() => SigningKey.Generate(SigningAlgorithms.ES256));
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<string> _requests = new();

    private FakeIssuer(WebApplication app, int port)
    {
        _app = app;
        Issuer = $"http://127.0.0.1:{port}";
        Metadata = new JsonObject
        {
            ["issuer"] = Issuer,
            ["jwks_uri"] = Issuer + KeysPath,
            ["introspection_endpoint"] = Issuer + IntrospectionPath,
        };
    }

    public string Issuer { get; }

    /// <summary>The key that signs, published unless a test takes it out of <see cref="Published"/>.</summary>
    public SigningKey Key { get; } = Es256.Value;

    public List<string> Published { get; } = [Jwk(Es256.Value)];

    public JsonObject Metadata { get; }

    /// <summary>Runs before the answer to a path; true if it has answered itself.</summary>
    public Func<HttpContext, Task<bool>> Intercept { get; set; } = _ => Task.FromResult(false);

    /// <summary>What introspection says of a token.</summary>
    public Func<string, string> Introspection { get; set; } = _ => """{"active":false}""";

    /// <summary>The last request for introspection: its Authorization header and its form.</summary>
    public (string Authorization, Dictionary<string, string> Form) Asked { get; private set; }

    public int Requests(string path) => _requests.Count(request => request == path);

    public static async Task<FakeIssuer> Start()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var app = builder.Build();
        FakeIssuer? issuer = null;
        app.Run(http => issuer!.Answer(http));
        await app.StartAsync();
        issuer = new FakeIssuer(app, new Uri(app.Urls.First()).Port);
        return issuer;
    }

    /// <summary>Claims of a token that the API accepts at the time of the clock.</summary>
    public JsonObject Claims(SteppedClock clock, string scope = "items:read")
    {
        var now = clock.GetUtcNow().ToUnixTimeSeconds();
        return new JsonObject
        {
            ["iss"] = Issuer, ["sub"] = "alice", ["aud"] = TestApi.Audience, ["client_id"] = "app", ["exp"] = now + 600, ["iat"] = now,
            ["jti"] = Guid.NewGuid().ToString("N"), ["scope"] = scope,
        };
    }

    public string Token(SteppedClock clock, string scope = "items:read") => ForgedJwt.Sign(Key, Claims(clock, scope));

    public static string Jwk(SigningKey key)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream)) key.WritePublicJwk(writer);
        return Encoding.UTF8.GetString(stream.ToArray());
    }

    public static Task<bool> Status(HttpContext http, int status)
    {
        http.Response.StatusCode = status;
        return Task.FromResult(true);
    }

    public static Task<bool> Hang(HttpContext http) => Task.Delay(Timeout.Infinite, http.RequestAborted).ContinueWith(_ => true, TaskScheduler.Default);

    public static Task<bool> Abort(HttpContext http)
    {
        http.Abort();
        return Task.FromResult(true);
    }

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource(TimeSpan.Zero);
        await _app.StopAsync(now.Token);
        await _app.DisposeAsync();
    }

    private async Task Answer(HttpContext http)
    {
        var path = http.Request.Path.Value!;
        _requests.Enqueue(path);
        if (await Intercept(http)) return;
        http.Response.ContentType = "application/json";
        switch (path)
        {
            case DiscoveryPath:
                await http.Response.WriteAsync(Metadata.ToJsonString());
                break;
            case KeysPath:
                await http.Response.WriteAsync($$"""{"keys":[{{string.Join(',', Published)}}]}""");
                break;
            case IntrospectionPath:
                var form = await http.Request.ReadFormAsync();
                Asked = (http.Request.Headers.Authorization.ToString(), form.ToDictionary(pair => pair.Key, pair => pair.Value.ToString()));
                await http.Response.WriteAsync(Introspection(form["token"].ToString()));
                break;
            default:
                http.Response.StatusCode = 404;
                break;
        }
    }
}
