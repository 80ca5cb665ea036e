using IdP.Account;
using IdP.Protocol;

namespace IdP.Browser.Tests;

/// <summary>Everything that a newcomer goes through, one after the other, with the mails in between.</summary>
[Collection(nameof(Chromium))]
public sealed class Newcomer(Chromium chromium)
{
    [Theory]
    [InlineData("en-GB", ColorScheme.Light, 900)]
    [InlineData("de-DE", ColorScheme.Dark, 390)]
    public async Task Signs_up_adds_a_passkey_and_an_app_loses_the_password_and_ends_the_other_sessions(string locale, ColorScheme scheme, int width)
    {
        var server = chromium.Server;
        var address = $"walk-{width}@example.com";
        await using var laptop = await chromium.Open(Window());
        await Passkeys.Authenticator(laptop);
        var (shown, page) = (laptop, laptop.Page);

        // An address, its mail, an account.
        await page.GotoAsync(server.Url + "/sign-up");
        await Look("#sign-up-submit");
        await page.FillAsync("#email", address);
        await page.ClickAsync("#sign-up-submit");
        await Look("#sign-up-sent");
        await page.GotoAsync((await server.NextMail(address)).Link);
        await page.FillAsync("#name", "Clara Wieck");
        await page.FillAsync("#password", "the-first-Password-of-mine");
        await page.ClickAsync("#sign-up-complete");
        await page.WaitForURLAsync(url => new Uri(url).AbsolutePath.StartsWith("/account", StringComparison.Ordinal));

        // A passkey.
        await page.GotoAsync(server.Url + "/account/passkeys");
        await Look("#passkey-submit");
        await page.FillAsync("#name", "Laptop");
        await page.ClickAsync("#passkey-submit");
        await Look("#notice");
        await Picture("account-passkeys");

        // An authenticator app.
        await page.GotoAsync(server.Url + AccountSection.SecondFactors);
        await Look("#set-up");
        var secret = SecondFactors.Bytes((await page.InnerTextAsync("#otp-secret")).Replace(" ", "", StringComparison.Ordinal));
        await page.FillAsync("#code", OneTimePassword.Code(secret, OneTimePassword.StepOf(server.Clock.GetUtcNow())));
        await page.ClickAsync("#set-up");
        await Look("#recovery-codes");
        await page.ClickAsync("#codes-kept");
        await Look("#remove-factor");
        await Picture("account-second-factors");

        // Out, and in again by the passkey alone: no second factor is asked for.
        await page.GotoAsync(server.Url + "/connect/logout");
        await page.ClickAsync("#logout-confirm");
        await Look("#signed-out");
        // The browser offers the passkey by itself, or when the button is pressed; the virtual one answers at once.
        await page.GotoAsync(server.Url + AccountSection.Overview);
        await page.WaitForSelectorAsync("nav ul.sections");

        // On a phone that has no passkey: the password is forgotten.
        await using var phone = await chromium.Open(Window());
        (shown, page) = (phone, phone.Page);
        await page.GotoAsync(server.Url + AccountSection.Overview);
        await page.ClickAsync("#to-recovery");
        await page.FillAsync("#username", address);
        await page.ClickAsync("#recovery-submit");
        await Look("#recovery-sent");
        while (true)
            if ((await server.NextMail(address)).Link is var link && link.Contains("/recovery/", StringComparison.Ordinal))
            {
                await page.GotoAsync(link);
                break;
            }
        await page.FillAsync("#password", "the-second-Password-of-mine");
        await page.ClickAsync("#password-submit");
        await Look("#password-changed");
        await page.ClickAsync("#to-sign-in");
        await phone.SignIn(address, "the-second-Password-of-mine");
        // The mail alone did not do: the app is asked for.
        await Look("#code-submit");
        server.Clock.Advance(OneTimePassword.Step);
        await page.FillAsync("#code", OneTimePassword.Code(secret, OneTimePassword.StepOf(server.Clock.GetUtcNow())));
        await page.ClickAsync("#code-submit");
        await page.WaitForSelectorAsync("nav ul.sections");

        // The laptop was signed out by the new password; its passkey is as good as before.
        await laptop.Page.GotoAsync(server.Url + AccountSection.Overview);
        await laptop.Page.WaitForSelectorAsync("nav ul.sections");
        await page.GotoAsync(server.Url + AccountSection.Sessions);
        await Look("#sessions");
        Assert.Equal(2, await page.Locator("#sessions > li").CountAsync());
        await Picture("account-sessions");
        await page.ClickAsync("#end-others");
        await Look("#notice");
        Assert.Equal(1, await page.Locator("#sessions > li").CountAsync());
        await laptop.Page.AddInitScriptAsync("PublicKeyCredential.isConditionalMediationAvailable = async () => false");
        await laptop.Page.ReloadAsync();
        await laptop.Page.WaitForSelectorAsync("#login-submit");
        await page.GotoAsync(server.Url + AccountSection.Events);
        await Look("#events");
        Assert.DoesNotContain(laptop.Complaints.Concat(phone.Complaints), complaint => !complaint.Contains("status of 400", StringComparison.Ordinal));

        BrowserNewContextOptions Window() => new() { Locale = locale, ColorScheme = scheme, ViewportSize = new ViewportSize { Width = width, Height = 760 } };

        async Task Look(string selector)
        {
            await page.WaitForSelectorAsync(selector);
            await Accessibility.IsClean(shown, selector);
            Assert.True(await shown.Fits(), selector);
            Assert.Equal(locale[..2], await page.GetAttributeAsync("html", "lang"));
        }

        async Task Picture(string name)
        {
            if (locale == "en-GB" && Environment.GetEnvironmentVariable("IDP_SCREENSHOTS") is { Length: > 0 } folder)
                await page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(folder, $"{name}.png") });
        }
    }
}
