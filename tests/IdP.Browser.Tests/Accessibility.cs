using Deque.AxeCore.Commons;
using Deque.AxeCore.Playwright;

namespace IdP.Browser.Tests;

/// <summary>WCAG 2.2 AA as far as axe can judge it, every page and state, light and dark, on a desk and on a phone; and what axe cannot see.</summary>
[Collection(nameof(Chromium))]
public sealed class Accessibility(Chromium chromium)
{
    private static readonly AxeRunOptions EveryRule = new()
    {
        // Off by default: the size of what one has to hit (WCAG 2.2 §2.5.8).
        Rules = new Dictionary<string, RuleOptions> { ["target-size"] = new() { Enabled = true } },
    };

    [Theory]
    [InlineData(ColorScheme.Light, 1280)]
    [InlineData(ColorScheme.Dark, 1280)]
    [InlineData(ColorScheme.Light, 360)]
    [InlineData(ColorScheme.Dark, 360)]
    public async Task Axe_finds_nothing_on_any_page(ColorScheme scheme, int width)
    {
        await using var tab = await chromium.Open(new BrowserNewContextOptions { ColorScheme = scheme, ViewportSize = new ViewportSize { Width = width, Height = 800 } });

        await tab.Authorize(chromium.Flow(with: ("prompt", "consent")));
        await IsClean(tab, "sign in");
        await tab.SignIn(password: "wrong");
        await IsClean(tab, "sign in, wrong");
        await tab.SignIn();
        await tab.Page.WaitForSelectorAsync("#consent-accept");
        await IsClean(tab, "consent");
        await tab.Authorize(chromium.Flow(with: [("prompt", "select_account"), ("ui_locales", "de")]));
        await tab.Page.WaitForSelectorAsync("#account-continue");
        await IsClean(tab, "select account");
        await tab.Page.GotoAsync(chromium.Server.Url + "/connect/logout");
        await tab.Page.WaitForSelectorAsync("#logout-confirm");
        await IsClean(tab, "sign out");
        await tab.Page.ClickAsync("#logout-confirm");
        await tab.Page.WaitForSelectorAsync("#signed-out");
        await IsClean(tab, "signed out");
        await tab.Page.GotoAsync(chromium.Server.Url + "/connect/authorize?client_id=nobody");
        await IsClean(tab, "error");
        await tab.Page.GotoAsync(chromium.Server.Url + "/nowhere");
        await IsClean(tab, "not found");
    }

    [Fact]
    public async Task Without_scripts_the_page_on_the_way_back_to_the_app_is_a_page_too()
    {
        await using var tab = await chromium.Open();
        await tab.Authorize(chromium.Flow("openid", ("response_mode", "form_post")));
        await tab.SignIn();
        await tab.Page.WaitForSelectorAsync("#consent-accept, #arrived");
        // The form submits itself: stop it, and show what a browser without scripts shows.
        await tab.Page.RouteAsync("**/connect/authorize?**", async route =>
        {
            var answer = await route.FetchAsync();
            var html = (await answer.TextAsync()).Replace("<noscript>", "<div>", StringComparison.Ordinal).Replace("</noscript>", "</div>", StringComparison.Ordinal);
            await route.FulfillAsync(new RouteFulfillOptions { Response = answer, Body = html[..html.IndexOf("<script", StringComparison.Ordinal)] });
        });
        await tab.Authorize(chromium.Flow("openid", ("response_mode", "form_post")));
        await tab.Page.WaitForSelectorAsync("#form-post-submit");

        await IsClean(tab, "form_post");
    }

    [Fact]
    public async Task What_went_wrong_is_tied_to_the_fields_and_announced()
    {
        await using var tab = await chromium.Open();
        await tab.Authorize(chromium.Flow());
        await tab.SignIn(password: "wrong");

        var problem = tab.Page.Locator("#problem[role=alert]");
        Assert.Equal("The user name or the password is wrong.", await problem.InnerTextAsync());
        foreach (var field in (string[])["#username", "#password"])
        {
            Assert.Equal("problem", await tab.Page.GetAttributeAsync(field, "aria-describedby"));
            Assert.Equal("true", await tab.Page.GetAttributeAsync(field, "aria-invalid"));
        }
        Assert.Equal("alice", await tab.Page.InputValueAsync("#username"));
        Assert.Equal("", await tab.Page.InputValueAsync("#password"));
        Assert.StartsWith("Error: ", await tab.Page.TitleAsync(), StringComparison.Ordinal);
        Assert.Equal("username webauthn", await tab.Page.GetAttributeAsync("#username", "autocomplete"));
        Assert.Equal("current-password", await tab.Page.GetAttributeAsync("#password", "autocomplete"));
    }

    [Fact]
    public async Task The_keyboard_alone_is_enough_and_one_sees_where_one_is()
    {
        await using var tab = await chromium.Open();
        var keys = tab.Page.Keyboard;
        await tab.Authorize(chromium.Flow(with: ("prompt", "consent")));

        Assert.Equal("username", await Focused(tab));
        await keys.TypeAsync("alice");
        await keys.PressAsync("Tab");
        await keys.TypeAsync(IdpServer.Password);
        foreach (var id in (string[])["login-submit", "login-cancel", "passkey-submit", "to-recovery", "to-sign-up", "policy-uri", "tos-uri"])
        {
            await keys.PressAsync("Tab");
            Assert.Equal(id, await Focused(tab));
            Assert.True(await tab.Page.EvaluateAsync<bool>("parseFloat(getComputedStyle(document.activeElement).outlineWidth) >= 2 && getComputedStyle(document.activeElement).outlineStyle !== 'none'"), id);
        }
        await tab.Page.FocusAsync("#password");
        await keys.PressAsync("Enter");
        await tab.Page.WaitForSelectorAsync("#consent-accept");
        await keys.PressAsync("Tab");
        Assert.Equal("consent-accept", await Focused(tab));
        await keys.PressAsync("Enter");
        await tab.Page.WaitForSelectorAsync("#arrived");
    }

    [Fact]
    public async Task Texts_twice_as_large_still_fit()
    {
        await using var tab = await chromium.Open(new BrowserNewContextOptions { ViewportSize = new ViewportSize { Width = 640, Height = 800 } });
        await tab.Authorize(chromium.Flow());
        // WCAG 2.2 §1.4.4
        await tab.Page.EvaluateAsync("document.documentElement.style.setProperty('font-size', '200%')");

        Assert.True(await tab.Fits());
    }

    private static Task<string> Focused(Tab tab) => tab.Page.EvaluateAsync<string>("document.activeElement.id");

    internal static async Task IsClean(Tab tab, string name)
    {
        var result = await tab.Page.RunAxe(EveryRule);
        Assert.True(result.Passes.Length > 10, name);
        Assert.True(result.Violations.Length == 0, $"{name}: {string.Join("; ", result.Violations.Select(found => $"{found.Id} {string.Join(", ", found.Nodes.Select(node => node.Html))}"))}");
    }
}
