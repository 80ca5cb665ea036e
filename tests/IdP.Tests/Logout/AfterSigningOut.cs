using IdP.Audit;
using IdP.Testing;
using IdP.Tests.Support;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace IdP.Tests.Logout;

/// <summary>What is left after a sign-out: nothing that still opens anything.</summary>
public sealed class AfterSigningOut(PageServer fixture) : IClassFixture<PageServer>
{
    private const string SessionCookie = "__Host-idp_session";
    private readonly IdpServer _server = fixture.Server;

    [Fact]
    [Trait("Case", "LGO-07")]
    public async Task The_old_cookie_is_worth_nothing_and_the_browser_is_told_to_forget_it()
    {
        var app = await LogoutApp.Register(_server);
        using var browser = new Browser(_server);
        var signIn = await app.SignIn(browser);
        using var thief = new Browser(_server);
        foreach (System.Net.Cookie cookie in browser.Cookies.GetAllCookies()) thief.Cookies.Add(cookie);
        await app.AssertSignedIn(thief);

        var answer = await browser.Get(LogoutApp.Address(("id_token_hint", signIn.IdToken), ("post_logout_redirect_uri", app.SignedOut)));
        Assert.Equal(app.SignedOut, answer.Location);
        Assert.Equal("no-store", answer.Header("Cache-Control"));
        Assert.Matches($"{SessionCookie}=; expires=Thu, 01 Jan 1970", answer.Header("Set-Cookie"));
        Assert.DoesNotContain(browser.Cookies.GetAllCookies(), cookie => cookie.Name == SessionCookie);
        await app.AssertSignedOut(thief);
    }

    [Fact]
    [Trait("Case", "LGO-07")]
    public async Task Forms_from_before_lead_to_the_sign_in_page()
    {
        var app = await LogoutApp.Register(_server);
        using var browser = new Browser(_server);
        var signIn = await app.SignIn(browser);
        var flow = new CodeFlow { ClientId = app.Id, RedirectUri = app.Callback, Scope = "openid profile" };
        var consent = await browser.Authorize(flow.Parameters());
        Assert.Contains("id=\"consent-accept\"", consent.Body, StringComparison.Ordinal);
        using var thief = new Browser(_server);
        foreach (System.Net.Cookie cookie in browser.Cookies.GetAllCookies()) thief.Cookies.Add(cookie);
        await browser.Get(LogoutApp.Address(("id_token_hint", signIn.IdToken), ("post_logout_redirect_uri", app.SignedOut)));

        foreach (var one in (Browser[])[browser, thief])
        {
            var page = await one.Accept(consent);
            Assert.Contains("id=\"login-submit\"", page.Body, StringComparison.Ordinal);
            Assert.Equal("no-store", page.Header("Cache-Control"));
        }
    }

    [Fact]
    [Trait("Case", "LGO-07")]
    public async Task Pages_are_not_kept_so_that_the_back_button_asks_the_server()
    {
        var app = await LogoutApp.Register(_server);
        using var browser = new Browser(_server);
        await app.SignIn(browser);
        var asks = await browser.Follow(await browser.Get("/connect/logout"));
        var done = await browser.Follow(await LogoutApp.Confirm(browser, asks));
        foreach (var page in (PageAnswer[])[asks, done, await browser.Get("/signed-out")])
        {
            Assert.Equal(200, page.Status);
            Assert.Equal("no-store", page.Header("Cache-Control"));
            Assert.Equal("DENY", page.Header("X-Frame-Options"));
            Assert.Contains("frame-ancestors 'none'", page.Header("Content-Security-Policy"), StringComparison.Ordinal);
        }
    }

    [Fact]
    [Trait("Case", "LGO-07")]
    [Trait("Case", "STA-09")]
    public async Task What_hung_on_the_session_is_dead_and_what_was_granted_for_later_is_not()
    {
        var app = await LogoutApp.Register(_server, c => c.SessionRefreshTokens = true);
        using var browser = new Browser(_server);
        var bound = await app.SignIn(browser);
        var kept = await app.SignIn(browser, scope: "openid offline_access");
        await browser.Get(LogoutApp.Address(("id_token_hint", bound.IdToken), ("post_logout_redirect_uri", app.SignedOut)));

        Assert.Equal("invalid_grant", (await Refresh(app, bound)).Error);
        Assert.False((await _server.Introspect(bound.AccessToken, app.Id)).Active);
        Assert.Equal(200, (await Refresh(app, kept)).Status);
    }

