using System.Buffers.Text;
using System.Text.Json.Nodes;
using IdP.Testing;
using IdP.Tests.Conformance;
using IdP.Tests.Support;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Xunit;

namespace IdP.Tests.OpenId;

/// <summary>OpenID Connect Core §5.3.2: userinfo as a signed JWT, for clients that want it so.</summary>
public sealed class S5_3_2_SignedUserInfo(PageServer fixture) : IClassFixture<PageServer>
{
    private readonly IdpServer _server = fixture.Server;

    [Fact]
    [Trait("Case", "USR-06")]
    public async Task Every_algorithm_that_is_published_signs_an_answer_for_this_client_alone()
    {
        var published = CommonChecks.List(await _server.Metadata(), "userinfo_signing_alg_values_supported");
        Assert.Equal(["ES256", "PS256", "RS256"], published.Order(StringComparer.Ordinal));
        foreach (var algorithm in published)
        {
            var (walked, answer) = await Signed(algorithm, $"userinfo-{algorithm}");
            Assert.Equal((200, "application/jwt", "no-store"), (answer.Status, answer.Response.Content.Headers.ContentType!.ToString(), answer.Header("Cache-Control")));
            var keys = new JsonWebKeySet((await _server.Jwks()).ToJsonString());
            var result = await new JsonWebTokenHandler().ValidateTokenAsync(answer.Body, new TokenValidationParameters
            {
                ValidIssuer = _server.Issuer,
                ValidAudience = $"userinfo-{algorithm}",
                IssuerSigningKeys = keys.GetSigningKeys(),
                TryAllIssuerSigningKeys = false,
                ValidAlgorithms = [algorithm],
                ValidTypes = ["userinfo+jwt"],
                ValidateLifetime = false,
            });
            Assert.True(result.IsValid, result.Exception?.Message);
            var claims = JsonNode.Parse(Base64Url.DecodeFromChars(answer.Body.Split('.')[1]))!.AsObject();
            // Neither nonce nor expiry: it is no ID token, and cannot be taken for one.
            Assert.Equal(["aud", "email", "email_verified", "iss", "sub"], claims.Names());
            Assert.Equal(walked.Subject, claims["sub"]!.GetValue<string>());
            CommonChecks.Hygiene(claims);
        }
    }

    [Fact]
    [Trait("Case", "USR-06")]
    public async Task A_signed_answer_is_neither_a_hint_nor_an_access_token()
    {
        var (_, answer) = await Signed("RS256", "userinfo-confused");
        using var browser = new Browser(_server);
        var flow = new CodeFlow { ClientId = "userinfo-confused", RedirectUri = "https://userinfo.test/callback" };
        await browser.Walked(_server, flow);
        var hinted = new CodeFlow { ClientId = flow.ClientId, RedirectUri = flow.RedirectUri, With = { ["prompt"] = "none", ["id_token_hint"] = answer.Body } };
        (await browser.Authorize(hinted.Parameters())).IsRefused(_server, hinted, "login_required");
        Assert.Equal(401, (await _server.UserInfo(answer.Body)).Status);
    }

    [Fact]
    public async Task A_refusal_is_plain_JSON()
    {
        var (walked, _) = await Signed("RS256", "userinfo-refused");
        await _server.Post("/connect/revoke", "userinfo-refused", ("token", walked.Tokens.AccessToken));
        var answer = await _server.UserInfo(walked.Tokens.AccessToken);
        Assert.Equal((401, "invalid_token"), (answer.Status, answer.Error));
    }

    private async Task<(Walked Walked, Answer Answer)> Signed(string algorithm, string client)
    {
        await _server.AddClient(client, "authorization_code", "openid email", c => (c.RedirectUris, c.UserInfoAlgorithm) = (["https://userinfo.test/callback"], algorithm));
        using var browser = new Browser(_server);
        var walked = await browser.Walked(_server, new CodeFlow { ClientId = client, RedirectUri = "https://userinfo.test/callback", Scope = "openid email" });
        return (walked, await _server.UserInfo(walked.Tokens.AccessToken));
    }
}
