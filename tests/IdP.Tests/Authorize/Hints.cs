using System.Text.Json.Nodes;
using IdP.Protocol.Jose;
using IdP.Testing;
using IdP.Tests.Support;
using Xunit;

namespace IdP.Tests.Authorize;

/// <summary>OpenID Connect Core §3.1.2.1, §5.5.1: a hint says whom the client means; it never signs anybody in, and nobody else is taken for them.</summary>
public sealed class Hints(PageServer fixture) : IClassFixture<PageServer>
{
    private IdpServer Server => fixture.Server;

    [Fact]
    [Trait("Case", "AUZ-19")]
    public async Task A_hint_without_a_session_signs_nobody_in()
    {
        using var nobody = new Browser(Server);
        var hint = await Hint("alice");
        await nobody.RefusedToClient(Server, With("none", hint), "login_required");
        FrontChannel.IsSignIn(await nobody.Authorize(With(null, hint).Parameters()));
    }

    [Fact]
    [Trait("Case", "AUZ-19")]
    public async Task Somebody_elses_session_is_not_taken_for_the_person_whom_the_hint_names()
    {
        using var browser = new Browser(Server);
        await browser.Complete(new CodeFlow().Parameters(), "bob");
        var hint = await Hint("alice");
        await browser.RefusedToClient(Server, With("none", hint), "login_required");
        var page = await browser.Authorize(With(null, hint).Parameters());
        FrontChannel.IsSignIn(page);
        // Signing in as bob once more does not make bob alice.
        FrontChannel.IsSignIn(await browser.SignIn(page, "bob"));
        var flow = With(null, hint);
        FrontChannel.IsCode(Server, await browser.Complete(flow.Parameters()), flow);
        await browser.RefusedToClient(Server, With("none", await Hint("bob")), "login_required");
    }

    [Fact]
    [Trait("Case", "AUZ-19")]
    public async Task A_hint_that_cannot_be_believed_is_no_hint_and_trusts_no_session()
    {
        using var browser = new Browser(Server);
        await browser.Complete(new CodeFlow().Parameters());
        var good = await Hint("alice");
        await Completes(browser, good);

        var claims = IdToken.Claims(good);
        var key = SigningKey.Generate(SigningAlgorithms.RS256);
        var own = Server.Keys.Signer(SigningAlgorithms.RS256);
        string Forged(string name, JsonNode? value, SigningKey by)
        {
            var changed = claims.DeepClone().AsObject();
            if (value is null) changed.Remove(name);
            else changed[name] = value;
            return ForgedJwt.Sign(by, changed, "JWT");
        }
        var spa = new CodeFlow { ClientId = "spa", RedirectUri = "https://spa.test/callback" };
        var forAnother = (await spa.Redeem(Server, FrontChannel.IsCode(Server, await browser.Complete(spa.Parameters()), spa), isPublic: true)).Json["id_token"]!.GetValue<string>();
        var flow = new CodeFlow();
        var access = (await flow.Redeem(Server, FrontChannel.IsCode(Server, await browser.Complete(flow.Parameters()), flow))).AccessToken;
        string[] hints =
        [
            Forged("iat", claims["iat"]!.GetValue<long>(), key), Forged("iss", "https://evil.test", own), Forged("iss", Server.Issuer + "/", own), Forged("aud", "spa", own), Forged("aud", null, own),
            Forged("sub", null, own), Forged("sub", "nobody", own), forAnother, access, good[..^4] + "AAAA", good[..(good.LastIndexOf('.') + 1)],
            ForgedJwt.WithoutSignature("""{"alg":"none","typ":"JWT"}""", claims.ToJsonString()), ForgedJwt.Sign(own, claims, "at+jwt"), "x", "a.b.c", "...", new string('.', 500),
        ];
        foreach (var hint in hints)
        {
            await browser.RefusedToClient(Server, With("none", hint), "login_required");
            FrontChannel.IsSignIn(await browser.Authorize(With(null, hint).Parameters()));
        }
        await Completes(browser, good);
    }

