using System.Net;
using AngleSharp.Dom;
using AngleSharp.Html.Parser;
using IdP.Testing;
using Xunit;

namespace IdP.Tests.Account;

/// <summary>Somebody who looks after their account in a browser.</summary>
internal static class AccountBrowser
{
    /// <summary>Goes to a page of the account, through the sign-in if it is asked for.</summary>
    public static async Task<PageAnswer> Enter(this Browser browser, string page, string user = "alice", string password = IdpServer.Password)
    {
        var answer = await browser.Follow(await browser.Get(page));
        if (answer.Body.Contains("id=\"login-submit\"", StringComparison.Ordinal)) answer = await browser.SignIn(answer, user, password);
        Assert.True(answer.Status == 200, $"{page}: {answer.Status} {answer.Location}");
        return answer;
    }

    /// <summary>Posts to a handler with what the page's form carries, and follows.</summary>
    public static async Task<PageAnswer> Press(this Browser browser, PageAnswer page, string address, params (string Name, string Value)[] filled) =>
        await browser.Follow(await browser.Submit(page, address, filled));

    public static IHtmlCollection<IElement> All(this PageAnswer page, string selector) => new HtmlParser().ParseDocument(page.Body).QuerySelectorAll(selector);

    /// <summary>The text of the first such element, its white space made one.</summary>
    public static string? Text(this PageAnswer page, string selector) =>
        page.All(selector) is [var found, ..] ? string.Join(' ', found.TextContent.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)) : null;

    /// <summary>The same browser as far as its cookies go.</summary>
    public static void CopyTo(this Browser browser, Browser other)
    {
        foreach (Cookie cookie in browser.Cookies.GetAllCookies()) other.Cookies.Add(cookie);
    }

    public static bool AsksToSignIn(this PageAnswer page) => page.Body.Contains("id=\"login-submit\"", StringComparison.Ordinal);
}
