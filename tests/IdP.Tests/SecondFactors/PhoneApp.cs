using IdP.Protocol;
using IdP.Testing;
using IdP.Tests.Account;
using Xunit;

namespace IdP.Tests.SecondFactors;

/// <summary>The app on somebody's phone, which has read the secret from the page.</summary>
internal sealed class PhoneApp(byte[] secret, IdpServer server)
{
    public IReadOnlyList<string> RecoveryCodes { get; private set; } = [];

    /// <summary>The code that set it up.</summary>
    public string FirstCode { get; private set; } = "";

    /// <summary>The secret in the forms in which it could be written down.</summary>
    public IEnumerable<string> Secrets => [OneTimePassword.Base32(secret), Convert.ToHexString(secret), Convert.ToBase64String(secret).TrimEnd('=')];

    public string Code(int stepsAway = 0) => OneTimePassword.Code(secret, OneTimePassword.StepOf(server.Clock.GetUtcNow()) + stepsAway);

    /// <summary>A code that has not been used.</summary>
    public string NextCode()
    {
        server.Clock.Advance(OneTimePassword.Step);
        return Code();
    }

    /// <summary>The app reads the secret from a page that offers one.</summary>
    public static PhoneApp Read(PageAnswer page, IdpServer server)
    {
        var text = page.Text("#otp-secret")!.Replace(" ", "", StringComparison.Ordinal);
        Assert.Contains($"secret={text}&", page.All("#otp-link").Single().GetAttribute("href"), StringComparison.Ordinal);
        return new PhoneApp(FromBase32(text), server);
    }

    /// <summary>Signs in, goes to the page of second factors and sets the app up.</summary>
    public static async Task<PhoneApp> SetUp(Browser browser, IdpServer server, string user)
    {
        var page = await browser.Enter("/account/second-factors", user);
        var app = Read(page, server);
        app.FirstCode = app.Code();
        var done = await browser.Press(page, "/account/second-factors", ("code", app.FirstCode));
        app.RecoveryCodes = [.. done.All("#recovery-codes code").Select(code => code.TextContent)];
        Assert.Equal(10, app.RecoveryCodes.Distinct().Count());
        return app;
    }

    private static byte[] FromBase32(string text)
    {
        const string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        var bits = string.Concat(text.Select(c => Convert.ToString(alphabet.IndexOf(c, StringComparison.Ordinal), 2).PadLeft(5, '0')));
        return [.. Enumerable.Range(0, bits.Length / 8).Select(i => Convert.ToByte(bits.Substring(i * 8, 8), 2))];
    }
}

internal static class SecondFactorBrowser
{
    public static bool AsksForCode(this PageAnswer page) => page.Body.Contains("id=\"code-submit\"", StringComparison.Ordinal);

    public static bool AsksToSetUp(this PageAnswer page) => page.Body.Contains("id=\"set-up\"", StringComparison.Ordinal);

    public static Task<PageAnswer> Confirm(this Browser browser, PageAnswer page, string code, bool remember = false) =>
        browser.Press(page, "/sign-in/second-factor", remember ? [("code", code), ("remember", "true")] : [("code", code)]);
}
