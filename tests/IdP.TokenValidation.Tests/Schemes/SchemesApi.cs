using System.Net;
using System.Text;
using IdP.Protocol;
using IdP.Testing;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace IdP.TokenValidation.Tests.Schemes;

/// <summary>An API with every scheme of the library, one endpoint for each and some for several.</summary>
internal sealed class SchemesApi : IAsyncDisposable
{
    public const string Legacy = "urn:test:legacy";
    public const string Resource = "https://api.example/v1";
    public static readonly byte[] SharedSecret = [.. Enumerable.Range(1, 32).Select(i => (byte)i)];
    public static readonly string[] All = ["Bearer", "Introspected", "Legacy", "Basic", "ApiKey", "KeyInQuery", "KeyInCookie"];
    private readonly WebApplication _app;

    private SchemesApi(WebApplication app, FakeIssuer issuer, SteppedClock clock, LogRecords log)
    {
        (_app, Issuer, Clock, Log) = (app, issuer, clock, log);
        Http = new HttpClient(new SocketsHttpHandler { UseCookies = false, AllowAutoRedirect = false, RequestHeaderEncodingSelector = (_, _) => Encoding.UTF8 }) { BaseAddress = new Uri(app.Urls.First()) };
        Key = ApiKeyText.Create();
        issuer.Introspection = Describe;
    }

    public HttpClient Http { get; }
    public FakeIssuer Issuer { get; }
    public SteppedClock Clock { get; }
    public LogRecords Log { get; }

    /// <summary>The key that is good, as long as <see cref="KeyAnswer"/> says so.</summary>
    public ApiKeyText Key { get; }

    /// <summary>What introspection says of the key, and of an opaque token.</summary>
    public string? KeyAnswer { get; set; }
    public string? TokenAnswer { get; set; }

    public static async Task<SchemesApi> Start(Action<IServiceCollection>? services = null, Action<WebApplication>? endpoints = null, LogLevel level = LogLevel.Trace)
    {
        var issuer = await FakeIssuer.Start();
        var (clock, log) = (new SteppedClock(), new LogRecords());
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders().AddProvider(log).SetMinimumLevel(level);
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        builder.Services.AddSingleton<TimeProvider>(clock);
        void Provider(TokenValidationOptions o)
        {
            o.Issuer = issuer.Issuer;
            o.Audiences.Add(TestApi.Audience);
            (o.ClientId, o.ClientSecret) = (TestApi.ClientId, TestApi.Secret);
        }

        builder.Services.AddIdPTokenValidation(o => { Provider(o); o.Resource = Resource; })
            .AddIdPTokenValidation("Introspected", o => { Provider(o); o.Mode = TokenValidationMode.Introspection; })
            .AddIdPTokenValidation("Legacy", o => { o.Issuer = issuer.Issuer; o.Audiences.Add(Legacy); o.SharedSecret = System.Buffers.Text.Base64Url.EncodeToString(SharedSecret); })
            .AddIdPBasic(Provider)
            .AddIdPApiKeys(Provider)
            .AddIdPApiKeys("KeyInQuery", o => { Provider(o); (o.ApiKeys.HeaderName, o.ApiKeys.QueryName) = (null, "api_key"); })
            .AddIdPApiKeys("KeyInCookie", o => { Provider(o); (o.ApiKeys.HeaderName, o.ApiKeys.CookieName) = (null, "api_key"); });
        services?.Invoke(builder.Services);
        var app = builder.Build();
        foreach (var scheme in All) app.MapMethods("/" + scheme, ["GET", "POST"], () => scheme).RequireSchemes(scheme);
        app.MapMethods("/any", ["GET", "POST"], (HttpContext http) => http.User.Identity!.AuthenticationType).RequireSchemes("Bearer", "Introspected", "Basic", "ApiKey", "KeyInCookie");
        app.MapGet("/attribute", [Authorize(AuthenticationSchemes = "Legacy,Bearer")] (HttpContext http) => http.User.Identity!.AuthenticationType);
        app.MapIdPResourceMetadata();
        endpoints?.Invoke(app);
        await app.StartAsync();
        return new SchemesApi(app, issuer, clock, log);
    }

    /// <summary>What the provider says of a credential of the kind, with something changed.</summary>
    public string Answer(string type, string audience = TestApi.Audience, int secondsLeft = 600)
    {
        var now = Clock.GetUtcNow().ToUnixTimeSeconds();
        return $$"""{"active":true,"iss":"{{Issuer.Issuer}}","sub":"alice","aud":["{{audience}}"],"scope":"items:read","token_type":"{{type}}","iat":{{now - 700}},"exp":{{now + secondsLeft}},"jti":"k"}""";
    }

    public string LegacyToken(string audience = Legacy, int secondsLeft = 600)
    {
        var claims = Issuer.Claims(Clock);
        (claims["aud"], claims["exp"]) = (audience, Clock.GetUtcNow().ToUnixTimeSeconds() + secondsLeft);
        return ForgedJwt.Hmac(SharedSecret, """{"alg":"HS256","kid":"shared","typ":"at+jwt"}""", claims.ToJsonString());
    }

    /// <summary>A request with the credential where the scheme reads it; <paramref name="times"/> says how often.</summary>
    public static HttpRequestMessage Request(string scheme, string credential, int times = 1, HttpMethod? method = null, string? path = null)
    {
        var target = path ?? "/" + scheme;
        if (scheme == "KeyInQuery") target += "?" + string.Join('&', Enumerable.Repeat("api_key=" + Uri.EscapeDataString(credential), times));
        var request = new HttpRequestMessage(method ?? HttpMethod.Get, target);
        var (header, value) = scheme switch
        {
            "Basic" => ("Authorization", "Basic " + credential),
            "ApiKey" => ("X-API-Key", credential),
            "KeyInCookie" => ("Cookie", "other=1; api_key=" + credential),
            _ => ("Authorization", "Bearer " + credential),
        };
        if (scheme != "KeyInQuery") for (var i = 0; i < times; i++) request.Headers.TryAddWithoutValidation(header, value);
        return request;
    }

    public static string Basic(string user, string password) => Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password}"));

    public async Task<ApiAnswer> Send(HttpRequestMessage request)
    {
        using (request)
        using (var response = await Http.SendAsync(request))
        {
            return new ApiAnswer(
                (int)response.StatusCode,
                response.Headers.NonValidated.TryGetValues("WWW-Authenticate", out var challenges) ? string.Join(" | ", challenges) : null,
                response.Headers.CacheControl?.ToString(), response.Headers.RetryAfter?.ToString(), response.Content.Headers.ContentType?.ToString(),
                await response.Content.ReadAsStringAsync());
        }
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await _app.DisposeAsync();
        await Issuer.DisposeAsync();
    }

    private string Describe(string token)
    {
        if (token == Key.ToString()) return KeyAnswer ?? Answer("ApiKey");
        return token == "opaque" ? TokenAnswer ?? Answer("Bearer") : """{"active":false}""";
    }
}
