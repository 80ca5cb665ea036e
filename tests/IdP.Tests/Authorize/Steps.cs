using IdP.Accounts;
using IdP.Clients;
using IdP.Testing;
using IdP.Tests.Support;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace IdP.Tests.Authorize;

/// <summary>The steps of one request: none can be skipped, changed, swapped or taken by somebody else.</summary>
public sealed class Steps(PageServer fixture) : IClassFixture<PageServer>
{
    private IdpServer Server => fixture.Server;

    [Fact]
    [Trait("Case", "AUZ-11")]
    public async Task What_was_posted_to_sign_in_goes_nowhere_else()
    {
        using var browser = new Browser(Server);
        var page = await browser.Authorize(new CodeFlow().Parameters());
        foreach (var (password, status) in ((string, int)[])[("wrong-Password-99", 400), (IdpServer.Password, 303)])
        {
            var answer = await browser.Submit(page, "/sign-in", ("username", "alice"), ("password", password));
            Assert.Equal(status, answer.Status);
            Assert.DoesNotContain(password, answer.Location ?? "", StringComparison.Ordinal);
            Assert.DoesNotContain(password, answer.Body, StringComparison.Ordinal);
            Assert.DoesNotContain("alice", answer.Location ?? "", StringComparison.Ordinal);
            if (status == 303) Assert.StartsWith("/connect/authorize?continue=", answer.Location);
            else FrontChannel.IsPage(answer, "id=\"problem\"", 400);
            Assert.Equal("no-store", answer.Header("Cache-Control"));
        }
    }

    [Fact]
    [Trait("Case", "AUZ-13")]
    public async Task Prompt_login_asks_again_even_if_it_is_taken_out_on_the_way_and_the_time_is_new()
    {
        using var browser = new Browser(Server);
        var plain = new CodeFlow();
        var first = IdToken.Claims(await plain.Redeem(Server, FrontChannel.IsCode(Server, await browser.Complete(plain.Parameters()), plain)))["auth_time"]!.GetValue<long>();
        Server.Clock.Advance(TimeSpan.FromSeconds(100));

        var flow = new CodeFlow { With = { ["prompt"] = "login" } };
        var toPage = await browser.Get(Browser.Address(flow.Parameters()));
        Assert.StartsWith("/sign-in?", toPage.Location);
        var way = toPage.Location!.Split("continue=")[1];
        // Straight back, without signing in.
        foreach (var more in (string[])["", "&prompt=", "&prompt=none", "&max_age=1000"])
            Assert.StartsWith("/sign-in?", (await browser.Get($"/connect/authorize?continue={way}{more}")).Location);
        Assert.StartsWith("/connect/authorize", (await browser.Submit(await browser.Get(toPage.Location!), "/sign-in?handler=Continue")).Location);
        FrontChannel.IsSignIn(await browser.Follow(await browser.Submit(await browser.Get(toPage.Location!), "/sign-in?handler=Continue")));

        var answer = await browser.SignIn(await browser.Get(toPage.Location!));
        var second = IdToken.Claims(await flow.Redeem(Server, FrontChannel.IsCode(Server, answer, flow)))["auth_time"]!.GetValue<long>();
        Assert.InRange(second - first, 99, 200);
    }

    [Theory]
    [Trait("Case", "AUZ-13")]
    [InlineData("0", false)]
    [InlineData("1", false)]
    [InlineData("99", false)]
    [InlineData("100000", true)]
    [InlineData("1000000000000", true)]
    [InlineData("999999999999999999", true)]
    public async Task Max_age_is_enforced(string maxAge, bool isEnough)
    {
        using var browser = new Browser(Server);
        await browser.Complete(new CodeFlow().Parameters());
        Server.Clock.Advance(TimeSpan.FromSeconds(100));
        var flow = new CodeFlow { With = { ["max_age"] = maxAge } };
        var answer = await browser.Authorize(flow.Parameters());
        if (!isEnough)
        {
            FrontChannel.IsSignIn(answer);
            var silent = new CodeFlow { With = { ["max_age"] = maxAge, ["prompt"] = "none" } };
            await browser.RefusedToClient(Server, silent, "login_required");
            answer = await browser.SignIn(answer);
        }
        FrontChannel.IsCode(Server, answer, flow);
    }

    [Theory]
    [Trait("Case", "AUZ-13")]
    [InlineData("max_age", "-1")]
    [InlineData("max_age", "abc")]
    [InlineData("max_age", "1.5")]
    [InlineData("max_age", "+1")]
    [InlineData("max_age", " 1")]
    [InlineData("max_age", "1e3")]
    [InlineData("max_age", "\u0661")]
    [InlineData("max_age", "99999999999999999999999")]
    [InlineData("prompt", "none login")]
    [InlineData("prompt", "None")]
    [InlineData("prompt", "login  consent")]
    [InlineData("prompt", "create")]
    public async Task A_wish_that_cannot_be_read_is_told_to_the_client(string name, string value)
    {
        using var browser = new Browser(Server);
        await browser.RefusedToClient(Server, new CodeFlow { With = { [name] = value } }, "invalid_request");
    }

