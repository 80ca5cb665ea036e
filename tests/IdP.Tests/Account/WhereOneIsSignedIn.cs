using IdP.Account;
using IdP.Audit;
using IdP.Testing;
using IdP.Tests.Support;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace IdP.Tests.Account;

/// <summary>The list of one's own sessions, and their end.</summary>
public sealed class WhereOneIsSignedIn(PageServer fixture) : IClassFixture<PageServer>
{
    private const string Firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
    private readonly IdpServer _server = fixture.Server;

    [Fact]
    public async Task Nobody_sees_it_without_signing_in_and_everybody_comes_back_to_the_page()
    {
        await _server.AddUser("ada");
        using var browser = new Browser(_server);
        var asked = await browser.Get("/account/sessions");
        Assert.Equal(303, asked.Status);
        Assert.Equal("no-store", asked.Header("Cache-Control"));

        var page = await browser.Enter("/account/sessions", "ada");

        Assert.Equal("Where you are signed in", page.Text("h1"));
        Assert.Equal("/account/sessions", page.All("a[aria-current=page]").Single().GetAttribute("href"));
        Assert.Equal("You are signed in as ada.", (await browser.Enter("/account")).Text("p.lead"));
    }

    [Fact]
    [Trait("Case", "STA-09")]
    public async Task One_is_ended_and_the_others_stay()
    {
        await _server.AddUser("berta");
        using var here = new Browser(_server);
        using var there = new Browser(_server);
        using var elsewhere = new Browser(_server);
        foreach (var browser in (Browser[])[here, there, elsewhere]) await browser.Enter("/account", "berta");
        var page = await here.Enter("/account/sessions");
        Assert.Equal(3, page.All("#sessions > li").Length);
        Assert.Single(page.All("#this-session"));
        var id = await SessionOf(there, "berta");

        var after = await here.Press(page, "/account/sessions?handler=End", ("id", id));

        Assert.Equal("That browser is signed out.", after.Text("#notice"));
        Assert.Equal(2, after.All("#sessions > li").Length);
        Assert.True((await there.Follow(await there.Get("/account"))).AsksToSignIn());
        Assert.Equal(200, (await elsewhere.Get("/account")).Status);
        var recorded = await Events("berta", "session.ended");
        Assert.Contains(id, Assert.Single(recorded).Details, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Case", "STA-09")]
    public async Task All_others_are_ended_with_their_tokens_and_the_apps_are_told()
    {
        await _server.AddUser("cara");
        var app = await LogoutApp.Register(_server, client => client.SessionRefreshTokens = true);
        using var here = new Browser(_server);
        using var there = new Browser(_server);
        await here.Enter("/account", "cara");
        await there.Enter("/account", "cara");
        var signIn = await app.SignIn(there);

        var after = await here.Press(await here.Enter("/account/sessions"), "/account/sessions?handler=EndOthers");

        Assert.Equal("You are signed out everywhere else.", after.Text("#notice"));
        Assert.Single(after.All("#sessions > li"));
        Assert.Empty(after.All("#end-others"));
        Assert.True((await there.Follow(await there.Get("/account"))).AsksToSignIn());
        Assert.False((await _server.Introspect(signIn.AccessToken, app.Id)).Active);
    }

    [Fact]
    public async Task Somebody_elses_session_is_not_theirs_to_end_nor_to_see()
    {
        await _server.AddUser("dora");
        await _server.AddUser("emil");
        using var dora = new Browser(_server);
        using var emil = new Browser(_server);
        await dora.Enter("/account", "dora");
        var page = await emil.Enter("/account/sessions", "emil");
        var id = await SessionOf(dora, "dora");
        Assert.DoesNotContain(id, page.Body, StringComparison.Ordinal);

        await emil.Press(page, "/account/sessions?handler=End", ("id", id));
        await emil.Press(page, "/account/sessions?handler=End", ("id", "nonsense"));
        await emil.Press(page, "/account/sessions?handler=EndOthers");

        Assert.Equal(200, (await dora.Get("/account")).Status);
        Assert.Equal(200, (await emil.Get("/account")).Status);
        Assert.Empty(await Events("emil", "session.ended"));
    }

    [Fact]
    [Trait("Case", "LGN-14")]
    public async Task The_browser_is_named_in_plain_words_and_what_it_says_of_itself_is_shown_nowhere()
    {
        await _server.AddUser("frida");
        using var plain = new Browser(_server);
        using var hostile = new Browser(_server);
        await SignIn(plain, "frida", Firefox);
        await SignIn(hostile, "frida", "<script>alert(1)</script> \" onload=alert(1) Safari/<b>");

        var page = await plain.Enter("/account/sessions");

        Assert.Contains(page.All("h2"), heading => heading.TextContent.Contains("Firefox on Linux", StringComparison.Ordinal));
        Assert.Contains(page.All("h2"), heading => heading.TextContent.Contains("Safari on an unknown device", StringComparison.Ordinal));
        Assert.DoesNotContain("alert(1)", page.Body, StringComparison.Ordinal);
        Assert.Contains("127.0.0.0/24", page.Body, StringComparison.Ordinal);
        Assert.DoesNotContain("127.0.0.1", page.Body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("203.0.113.77", "203.0.113.0/24")]
    [InlineData("::ffff:203.0.113.77", "203.0.113.0/24")]
    [InlineData("2001:db8:1:2:3:4:5:6", "2001:db8:1::/48")]
    [InlineData("2001:db8:1:2::/64", "2001:db8:1::/48")]
    [InlineData("somewhere", null)]
    [InlineData(null, null)]
    public void A_place_is_its_network(string? address, string? range) => Assert.Equal(range, AddressRange.Of(address));

    [Theory]
    [InlineData("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0", "Edge", "Windows")]
    [InlineData("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15", "Safari", "macOS")]
    [InlineData("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/140.0 Mobile/15E148 Safari/604.1", "Chrome", "iPhone")]
    [InlineData("Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36", "Chrome", "Android")]
    [InlineData(Firefox, "Firefox", "Linux")]
    [InlineData("something else", null, null)]
    [InlineData(null, null, null)]
    public void A_browser_is_known_by_its_header(string? userAgent, string? browser, string? system) => Assert.Equal(new DeviceName(browser, system), DeviceName.Of(userAgent));

    private static async Task SignIn(Browser browser, string user, string userAgent)
    {
        var page = await browser.Follow(await browser.Get("/account"));
        var fields = page.Fields();
        (fields["username"], fields["password"]) = (user, IdpServer.Password);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/sign-in") { Content = new FormUrlEncodedContent(fields) };
        request.Headers.TryAddWithoutValidation("User-Agent", userAgent);
        Assert.Equal(200, (await browser.Follow(await browser.Send(request))).Status);
    }

    /// <summary>The id of the session that this browser is in, as its own list has it: the one without a button.</summary>
    private static async Task<string> SessionOf(Browser browser, string user)
    {
        var page = await browser.Enter("/account/sessions", user);
        return page.All("h2:has(#this-session)").Single().Id!["device-".Length..];
    }

    private async Task<List<AuditEvent>> Events(string user, string type)
    {
        await using var db = _server.Database.OpenForReading();
        var id = await db.Users.Where(u => u.UserName == user).Select(u => u.Id).SingleAsync();
        return await db.Set<AuditEvent>().Where(e => e.UserId == id && e.Type == type).ToListAsync();
    }
}
