using IdP.Testing;
using IdP.Tests.Account;
using IdP.Tests.Passkeys;
using IdP.Tests.SecondFactors;
using Xunit;

namespace IdP.Tests.States.Matrix;

/// <summary>A way to something that people or apps have. It is begun before the change, and tried after it.</summary>
/// <param name="Name">What it is.</param>
/// <param name="Needs">Without any of these it must refuse.</param>
/// <param name="Begin">Does what comes before the change; what it returns tries the rest, and says whether it still works.</param>
internal sealed record Path(string Name, Right Needs, Func<World, Task<Func<Task<bool>>>> Begin);

/// <summary>All of them: a new one is a line.</summary>
internal static class Paths
{
    private const Right Own = Right.Account | Right.Identity;
    private const Right Granted = Own | Right.Grants | Right.Client | Right.Tenure;
    private const Right Refreshing = Granted | Right.ClientSecret | Right.ClientGrants;
    private const Right Authorizing = Right.Account | Right.Client | Right.ClientGrants | Right.RedirectUri;

    public static IReadOnlyList<Path> All { get; } =
    [
        new("access token at introspection", Granted | Right.Session | Right.SigningKey, w => Active(w, "openid items:read")),
        new("access token for the time without the person", Granted | Right.SigningKey, w => Active(w, "openid offline_access items:read")),
        new("opaque token at introspection", Granted | Right.Session | Right.SealingKey, w => Active(w, "openid matrix:opaque", "matrix-opaque-api")),
        new("access token of the password grant", Granted | Right.SigningKey, PasswordToken),
        new("roles at introspection", Granted | Right.Session | Right.SigningKey | Right.Role, RolesTold),
        new("userinfo", Granted | Right.Session | Right.SigningKey, UserInfo),
        new("refresh token", Refreshing, w => Refresh(w, "openid offline_access items:read")),
        new("refresh token of a session", Refreshing | Right.Session, w => Refresh(w, "openid items:read")),
        new("code", Refreshing | Right.Session | Right.RedirectUri, Code),
        new("password grant", Right.Account | Right.Password | Right.Client | Right.ClientSecret | Right.ClientGrants, w => Try(async () => (await w.Server.PasswordGrant(w.Person, clientId: w.Client)).Status == 200)),
        new("client's own token", Right.Client | Right.Tenure | Right.SigningKey, ClientToken),
        new("client credentials", Right.Client | Right.ClientSecret | Right.ClientGrants, w => Try(async () => (await w.Server.ClientCredentials(w.Client)).Status == 200)),
        new("giving a token back", Right.ClientSecret, w => Try(async () => (await w.Server.Post("/connect/revoke", w.Client, ("token", "whatever"))).Status == 200)),
        new("introspection as the caller", Right.Client | Right.ClientSecret, w => Try(async () => (await w.Server.Introspect("whatever", w.Client)).Status == 200)),
        new("pushing a request", Right.Client | Right.ClientSecret | Right.ClientGrants | Right.RedirectUri, w => Try(async () => (await w.Server.Post("/connect/par", w.Client, [.. w.Flow().Parameters().Select(p => (p.Key, p.Value))])).Status == 201)),
        new("pushed request", Authorizing | Right.Tenure | Right.Identity | Right.Session | Right.Consent, Pushed),
        new("prompt=none with the session", Authorizing | Right.Identity | Right.Session | Right.Consent, w => Try(() => Silently(w))),
        new("sign-in page that is open", Authorizing | Right.Password, OpenSignInPage),
        new("session cookie at the account pages", Own | Right.Session, w => Try(() => World.IsSignedIn(w.Home))),
        new("sign-in by password", Right.Account | Right.Password, w => Try(() => SignIn(w, (browser, page) => browser.SignIn(page, w.Person)))),
        new("sign-in by passkey", Own | Right.Passkey, w => Try(() => SignIn(w, (browser, page) => browser.SignInBy(page, w.Authenticator, w.Passkey)))),
        new("session that a passkey began", Own | Right.Session | Right.Passkey, w => Session(w, (browser, page) => browser.SignInBy(page, w.Authenticator, w.Passkey))),
        new("sign-in with another provider", Own | Right.Upstream, w => Try(() => SignIn(w, w.ByUpstream))),
        new("session that another provider began", Own | Right.Session | Right.Upstream, w => Session(w, w.ByUpstream)),
        new("second factor that is due", Own | Right.Pending | Right.SecondFactor, SecondFactorDue),
        new("trusted browser", Own | Right.Password | Right.Pending | Right.SecondFactor, TrustedBrowser),
        new("session of two factors", Own | Right.Session | Right.SecondFactor, w => Session(w, (browser, page) => TwoFactors(w, browser, page))),
        new("access token of two factors", Granted | Right.Session | Right.SigningKey | Right.SecondFactor, TokenOfTwoFactors),
        new("link in a mail", Own | Right.Pending, MailLink),
        new("API key", Own | Right.ApiKey, w => Try(() => w.IsActive(w.ApiKey))),
        new("API key of the client", Right.Client | Right.ApiKey, w => Try(() => w.IsActive(w.ClientApiKey))),
    ];