    [Theory]
    [Trait("Case", "AUZ-19")]
    [InlineData("id_token")]
    [InlineData("userinfo")]
    public async Task A_subject_that_is_asked_for_by_value_is_the_only_one_who_gets_through(string where)
    {
        using var browser = new Browser(Server);
        await browser.Complete(new CodeFlow().Parameters());
        var alice = IdToken.Claims(await Hint("alice"))["sub"]!.GetValue<string>();
        CodeFlow Asking(string json, string? prompt = null) => new() { With = { ["claims"] = $$$"""{"{{{where}}}":{"sub":{{{json}}}}}""", ["prompt"] = prompt } };
        var right = Asking($$"""{"value":"{{alice}}"}""", "none");
        FrontChannel.IsCode(Server, await browser.Get(Browser.Address(right.Parameters())), right);
        right = Asking($$"""{"values":["nobody","{{alice}}"]}""", "none");
        FrontChannel.IsCode(Server, await browser.Get(Browser.Address(right.Parameters())), right);

        string[] wrong = ["""{"value":"nobody"}""", $$"""{"value":"{{Guid.NewGuid():N}}"}""", """{"value":17}""", """{"values":["nobody","else"]}""", $$"""{"value":"{{alice.ToUpperInvariant()}}"}""", $$"""{"value":"{{alice}} "}"""];
        foreach (var json in wrong)
        {
            await browser.RefusedToClient(Server, Asking(json, "none"), "login_required");
            var page = await browser.Authorize(Asking(json).Parameters());
            FrontChannel.IsSignIn(page);
            // Not even after a fresh sign-in: the request is for that person and no other.
            FrontChannel.IsSignIn(await browser.SignIn(page));
        }
    }

    [Theory]
    [Trait("Case", "AUZ-20")]
    [InlineData("""{"id_token":{"acr":{"essential":true,"value":"urn:mfa"}}}""", true)]
    [InlineData("""{"id_token":{"acr":{"essential":true,"values":["urn:mfa","phr"]}}}""", true)]
    [InlineData("""{"id_token":{"acr":{"value":"urn:mfa"}}}""", false)]
    [InlineData("""{"id_token":{"acr":{"essential":true}}}""", false)]
    [InlineData("""{"id_token":{"acr":{"essential":true,"values":["urn:mfa","urn:idp:acr:password"]}}}""", false)]
    public async Task A_strength_that_cannot_be_met_is_never_pretended(string claims, bool isImpossible)
    {
        using var browser = new Browser(Server);
        var flow = new CodeFlow { With = { ["claims"] = claims, ["acr_values"] = "urn:mfa phr" } };
        if (isImpossible)
        {
            await browser.RefusedToClient(Server, flow, "unmet_authentication_requirements");
            return;
        }
        var tokens = await flow.Redeem(Server, FrontChannel.IsCode(Server, await browser.Complete(flow.Parameters()), flow));
        Assert.Equal("urn:idp:acr:password", IdToken.Claims(tokens)["acr"]!.GetValue<string>());
        Assert.Equal("urn:idp:acr:password", tokens.Claims["acr"]!.GetValue<string>());
        Assert.Equal("""["pwd"]""", IdToken.Claims(tokens)["amr"]!.ToJsonString());
    }

    [Theory]
    [Trait("Case", "LGN-03")]
    [InlineData("alice")]
    [InlineData("nobody-of-that-name")]
    [InlineData("mallory")]
    [InlineData("\"><script>alert(1)</script>")]
    public async Task A_login_hint_says_nothing_of_who_exists(string hint)
    {
        using var browser = new Browser(Server);
        var page = await browser.Authorize(new CodeFlow { With = { ["login_hint"] = hint } }.Parameters());
        FrontChannel.IsSignIn(page);
        Assert.Equal(hint, page.Fields()["username"]);
        Assert.DoesNotContain("<script>", page.Body, StringComparison.OrdinalIgnoreCase);
        var plain = await browser.Authorize(new CodeFlow { With = { ["login_hint"] = "x" } }.Parameters());
        Assert.Equal(Skeleton(plain, "x"), Skeleton(page, hint));
        Assert.DoesNotContain("name=\"username\" disabled", page.Body, StringComparison.Ordinal);
    }

    // The page without what differs from request to request.
    private static string Skeleton(PageAnswer page, string hint)
    {
        var text = page.Body;
        foreach (var field in page.Fields()) if (field.Value.Length > 20) text = text.Replace(field.Value, "...", StringComparison.Ordinal);
        return System.Net.WebUtility.HtmlDecode(text).Replace($"value=\"{hint}\"", "value=\"...\"", StringComparison.Ordinal).Replace("value=\"...\"", "value", StringComparison.Ordinal);
    }

    private async Task Completes(Browser browser, string hint)
    {
        var flow = With("none", hint);
        FrontChannel.IsCode(Server, await browser.Get(Browser.Address(flow.Parameters())), flow);
    }

    private async Task<string> Hint(string user)
    {
        using var browser = new Browser(Server);
        var flow = new CodeFlow();
        return (await flow.Redeem(Server, FrontChannel.IsCode(Server, await browser.Complete(flow.Parameters(), user), flow))).Json["id_token"]!.GetValue<string>();
    }

    private static CodeFlow With(string? prompt, string hint) => new() { With = { ["prompt"] = prompt, ["id_token_hint"] = hint } };
}
