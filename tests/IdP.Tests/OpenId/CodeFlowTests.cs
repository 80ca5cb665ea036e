using System.Text.Json.Nodes;
using IdP.Testing;
using IdP.Tests.Support;
using Xunit;

namespace IdP.Tests.OpenId;

/// <summary>OpenID Connect Core §3.1: the whole way, once.</summary>
public sealed class S3_1_CodeFlow(PageServer fixture) : IClassFixture<PageServer>
{
    [Fact]
    public async Task A_person_signs_in_consents_and_the_client_gets_its_tokens()
    {
        var server = fixture.Server;
        using var browser = new Browser(server);
        var flow = new CodeFlow { Scope = "openid profile offline_access items:read" };

        var response = await browser.Complete(flow.Parameters());
        Assert.Equal(303, response.Status);
        Assert.StartsWith(flow.RedirectUri + "?", response.Location);
        var parameters = response.ResponseParameters();
        Assert.Equal(flow.State, parameters["state"]);
        Assert.Equal(server.Issuer, parameters["iss"]);

        var tokens = await flow.Redeem(server, parameters["code"]);
        Assert.Equal(200, tokens.Status);
        Assert.True(tokens.Json.ContainsKey("refresh_token"));
        var idToken = Jwt(tokens.Json["id_token"]!.GetValue<string>());
        Assert.Equal(flow.Nonce, idToken["nonce"]!.GetValue<string>());
        Assert.Equal("web", idToken["aud"]!.GetValue<string>());
        Assert.True((await server.Introspect(tokens.AccessToken)).Active);

        var replay = await flow.Redeem(server, parameters["code"]);
        Assert.Equal("invalid_grant", replay.Error);
        Assert.False((await server.Introspect(tokens.AccessToken)).Active);
    }

    private static JsonObject Jwt(string token) => JsonNode.Parse(System.Buffers.Text.Base64Url.DecodeFromChars(token.Split('.')[1]))!.AsObject();
}
