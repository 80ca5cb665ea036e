using System.Net;
using IdP.Testing;
using IdP.Tests.Support;
using Xunit;

namespace IdP.Tests.Logout;

/// <summary>RP-Initiated Logout §2, §3: where people go after signing out is registered, character by character, or they go nowhere.</summary>
public sealed class Destinations(PageServer fixture) : IClassFixture<PageServer>
{
    private readonly IdpServer _server = fixture.Server;

    public static TheoryData<string> AlmostRegistered =>
    [
        "{0}/", "{1}/SIGNED-OUT", "{0}?x=1", "{0}?", "{0}#f", "{0}#", "{0}/..;/evil", "{0}/../x", "{0}%2f..", "{0}%252e", "{0}\\evil", "//evil.test/signed-out", "{1}@evil.test/signed-out",
        "{1}\\@evil.test", "https://{2}.test.evil.test/signed-out", "https://evil{2}.test/signed-out", "https://{2}.test./signed-out", "{1}:444/signed-out", "{1}:443/signed-out",
        "http://{2}.test/signed-out", "HTTPS://{2}.TEST/signed-out", "https://{2}.t\u0435st/signed-out", "https://xn--{2}.test/signed-out", " {0}", "\t{0}", "\r\n{0}", "\0{0}", "{0}\0", "{0} ",
        "javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x", "file:///etc/passwd", "user@{0}", "/signed-out", "signed-out", "{1}", "https:{2}.test/signed-out",
    ];

    [Theory]
    [Trait("Case", "LGO-01")]
    [MemberData(nameof(AlmostRegistered))]
    public async Task An_address_that_is_almost_a_registered_one_is_told_on_a_page(string pattern)
    {
        var app = await LogoutApp.Register(_server);
        using var browser = new Browser(_server);
        var signIn = await app.SignIn(browser);
        var address = string.Format(System.Globalization.CultureInfo.InvariantCulture, pattern, app.SignedOut, app.Origin, app.Id);
        foreach (var client in ((string, string)[])[("id_token_hint", signIn.IdToken), ("client_id", app.Id)])
        {
            var page = await browser.Follow(await browser.Get(LogoutApp.Address(client, ("post_logout_redirect_uri", address), ("state", "s"))));
            LogoutApp.AssertErrorPage(page);
            var posted = await browser.Post("/connect/logout", new Dictionary<string, string> { [client.Item1] = client.Item2, ["post_logout_redirect_uri"] = address });
            LogoutApp.AssertErrorPage(posted);
        }
        await app.AssertSignedIn(browser);
    }

    [Fact]
    [Trait("Case", "LGO-01")]
    public async Task An_address_of_eight_kilobytes_and_one_that_is_repeated_are_refused()
    {
        var app = await LogoutApp.Register(_server);
        using var browser = new Browser(_server);
        LogoutApp.AssertErrorPage(await browser.Get(LogoutApp.Address(("client_id", app.Id), ("post_logout_redirect_uri", app.SignedOut + "?" + new string('a', 8000)))));
        LogoutApp.AssertErrorPage(await browser.Get(LogoutApp.Address(("client_id", app.Id), ("post_logout_redirect_uri", app.SignedOut), ("post_logout_redirect_uri", "https://evil.test/"))));
        LogoutApp.AssertErrorPage(await browser.Get(LogoutApp.Address(("client_id", app.Id), ("client_id", "web"), ("post_logout_redirect_uri", app.SignedOut))));
    }

    [Fact]
    [Trait("Case", "LGO-01")]
    public async Task With_nothing_that_says_whose_it_is_a_registered_address_is_told_on_a_page()
    {
        var app = await LogoutApp.Register(_server);
        using var browser = new Browser(_server);
        LogoutApp.AssertErrorPage(await browser.Get(LogoutApp.Address(("post_logout_redirect_uri", app.SignedOut))));
        LogoutApp.AssertErrorPage(await browser.Post("/connect/logout", new Dictionary<string, string> { ["post_logout_redirect_uri"] = app.SignedOut }));
    }

    [Fact]
    [Trait("Case", "LGO-01")]
    public async Task The_addresses_of_another_app_and_those_for_signing_in_do_not_count()
    {
        var (app, other) = (await LogoutApp.Register(_server), await LogoutApp.Register(_server));
        using var browser = new Browser(_server);
        var signIn = await app.SignIn(browser);
        foreach (var address in (string[])[other.SignedOut, app.Callback])
            LogoutApp.AssertErrorPage(await browser.Get(LogoutApp.Address(("id_token_hint", signIn.IdToken), ("post_logout_redirect_uri", address))));
        // RP-Initiated Logout §2: hint and client_id must be of one client.
        LogoutApp.AssertErrorPage(await browser.Get(LogoutApp.Address(("id_token_hint", signIn.IdToken), ("client_id", other.Id), ("post_logout_redirect_uri", other.SignedOut))));
        await app.AssertSignedIn(browser);
    }

    [Fact]
    [Trait("Case", "STA-06")]
    public async Task An_unknown_or_disabled_client_leads_nowhere()
    {
        var app = await LogoutApp.Register(_server);
        using var browser = new Browser(_server);
        var signIn = await app.SignIn(browser);
        LogoutApp.AssertErrorPage(await browser.Get(LogoutApp.Address(("client_id", "nobody"), ("post_logout_redirect_uri", app.SignedOut))));
        await _server.Change(async (db, version) =>
        {
            var client = await Clients.ClientStatements.Require(db, app.Id, CancellationToken.None);
            (client.DisabledAt, client.Version) = (_server.Clock.GetUtcNow(), version);
            await db.SaveChangesAsync();
        });
        LogoutApp.AssertErrorPage(await browser.Get(LogoutApp.Address(("id_token_hint", signIn.IdToken), ("post_logout_redirect_uri", app.SignedOut))));
        LogoutApp.AssertErrorPage(await browser.Get(LogoutApp.Address(("client_id", app.Id), ("post_logout_redirect_uri", app.SignedOut))));
    }

