using IdP.Protocol;

namespace IdP.Browser.Tests;

/// <summary>An authenticator app from its set-up to its removal, as a person goes through it.</summary>
[Collection(nameof(Chromium))]
public sealed class SecondFactors(Chromium chromium)
{
    private const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

    [Theory]
    [InlineData("en-GB", ColorScheme.Light, 1280)]
    [InlineData("de-DE", ColorScheme.Dark, 360)]
    public async Task A_person_sets_an_app_up_signs_in_with_it_and_removes_it(string locale, ColorScheme scheme, int width)
    {
        var name = $"second-{width}";
        await chromium.Server.AddUser(name);
        await using var tab = await chromium.Open(new BrowserNewContextOptions { Locale = locale, ColorScheme = scheme, ViewportSize = new ViewportSize { Width = width, Height = 800 } });
        var page = tab.Page;
        await page.GotoAsync(chromium.Server.Url + "/account/second-factors");
        await tab.SignIn(name);
        await Look("set up", "#set-up");
        var box = await page.Locator("svg.qr").BoundingBoxAsync();
        Assert.True(box is { Width: > 100 } && Math.Abs(box.Width - box.Height) < 1, "the picture is a square");
        var secret = Bytes((await page.InnerTextAsync("#otp-secret")).Replace(" ", "", StringComparison.Ordinal));
        await page.FillAsync("#code", "000000");
        await page.ClickAsync("#set-up");
        await Look("set up, wrong", "#problem");
        await page.FillAsync("#code", Code());
        await page.ClickAsync("#set-up");
        await Look("recovery codes", "#recovery-codes");
        Assert.Equal(10, await page.Locator("#recovery-codes li").CountAsync());
        var recovery = await page.InnerTextAsync("#recovery-codes li:first-child");
        await page.ClickAsync("#codes-kept");
        await Look("second factors", "#remove-factor");

        await page.Context.ClearCookiesAsync();
        await tab.Authorize(chromium.Flow());
        await tab.SignIn(name);
        await Look("code", "#code-submit");
        await page.FillAsync("#code", "000000");
        await page.Keyboard.PressAsync("Enter");
        await Look("code, wrong", "#problem");
        chromium.Server.Clock.Advance(OneTimePassword.Step);
        await page.FillAsync("#code", Code());
        await page.Keyboard.PressAsync("Enter");
        await page.WaitForSelectorAsync("#consent-accept");

        // The phone is lost.
        await page.Context.ClearCookiesAsync();
        await page.GotoAsync(chromium.Server.Url + "/account/second-factors");
        await tab.SignIn(name);
        await page.FillAsync("#code", recovery);
        await page.ClickAsync("#code-submit");
        await page.ClickAsync("#remove-factor");
        await Look("removed", "#notice");
        Assert.DoesNotContain(tab.Complaints, complaint => !complaint.Contains("status of 400", StringComparison.Ordinal));

        string Code() => OneTimePassword.Code(secret, OneTimePassword.StepOf(chromium.Server.Clock.GetUtcNow()));

        async Task Look(string what, string selector)
        {
            await page.WaitForSelectorAsync(selector);
            await Accessibility.IsClean(tab, what);
            Assert.True(await tab.Fits(), what);
            Assert.Equal(locale[..2], await page.GetAttributeAsync("html", "lang"));
        }
    }

    internal static byte[] Bytes(string base32)
    {
        var bits = string.Concat(base32.Select(c => Convert.ToString(Alphabet.IndexOf(c, StringComparison.Ordinal), 2).PadLeft(5, '0')));
        return [.. Enumerable.Range(0, bits.Length / 8).Select(i => Convert.ToByte(bits.Substring(i * 8, 8), 2))];
    }
}
