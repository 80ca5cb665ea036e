namespace IdP.Browser.Tests;

/// <summary>What the pages' headers do in a real browser: they stop what they should, and never the person on the way to the app.</summary>
[Collection(nameof(Chromium))]
public sealed class PoliciesOfPages(Chromium chromium)
{
    [Theory]
    [InlineData("query")]
    [InlineData("fragment")]
    [InlineData("form_post")]
    public async Task Nothing_on_the_way_to_an_app_on_another_origin_violates_a_policy(string mode)
    {
        await using var tab = await chromium.Open();
        var flow = chromium.Flow(with: [("prompt", "consent"), ("response_mode", mode)]);
        await tab.Authorize(flow);
        await tab.SignIn();
        await tab.Page.ClickAsync("#consent-accept");
        await tab.Page.WaitForSelectorAsync("#arrived");

        Assert.Empty(tab.Complaints);
        if (mode == "fragment") Assert.Contains("#code=", tab.Page.Url, StringComparison.Ordinal);
        else Assert.Equal(flow.State, chromium.App.Seen.Last(seen => seen.Path == "/callback").Parameters["state"]);
    }

    [Theory]
    [InlineData("query", true)]
    [InlineData("query", false)]
    [InlineData("form_post", true)]
    public async Task An_app_that_leads_on_to_yet_another_origin_is_not_stopped(string mode, bool https)
    {
        await using var elsewhere = await Site.Start(https);
        await using var app = await Site.Start();
        app.Onward = elsewhere.Url + "/home";
        await app.Register(chromium.Server, $"leads-on-{mode}-{https}");
        await using var tab = await chromium.Open();

        await tab.Authorize(new CodeFlow { ClientId = $"leads-on-{mode}-{https}", RedirectUri = app.Callback, Scope = "openid", With = { ["prompt"] = "consent", ["response_mode"] = mode } });
        await tab.SignIn();
        await tab.Page.ClickAsync("#consent-accept");
        await tab.Page.WaitForURLAsync(elsewhere.Url + "/home");

        Assert.Empty(tab.Complaints);
    }

