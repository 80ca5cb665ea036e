using System.Buffers.Text;
using System.Text.Json.Nodes;
using IdP.Resources;
using IdP.Testing;
using IdP.Tests.Conformance;
using IdP.Tests.Support;
using Xunit;

namespace IdP.Tests.OpenId;

/// <summary>OpenID Connect Core §2, §3.1.3.6, §12.2: what an ID token is, and what it is not good for.</summary>
public sealed class S2_IdToken(PageServer fixture) : IClassFixture<PageServer>
{
    private readonly IdpServer _server = fixture.Server;

    [Fact]
    public async Task It_is_signed_with_the_algorithm_of_its_client_and_each_that_is_published_works()
    {
        var published = CommonChecks.List(await _server.Metadata(), "id_token_signing_alg_values_supported");
        Assert.Equal(["ES256", "PS256", "RS256"], published.Order(StringComparer.Ordinal));
        foreach (var algorithm in published)
        {
            var flow = await Client($"signed-{algorithm}", algorithm);
            using var browser = new Browser(_server);
            var walked = await browser.Walked(_server, flow, algorithm: algorithm);
            var header = Part(walked.RawIdToken, 0);
            Assert.Equal((algorithm, "JWT"), (header["alg"]!.GetValue<string>(), header["typ"]!.GetValue<string>()));
            // The verifier has compared it with the access token, which is signed with another algorithm.
            Assert.True(walked.IdToken!.ContainsKey("at_hash"));
        }
    }

    [Fact]
    public async Task It_says_who_signed_in_when_and_how_and_nothing_else()
    {
        using var browser = new Browser(_server);
        var idToken = (await browser.Walked(_server, new CodeFlow { Scope = "openid profile email" })).IdToken!;
        Assert.Equal(["acr", "amr", "at_hash", "aud", "auth_time", "exp", "iat", "iss", "nonce", "sid", "sub"], idToken.Names());
        Assert.Equal("web", idToken["aud"]!.GetValue<string>());
        Assert.Equal(["pwd"], CommonChecks.List(idToken, "amr"));
        // The session's public name, never what the cookie holds.
        foreach (System.Net.Cookie cookie in browser.Cookies.GetAllCookies()) Assert.DoesNotContain(idToken["sid"]!.GetValue<string>(), cookie.Value, StringComparison.Ordinal);
    }

    // §3.1.3.6: of the token as it is sent, whatever is in it.
    [Fact]
    public async Task The_hash_is_of_the_access_token_also_when_that_is_opaque()
    {
        await _server.AddResource("urn:test:opaque", ["opaque:read"], r => r.TokenFormat = TokenFormat.Opaque);
        var flow = await Client("opaque-reader", "RS256", "openid opaque:read");
        using var browser = new Browser(_server);
        var walked = await browser.Walked(_server, flow);
        Assert.DoesNotContain('.', walked.Tokens.AccessToken);
        Assert.True(walked.IdToken!.ContainsKey("at_hash"));
    }

    // §12.2: same issuer, person, client and sign-in; a new time, the new token's hash, and no nonce of ours.
    [Fact]
    public async Task One_that_comes_with_a_refresh_is_about_the_same_sign_in()
    {
        using var browser = new Browser(_server);
        var first = await browser.Walked(_server, new CodeFlow { Scope = "openid offline_access" });
        _server.Clock.Advance(TimeSpan.FromSeconds(3));
        var refreshed = await _server.Post("/connect/token", "web", ("grant_type", "refresh_token"), ("refresh_token", first.Tokens.Json["refresh_token"]!.GetValue<string>()));
        var idToken = await _server.Verified(refreshed, "web", nonce: null);
        foreach (var name in (string[])["iss", "sub", "aud", "auth_time", "acr", "amr", "sid"]) Assert.Equal(first.IdToken![name]!.ToJsonString(), idToken[name]!.ToJsonString());
        Assert.True(idToken["iat"]!.GetValue<long>() > first.IdToken!["iat"]!.GetValue<long>());
        Assert.NotEqual(first.IdToken!["at_hash"]!.GetValue<string>(), idToken["at_hash"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_refresh_without_openid_brings_none()
    {
        using var browser = new Browser(_server);
        var first = await browser.Walked(_server, new CodeFlow { Scope = "openid offline_access items:read" });
        var refreshed = await _server.Post("/connect/token", "web", ("grant_type", "refresh_token"), ("refresh_token", first.Tokens.Json["refresh_token"]!.GetValue<string>()), ("scope", "items:read"));
        Assert.Equal("items:read", refreshed.Json["scope"]!.GetValue<string>());
        Assert.False(refreshed.Json.ContainsKey("id_token"));
    }

    [Fact]
    public async Task It_opens_nothing()
    {
        using var browser = new Browser(_server);
        var walked = await browser.Walked(_server, new CodeFlow { Scope = "openid items:read" });
        Assert.Equal(401, (await _server.UserInfo(walked.RawIdToken)).Status);
        foreach (var caller in (string[])["api", "web"]) Assert.False((await _server.Introspect(walked.RawIdToken, caller)).Active);
    }

    [Fact]
    public async Task It_lives_as_long_as_is_configured()
    {
        await using var server = await IdpServer.Start(options => options.Tokens.IdTokenLifetimeSeconds = 300, https: true);
        using var browser = new Browser(server);
        var idToken = (await browser.Walked(server, new CodeFlow())).IdToken!;
        Assert.Equal(300, idToken["exp"]!.GetValue<long>() - idToken["iat"]!.GetValue<long>());
    }

    private async Task<CodeFlow> Client(string id, string algorithm, string scope = "openid")
    {
        var flow = new CodeFlow { ClientId = id, RedirectUri = $"https://{id.ToLowerInvariant()}.test/callback", Scope = scope };
        await _server.AddClient(id, "authorization_code", scope, c => (c.RedirectUris, c.IdTokenAlgorithm) = ([flow.RedirectUri], algorithm));
        return flow;
    }

    private static JsonObject Part(string token, int index) => JsonNode.Parse(Base64Url.DecodeFromChars(token.Split('.')[index]))!.AsObject();
}
