using IdP.Throttles;
using Microsoft.Extensions.DependencyInjection;

namespace IdP.Browser.Tests;

/// <summary>The work in place of a puzzle, done by a real browser under the policy of the pages.</summary>
[Collection(nameof(Chromium))]
public sealed class WorkOfBrowsers(Chromium chromium)
{
    [Theory]
    [InlineData("en-GB", ColorScheme.Light), InlineData("de-DE", ColorScheme.Dark)]
    public async Task A_script_works_while_one_types_and_without_one_the_page_says_how_long_to_wait(string locale, ColorScheme scheme)
    {
        await using var server = await IdpServer.Start(options => (options.Limits.ProofOfWorkBits, options.Limits.WrongPasswordsPerNetwork) = (14, 1), https: true);
        await using var tab = await chromium.Open(new BrowserNewContextOptions { Locale = locale, ColorScheme = scheme });
        await tab.Page.GotoAsync(server.Url + "/recovery");
        await Accessibility.IsClean(tab, "recovery");
        await tab.Page.FillAsync("#username", "alice");
        // Sent before the work is done: the form goes when it is.
        await tab.Page.ClickAsync("#recovery-submit");
        await tab.Page.WaitForSelectorAsync("#recovery-sent");

        // So many guesses that the wait is minutes, however slow the machine.
        var throttle = server.App.Services.GetRequiredService<NetworkThrottle>();
        foreach (var address in (string[])["127.0.0.1", "::1"])
            for (var i = 0; i < 12; i++) await throttle.Failed(address, CancellationToken.None);
        await tab.Page.GotoAsync(server.Url + "/account");
        await tab.SignIn();
        await tab.Page.WaitForSelectorAsync("[data-work]", new PageWaitForSelectorOptions { State = WaitForSelectorState.Attached });
        await Accessibility.IsClean(tab, "sign in, too many");
        await tab.SignIn();
        await tab.Page.WaitForSelectorAsync("nav ul.sections");
        Assert.DoesNotContain(tab.Complaints, complaint => !complaint.Contains("status of 400", StringComparison.Ordinal) && !complaint.Contains("status of 429", StringComparison.Ordinal));

        await using var plain = await chromium.Open(new BrowserNewContextOptions { Locale = locale, JavaScriptEnabled = false });
        await plain.Page.GotoAsync(server.Url + "/recovery");
        Assert.Contains("30", await plain.Page.InnerTextAsync("#work-without-script"), StringComparison.Ordinal);
        await plain.Page.FillAsync("#username", "alice");
        await plain.Page.ClickAsync("#recovery-submit");
        Assert.NotEmpty(await plain.Page.InnerTextAsync("#problem"));
    }
}
