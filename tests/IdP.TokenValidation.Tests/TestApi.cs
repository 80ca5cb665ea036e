using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using IdP.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace IdP.TokenValidation.Tests;

/// <summary>An API on Kestrel that uses the library as a stranger would.</summary>
internal sealed class TestApi : IAsyncDisposable
{
    public const string Audience = "urn:test:api";
    public const string ClientId = "api one";
    public const string Secret = "a:secret%with+odd/characters é";
    private readonly WebApplication _app;

    private TestApi(WebApplication app, LogRecords log)
    {
        (_app, Log) = (app, log);
        Http = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
    }

    public HttpClient Http { get; }

    public LogRecords Log { get; }

    public static async Task<TestApi> Start(Action<TokenValidationOptions> configure)
    {
        var log = new LogRecords();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders().AddProvider(log).SetMinimumLevel(LogLevel.Trace);
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        builder.Services.AddIdPTokenValidation(configure);
        var app = builder.Build();
        app.MapGet("/open", () => "open");
        app.MapMethods("/read", ["GET", "HEAD"], () => "read").RequireScope("items:read");
        app.MapPost("/write", () => "written").RequireScope("items:write");
        app.MapGroup("/all").RequireScope("items:read").MapGet("", () => "all").RequireScope("items:write", "admin");
        app.MapGet("/role", () => "role").RequireAuthorization(policy => policy.RequireRole("boss"));
        app.MapGet("/claims", (HttpContext http) => string.Join('\n', http.User.Claims.Select(claim => $"{claim.Type}={claim.Value}"))).RequireAuthorization();
        app.MapGet("/name", (HttpContext http) => http.User.Identity!.Name).RequireAuthorization();
        await app.StartAsync();
        return new TestApi(app, log);
    }

    /// <summary>The API with local validation by the provider.</summary>
    public static Task<TestApi> Local(FakeIssuer issuer, SteppedClock clock, Action<TokenValidationOptions>? more = null) => Start(options =>
    {
        options.Issuer = issuer.Issuer;
        options.Audiences.Add(Audience);
        options.TimeProvider = clock;
        more?.Invoke(options);
    });

    /// <summary>The API that asks the provider.</summary>
    public static Task<TestApi> Introspecting(FakeIssuer issuer, SteppedClock clock, Action<TokenValidationOptions>? more = null) => Local(issuer, clock, options =>
    {
        options.Mode = TokenValidationMode.Introspection;
        options.ClientId = ClientId;
        options.ClientSecret = Secret;
        more?.Invoke(options);
    });

    public async Task<ApiAnswer> Send(HttpMethod method, string path, string? authorization)
    {
        using var request = new HttpRequestMessage(method, path);
        if (authorization is not null) Assert.True(request.Headers.TryAddWithoutValidation("Authorization", authorization));
        using var response = await Http.SendAsync(request);
        return new ApiAnswer(
            (int)response.StatusCode,
            response.Headers.NonValidated.TryGetValues("WWW-Authenticate", out var challenge) ? challenge.ToString() : null,
            response.Headers.CacheControl?.ToString(),
            response.Headers.RetryAfter?.ToString(),
            response.Content.Headers.ContentType?.ToString(),
            await response.Content.ReadAsStringAsync());
    }

    /// <summary>A GET with a bearer token.</summary>
    public Task<ApiAnswer> Get(string path, string? token) => Send(HttpMethod.Get, path, token is null ? null : "Bearer " + token);

    /// <summary>The status of a request whose header lines are sent as they are.</summary>
    public async Task<int> Raw(string path, params string[] headers)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, Http.BaseAddress!.Port);
        var stream = client.GetStream();
        var lines = string.Concat(headers.Select(header => header + "\r\n"));
        await stream.WriteAsync(Encoding.Latin1.GetBytes($"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{lines}\r\n"));
        using var reader = new StreamReader(stream, Encoding.Latin1);
        var status = await reader.ReadLineAsync();
        return int.Parse(status!.Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture);
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await _app.DisposeAsync();
    }
}

internal sealed record ApiAnswer(int Status, string? Challenge, string? CacheControl, string? RetryAfter, string? ContentType, string Body)
{
    public JsonObject Problem => JsonNode.Parse(Body)!.AsObject();
}
