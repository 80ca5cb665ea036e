namespace IdP.Browser.Tests;

/// <summary>Narrow windows: nothing is cut off, nothing scrolls sideways, everything can be hit with a thumb.</summary>
[Collection(nameof(Chromium))]
public sealed class OnAPhone(Chromium chromium)
{
    [Theory]
    [InlineData(320)]
    [InlineData(390)]
    public async Task Every_page_fits_and_can_be_used(int width)
    {
        var longName = string.Concat(Enumerable.Repeat("Klavierunterrichtsverwaltungs", 7))[..200];
        await chromium.App.Register(chromium.Server, $"long-{width}", client => (client.Name, client.LogoUri) = (longName, null));
        await using var tab = await chromium.Open(new BrowserNewContextOptions { ViewportSize = new ViewportSize { Width = width, Height = 640 }, HasTouch = true, IsMobile = true, Locale = "de-DE" });
        var flow = new CodeFlow { ClientId = $"long-{width}", RedirectUri = chromium.App.Callback, Scope = "openid profile email address phone offline_access items:read items:write", With = { ["login_hint"] = new string('x', 250) } };

        await tab.Authorize(flow);
        await IsUsable(tab);
        await tab.SignIn(password: "wrong");
        await IsUsable(tab);
        await tab.SignIn();
        await tab.Page.WaitForSelectorAsync("#consent-accept");
        await IsUsable(tab);
        await tab.Authorize(chromium.Flow(with: ("prompt", "select_account")));
        await tab.Page.WaitForSelectorAsync("#account-continue");
        await IsUsable(tab);
        await tab.Page.GotoAsync($"{chromium.Server.Url}/connect/logout?client_id=long-{width}");
        await tab.Page.WaitForSelectorAsync("#logout-confirm");
        await IsUsable(tab);
        await tab.Page.GotoAsync($"{chromium.Server.Url}/connect/authorize?client_id={new string('c', 400)}");
        await IsUsable(tab);
        await tab.Authorize(flow);
        await tab.Page.TapAsync("#consent-accept");
        await tab.Page.WaitForSelectorAsync("#arrived");
        await tab.Page.GotoAsync(chromium.Server.Url + "/connect/logout");
        await tab.Page.TapAsync("#logout-confirm");
        await tab.Page.WaitForSelectorAsync("#signed-out");
        await IsUsable(tab);
    }

    private static async Task IsUsable(Tab tab)
    {
        Assert.True(await tab.Fits(), tab.Page.Url);
        // Text that is cut off needs no wider page to be gone.
        Assert.True(await tab.Page.EvaluateAsync<bool>("[...document.querySelectorAll('main *')].every(e => e.tagName === 'INPUT' || e.scrollWidth <= e.clientWidth + 1 || getComputedStyle(e).display === 'inline')"), tab.Page.Url);
        foreach (var target in await tab.Page.Locator("button:visible, a:visible, input:visible").AllAsync())
        {
            var box = await target.BoundingBoxAsync();
            Assert.True(box is { Height: >= 24, Width: >= 24 }, await target.EvaluateAsync<string>("e => e.outerHTML"));
        }
    }
}
