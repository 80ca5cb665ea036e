using IdP.Testing;
using IdP.Tests.Support;
using Xunit;

namespace IdP.Tests.OpenId;

/// <summary>OpenID Connect Core §5.5: claims that a client asks for by name.</summary>
public sealed class S5_5_ClaimsParameter(PageServer fixture) : IClassFixture<PageServer>, IAsyncLifetime
{
    private static readonly string[] Always = ["acr", "amr", "at_hash", "aud", "auth_time", "exp", "iat", "iss", "nonce", "sid", "sub"];
    private readonly IdpServer _server = fixture.Server;

    public async Task InitializeAsync()
    {
        if ((await _server.PasswordGrant("claire")).Status != 200) await _server.AddUser("claire", configure: u => (u.Name, u.GivenName, u.Locality) = ("Claire Claim", "Claire", "Town"));
    }

    public Task DisposeAsync() => Task.CompletedTask;

    [Fact]
    public async Task Each_claim_is_told_where_it_was_asked_for_and_nowhere_else()
    {
        var (idToken, userInfo) = await Told("""{"userinfo":{"given_name":{"essential":true},"email":null},"id_token":{"name":{"essential":true},"email_verified":null,"address":null}}""");
        Assert.Equal(Always.Concat(["address", "email_verified", "name"]).Order(StringComparer.Ordinal), idToken.Names());
        Assert.Equal("Claire Claim", idToken["name"]!.GetValue<string>());
        Assert.Equal("Town", idToken["address"]!["locality"]!.GetValue<string>());
        Assert.Equal(["email", "given_name", "sub"], userInfo.Names());
        Assert.Equal("Claire", userInfo["given_name"]!.GetValue<string>());
    }

    [Fact]
    public async Task Scopes_and_names_together_open_both()
    {
        var (idToken, userInfo) = await Told("""{"userinfo":{"given_name":null}}""", "openid email");
        Assert.Equal(Always, idToken.Names());
        Assert.Equal(["email", "email_verified", "given_name", "sub"], userInfo.Names());
    }

    // §5.5.1: an essential claim that is not available is left out, and not an error.
    [Theory]
    [InlineData("""{"userinfo":{"nickname":{"essential":true},"given_name":null}}""")]
    [InlineData("""{"userinfo":{"https://example.test/shoe_size":{"essential":true},"password_hash":null,"given_name":null}}""")]
    [InlineData("""{"userinfo":{"given_name":{"essential":true,"purpose":"greeting"}},"id_token":{"shoe_size":null},"tomorrow":{"name":{}}}""")]
    [InlineData("""{"userinfo":{"given_name":{}},"id_token":null}""")]
    public async Task What_is_not_known_is_left_out(string claims)
    {
        var (idToken, userInfo) = await Told(claims);
        Assert.Equal(Always, idToken.Names());
        Assert.Equal(["given_name", "sub"], userInfo.Names());
    }

    // §5.5.1: a value that is asked for is never pretended.
    [Theory]
    [InlineData("""{"userinfo":{"given_name":{"value":"Somebody"}}}""")]
    [InlineData("""{"userinfo":{"given_name":{"essential":true,"values":["Some","body"]}}}""")]
    public async Task The_true_value_is_told_whatever_was_asked_for(string claims) => Assert.Equal("Claire", (await Told(claims)).UserInfo["given_name"]!.GetValue<string>());

    [Fact]
    public async Task Sub_by_value_is_answered_for_that_person_only()
    {
        using var browser = new Browser(_server);
        var alice = (await browser.Walked(_server, new CodeFlow())).Subject;
        using var other = new Browser(_server);
        var bob = (await other.Walked(_server, new CodeFlow(), "bob")).Subject;

        foreach (var where in (string[])["id_token", "userinfo"])
        {
            Assert.Equal(alice, (await _server.Redeemed(Silent(where, alice), await browser.Authorize(Silent(where, alice).Parameters()))).Subject);
            var flow = Silent(where, bob);
            (await browser.Authorize(flow.Parameters())).IsRefused(_server, flow, "login_required");
        }

        CodeFlow Silent(string where, string subject) => new()
        {
            Verifier = new string('v', 43),
            Nonce = null,
            With = { ["prompt"] = "none", ["claims"] = $$$$"""{"{{{{where}}}}":{"sub":{"value":"{{{{subject}}}}"}}}""" },
        };
    }

