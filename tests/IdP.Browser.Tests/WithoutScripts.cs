namespace IdP.Browser.Tests;

/// <summary>No page needs a script.</summary>
[Collection(nameof(Chromium))]
public sealed class WithoutScripts(Chromium chromium)
{
    [Theory]
    [InlineData("query")]
    [InlineData("form_post")]
    public async Task A_person_signs_in_consents_and_arrives(string mode)
    {
        await using var tab = await Open();
        var flow = chromium.Flow(with: [("prompt", "consent"), ("response_mode", mode)]);

        await tab.Authorize(flow);
        await tab.SignIn(password: "wrong");
        Assert.True(await tab.Page.IsVisibleAsync("#problem"));
        await tab.SignIn();
        await tab.Page.ClickAsync("#consent-accept");
        if (mode == "form_post") await tab.Page.ClickAsync("#form-post-submit");
        await tab.Page.WaitForSelectorAsync("#arrived");

        var answer = chromium.App.Seen.Last(seen => seen.Path == "/callback");
        Assert.Equal(mode == "query" ? "GET" : "POST", answer.Method);
        Assert.Equal((flow.State, chromium.Server.Issuer), (answer.Parameters["state"], answer.Parameters["iss"]));
        Assert.Equal(200, (await flow.Redeem(chromium.Server, answer.Parameters["code"])).Status);
    }

    [Fact]
    public async Task A_person_who_does_not_agree_arrives_without_a_code()
    {
        await using var tab = await Open();
        foreach (var button in (string[])["#login-cancel", "#consent-deny"])
        {
            var flow = chromium.Flow(with: ("prompt", "consent"));
            await tab.Authorize(flow);
            if (button == "#consent-deny") await tab.SignIn();
            await tab.Page.ClickAsync(button);
            await tab.Page.WaitForSelectorAsync("#arrived");

            var answer = chromium.App.Seen.Last(seen => seen.Path == "/callback");
            Assert.Equal(("access_denied", flow.State), (answer.Parameters["error"], answer.Parameters["state"]));
            Assert.False(answer.Parameters.ContainsKey("code"));
        }
    }

    [Fact]
    public async Task A_person_goes_on_with_the_account_that_is_signed_in()
    {
        await using var tab = await Open();
        await tab.Authorize(chromium.Flow(with: ("prompt", "consent")));
        await tab.SignIn("bob");
        await tab.Page.ClickAsync("#consent-accept");
        await tab.Page.WaitForSelectorAsync("#arrived");
        var flow = chromium.Flow(with: ("prompt", "select_account"));
        await tab.Authorize(flow);

        Assert.Equal("Continue as bob", await tab.Page.InnerTextAsync("#account-continue"));
        await tab.Page.ClickAsync("#account-continue");
        await tab.Page.WaitForSelectorAsync("#arrived");
        Assert.Equal(flow.State, chromium.App.Seen.Last(seen => seen.Path == "/callback").Parameters["state"]);
    }

    [Fact]
    public async Task A_person_signs_out_and_goes_back_to_the_app()
    {
        await using var tab = await Open();
        await tab.Authorize(chromium.Flow(with: ("prompt", "consent")));
        await tab.SignIn("bob");
        await tab.Page.ClickAsync("#consent-accept");
        await tab.Page.WaitForSelectorAsync("#arrived");
        var back = Uri.EscapeDataString(chromium.App.Url + "/bye");
        await tab.Page.GotoAsync($"{chromium.Server.Url}/connect/logout?client_id={Chromium.AppId}&post_logout_redirect_uri={back}&state=s");

        await tab.Page.ClickAsync("#logout-confirm");
        await tab.Page.WaitForSelectorAsync("#arrived");
        Assert.Equal("s", chromium.App.Seen.Last(seen => seen.Path == "/bye").Parameters["state"]);
        await tab.Authorize(chromium.Flow());
        Assert.True(await tab.Page.IsVisibleAsync("#login-submit"));
    }

    private Task<Tab> Open() => chromium.Open(new BrowserNewContextOptions { JavaScriptEnabled = false });
}