    [Fact]
    public async Task An_app_that_names_itself_gets_the_person_back_after_they_said_yes()
    {
        var app = await LogoutApp.Register(_server);
        using var browser = new Browser(_server);
        await app.SignIn(browser);
        var page = await browser.Follow(await browser.Get(LogoutApp.Address(("client_id", app.Id), ("post_logout_redirect_uri", app.SignedOut), ("state", "a b&c"), ("ui_locales", "de"))));
        Assert.True(LogoutApp.Asks(page), page.Body);
        Assert.Contains("lang=\"de\"", page.Body, StringComparison.Ordinal);
        Assert.Contains($"App {app.Id}", page.Body, StringComparison.Ordinal);
        // Browsers apply form-action to where the form leads in the end.
        Assert.Contains($"form-action 'self' {app.Origin} ", page.Header("Content-Security-Policy"), StringComparison.Ordinal);
        await app.AssertSignedIn(browser);
        var answer = await LogoutApp.Confirm(browser, page);
        Assert.Equal((303, $"{app.SignedOut}?state=a%20b%26c"), (answer.Status, answer.Location));
        await app.AssertSignedOut(browser);
        // Pressed twice.
        Assert.Equal($"{app.SignedOut}?state=a%20b%26c", (await LogoutApp.Confirm(browser, page)).Location);
    }

    [Fact]
    public async Task Whoever_says_no_stays_signed_in_and_goes_nowhere()
    {
        var app = await LogoutApp.Register(_server);
        using var browser = new Browser(_server);
        await app.SignIn(browser);
        var page = await browser.Follow(await browser.Get(LogoutApp.Address(("client_id", app.Id), ("post_logout_redirect_uri", app.SignedOut))));
        var stayed = await browser.Submit(page, "/sign-out?handler=Stay");
        Assert.Contains("id=\"stayed\"", stayed.Body, StringComparison.Ordinal);
        LogoutApp.AssertLeadsNowhere(stayed);
        await app.AssertSignedIn(browser);
    }

    [Fact]
    public async Task An_address_that_is_not_registered_any_more_when_the_person_says_yes_is_not_gone_to()
    {
        var app = await LogoutApp.Register(_server);
        using var browser = new Browser(_server);
        await app.SignIn(browser);
        var page = await browser.Follow(await browser.Get(LogoutApp.Address(("client_id", app.Id), ("post_logout_redirect_uri", app.SignedOut))));
        await _server.Change(async (db, version) =>
        {
            var client = await Clients.ClientStatements.Require(db, app.Id, CancellationToken.None);
            (client.PostLogoutRedirectUris, client.Version) = ([], version);
            await db.SaveChangesAsync();
        });
        var done = await browser.Follow(await LogoutApp.Confirm(browser, page));
        Assert.True(LogoutApp.IsDone(done), done.Body);
        LogoutApp.AssertLeadsNowhere(done);
        await app.AssertSignedOut(browser);
    }

    [Theory]
    [InlineData("another browser's")]
    [InlineData("changed")]
    [InlineData("none")]
    [InlineData("half an hour old")]
    public async Task What_the_hidden_field_says_counts_only_as_it_was_sealed_for_this_browser(string how)
    {
        var (app, other) = (await LogoutApp.Register(_server), await LogoutApp.Register(_server));
        using var browser = new Browser(_server);
        using var attacker = new Browser(_server);
        await app.SignIn(browser);
        await other.SignIn(attacker, "bob");
        var page = await browser.Follow(await browser.Get(LogoutApp.Address(("client_id", app.Id), ("post_logout_redirect_uri", app.SignedOut))));
        var theirs = await attacker.Follow(await attacker.Get(LogoutApp.Address(("client_id", other.Id), ("post_logout_redirect_uri", other.SignedOut))));
        var own = page.Fields()["continue"];
        var sent = how switch { "another browser's" => theirs.Fields()["continue"], "changed" => (own[0] == 'A' ? 'B' : 'A') + own[1..], "none" => "", _ => own };
        if (how.StartsWith("half", StringComparison.Ordinal)) _server.Clock.Advance(TimeSpan.FromMinutes(31));

        // The person is asked anew, and goes nowhere afterwards.
        var again = await browser.Submit(page, "/sign-out", ("continue", sent));
        Assert.True(LogoutApp.Asks(again), again.Body);
        await app.AssertSignedIn(browser);
        var done = await browser.Follow(await LogoutApp.Confirm(browser, again));
        Assert.True(LogoutApp.IsDone(done), done.Body);
        LogoutApp.AssertLeadsNowhere(done);
        await app.AssertSignedOut(browser);
        await other.AssertSignedIn(attacker);
    }

    [Fact]
    public async Task A_form_from_elsewhere_signs_nobody_out()
    {
        var app = await LogoutApp.Register(_server);
        using var browser = new Browser(_server);
        await app.SignIn(browser);
        var page = await browser.Follow(await browser.Get("/connect/logout"));
        var fields = page.Fields();
        fields.Remove("form_token");
        Assert.Equal(HttpStatusCode.BadRequest, (await browser.Post("/sign-out", fields)).Response.StatusCode);
        await app.AssertSignedIn(browser);
    }
}