    [Theory]
    [InlineData("none of it")]
    [InlineData("[]")]
    [InlineData("\"userinfo\"")]
    [InlineData("null")]
    [InlineData("""{"userinfo":["name"]}""")]
    [InlineData("""{"userinfo":{"name":true}}""")]
    [InlineData("""{"userinfo":{"name":{"essential":"yes"}}}""")]
    [InlineData("""{"id_token":{"acr":{"values":"one"}}}""")]
    [InlineData("""{"userinfo":{},"userinfo":{"name":null}}""")]
    [InlineData("""{"userinfo":{"name":null}""")]
    [InlineData("""{"userinfo":{"name":{"value":[[[[[[[[[[1]]]]]]]]]]}}}""")]
    public async Task A_parameter_of_another_shape_is_invalid_request(string claims)
    {
        using var browser = new Browser(_server);
        var flow = new CodeFlow { With = { ["claims"] = claims } };
        (await browser.Authorize(flow.Parameters())).IsRefused(_server, flow, "invalid_request");
    }

    // §5.5.1.1: acr is met, or the request fails; as a wish it changes nothing.
    [Theory]
    [InlineData("""{"id_token":{"acr":{"essential":true,"values":["urn:example:hardware"]}}}""", true)]
    [InlineData("""{"id_token":{"acr":{"essential":true,"value":"urn:example:hardware"}}}""", true)]
    [InlineData("""{"id_token":{"acr":{"essential":true,"values":["urn:example:hardware","urn:idp:acr:password"]}}}""", false)]
    [InlineData("""{"id_token":{"acr":{"values":["urn:example:hardware"]}}}""", false)]
    [InlineData("""{"id_token":{"acr":{"essential":true}}}""", false)]
    public async Task An_essential_acr_is_met_or_refused_and_never_pretended(string claims, bool isRefused)
    {
        using var browser = new Browser(_server);
        var flow = new CodeFlow { With = { ["claims"] = claims } };
        if (isRefused) (await browser.Authorize(flow.Parameters())).IsRefused(_server, flow, "unmet_authentication_requirements");
        else Assert.Equal("urn:idp:acr:password", (await browser.Walked(_server, flow)).IdToken!["acr"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_claim_asked_for_by_name_is_consented_to_like_a_scope()
    {
        using var browser = new Browser(_server);
        await _server.AddUser("consents");
        await browser.Walked(_server, new CodeFlow(), "consents");
        var more = new CodeFlow { With = { ["claims"] = """{"userinfo":{"phone_number":null}}""" } };
        Assert.True((await browser.Authorize(more.Parameters())).IsConsent());
        await browser.Walked(_server, more, "consents");
        var again = new CodeFlow { With = { ["claims"] = """{"userinfo":{"phone_number":null},"id_token":{"phone_number":null}}""" } };
        await _server.Redeemed(again, await browser.Authorize(again.Parameters()));
    }

    [Fact]
    public async Task A_refreshed_id_token_says_what_the_first_one_said()
    {
        using var browser = new Browser(_server);
        var flow = new CodeFlow { Scope = "openid offline_access", With = { ["claims"] = """{"id_token":{"name":null}}""" } };
        var first = await browser.Walked(_server, flow, "claire");
        var refreshed = await _server.Post("/connect/token", "web", ("grant_type", "refresh_token"), ("refresh_token", first.Tokens.Json["refresh_token"]!.GetValue<string>()));
        var idToken = await _server.Verified(refreshed, "web", nonce: null);
        Assert.Equal(first.IdToken!.Names().Except(["nonce"]), idToken.Names());
        Assert.Equal("Claire Claim", idToken["name"]!.GetValue<string>());
    }

    private async Task<(System.Text.Json.Nodes.JsonObject IdToken, System.Text.Json.Nodes.JsonObject UserInfo)> Told(string claims, string scope = "openid")
    {
        using var browser = new Browser(_server);
        var walked = await browser.Walked(_server, new CodeFlow { Scope = scope, With = { ["claims"] = claims } }, "claire");
        return (walked.IdToken!, (await _server.UserInfo(walked.Tokens.AccessToken)).Json);
    }
}
