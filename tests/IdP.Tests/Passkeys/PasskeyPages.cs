using IdP.Testing;
using IdP.Tests.Account;
using Xunit;

namespace IdP.Tests.Passkeys;

/// <summary>What the script of the pages does, in the words of tests.</summary>
internal static class PasskeyPages
{
    public const string Account = "/account/passkeys";
    public const string SignIn = "/sign-in/passkey";

    /// <summary>Signs in by password and opens the page with the person's passkeys.</summary>
    public static async Task<PageAnswer> OpenPasskeys(this Browser browser, string user = "alice")
    {
        var page = await browser.Follow(await browser.Get(Account));
        if (page.Body.Contains("id=\"login-submit\"", StringComparison.Ordinal)) page = await browser.SignIn(page, user);
        Assert.Contains("id=\"passkey-form\"", page.Body, StringComparison.Ordinal);
        return page;
    }

    public static bool MakesPasskey(this PageAnswer page) => page.Body.Contains("data-passkey=\"create\"", StringComparison.Ordinal);

    /// <summary>Whether the page wants a passkey, and is not the sign-in page, which offers it beside the password.</summary>
    public static bool AsksForPasskey(this PageAnswer page) => page.Body.Contains("data-passkey=\"get\"", StringComparison.Ordinal) && !page.AsksToSignIn();

    /// <summary>The question that the page gets for the browser.</summary>
    public static async Task<string> Options(this Browser browser, PageAnswer page, string path)
    {
        var answer = await browser.Submit(page, $"{path}?handler=Options");
        Assert.True(answer.Status == 200, answer.Body);
        Assert.Equal("application/json", answer.Header("Content-Type"));
        Assert.Contains("no-store", answer.Header("Cache-Control"), StringComparison.Ordinal);
        return answer.Body;
    }

    public static async Task<PageAnswer> Add(this Browser browser, VirtualAuthenticator authenticator, VirtualPasskey passkey, string name = "Key", Action<Ceremony>? change = null, string user = "alice")
    {
        var page = await browser.OpenPasskeys(user);
        var credential = authenticator.Create(await browser.Options(page, Account), passkey, change);
        return await browser.Submit(page, Account, ("credential", credential), ("name", name));
    }

    /// <summary>Registers a passkey in a browser that is then thrown away.</summary>
    public static async Task<VirtualPasskey> Register(this IdpServer server, VirtualAuthenticator authenticator, string user = "alice", bool isBackupEligible = false)
    {
        using var browser = new Browser(server);
        var passkey = new VirtualPasskey { IsBackupEligible = isBackupEligible };
        var added = await browser.Add(authenticator, passkey, user: user);
        Assert.True(added.Location == $"{Account}?done=passkey-added", added.Body);
        return passkey;
    }

    /// <summary>Answers the sign-in page with a passkey and follows.</summary>
    public static async Task<PageAnswer> SignInBy(this Browser browser, PageAnswer page, VirtualAuthenticator authenticator, VirtualPasskey passkey, Action<Ceremony>? change = null) =>
        await browser.Follow(await browser.Submit(page, SignIn, ("credential", authenticator.Get(await browser.Options(page, SignIn), passkey, change))));
}
