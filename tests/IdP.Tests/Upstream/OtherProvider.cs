using System.Text.Json;
using System.Text.Json.Nodes;
using System.Web;
using IdP.Protocol.Jose;
using IdP.Testing;
using IdP.Tests.Support;
using IdP.Upstream;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace IdP.Tests.Upstream;

/// <summary>A provider that says what a test wants, and the server at which people may sign in with it.</summary>
public class OtherProvider : IAsyncLifetime
{
    public const string ClientId = "here";
    public const string Secret = "s3cret of the other: provider";
    private static readonly Lazy<SigningKey> Rs256 = new(() => SigningKey.Generate(SigningAlgorithms.RS256));
    private Receiver _provider = null!;

    internal IdpServer Server { get; private protected set; } = null!;

    /// <summary>Its issuer: an address of its own, since cookies do not tell ports apart.</summary>
    public string Issuer => _provider.Url.Replace("localhost", "127.0.0.1", StringComparison.Ordinal);

    internal static SigningKey Key => Rs256.Value;

    /// <summary>Whom the next sign-in is by.</summary>
    public string Subject { get; set; } = "somebody";

    /// <summary>Makes the ID token into what the test wants; null leaves it honest.</summary>
    internal Action<JsonObject>? Claims { get; set; }

    /// <summary>Signs otherwise than honestly.</summary>
    internal Func<JsonObject, string>? Sign { get; set; }

    internal JsonObject UserInfo { get; } = [];

    /// <summary>Changes the metadata; it is read again after <see cref="Forget"/>.</summary>
    internal Action<JsonObject>? Metadata { get; set; }

    /// <summary>What the token endpoint was sent last.</summary>
    internal Received? Redeemed { get; private set; }

    private string? _nonce;

    public virtual async Task InitializeAsync()
    {
        await Start();
        Server = await IdpServer.Start(https: true);
        await Add("other");
    }

    public virtual async Task DisposeAsync()
    {
        await Server.DisposeAsync();
        await Stop();
    }

    private protected async Task Start() => _provider = await Receiver.Start(Answer);

    private protected async Task Stop() => await _provider.DisposeAsync();

    internal Task Add(string name, bool createsAccounts = false) => Server.Change(async (db, _) =>
        await Server.App.Services.GetRequiredService<UpstreamStatements>().Add(db, new NewUpstream(name, Issuer, ClientId)
        {
            Secret = Secret, DisplayName = $"The <b>{name}</b>", Scopes = ["profile", "email"], CreatesAccounts = createsAccounts,
        }, "test", CancellationToken.None));

    /// <summary>Metadata and keys are remembered for ten minutes.</summary>
    internal void Forget() => Server.Clock.Advance(TimeSpan.FromMinutes(11));

    /// <summary>Presses the provider's button on the sign-in page; the address that the browser is sent to.</summary>
    internal static Task<PageAnswer> Press(Browser browser, PageAnswer page, string name = "other") =>
        browser.Submit(page, "/sign-in?handler=Upstream", ("provider", name));

    /// <summary>The answer that the provider would send the browser back with.</summary>
    internal string Callback(PageAnswer pressed, string name = "other", params (string Name, string? Value)[] changed)
    {
        var asked = HttpUtility.ParseQueryString(new Uri(pressed.Location!).Query);
        _nonce = asked["nonce"];
        var parameters = new Dictionary<string, string?> { ["code"] = "a-code", ["state"] = asked["state"], ["iss"] = Issuer };
        foreach (var (key, value) in changed) parameters[key] = value;
        return $"/sign-in/upstream/{name}?{string.Join('&', parameters.Where(pair => pair.Value is not null).Select(pair => $"{pair.Key}={Uri.EscapeDataString(pair.Value!)}"))}";
    }

    /// <summary>Goes to the provider and back as the subject; the first page here after it.</summary>
    internal async Task<PageAnswer> Return(Browser browser, CodeFlow flow, string name = "other") =>
        await browser.Follow(await browser.Get(Callback(await Press(browser, await browser.Authorize(flow.Parameters()), name), name)));

    private async Task Answer(HttpContext http)
    {
        JsonObject answer;
        switch (http.Request.Path.Value)
        {
            case "/.well-known/openid-configuration":
                answer = new JsonObject
                {
                    ["issuer"] = Issuer, ["authorization_endpoint"] = Issuer + "/authorize?tenant=a", ["token_endpoint"] = Issuer + "/token", ["jwks_uri"] = Issuer + "/keys",
                    ["userinfo_endpoint"] = Issuer + "/userinfo", ["authorization_response_iss_parameter_supported"] = true,
                };
                Metadata?.Invoke(answer);
                break;
            case "/keys":
                answer = new JsonObject { ["keys"] = new JsonArray(Jwk(Key)) };
                break;
            case "/userinfo":
                answer = UserInfo.DeepClone().AsObject();
                answer["sub"] ??= Subject;
                break;
            case "/token":
                Redeemed = _provider.All.Last();
                var now = Server.Clock.GetUtcNow().ToUnixTimeSeconds();
                var claims = new JsonObject
                {
                    ["iss"] = Issuer, ["sub"] = Subject, ["aud"] = ClientId, ["exp"] = now + 300, ["iat"] = now, ["auth_time"] = now, ["nonce"] = _nonce,
                };
                Claims?.Invoke(claims);
                answer = new JsonObject { ["access_token"] = "opaque", ["token_type"] = "Bearer", ["id_token"] = Sign?.Invoke(claims) ?? ForgedJwt.Sign(Key, claims, "JWT") };
                break;
            default:
                http.Response.StatusCode = 404;
                return;
        }
        http.Response.ContentType = "application/json";
        await http.Response.WriteAsync(answer.ToJsonString());
    }

    private static JsonNode Jwk(SigningKey key)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream)) key.WritePublicJwk(writer);
        return JsonNode.Parse(stream.ToArray())!;
    }
}

/// <summary>The same for the server of a fixture.</summary>
public sealed class OtherProviderOfFixture : OtherProvider
{
    public override Task InitializeAsync() => Start();

    public override Task DisposeAsync() => Stop();

    internal OtherProvider For(ServerFixture fixture)
    {
        Server = fixture.Server;
        return this;
    }
}