    private static Task<Func<Task<bool>>> Try(Func<Task<bool>> afterwards) => Task.FromResult(afterwards);

    private static async Task<Func<Task<bool>>> Active(World w, string scope, string caller = "api")
    {
        var token = (await w.Tokens(scope)).AccessToken;
        Assert.True(await w.IsActive(token, caller));
        return () => w.IsActive(token, caller);
    }

    private static async Task<Func<Task<bool>>> PasswordToken(World w)
    {
        var token = (await w.Server.PasswordGrant(w.Person, clientId: w.Client)).AccessToken;
        return () => w.IsActive(token);
    }

    private static async Task<Func<Task<bool>>> ClientToken(World w)
    {
        var token = (await w.Server.ClientCredentials(w.Client)).AccessToken;
        return () => w.IsActive(token);
    }

    private static async Task<Func<Task<bool>>> RolesTold(World w)
    {
        var token = (await w.Tokens()).AccessToken;
        return async () => (await w.Server.Introspect(token)).Json["roles"] is { } roles && roles.ToJsonString().Contains(w.Role, StringComparison.Ordinal);
    }

    private static async Task<Func<Task<bool>>> UserInfo(World w)
    {
        var token = (await w.Tokens()).AccessToken;
        return async () =>
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/connect/userinfo") { Headers = { Authorization = new("Bearer", token) } };
            return (await w.Server.Send(request)).Status == 200;
        };
    }

    private static async Task<Func<Task<bool>>> Refresh(World w, string scope)
    {
        var token = (await w.Tokens(scope)).Json["refresh_token"]!.GetValue<string>();
        return async () => (await w.Server.Post("/connect/token", w.Client, ("grant_type", "refresh_token"), ("refresh_token", token))).Status == 200;
    }

    private static async Task<Func<Task<bool>>> Code(World w)
    {
        var (flow, code) = await w.Code();
        return async () => (await flow.Redeem(w.Server, code)).Status == 200;
    }

    private static async Task<Func<Task<bool>>> Pushed(World w)
    {
        var flow = w.Flow();
        var uri = await w.Push(flow);
        return async () => HasCode(await w.Home.Authorize(new Dictionary<string, string> { ["client_id"] = w.Client, ["request_uri"] = uri }));
    }

    private static async Task<bool> Silently(World w)
    {
        var parameters = w.Flow().Parameters();
        parameters["prompt"] = "none";
        return HasCode(await w.Home.Authorize(parameters));
    }

    private static async Task<Func<Task<bool>>> OpenSignInPage(World w)
    {
        var browser = w.Browser();
        var page = await browser.Authorize(w.Flow().Parameters());
        return async () =>
        {
            var answer = await browser.SignIn(page, w.Person);
            return HasCode(answer) || answer.Body.Contains("id=\"consent-accept\"", StringComparison.Ordinal);
        };
    }

    private static async Task<bool> SignIn(World w, Func<Browser, PageAnswer, Task<PageAnswer>> how)
    {
        var browser = w.Browser();
        return World.IsAccount(await how(browser, await World.SignInPage(browser)));
    }

    private static async Task<Func<Task<bool>>> Session(World w, Func<Browser, PageAnswer, Task<PageAnswer>> how)
    {
        var browser = await w.SignedIn(w.Person, how);
        return () => World.IsSignedIn(browser);
    }

    private static async Task<PageAnswer> TwoFactors(World w, Browser browser, PageAnswer page, bool remember = false) =>
        await browser.Confirm(await browser.SignIn(page, w.Careful), w.NextCode(), remember);

    private static async Task<Func<Task<bool>>> SecondFactorDue(World w)
    {
        var browser = w.Browser();
        var asked = await browser.SignIn(await World.SignInPage(browser), w.Careful);
        Assert.True(asked.AsksForCode(), $"{asked.Status} {asked.Text("#problem")} {asked.Body}");
        return async () => World.IsAccount(await browser.Confirm(asked, w.NextCode()));
    }

    private static async Task<Func<Task<bool>>> TrustedBrowser(World w)
    {
        var browser = w.Browser();
        Assert.True(World.IsAccount(await TwoFactors(w, browser, await World.SignInPage(browser), remember: true)));
        // The same browser when its session is over.
        var later = w.Browser();
        foreach (System.Net.Cookie cookie in browser.Cookies.GetAllCookies())
            if (!cookie.Name.EndsWith("idp_session", StringComparison.Ordinal)) later.Cookies.Add(cookie);
        return async () => World.IsAccount(await later.SignIn(await World.SignInPage(later), w.Careful));
    }

    private static async Task<Func<Task<bool>>> TokenOfTwoFactors(World w)
    {
        var browser = await w.SignedIn(w.Careful, (b, page) => TwoFactors(w, b, page));
        var token = (await w.Tokens(browser: browser)).AccessToken;
        return () => w.IsActive(token);
    }

    private static async Task<Func<Task<bool>>> MailLink(World w)
    {
        var link = await w.RecoveryLink();
        var browser = w.Browser();
        return async () => (await browser.Get(link)) is { Status: 200 } page && page.All("#password").Length == 1;
    }

    private static bool HasCode(PageAnswer answer) => answer.Location is not null && answer.ResponseParameters().ContainsKey("code");
}
