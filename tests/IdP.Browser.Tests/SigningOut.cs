namespace IdP.Browser.Tests;

/// <summary>Signing out in a real browser: the policies of the pages let through what they should, with scripts and without.</summary>
[Collection(nameof(Chromium))]
public sealed class SigningOut(Chromium chromium)
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_frame_of_an_app_is_loaded_and_then_the_person_comes_back_to_it(bool scripts)
    {
        await using var app = await Site.Start();
        var flow = await Register(app, framed: true);
        await using var tab = await chromium.Open(new BrowserNewContextOptions { JavaScriptEnabled = scripts });
        var idToken = await SignIn(tab, app, flow);

        await tab.Page.GotoAsync(Address(("id_token_hint", idToken), ("post_logout_redirect_uri", app.Url + "/bye"), ("state", "s")), new PageGotoOptions { WaitUntil = WaitUntilState.Commit });
        await tab.Page.WaitForURLAsync(app.Url + "/bye?state=s");

        var frame = app.Seen.Single(seen => seen.Path == "/out");
        Assert.Equal(["iss", "sid"], frame.Parameters.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(chromium.Server.Issuer, frame.Parameters["iss"]);
        Assert.Null(frame.Referer);
        Assert.Empty(tab.Complaints);
        await tab.Authorize(flow);
        await tab.Page.WaitForSelectorAsync("#login-submit");
    }

    [Fact]
    public async Task Whoever_says_yes_comes_back_to_the_app_on_another_origin()
    {
        await using var app = await Site.Start();
        var flow = await Register(app, framed: false);
        await using var tab = await chromium.Open();
        await SignIn(tab, app, flow);

        await tab.Page.GotoAsync(Address(("client_id", flow.ClientId), ("post_logout_redirect_uri", app.Url + "/bye")));
        await tab.Page.ClickAsync("#logout-confirm");
        // Only that it comes: a page that is there before the wait begins may have told of its end already.
        await tab.Page.WaitForURLAsync(app.Url + "/bye", new() { WaitUntil = WaitUntilState.Commit });

        Assert.Empty(tab.Complaints);
        Assert.DoesNotContain(await tab.Context.CookiesAsync([chromium.Server.Url]), cookie => cookie.Name == "__Host-idp_session");
        // The page that the back button would show is asked for again, and nobody is signed in.
        await tab.Page.GoBackAsync();
        await tab.Page.WaitForSelectorAsync("#signed-out");
    }

    private async Task<CodeFlow> Register(Site app, bool framed)
    {
        var id = $"leaves-{Guid.NewGuid():N}";
        await app.Register(chromium.Server, id, client =>
        {
            client.PostLogoutRedirectUris = [app.Url + "/bye"];
            if (framed) client.FrontChannelLogoutUri = app.Url + "/out";
        });
        return new CodeFlow { ClientId = id, RedirectUri = app.Callback };
    }

    private async Task<string> SignIn(Tab tab, Site app, CodeFlow flow)
    {
        await tab.Authorize(flow);
        await tab.SignIn();
        await tab.Page.ClickAsync("#consent-accept");
        await tab.Page.WaitForSelectorAsync("#arrived");
        var tokens = await flow.Redeem(chromium.Server, app.Seen.Last(seen => seen.Path == "/callback").Parameters["code"]);
        return tokens.Json["id_token"]!.GetValue<string>();
    }

    private string Address(params (string Name, string Value)[] parameters) =>
        $"{chromium.Server.Url}/connect/logout?{string.Join('&', parameters.Select(pair => $"{pair.Name}={Uri.EscapeDataString(pair.Value)}"))}";
}
