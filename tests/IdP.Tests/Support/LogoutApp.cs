using System.Buffers.Text;
using System.Text.Json.Nodes;
using IdP.Clients;
using IdP.Testing;
using Xunit;

namespace IdP.Tests.Support;

/// <summary>A sign-in to an app, with what the app got.</summary>
internal sealed record AppSignIn(string IdToken, string AccessToken, string? RefreshToken)
{
    public JsonObject Claims => LogoutApp.Payload(IdToken);
    public string Sid => Claims["sid"]!.GetValue<string>();
}

/// <summary>An app of a test's own that people sign in to and out of.</summary>
internal sealed class LogoutApp
{
    private static int _count;
    private readonly IdpServer _server;

    private LogoutApp(IdpServer server, string id) => (_server, Id) = (server, id);

    public string Id { get; }
    public string Origin => $"https://{Id}.test";
    public string Callback => $"{Origin}/callback";
    public string SignedOut => $"{Origin}/signed-out";

    public static async Task<LogoutApp> Register(IdpServer server, Action<Client>? configure = null)
    {
        var app = new LogoutApp(server, $"app{Interlocked.Increment(ref _count)}");
        await server.AddClient(app.Id, "authorization_code refresh_token", "openid profile offline_access items:read", c =>
        {
            (c.Name, c.RedirectUris, c.PostLogoutRedirectUris) = ($"App {app.Id}", [app.Callback], [app.SignedOut]);
            configure?.Invoke(c);
        });
        return app;
    }

    public async Task<AppSignIn> SignIn(Browser browser, string user = "alice", string scope = "openid")
    {
        var flow = new CodeFlow { ClientId = Id, RedirectUri = Callback, Scope = scope };
        var response = await browser.Complete(flow.Parameters(), user);
        var tokens = await flow.Redeem(_server, response.ResponseParameters()["code"]);
        Assert.True(tokens.Status == 200, tokens.Body);
        return new AppSignIn(tokens.Json["id_token"]!.GetValue<string>(), tokens.AccessToken, tokens.Json["refresh_token"]?.GetValue<string>());
    }

    /// <summary>Whether the browser has no session any more: an authorization request that allows no page says so, and says it to the app.</summary>
    public async Task AssertSignedOut(Browser browser) => Assert.Equal("login_required", (await Silently(browser)).GetValueOrDefault("error"));

    public async Task AssertSignedIn(Browser browser) => Assert.True((await Silently(browser)).ContainsKey("code"));

    public static string Address(params (string Name, string? Value)[] parameters) => "/connect/logout?" +
        string.Join('&', parameters.Where(pair => pair.Value is not null).Select(pair => $"{pair.Name}={Uri.EscapeDataString(pair.Value!)}"));

    public static bool Asks(PageAnswer page) => page.Status == 200 && page.Body.Contains("id=\"logout-confirm\"", StringComparison.Ordinal);

    public static bool IsDone(PageAnswer page) => page.Status == 200 && page.Body.Contains("id=\"signed-out\"", StringComparison.Ordinal);

    /// <summary>Presses the button of the page that asks.</summary>
    public static Task<PageAnswer> Confirm(Browser browser, PageAnswer page) => browser.Submit(page, "/sign-out");

    /// <summary>A page of the provider that leads nowhere by itself, and has no link elsewhere.</summary>
    public static void AssertLeadsNowhere(PageAnswer page)
    {
        Assert.Null(page.Location);
        Assert.Equal("text/html", page.Response.Content.Headers.ContentType?.MediaType);
        Assert.Equal("", page.Header("Refresh"));
        var document = new AngleSharp.Html.Parser.HtmlParser().ParseDocument(page.Body);
        Assert.Empty(document.QuerySelectorAll("script, iframe, meta[http-equiv], a[href]"));
        Assert.All(document.QuerySelectorAll("form"), form => Assert.StartsWith("/sign-out", form.GetAttribute("action") ?? "/sign-out", StringComparison.Ordinal));
    }

    /// <summary>The error page: a 400 that says op-error and leads nowhere.</summary>
    public static void AssertErrorPage(PageAnswer page)
    {
        Assert.Equal(400, page.Status);
        Assert.Contains("op-error", page.Body, StringComparison.Ordinal);
        Assert.Equal("no-store", page.Header("Cache-Control"));
        AssertLeadsNowhere(page);
    }

    public static JsonObject Payload(string jwt) => Part(jwt, 1);

    public static JsonObject Header(string jwt) => Part(jwt, 0);

    private async Task<Dictionary<string, string>> Silently(Browser browser)
    {
        var flow = new CodeFlow { ClientId = Id, RedirectUri = Callback, With = { ["prompt"] = "none" } };
        var answer = await browser.Authorize(flow.Parameters());
        Assert.StartsWith(Callback + "?", answer.Location, StringComparison.Ordinal);
        var response = answer.ResponseParameters();
        Assert.Equal(flow.State, response["state"]);
        return response;
    }

    private static JsonObject Part(string jwt, int part) => JsonNode.Parse(Base64Url.DecodeFromChars(jwt.Split('.')[part]))!.AsObject();
}
