using IdP.Account;

namespace IdP.Browser.Tests;

/// <summary>The pages under /account, every one of them: whoever adds one has it looked at here too.</summary>
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

    private async Task SignIn(Tab tab, string user)
    {
        await tab.Page.GotoAsync(chromium.Server.Url + AccountSection.Overview);
        await tab.SignIn(user);
        await tab.Page.WaitForSelectorAsync("nav ul.sections");
    }
}