    [Fact]
    [Trait("Case", "LGN-12")]
    public async Task No_page_shows_itself_in_a_frame()
    {
        await using var attacker = await Site.Start();
        await using var tab = await chromium.Open();
        await tab.Authorize(chromium.Flow(with: ("prompt", "consent")));
        var signIn = tab.Page.Url;
        await tab.SignIn();
        await tab.Page.WaitForSelectorAsync("#consent-accept");
        var server = chromium.Server.Url;
        string[] pages = [signIn, tab.Page.Url, server + "/connect/authorize?client_id=nobody", server + "/nowhere", server + IdP.Testing.Browser.Address(chromium.Flow(with: ("prompt", "login")).Parameters())];

        foreach (var page in pages)
        {
            attacker.Documents["/trap"] = $"<!DOCTYPE html><title>Trap</title><iframe name=framed width=600 height=600 src=\"{System.Net.WebUtility.HtmlEncode(page)}\"></iframe>";
            await tab.Page.GotoAsync(attacker.Url + "/trap");
            var framed = tab.Page.Frames.Single(frame => frame != tab.Page.MainFrame);
            await framed.WaitForLoadStateAsync();
            Assert.StartsWith("chrome-error:", framed.Url, StringComparison.Ordinal);
            Assert.Equal(0, await framed.Locator("form, h1#client-name, #op-error").CountAsync());
        }
        Assert.Contains(tab.Complaints, complaint => complaint.Contains("frame", StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    [Trait("Case", "COD-11")]
    public async Task Neither_the_app_nor_anybody_else_learns_the_addresses_of_our_pages()
    {
        await using var app = await Site.Start();
        await app.Register(chromium.Server, "curious");
        await using var tab = await chromium.Open();
        await tab.Authorize(new CodeFlow { ClientId = "curious", RedirectUri = app.Callback, Scope = "openid", With = { ["prompt"] = "consent" } });
        var policy = await tab.Page.RunAndWaitForPopupAsync(() => tab.Page.ClickAsync("#policy-uri"));
        await policy.WaitForLoadStateAsync();
        Assert.True(await policy.EvaluateAsync<bool>("window.opener === null"));
        await policy.CloseAsync();
        await tab.SignIn();
        await tab.Page.ClickAsync("#consent-accept");
        await tab.Page.WaitForSelectorAsync("#arrived");

        Assert.Contains(app.Seen, seen => seen.Path == "/logo.svg");
        Assert.Contains(app.Seen, seen => seen.Path == "/policy");
        Assert.Contains(app.Seen, seen => seen.Path == "/callback");
        // Its own document may name itself to itself; nothing of ours is named to anybody.
        Assert.All(app.Seen, seen => Assert.True(seen.Referer is null || !seen.Referer.StartsWith(chromium.Server.Url, StringComparison.Ordinal), seen.Path));
        // The app's logo is the one thing that a page loads from elsewhere.
        Assert.All(tab.Requests, address => Assert.True(address.StartsWith(chromium.Server.Url + "/", StringComparison.Ordinal) || address.StartsWith(app.Url + "/", StringComparison.Ordinal) || address.StartsWith("data:", StringComparison.Ordinal), address));
        var code = app.Seen.Last(seen => seen.Path == "/callback").Parameters["code"];
        Assert.DoesNotContain(chromium.Server.Log.Lines, line => line.Contains(code, StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_app_that_opened_a_window_for_the_sign_in_hears_from_it()
    {
        await using var app = await Site.Start();
        app.Documents["/"] = "<!DOCTYPE html><html lang=en><title>App</title><link rel=icon href=data:,><p id=answer></p><script>onmessage = e => answer.textContent = e.data</script>";
        app.Documents["/callback"] = "<!DOCTYPE html><html lang=en><title>Back</title><script>opener.postMessage('signed in', location.origin); close()</script>";
        await app.Register(chromium.Server, "popup");
        await using var tab = await chromium.Open();
        await tab.Page.GotoAsync(app.Url + "/");
        var address = chromium.Server.Url + IdP.Testing.Browser.Address(new CodeFlow { ClientId = "popup", RedirectUri = app.Callback, Scope = "openid" }.Parameters());
        var window = await tab.Page.RunAndWaitForPopupAsync(() => tab.Page.EvaluateAsync("address => { open(address, 'signin', 'width=500,height=700') }", address));
        await window.FillAsync("#username", "alice");
        await window.FillAsync("#password", IdpServer.Password);
        await window.ClickAsync("#login-submit");
        await window.ClickAsync("#consent-accept");

        await tab.Page.WaitForFunctionAsync("document.getElementById('answer').textContent === 'signed in'");
    }

    [Fact]
    [Trait("Case", "LGN-17")]
    public async Task The_browser_keeps_every_cookie_for_this_host_and_from_scripts()
    {
        await using var tab = await chromium.Open();
        await tab.Authorize(chromium.Flow());
        await tab.SignIn();
        await tab.Page.WaitForSelectorAsync("#consent-accept, #arrived");

        var cookies = await tab.Context.CookiesAsync([chromium.Server.Url]);
        foreach (var name in (string[])["__Host-idp_session", "__Host-idp_browser", "__Host-idp_form"]) Assert.Contains(cookies, cookie => cookie.Name == name);
        Assert.All(cookies, cookie => Assert.Equal((true, true, SameSiteAttribute.Lax, "/", "localhost"), (cookie.HttpOnly, cookie.Secure, cookie.SameSite, cookie.Path, cookie.Domain)));
        await tab.Page.GotoAsync(chromium.Server.Url + "/nowhere");
        Assert.Equal("", await tab.Page.EvaluateAsync<string>("document.cookie"));
    }
}
