using System.Text;
using System.Text.Json.Nodes;
using IdP.Protocol.Jose;
using IdP.Testing;
using IdP.Tests.Support;
using Xunit;

namespace IdP.Tests.Conformance;

/// <summary>
/// The conformance suite's plan for RP-Initiated Logout 1.0. Where it has a person look at a page, the test looks for what tells the
/// pages apart: op-error, the button that asks, the text that says it is done.
/// </summary>
[Trait("Plan", "oidcc-rp-initiated-logout")]
public sealed class RpInitiatedLogoutPlan(PageServer fixture) : IClassFixture<PageServer>
{
    private readonly IdpServer _server = fixture.Server;

    [Fact]
    [Trait("Module", "oidcc-rp-initiated-logout-discovery-endpoint-verification")]
    public async Task Discovery_names_the_end_session_endpoint()
    {
        using var browser = new Browser(_server);
        var answer = await browser.Get("/.well-known/openid-configuration");
        Assert.Equal((200, "application/json"), (answer.Status, answer.Header("Content-Type")));
        var metadata = JsonNode.Parse(answer.Body)!.AsObject();
        Assert.StartsWith("https://", _server.Issuer, StringComparison.Ordinal);
        Assert.Equal(_server.Issuer, metadata["issuer"]!.GetValue<string>());
        Assert.Equal($"{_server.Issuer}/connect/logout", metadata["end_session_endpoint"]!.GetValue<string>());
        foreach (var (name, value) in metadata)
            if (name.EndsWith("_endpoint", StringComparison.Ordinal) || name == "jwks_uri") Assert.StartsWith("https://", value!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Module", "oidcc-rp-initiated-logout")]
    public async Task A_hint_and_a_registered_address_lead_there_with_the_state_and_nothing_else()
    {
        var (app, browser, signIn) = await SignedIn();
        var state = string.Concat(Enumerable.Repeat("Aa0-._~ +/=&%<>\"ü", 8))[..128];
        var answer = await browser.Follow(await browser.Get(LogoutApp.Address(("id_token_hint", signIn.IdToken), ("post_logout_redirect_uri", app.SignedOut), ("state", state))));
        Assert.Equal(303, answer.Status);
        Assert.StartsWith(app.SignedOut + "?", answer.Location, StringComparison.Ordinal);
        Assert.Equal(new KeyValuePair<string, string>("state", state), Assert.Single(answer.ResponseParameters()));
        await app.AssertSignedOut(browser);
    }

    [Fact]
    [Trait("Module", "oidcc-rp-initiated-logout")]
    public async Task A_form_posted_by_the_app_does_the_same()
    {
        var (app, browser, signIn) = await SignedIn();
        var answer = await browser.Post("/connect/logout", new Dictionary<string, string> { ["id_token_hint"] = signIn.IdToken, ["post_logout_redirect_uri"] = app.SignedOut, ["state"] = "s" });
        Assert.Equal(303, answer.Status);
        Assert.StartsWith("/connect/logout?", answer.Location, StringComparison.Ordinal);
        answer = await browser.Follow(answer);
        Assert.Equal($"{app.SignedOut}?state=s", answer.Location);
        await app.AssertSignedOut(browser);
    }

    [Fact]
    [Trait("Module", "oidcc-rp-initiated-logout-no-state")]
    public async Task Without_a_state_none_comes_back()
    {
        var (app, browser, signIn) = await SignedIn();
        var answer = await browser.Follow(await browser.Get(LogoutApp.Address(("id_token_hint", signIn.IdToken), ("post_logout_redirect_uri", app.SignedOut))));
        Assert.Equal((303, app.SignedOut), (answer.Status, answer.Location));
        await app.AssertSignedOut(browser);
    }

    [Theory]
    [Trait("Module", "oidcc-rp-initiated-logout-bad-post-logout-redirect-uri")]
    [InlineData("https://APP.test/signed-out-elsewhere")]
    [InlineData("https://attacker.test/")]
    public async Task An_address_that_is_not_registered_is_told_on_a_page(string address) => await Refused(_ => address);

    [Fact]
    [Trait("Module", "oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri")]
    public async Task A_registered_address_with_a_query_added_is_told_on_a_page() => await Refused(app => app.SignedOut + "?foo=bar");

    [Theory]
    [Trait("Module", "oidcc-rp-initiated-logout-modified-id-token-hint")]
    [InlineData("alg none")]
    [InlineData("altered")]
    public async Task A_hint_that_was_changed_leads_to_the_question_and_nowhere_after_it(string how)
    {
        var (app, browser, signIn) = await SignedIn();
        var parts = signIn.IdToken.Split('.');
        var claims = signIn.Claims;
        claims["sub"] = new string('0', 32);
        var hint = how == "altered"
            ? $"{parts[0]}.{Encode(claims.ToJsonString())}.{parts[2]}"
            : ForgedJwt.WithoutSignature("""{"alg":"none","typ":"JWT"}""", signIn.Claims.ToJsonString());
        await AskedAndLeftAlone(app, browser, hint);
    }

    [Theory]
    [Trait("Module", "oidcc-rp-initiated-logout-bad-id-token-hint")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_hint_that_somebody_else_signed_leads_to_the_question_and_nowhere_after_it(bool swapped)
    {
        var (app, browser, signIn) = await SignedIn();
        var claims = signIn.Claims;
        if (swapped) (claims["iss"], claims["aud"]) = (claims["aud"]!.DeepClone(), claims["iss"]!.DeepClone());
        await AskedAndLeftAlone(app, browser, ForgedJwt.Sign(SigningKey.Generate(SigningAlgorithms.ES256), claims, "JWT"));
    }

    [Fact]
    [Trait("Module", "oidcc-rp-initiated-logout-no-id-token-hint")]
    public async Task An_address_without_anything_that_says_whose_it_is_is_told_on_a_page()
    {
        var (app, browser, _) = await SignedIn();
        LogoutApp.AssertErrorPage(await browser.Follow(await browser.Get(LogoutApp.Address(("post_logout_redirect_uri", app.SignedOut), ("state", "s")))));
        await app.AssertSignedIn(browser);
    }

    [Theory]
    [Trait("Module", "oidcc-rp-initiated-logout-no-params")]
    [InlineData("/connect/logout")]
    [InlineData("/connect/logout?")]
    public async Task Without_parameters_the_person_is_asked_and_signed_out(string address)
    {
        var (app, browser, _) = await SignedIn();
        await AskedThenDone(app, browser, address);
    }

    [Fact]
    [Trait("Module", "oidcc-rp-initiated-logout-only-state")]
    public async Task A_state_alone_changes_nothing()
    {
        var (app, browser, _) = await SignedIn();
        var done = await AskedThenDone(app, browser, LogoutApp.Address(("state", "onlystate")));
        Assert.DoesNotContain("onlystate", done.Body, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Module", "oidcc-rp-initiated-logout-no-post-logout-redirect-uri")]
    public async Task A_hint_without_an_address_signs_out_and_says_so()
    {
        var (app, browser, signIn) = await SignedIn();
        var done = await browser.Follow(await browser.Get(LogoutApp.Address(("id_token_hint", signIn.IdToken), ("state", "s"))));
        Assert.True(LogoutApp.IsDone(done), done.Body);
        LogoutApp.AssertLeadsNowhere(done);
        await app.AssertSignedOut(browser);
    }

    private async Task<(LogoutApp App, Browser Browser, AppSignIn SignIn)> SignedIn()
    {
        var (app, browser) = (await LogoutApp.Register(_server), new Browser(_server));
        return (app, browser, await app.SignIn(browser));
    }

    private async Task Refused(Func<LogoutApp, string> address)
    {
        var (app, browser, signIn) = await SignedIn();
        var page = await browser.Follow(await browser.Get(LogoutApp.Address(("id_token_hint", signIn.IdToken), ("post_logout_redirect_uri", address(app)), ("state", "s"))));
        LogoutApp.AssertErrorPage(page);
        Assert.DoesNotContain(address(app), page.Body, StringComparison.Ordinal);
        await app.AssertSignedIn(browser);
    }

    private static async Task AskedAndLeftAlone(LogoutApp app, Browser browser, string hint)
    {
        var page = await browser.Follow(await browser.Get(LogoutApp.Address(("id_token_hint", hint), ("post_logout_redirect_uri", app.SignedOut), ("state", "s"))));
        Assert.True(LogoutApp.Asks(page), page.Body);
        LogoutApp.AssertLeadsNowhere(page);
        await app.AssertSignedIn(browser);
        var done = await browser.Follow(await LogoutApp.Confirm(browser, page));
        Assert.True(LogoutApp.IsDone(done), done.Body);
        LogoutApp.AssertLeadsNowhere(done);
        await app.AssertSignedOut(browser);
    }

    private static async Task<PageAnswer> AskedThenDone(LogoutApp app, Browser browser, string address)
    {
        var page = await browser.Follow(await browser.Get(address));
        Assert.True(LogoutApp.Asks(page), page.Body);
        await app.AssertSignedIn(browser);
        var done = await browser.Follow(await LogoutApp.Confirm(browser, page));
        Assert.True(LogoutApp.IsDone(done), done.Body);
        LogoutApp.AssertLeadsNowhere(done);
        await app.AssertSignedOut(browser);
        return done;
    }

    private static string Encode(string text) => System.Buffers.Text.Base64Url.EncodeToString(Encoding.UTF8.GetBytes(text));
}