    [Fact]
    [Trait("Case", "AUZ-14")]
    public async Task A_request_in_flight_is_worth_something_only_in_its_own_browser_and_as_it_was_sealed()
    {
        using var browser = new Browser(Server);
        using var thief = new Browser(Server);
        var way = (await browser.Get(Browser.Address(new CodeFlow().Parameters()))).Location!.Split("continue=")[1];
        var page = await thief.Authorize(new CodeFlow { ClientId = "spa", RedirectUri = "https://spa.test/callback" }.Parameters());

        await thief.RefusedOnPage(Server, $"/connect/authorize?continue={way}");
        await thief.RefusedOnPage(Server, $"/sign-in?continue={way}");
        await thief.RefusedOnPage(Server, $"/consent?continue={way}");
        var before = await Server.IssuedRows();
        FrontChannel.IsErrorPage(await thief.Submit(page, "/sign-in", ("continue", way), ("username", "alice"), ("password", IdpServer.Password)));
        FrontChannel.IsErrorPage(await thief.Submit(page, "/consent", ("continue", way)));
        FrontChannel.IsErrorPage(await thief.Submit(page, "/sign-in?handler=Cancel", ("continue", way)));
        Assert.Equal(before, await Server.IssuedRows());

        foreach (var spoiled in (string[])[way[..^1], way + "A", way + "=", way[..40] + (way[40] == 'A' ? 'B' : 'A') + way[41..], "AAAA", "%00", "x"])
            await browser.RefusedOnPage(Server, $"/connect/authorize?continue={spoiled}");
        await browser.RefusedOnPage(Server, $"/connect/authorize?posted={way}");
    }

    [Fact]
    [Trait("Case", "AUZ-14")]
    public async Task What_was_sealed_for_one_use_is_nothing_in_another()
    {
        using var browser = new Browser(Server);
        using var post = new HttpRequestMessage(HttpMethod.Post, "/connect/authorize") { Content = new FormUrlEncodedContent(new CodeFlow().Parameters()) };
        var posted = (await browser.Send(post)).Location!.Split("posted=")[1];
        var page = await browser.Authorize(new CodeFlow().Parameters());
        await browser.RefusedOnPage(Server, $"/connect/authorize?continue={posted}");
        await browser.RefusedOnPage(Server, $"/sign-in?continue={posted}");
        await browser.RefusedOnPage(Server, $"/connect/authorize?continue={page.Fields()["form_token"]}");
        await browser.RefusedOnPage(Server, $"/connect/authorize?posted={page.Fields()["form_token"]}");
        // A posted request inside a posted request goes round no more.
        using var again = new HttpRequestMessage(HttpMethod.Post, "/connect/authorize") { Content = new FormUrlEncodedContent([new("posted", posted)]) };
        await browser.RefusedOnPage(Server, again);
    }

    [Fact]
    [Trait("Case", "AUZ-14")]
    [Trait("Case", "AUZ-15")]
    public async Task What_one_person_did_for_a_request_does_not_count_for_the_next_person_in_the_browser()
    {
        using var browser = new Browser(Server);
        var flow = new CodeFlow { With = { ["prompt"] = "login consent" } };
        var consent = await browser.SignIn(await browser.Authorize(flow.Parameters()), "bob");
        FrontChannel.IsConsent(consent);
        var done = await browser.Submit(consent, "/consent");
        FrontChannel.IsCode(Server, await browser.Get(done.Location!), flow);

        // Somebody else signs in; the way that bob had gone to its end is still in the history.
        await browser.Complete(new CodeFlow { With = { ["prompt"] = "login" } }.Parameters(), "alice");
        var replayed = await browser.Follow(await browser.Get(done.Location!));
        FrontChannel.IsSignIn(replayed);
        // And bob's page of consent, sent by alice's hand, asks alice.
        FrontChannel.IsSignIn(await browser.Accept(consent));
        var shown = await browser.SignIn(replayed, "alice");
        FrontChannel.IsConsent(shown);
        Assert.NotEqual(consent.Fields()["session"], shown.Fields()["session"]);
        var before = await Server.Count("Grants");
        FrontChannel.IsConsent(await browser.Follow(await browser.Submit(shown, "/consent", ("session", consent.Fields()["session"]))));
        FrontChannel.IsConsent(await browser.Follow(await browser.Submit(shown, "/consent", ("session", ""))));
        Assert.Equal(before, await Server.Count("Grants"));
    }

