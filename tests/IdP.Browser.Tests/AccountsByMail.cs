namespace IdP.Browser.Tests;

/// <summary>Sign-up, forgotten passwords and another address, with the mails in between, as a person goes through them.</summary>
[Collection(nameof(Chromium))]
public sealed class AccountsByMail(Chromium chromium)
{
    [Theory]
    [InlineData("en-GB", ColorScheme.Light, 1280)]
    [InlineData("de-DE", ColorScheme.Dark, 360)]
    public async Task A_newcomer_signs_up_forgets_the_password_and_moves_to_another_address(string locale, ColorScheme scheme, int width)
    {
        var (address, next) = ($"newcomer-{width}@example.com", $"moved-{width}@example.com");
        await using var tab = await chromium.Open(new BrowserNewContextOptions { Locale = locale, ColorScheme = scheme, ViewportSize = new ViewportSize { Width = width, Height = 800 } });
        var (shown, page) = (tab, tab.Page);

        await tab.Authorize(chromium.Flow());
        await page.ClickAsync("#to-sign-up");
        await Look("sign up", "#sign-up-submit");
        await page.FillAsync("#email", address);
        await page.ClickAsync("#sign-up-submit");
        await Look("sign up, sent", "#sign-up-sent");
        await page.GotoAsync((await chromium.Server.NextMail(address)).Link);
        await page.FillAsync("#password", "password1");
        await page.ClickAsync("#sign-up-complete");
        await Look("sign up, a common password", "#problem");
        await page.FillAsync("#name", "New Comer");
        await page.FillAsync("#password", "the-first-Password-of-mine");
        await page.ClickAsync("#sign-up-complete");
        await page.WaitForSelectorAsync("#consent-accept");

        await using var phone = await chromium.Open(new BrowserNewContextOptions { Locale = locale, ColorScheme = scheme, ViewportSize = new ViewportSize { Width = width, Height = 800 } });
        (shown, page) = (phone, phone.Page);
        await phone.Authorize(chromium.Flow());
        await page.ClickAsync("#to-recovery");
        await Look("forgotten", "#recovery-submit");
        await page.FillAsync("#username", address);
        await page.ClickAsync("#recovery-submit");
        await Look("forgotten, sent", "#recovery-sent");
        await page.GotoAsync((await chromium.Server.NextMail(address)).Link);
        await Look("another password", "#password-submit");
        await page.FillAsync("#password", "the-second-Password-of-mine");
        await page.ClickAsync("#password-submit");
        await Look("password changed", "#password-changed");
        await page.GoBackAsync();
        await page.ReloadAsync();
        await Look("link used", "#link-dead");
        await page.GotoAsync(chromium.Server.Url + "/account/email");
        await phone.SignIn(address, "the-second-Password-of-mine");
        await Look("address", "#email-submit");
        await page.FillAsync("#email", next);
        await page.ClickAsync("#email-submit");
        await Look("address, asked", "#notice");
        await page.GotoAsync((await chromium.Server.NextMail(next)).Link);
        await Look("address, confirm", "#email-take");
        await page.ClickAsync("#email-take");
        Assert.Contains(next, await page.InnerTextAsync("#current-email"), StringComparison.Ordinal);
        Assert.DoesNotContain(tab.Complaints.Concat(phone.Complaints), complaint => !complaint.Contains("status of 400", StringComparison.Ordinal));

        async Task Look(string name, string selector)
        {
            await page.WaitForSelectorAsync(selector);
            await Accessibility.IsClean(shown, name);
            Assert.True(await shown.Fits(), name);
            Assert.Equal(locale[..2], await page.GetAttributeAsync("html", "lang"));
        }
    }
}
