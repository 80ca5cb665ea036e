using AngleSharp.Html.Parser;
using IdP.Clients;
using IdP.Testing;
using IdP.Tests.Support;
using Xunit;

namespace IdP.Tests.Logout;

/// <summary>Front-Channel Logout §2, §3: the page has frames for the apps of the session, and may load nothing else.</summary>
public sealed class Frames(PageServer fixture) : IClassFixture<PageServer>
{
    private readonly IdpServer _server = fixture.Server;

    [Theory]
    [Trait("Case", "LGO-08")]
    [InlineData("javascript:alert(1)")]
    [InlineData("JaVaScRiPt:alert(1)")]
    [InlineData("data:text/html,<script>alert(1)</script>")]
    [InlineData("vbscript:x")]
    [InlineData("file:///etc/passwd")]
    [InlineData("//app.test/out")]
    [InlineData("https://app.test/out#f")]
    [InlineData("https://user@app.test/out")]
    [InlineData("http://app.test/out")]
    [InlineData("https://app.test:444/out")]
    [InlineData("https://other.test/out")]
    [InlineData("https://app.test/out?iss=x")]
    public void An_address_that_is_a_script_or_not_the_app_s_own_is_refused_at_registration(string address)
    {
        Assert.NotNull(Asked(address).Problem(["client_secret_basic", "client_secret_post"]));
        Assert.Null(Asked("https://app.test/out?a=b").Problem(["client_secret_basic", "client_secret_post"]));
    }

    [Fact]
    [Trait("Case", "LGO-08")]
    public async Task The_policy_names_the_registered_origins_and_nothing_else()
    {
        var one = await LogoutApp.Register(_server, c => c.FrontChannelLogoutUri = $"https://{c.ClientId}.test/out?a=b");
        var two = await LogoutApp.Register(_server, c => c.FrontChannelLogoutUri = $"https://{c.ClientId}.test/out");
        // Told by the back channel only, not of the session, disabled: no frame.
        var none = await LogoutApp.Register(_server);
        var other = await LogoutApp.Register(_server, c => c.FrontChannelLogoutUri = $"https://{c.ClientId}.test/out");
        using var browser = new Browser(_server);
        using var elsewhere = new Browser(_server);
        var signIn = await one.SignIn(browser);
        await two.SignIn(browser);
        await none.SignIn(browser);
        await other.SignIn(elsewhere);

        var page = await browser.Follow(await browser.Get(LogoutApp.Address(("id_token_hint", signIn.IdToken), ("post_logout_redirect_uri", one.SignedOut))));
        Assert.True(LogoutApp.IsDone(page), page.Body);
        var directives = page.Header("Content-Security-Policy").Split("; ").ToDictionary(text => text.Split(' ')[0], text => text.Split(' ')[1..], StringComparer.Ordinal);
        Assert.Equal([one.Origin, two.Origin], directives["frame-src"]);
        Assert.Equal(["'none'"], directives["default-src"]);
        Assert.Equal(["'none'"], directives["form-action"]);
        Assert.StartsWith("'nonce-", Assert.Single(directives["script-src"]), StringComparison.Ordinal);
        var sources = new HtmlParser().ParseDocument(page.Body).QuerySelectorAll("iframe").Select(frame => frame.GetAttribute("src"));
        var query = $"iss={Uri.EscapeDataString(_server.Issuer)}&sid={signIn.Sid}";
        Assert.Equal([$"{one.Origin}/out?a=b&{query}", $"{two.Origin}/out?{query}"], sources);
        // Another nonce each time.
        Assert.NotEqual(directives["script-src"], (await browser.Get("/signed-out?" + page.Response.RequestMessage!.RequestUri!.Query[1..])).Header("Content-Security-Policy").Split("; ").Single(text => text.StartsWith("script-src", StringComparison.Ordinal)).Split(' ')[1..]);
    }

    [Fact]
    public async Task Without_an_address_to_go_to_the_page_stays()
    {
        var app = await LogoutApp.Register(_server, c => c.FrontChannelLogoutUri = $"https://{c.ClientId}.test/out");
        using var browser = new Browser(_server);
        await app.SignIn(browser);
        var done = await browser.Follow(await LogoutApp.Confirm(browser, await browser.Follow(await browser.Get("/connect/logout"))));
        var document = new HtmlParser().ParseDocument(done.Body);
        Assert.Single(document.QuerySelectorAll("iframe"));
        Assert.Empty(document.QuerySelectorAll("script, meta[http-equiv], a[href]"));
        Assert.DoesNotContain("script-src", done.Header("Content-Security-Policy"), StringComparison.Ordinal);
    }

    private static NewClient Asked(string address) => new("framed")
    {
        Secret = "a-secret-of-the-tests", GrantTypes = ["authorization_code"], RedirectUris = ["https://app.test/callback"], FrontChannelLogoutUri = address,
    };
}