    [Fact]
    [Trait("Case", "AUZ-15")]
    [Trait("Case", "LGN-10")]
    [Trait("Case", "LGN-11")]
    public async Task A_form_without_the_token_of_this_browser_does_nothing()
    {
        using var browser = new Browser(Server);
        using var other = new Browser(Server);
        var foreign = (await other.Authorize(new CodeFlow().Parameters())).Fields()["form_token"];
        var signIn = await browser.Authorize(new CodeFlow().Parameters());
        var rows = await Server.IssuedRows();
        foreach (var token in (string[])["", foreign, "x", signIn.Fields()["form_token"][..^2]])
            foreach (var path in (string[])["/sign-in", "/sign-in?handler=Continue", "/sign-in?handler=Cancel"])
                FrontChannel.IsErrorPage(await browser.Submit(signIn, path, ("username", "alice"), ("password", IdpServer.Password), ("form_token", token)));
        Assert.Equal(rows, await Server.IssuedRows());
        Assert.DoesNotContain(browser.Cookies.GetAllCookies(), cookie => cookie.Name.Contains("session", StringComparison.Ordinal));

        var consent = await browser.SignIn(await browser.Authorize(new CodeFlow { With = { ["prompt"] = "consent" } }.Parameters()));
        rows = await Server.IssuedRows();
        foreach (var token in (string[])["", foreign])
            foreach (var path in (string[])["/consent", "/consent?handler=Deny"])
                FrontChannel.IsErrorPage(await browser.Submit(consent, path, ("form_token", token)));
        Assert.Equal(rows, await Server.IssuedRows());
    }

    [Fact]
    [Trait("Case", "LGN-10")]
    public async Task Another_site_cannot_sign_a_browser_in()
    {
        using var victim = new Browser(Server);
        using var attacker = new Browser(Server);
        // The attacker has a page of their own, token and all, and has the victim's browser post it: without its Lax cookies, or with them.
        var page = await attacker.Authorize(new CodeFlow().Parameters());
        var rows = await Server.IssuedRows();
        FrontChannel.IsErrorPage(await victim.Submit(page, "/sign-in", ("username", "bob"), ("password", IdpServer.Password)));
        await victim.Authorize(new CodeFlow().Parameters());
        FrontChannel.IsErrorPage(await victim.Submit(page, "/sign-in", ("username", "bob"), ("password", IdpServer.Password)));
        // Nor can a link do it.
        var get = await victim.Get($"/sign-in?continue={page.Fields()["continue"]}&username=bob&password={IdpServer.Password}");
        FrontChannel.IsErrorPage(get);
        Assert.Equal(rows, await Server.IssuedRows());
    }

    [Fact]
    [Trait("Case", "AUZ-15")]
    public async Task A_consent_that_is_sent_twice_is_harmless()
    {
        using var browser = new Browser(Server);
        await Server.AddUser("twice");
        var flow = new CodeFlow { With = { ["prompt"] = "consent" } };
        var page = await browser.SignIn(await browser.Authorize(flow.Parameters()), "twice");
        var consents = await Server.Count("Consents");
        var first = FrontChannel.IsCode(Server, await browser.Accept(page), flow);
        var second = FrontChannel.IsCode(Server, await browser.Accept(page), flow);
        Assert.Equal(consents + 1, await Server.Count("Consents"));
        // Both are this request's: nobody else's verifier redeems either.
        await Server.Refused(400, "invalid_grant", "/connect/token", "web", ("grant_type", "authorization_code"), ("code", second), ("redirect_uri", flow.RedirectUri), ("code_verifier", new CodeFlow().Verifier));
        Assert.Equal(200, (await flow.Redeem(Server, first)).Status);
    }

