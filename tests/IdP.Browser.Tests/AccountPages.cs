using IdP.Account;

namespace IdP.Browser.Tests;

/// <summary>
/// The pages under /account, every one of them: whoever adds one has it looked at here too. With IDP_SCREENSHOTS set to a folder, pictures are
/// left there (build/screenshots.sh).
/// </summary>
[Collection(nameof(Chromium))]
public sealed class AccountPages(Chromium chromium)
{
    [Theory]
    [InlineData("en-GB", ColorScheme.Light, 1280)]
    [InlineData("de-DE", ColorScheme.Dark, 360)]
    public async Task Axe_finds_nothing_and_nothing_is_wider_than_the_window(string locale, ColorScheme scheme, int width)
    {
        await using var other = await chromium.Open();
        await SignIn(other, "bob");
        await using var tab = await chromium.Open(new BrowserNewContextOptions { Locale = locale, ColorScheme = scheme, ViewportSize = new ViewportSize { Width = width, Height = 800 } });
        await SignIn(tab, "bob");
        foreach (var section in AccountSection.All)
        {
            await tab.Page.GotoAsync(chromium.Server.Url + section.Path);
            Assert.Equal(section.Path, new Uri(tab.Page.Url).AbsolutePath);
            await Accessibility.IsClean(tab, section.Path);
            Assert.True(await tab.Fits(), section.Path);
            Assert.Equal(locale[..2], await tab.Page.GetAttributeAsync("html", "lang"));
            Assert.Equal(1, await tab.Page.Locator("nav [aria-current=page]").CountAsync());
        }
        Assert.Empty(tab.Complaints);
    }

    [Fact]
    public async Task Without_scripts_a_person_ends_the_session_in_another_browser()
    {
        await using var other = await chromium.Open();
        await SignIn(other, "bob");
        await using var tab = await chromium.Open(new BrowserNewContextOptions { JavaScriptEnabled = false });
        await SignIn(tab, "bob");
        await tab.Page.GotoAsync(chromium.Server.Url + AccountSection.Sessions);

        await tab.Page.ClickAsync("#end-others");

        Assert.Equal("You are signed out everywhere else.", await tab.Page.InnerTextAsync("#notice"));
        await other.Page.ReloadAsync();
        Assert.True(await other.Page.IsVisibleAsync("#login-submit"));
    }

    [Fact]
    public async Task A_person_finds_an_app_from_the_overview_and_disconnects_it()
    {
        var pictures = Environment.GetEnvironmentVariable("IDP_SCREENSHOTS");
        await chromium.Server.AddUser("clara", configure: user => user.Name = "Clara Wieck");
        await using var tab = await chromium.Open(new BrowserNewContextOptions { ViewportSize = new ViewportSize { Width = 900, Height = 760 } });
        await tab.Authorize(chromium.Flow());
        await tab.SignIn("clara");
        await tab.Page.ClickAsync("#consent-accept");
        await tab.Page.WaitForSelectorAsync("#arrived");

        await tab.Page.GotoAsync(chromium.Server.Url + AccountSection.Overview);
        if (pictures is not null) await tab.Page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(pictures, "account.png") });
        await tab.Page.ClickAsync($"main .rows a[href='{AccountSection.Sessions}']");
        Assert.Equal(1, await tab.Page.Locator("#sessions > li").CountAsync());
        await tab.Page.ClickAsync($"nav a[href='{AccountSection.Apps}']");
        Assert.Contains("Piano lessons", await tab.Page.InnerTextAsync("#apps"), StringComparison.Ordinal);
        if (pictures is not null) await tab.Page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(pictures, "account-apps.png") });
        await tab.Page.ClickAsync("#apps button");

        Assert.Equal("No app may have anything of yours.", await tab.Page.InnerTextAsync("#none"));
    }

    private async Task SignIn(Tab tab, string user)
    {
        await tab.Page.GotoAsync(chromium.Server.Url + AccountSection.Overview);
        await tab.SignIn(user);
        await tab.Page.WaitForSelectorAsync("nav ul.sections");
    }
}
