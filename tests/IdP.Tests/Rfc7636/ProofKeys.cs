using IdP.Testing;
using IdP.Tests.Conformance;
using IdP.Tests.OpenId;
using IdP.Tests.Support;
using Xunit;

namespace IdP.Tests.Rfc7636;

/// <summary>RFC 7636 §4.2, §4.3: the challenge in the authorization request.</summary>
public sealed class S4_3_ClientSendsTheCodeChallenge(PageServer fixture) : IClassFixture<PageServer>
{
    private readonly IdpServer _server = fixture.Server;

    [Theory]
    [InlineData(null, null), InlineData(null, "S256"), InlineData("", "S256"), InlineData("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", null)]
    [InlineData("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "plain"), InlineData("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "s256"), InlineData("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "S512")]
    [InlineData("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-c", "S256"), InlineData("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cMx", "S256"), InlineData("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw+cM", "S256")]
    public async Task Anything_but_a_digest_with_S256_is_invalid_request(string? challenge, string? method)
    {
        using var browser = new Browser(_server);
        await browser.Walked(_server, new CodeFlow());
        var flow = new CodeFlow { With = { ["code_challenge"] = challenge, ["code_challenge_method"] = method } };
        (await browser.Authorize(flow.Parameters())).IsRefused(_server, flow, "invalid_request");
        Assert.Equal(["S256"], CommonChecks.List(await _server.Metadata(), "code_challenge_methods_supported"));
    }

    // Appendix B
    [Fact]
    public async Task The_example_of_the_specification_goes()
    {
        using var browser = new Browser(_server);
        var flow = new CodeFlow { Verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" };
        Assert.Equal("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", flow.Parameters()["code_challenge"]);
        await browser.Walked(_server, flow);
    }
}

/// <summary>RFC 7636 §4.5, §4.6: the verifier in the token request.</summary>
public sealed class S4_6_ServerVerifiesTheCodeVerifier(PageServer fixture) : IClassFixture<PageServer>
{
    private readonly IdpServer _server = fixture.Server;

    [Theory]
    [InlineData("spa", true), InlineData("web", false)]
    public async Task A_wrong_or_missing_verifier_is_invalid_grant_and_the_right_one_still_goes(string client, bool isPublic)
    {
        using var browser = new Browser(_server);
        var flow = new CodeFlow { ClientId = client, RedirectUri = $"https://{client}.test/callback" };
        var code = (await browser.Complete(flow.Parameters())).ResponseParameters()["code"];
        foreach (var verifier in (string?[])[null, "", CodeFlow.Random(), flow.Verifier + "x", flow.Verifier[..^1], CodeFlow.Challenge(flow.Verifier), new('a', 42), new('a', 129)])
        {
            (string, string)[] form = [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", flow.RedirectUri), .. verifier is null ? [] : ((string, string)[])[("code_verifier", verifier)]];
            await _server.Refused(400, "invalid_grant", "/connect/token", isPublic ? null : client, isPublic ? [.. form, ("client_id", client)] : form);
        }
        Assert.Equal(200, (await flow.Redeem(_server, code, isPublic)).Status);
    }

    // RFC 9700 §4.8.2: somebody has taken the challenge out on the way.
    [Fact]
    public async Task A_verifier_where_no_challenge_was_is_refused()
    {
        await _server.AddClient("exempt", "authorization_code", "openid", c => (c.RedirectUris, c.AllowCodeWithoutPkce) = (["https://exempt.test/callback"], true));
        using var browser = new Browser(_server);
        var flow = new CodeFlow { ClientId = "exempt", RedirectUri = "https://exempt.test/callback", With = { ["code_challenge"] = null, ["code_challenge_method"] = null } };
        var code = (await browser.Complete(flow.Parameters())).ResponseParameters()["code"];
        await _server.Refused(400, "invalid_request", "/connect/token", "exempt", ("grant_type", "authorization_code"), ("code", code), ("redirect_uri", flow.RedirectUri), ("code_verifier", flow.Verifier));
        Assert.Equal(200, (await _server.Post("/connect/token", "exempt", ("grant_type", "authorization_code"), ("code", code), ("redirect_uri", flow.RedirectUri))).Status);
    }

    [Fact]
    public async Task A_client_that_may_leave_it_out_may_also_use_it_and_then_must()
    {
        await _server.AddClient("exempt-but-careful", "authorization_code", "openid", c => (c.RedirectUris, c.AllowCodeWithoutPkce) = (["https://careful.test/callback"], true));
        using var browser = new Browser(_server);
        var flow = new CodeFlow { ClientId = "exempt-but-careful", RedirectUri = "https://careful.test/callback" };
        var code = (await browser.Complete(flow.Parameters())).ResponseParameters()["code"];
        await _server.Refused(400, "invalid_grant", "/connect/token", flow.ClientId, ("grant_type", "authorization_code"), ("code", code), ("redirect_uri", flow.RedirectUri));
        Assert.Equal(200, (await flow.Redeem(_server, code)).Status);
    }
}
