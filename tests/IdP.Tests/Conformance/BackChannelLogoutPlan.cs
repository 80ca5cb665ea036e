using System.Security.Authentication;
using System.Text.Json.Nodes;
using IdP.Testing;
using IdP.Tests.Support;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Xunit;

namespace IdP.Tests.Conformance;

/// <summary>The conformance suite's plan for Back-Channel Logout 1.0, with a server that receives the logout token.</summary>
[Trait("Plan", "oidcc-backchannel-rp-initiated-logout")]
public sealed class BackChannelLogoutPlan(PageServer fixture) : IClassFixture<PageServer>
{
    private readonly IdpServer _server = fixture.Server;

    [Fact]
    [Trait("Module", "oidcc-backchannel-logout-discovery-endpoint-verification")]
    public async Task Discovery_says_that_logout_tokens_are_sent_and_name_the_session()
    {
        using var browser = new Browser(_server);
        var metadata = JsonNode.Parse((await browser.Get("/.well-known/openid-configuration")).Body)!;
        Assert.True(metadata["backchannel_logout_supported"]!.GetValue<bool>());
        Assert.True(metadata["backchannel_logout_session_supported"]!.GetValue<bool>());
        Assert.StartsWith("https://", metadata["end_session_endpoint"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Theory]
    [Trait("Module", "oidcc-backchannel-rp-initiated-logout")]
    [InlineData("RS256")]
    [InlineData("PS256")]
    [InlineData("ES256")]
    public async Task Signing_out_posts_a_logout_token_to_the_app_and_leads_back_to_it(string algorithm)
    {
        await using var receiver = await Receiver.Start();
        var app = await LogoutApp.Register(_server, c => (c.BackChannelLogoutUri, c.IdTokenAlgorithm) = ($"{receiver.Url}/backchannel_logout", algorithm));
        using var browser = new Browser(_server);
        var signIn = await app.SignIn(browser);

        var state = CodeFlow.Random();
        var answer = await browser.Follow(await browser.Get(LogoutApp.Address(("id_token_hint", signIn.IdToken), ("post_logout_redirect_uri", app.SignedOut), ("state", state))));
        Assert.Equal($"{app.SignedOut}?state={state}", answer.Location);
        await receiver.Wait();
        await app.AssertSignedOut(browser);

        var request = Assert.Single(receiver.All);
        Assert.Equal(("POST", "/backchannel_logout", "application/x-www-form-urlencoded"), (request.Method, request.Path, request.ContentType));
        Assert.Equal(SslProtocols.Tls13, request.Tls);
        var (name, token) = Assert.Single(request.Form());
        Assert.Equal("logout_token", name);
        await AssertLogoutToken(token, app, signIn, algorithm);
    }

    // Verified by a library that is not ours, with the published keys.
    private async Task AssertLogoutToken(string token, LogoutApp app, AppSignIn signIn, string algorithm)
    {
        using var browser = new Browser(_server);
        var keys = new JsonWebKeySet((await browser.Get("/.well-known/jwks.json")).Body);
        var result = await new JsonWebTokenHandler().ValidateTokenAsync(token, new TokenValidationParameters
        {
            ValidIssuer = _server.Issuer,
            ValidAudience = app.Id,
            IssuerSigningKeys = keys.GetSigningKeys(),
            TryAllIssuerSigningKeys = false,
            ValidAlgorithms = [algorithm],
            ValidTypes = ["logout+jwt"],
            ClockSkew = TimeSpan.Zero,
        });
        Assert.True(result.IsValid, result.Exception?.Message);
        Assert.Equal(["alg", "kid", "typ"], LogoutApp.Header(token).Select(member => member.Key).Order(StringComparer.Ordinal));

        var claims = LogoutApp.Payload(token);
        Assert.Equal(["aud", "events", "exp", "iat", "iss", "jti", "sid", "sub"], claims.Select(claim => claim.Key).Order(StringComparer.Ordinal));
        Assert.Equal("""{"http://schemas.openid.net/event/backchannel-logout":{}}""", claims["events"]!.ToJsonString());
        Assert.Equal(signIn.Sid, claims["sid"]!.GetValue<string>());
        Assert.Equal(signIn.Claims["sub"]!.GetValue<string>(), claims["sub"]!.GetValue<string>());
        var (now, issued) = (_server.Clock.GetUtcNow().ToUnixTimeSeconds(), claims["iat"]!.GetValue<long>());
        Assert.InRange(issued, now - 60, now);
        Assert.InRange(claims["exp"]!.GetValue<long>() - issued, 1, 120);
        Assert.True(claims["jti"]!.GetValue<string>().Length >= 16);
    }
}