    [Theory]
    [Trait("Case", "AUZ-23")]
    [Trait("Case", "STA-01")]
    [Trait("Case", "LGN-22")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_person_who_is_disabled_between_page_and_form_gets_nothing(bool isSignedIn)
    {
        var name = $"leaving-{isSignedIn}";
        await Server.AddUser(name);
        using var browser = new Browser(Server);
        var page = await browser.Authorize(new CodeFlow { With = { ["prompt"] = "consent" } }.Parameters());
        if (isSignedIn) page = await browser.SignIn(page, name);

        await Server.Change((db, _) => Server.App.Services.GetRequiredService<UserStatements>().Disable(db, name, "cli", CancellationToken.None));

        var rows = await Server.IssuedRows();
        if (isSignedIn)
        {
            FrontChannel.IsSignIn(await browser.Accept(page));
            FrontChannel.IsSignIn(await browser.Authorize(new CodeFlow().Parameters()));
            await browser.RefusedToClient(Server, new CodeFlow { With = { ["prompt"] = "none" } }, "login_required");
        }
        else FrontChannel.IsPage(await browser.SignIn(page, name), "id=\"problem\"", 400);
        Assert.Equal(rows, await Server.IssuedRows());
    }

    [Fact]
    [Trait("Case", "AUZ-23")]
    [Trait("Case", "STA-06")]
    public async Task A_client_that_is_disabled_between_page_and_form_gets_nothing()
    {
        await Server.AddClient("leaving", "authorization_code", "openid", c => c.RedirectUris = ["https://leaving.test/cb"]);
        using var browser = new Browser(Server);
        using var consenting = new Browser(Server);
        var flow = new CodeFlow { ClientId = "leaving", RedirectUri = "https://leaving.test/cb" };
        var signIn = await browser.Authorize(flow.Parameters());
        var consent = await consenting.SignIn(await consenting.Authorize(flow.Parameters()));
        FrontChannel.IsConsent(consent);
        var accepted = await consenting.Submit(consent, "/consent");

        await Server.Change((db, _) => Server.App.Services.GetRequiredService<ClientStatements>().Disable(db, "leaving", "cli", CancellationToken.None));

        var rows = await Server.IssuedRows();
        FrontChannel.IsErrorPage(await browser.SignIn(signIn));
        FrontChannel.IsErrorPage(await consenting.Accept(consent));
        await consenting.RefusedOnPage(Server, accepted.Location!, "unauthorized_client");
        await browser.RefusedOnPage(Server, Browser.Address(flow.Parameters()), "unauthorized_client");
        Assert.Equal(rows, await Server.IssuedRows());
    }

    [Theory]
    [Trait("Case", "AUZ-23")]
    [Trait("Case", "STA-07")]
    [InlineData("redirect", "invalid_request")]
    [InlineData("scope", "invalid_scope")]
    [InlineData("grant", "unauthorized_client")]
    public async Task What_a_client_loses_between_page_and_form_is_lost(string what, string error)
    {
        var flow = new CodeFlow { ClientId = $"losing-{what}", RedirectUri = "https://losing.test/cb", Scope = "openid profile" };
        await Server.AddClient(flow.ClientId, "authorization_code", "openid profile", c => c.RedirectUris = [flow.RedirectUri]);
        using var browser = new Browser(Server);
        var accepted = await browser.Submit(await browser.SignIn(await browser.Authorize(flow.Parameters())), "/consent");

        await Change(flow.ClientId, client =>
        {
            if (what == "redirect") client.RedirectUris = ["https://losing.test/other"];
            if (what == "scope") client.Scopes = ["openid"];
            if (what == "grant") client.GrantTypes = ["client_credentials"];
        });

        if (what == "redirect") await browser.RefusedOnPage(Server, accepted.Location!, error);
        else await browser.RefusedToClient(Server, flow, error, accepted.Location);
    }

    [Fact]
    [Trait("Case", "AUZ-24")]
    public async Task Two_requests_in_two_tabs_do_not_mix()
    {
        using var browser = new Browser(Server);
        var web = new CodeFlow { Scope = "openid profile" };
        var spa = new CodeFlow { ClientId = "spa", RedirectUri = "https://spa.test/callback", Scope = "openid email" };
        var webPage = await browser.Authorize(web.Parameters());
        var spaPage = await browser.Authorize(spa.Parameters());
        // The first tab's form is sent last, and is still good: one browser, one token of forms.
        spaPage = await browser.SignIn(spaPage, "bob");
        webPage = await browser.SignIn(webPage, "bob");
        if (webPage.Location is null) webPage = await browser.Accept(webPage);
        spaPage = await browser.Accept(spaPage);
        var webCode = FrontChannel.IsCode(Server, webPage, web);
        var spaCode = FrontChannel.IsCode(Server, spaPage, spa);

        var spaTokens = await spa.Redeem(Server, spaCode, isPublic: true);
        var webTokens = await web.Redeem(Server, webCode);
        Assert.Equal(("spa", spa.Nonce, "openid email"), (IdToken.Claims(spaTokens)["aud"]!.GetValue<string>(), IdToken.Claims(spaTokens)["nonce"]!.GetValue<string>(), spaTokens.Json["scope"]!.GetValue<string>()));
        Assert.Equal(("web", web.Nonce, "openid profile"), (IdToken.Claims(webTokens)["aud"]!.GetValue<string>(), IdToken.Claims(webTokens)["nonce"]!.GetValue<string>(), webTokens.Json["scope"]!.GetValue<string>()));
    }

    private Task Change(string clientId, Action<Client> change) => Server.Change(async (db, version) =>
    {
        var client = await db.Set<Client>().AsTracking().SingleAsync(c => c.ClientId == clientId);
        change(client);
        client.Version = version;
        await db.SaveChangesAsync();
    });
}
