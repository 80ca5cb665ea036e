using System.Text.Json.Nodes;
using System.Web;
using AngleSharp.Html.Parser;
using IdP.Testing;
using IdP.Tests.Support;
using Xunit;

namespace IdP.Tests.Conformance;

/// <summary>The conformance suite's plan for Front-Channel Logout 1.0. What a browser does with the page is done here by hand.</summary>
[Trait("Plan", "oidcc-frontchannel-rp-initiated-logout")]
public sealed class FrontChannelLogoutPlan(PageServer fixture) : IClassFixture<PageServer>
{
    private readonly IdpServer _server = fixture.Server;

    [Fact]
    [Trait("Module", "oidcc-frontchannel-logout-discovery-endpoint-verification")]
    public async Task Discovery_says_that_apps_are_told_through_the_browser_and_of_which_session()
    {
        using var browser = new Browser(_server);
        var metadata = JsonNode.Parse((await browser.Get("/.well-known/openid-configuration")).Body)!;
        Assert.True(metadata["frontchannel_logout_supported"]!.GetValue<bool>());
        Assert.True(metadata["frontchannel_logout_session_supported"]!.GetValue<bool>());
        Assert.StartsWith("https://", metadata["end_session_endpoint"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Module", "oidcc-frontchannel-rp-initiated-logout")]
    public async Task The_page_after_signing_out_has_a_frame_for_the_app_and_then_leads_back_to_it()
    {
        var app = await LogoutApp.Register(_server, c => c.FrontChannelLogoutUri = $"https://{c.ClientId}.test/frontchannel_logout");
        using var browser = new Browser(_server);
        var signIn = await app.SignIn(browser);

        var state = CodeFlow.Random();
        var page = await browser.Follow(await browser.Get(LogoutApp.Address(("id_token_hint", signIn.IdToken), ("post_logout_redirect_uri", app.SignedOut), ("state", state))));
        Assert.True(LogoutApp.IsDone(page), page.Body);
        var document = new HtmlParser().ParseDocument(page.Body);
        var frame = new Uri(Assert.Single(document.QuerySelectorAll("iframe")).GetAttribute("src")!);
        Assert.Equal($"{app.Origin}/frontchannel_logout", frame.GetLeftPart(UriPartial.Path));
        var query = HttpUtility.ParseQueryString(frame.Query);
        Assert.Equal(["iss", "sid"], query.AllKeys.Order(StringComparer.Ordinal));
        Assert.Equal((_server.Issuer, signIn.Sid), (query["iss"], query["sid"]));

        // The script may run because it has the nonce of the policy, the frame because its origin is in it; both lead where the link does.
        var policy = page.Header("Content-Security-Policy");
        var script = Assert.Single(document.QuerySelectorAll("script"));
        Assert.Contains($"script-src 'nonce-{script.GetAttribute("nonce")}'", policy, StringComparison.Ordinal);
        Assert.Contains("signed-out-continue", script.TextContent, StringComparison.Ordinal);
        Assert.Contains("location.replace", script.TextContent, StringComparison.Ordinal);
        Assert.Contains($"frame-src {app.Origin};", policy, StringComparison.Ordinal);
        Assert.Equal($"{app.SignedOut}?state={state}", document.QuerySelector("a#signed-out-continue")!.GetAttribute("href"));
        Assert.Equal("no-store", page.Header("Cache-Control"));
        await app.AssertSignedOut(browser);
    }
}