    [Fact]
    [Trait("Case", "LGO-07")]
    public async Task A_code_that_was_under_way_is_not_redeemed()
    {
        var app = await LogoutApp.Register(_server);
        using var browser = new Browser(_server);
        var signIn = await app.SignIn(browser);
        var flow = new CodeFlow { ClientId = app.Id, RedirectUri = app.Callback };
        var code = (await browser.Complete(flow.Parameters())).ResponseParameters()["code"];
        await browser.Get(LogoutApp.Address(("id_token_hint", signIn.IdToken), ("post_logout_redirect_uri", app.SignedOut)));
        Assert.Equal("invalid_grant", (await flow.Redeem(_server, code)).Error);
    }

    [Theory]
    [Trait("Case", "LGO-09")]
    [InlineData("none")]
    [InlineData("the session cookie, which the browser kept")]
    [InlineData("the browser's and the form's cookie, which went")]
    public async Task Whoever_signs_in_next_in_the_same_browser_gets_nothing_of_the_one_before(string cookies)
    {
        var app = await LogoutApp.Register(_server);
        using var browser = new Browser(_server);
        var alice = await app.SignIn(browser);
        // An authorization request of Alice's on its consent page, in another tab.
        var flow = new CodeFlow { ClientId = app.Id, RedirectUri = app.Callback, Scope = "openid profile offline_access" };
        var consent = await browser.Authorize(flow.Parameters());
        var old = browser.Cookies.GetAllCookies().Single(cookie => cookie.Name == SessionCookie);
        await browser.Get(LogoutApp.Address(("id_token_hint", alice.IdToken), ("post_logout_redirect_uri", app.SignedOut)));
        if (cookies.StartsWith("the session", StringComparison.Ordinal)) browser.Cookies.Add(new System.Net.Cookie(old.Name, old.Value, old.Path, old.Domain) { Secure = true });
        if (cookies.StartsWith("the browser", StringComparison.Ordinal))
            foreach (System.Net.Cookie cookie in browser.Cookies.GetAllCookies()) cookie.Expired = true;

        var bob = await app.SignIn(browser, "bob");
        Assert.NotEqual(alice.Claims["sub"]!.GetValue<string>(), bob.Claims["sub"]!.GetValue<string>());
        Assert.NotEqual(alice.Sid, bob.Sid);
        // Alice's page, pressed by Bob: it was not shown to him, so he is asked himself, or it has run out with its cookie.
        var answer = await browser.Accept(consent);
        Assert.Null(answer.Location);
        Assert.False(answer.ResponseParameters().ContainsKey("code"), answer.Body);
        if (answer.Body.Contains("id=\"consent-accept\"", StringComparison.Ordinal))
        {
            var tokens = await flow.Redeem(_server, (await browser.Accept(answer)).ResponseParameters()["code"]);
            Assert.Equal(bob.Claims["sub"]!.GetValue<string>(), LogoutApp.Payload(tokens.Json["id_token"]!.GetValue<string>())["sub"]!.GetValue<string>());
        }
        Assert.False((await _server.Introspect(alice.AccessToken, app.Id)).Active);
        await app.AssertSignedIn(browser);
    }

    [Fact]
    public async Task The_audit_has_who_signed_out_where_from_and_for_which_app()
    {
        var app = await LogoutApp.Register(_server);
        using var browser = new Browser(_server);
        var signIn = await app.SignIn(browser);
        await browser.Get(LogoutApp.Address(("id_token_hint", signIn.IdToken), ("post_logout_redirect_uri", app.SignedOut)));
        await using var db = _server.Database.OpenForReading();
        var record = (await db.Set<AuditEvent>().Where(e => e.Type == "sign_out").ToListAsync()).Single(e => e.Details!.Contains(signIn.Sid, StringComparison.Ordinal));
        Assert.Equal($"user:{signIn.Claims["sub"]!.GetValue<string>()}", record.Actor);
        Assert.NotNull(record.Address);
        Assert.Contains(app.Id, record.Details, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_page_that_says_signed_out_does_not_say_it_to_somebody_who_is_not()
    {
        var app = await LogoutApp.Register(_server);
        using var browser = new Browser(_server);
        Assert.True(LogoutApp.IsDone(await browser.Get("/signed-out")));
        await app.SignIn(browser);
        Assert.Equal("/sign-out", (await browser.Get("/signed-out")).Location);
        Assert.True(LogoutApp.Asks(await browser.Get("/sign-out")));
    }

    private Task<Answer> Refresh(LogoutApp app, AppSignIn signIn) => _server.Post("/connect/token", app.Id, ("grant_type", "refresh_token"), ("refresh_token", signIn.RefreshToken!));
}
