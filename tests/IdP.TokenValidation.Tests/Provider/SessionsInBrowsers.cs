using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using IdP.Protocol.Jose;
using IdP.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace IdP.TokenValidation.Tests.Provider;

/// <summary>People sign in to an application with the real provider; the browser never sees a token.</summary>
public sealed class SessionsInBrowsers : IAsyncLifetime
{
    private readonly string _url = $"http://localhost:{ChildProcess.FreePort()}";
    private readonly LogRecords _log = new();
    private IdpServer _idp = null!;
    private WebApplication _app = null!;

    public async Task InitializeAsync()
    {
        _idp = await IdpServer.Start();
        await _idp.AddClient("bff", "authorization_code refresh_token", "openid profile offline_access items:read items:write", client =>
        {
            (client.Name, client.RedirectUris, client.PostLogoutRedirectUris) = ("The app", [_url + "/session/callback"], [_url + "/"]);
        });
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders().AddProvider(_log).SetMinimumLevel(LogLevel.Trace);
        builder.WebHost.UseUrls(_url);
        builder.Services.AddSingleton<TimeProvider>(_idp.Clock);
        builder.Services.AddIdPTokenValidation(Trust).AddIdPSession(options =>
        {
            Trust(options);
            (options.ClientId, options.ClientSecret) = ("bff", IdpServer.Secret);
            options.Session.Scopes = ["openid", "offline_access", "items:read"];
            options.Session.PublicUrl = _url;
            options.Session.MaximumSessions = 2;
        });
        _app = builder.Build();
        _app.MapIdPSession();
        _app.MapMethods("/who", ["GET", "POST"], (HttpContext http) => http.User.Identity!.Name).RequireSchemes("Session").RequireScope("items:read");
        _app.MapGet("/write", () => "written").RequireSchemes("Session").RequireScope("items:write");
        _app.MapGet("/", () => "home");
        await _app.StartAsync();
    }

    public async Task DisposeAsync()
    {
        await _app.DisposeAsync();
        await _idp.DisposeAsync();
    }

    [Fact]
    public async Task A_person_signs_in_has_the_rights_of_the_token_and_signs_out_of_both()
    {
        using var browser = new Browser(_idp);
        var refused = await browser.Get(_url + "/who");
        Assert.Equal(401, refused.Status);
        Assert.Equal("Session realm=\"urn:test:api\", sign_in=\"/session/sign-in\"", refused.Header("WWW-Authenticate"));

        var callback = await SignIn(browser);
        var back = await browser.Get(callback);
        Assert.Equal((302, "/who?x=1"), (back.Status, back.Location));
        var cookie = Assert.Single(browser.Cookies.GetCookies(new Uri(_url)), cookie => cookie.Name == "session");
        Assert.True(cookie.HttpOnly);
        Assert.Equal(43, cookie.Value.Length);
        var who = await browser.Get(_url + "/who");
        Assert.Equal(200, who.Status);
        Assert.Equal(403, (await browser.Get(_url + "/write")).Status);

        // Unsafe methods need the header.
        Assert.Equal(403, (await browser.Post(_url + "/who", [])).Status);
        Assert.Equal(403, (await browser.Post(_url + "/session/sign-out", [])).Status);
        Assert.Equal(200, (await Post(browser, "/who")).Status);

        // The answer counts once.
        Assert.Equal(400, (await browser.Get(callback)).Status);
        var signedOut = await Post(browser, "/session/sign-out");
        Assert.Equal(303, signedOut.Status);
        Assert.StartsWith(_idp.Issuer + "/connect/logout?id_token_hint=", signedOut.Location, StringComparison.Ordinal);
        Assert.Equal(401, (await browser.Get(_url + "/who")).Status);
        var provider = await browser.Follow(await browser.Get(signedOut.Location!));
        Assert.True(provider.Location == _url + "/" || provider.Status == 200, $"{provider.Status} {provider.Location}");
        Assert.DoesNotContain(_log.Lines, line => line.Contains(cookie.Value, StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_access_token_is_refreshed_in_time_and_the_session_ends_with_the_grant()
    {
        using var browser = new Browser(_idp);
        await browser.Get(await SignIn(browser));
        Assert.Equal(200, (await browser.Get(_url + "/who")).Status);
        _idp.Clock.Advance(TimeSpan.FromMinutes(59));
        Assert.Equal(200, (await browser.Get(_url + "/who")).Status);
        _idp.Clock.Advance(TimeSpan.FromMinutes(59));
        Assert.Equal(200, (await browser.Get(_url + "/who")).Status);

        // Not used for longer than the idle time.
        _idp.Clock.Advance(TimeSpan.FromMinutes(61));
        var over = await browser.Get(_url + "/who");
        Assert.Equal(401, over.Status);
        Assert.Contains("error=\"invalid_session\"", over.Header("WWW-Authenticate"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_disabled_person_has_no_session_after_the_next_refresh()
    {
        using var browser = new Browser(_idp);
        await browser.Get(await SignIn(browser));
        await _idp.Change((db, _) => db.Set<IdP.Accounts.User>().Where(user => user.UserName == "alice").ExecuteUpdateAsync(set => set.SetProperty(user => user.DisabledAt, _idp.Clock.GetUtcNow())));
        _idp.Clock.Advance(TimeSpan.FromMinutes(59.8));
        Assert.Equal(401, (await browser.Get(_url + "/who")).Status);
    }

    [Theory]
    [InlineData("logout+jwt", true, true, 200)]
    [InlineData("JWT", true, true, 400)]
    [InlineData("logout+jwt", false, true, 400)]
    [InlineData("logout+jwt", true, false, 400)]
    public async Task The_provider_ends_a_session_by_back_channel(string type, bool hasEvent, bool isForUs, int status)
    {
        using var browser = new Browser(_idp);
        await browser.Get(await SignIn(browser));
        var subject = (await browser.Get(_url + "/who")).Body;
        var now = _idp.Clock.GetUtcNow().ToUnixTimeSeconds();
        var claims = new JsonObject { ["iss"] = _idp.Issuer, ["sub"] = subject, ["aud"] = isForUs ? "bff" : "web", ["iat"] = now, ["exp"] = now + 120, ["jti"] = "1" };
        if (hasEvent) claims["events"] = new JsonObject { ["http://schemas.openid.net/event/backchannel-logout"] = new JsonObject() };
        var token = _idp.Keys.Signer(SigningAlgorithms.RS256).Sign(type, Encoding.UTF8.GetBytes(claims.ToJsonString()));
        using var stranger = new Browser(_idp);
        Assert.Equal(status, (await stranger.Post(_url + "/session/back-channel-logout", [new("logout_token", token)])).Status);
        Assert.Equal(status == 200 ? 401 : 200, (await browser.Get(_url + "/who")).Status);
    }

    [Fact]
    public async Task A_sid_ends_that_session_and_no_other_of_the_person()
    {
        using var laptop = new Browser(_idp);
        using var phone = new Browser(_idp);
        await laptop.Get(await SignIn(laptop));
        await phone.Get(await SignIn(phone));
        var subject = (await laptop.Get(_url + "/who")).Body;
        Guid first = default;
        await _idp.Change(async (db, _) => first = await db.Set<IdP.Sessions.Session>().OrderBy(session => session.CreatedAt).ThenBy(session => session.Id).Select(session => session.Id).FirstAsync());
        var now = _idp.Clock.GetUtcNow().ToUnixTimeSeconds();
        var claims = new JsonObject
        {
            ["iss"] = _idp.Issuer, ["sub"] = subject, ["sid"] = IdP.Sessions.Session.Sid(first), ["aud"] = "bff", ["iat"] = now, ["exp"] = now + 120, ["jti"] = "1",
            ["events"] = new JsonObject { ["http://schemas.openid.net/event/backchannel-logout"] = new JsonObject() },
        };
        using var provider = new Browser(_idp);
        var token = _idp.Keys.Signer(SigningAlgorithms.RS256).Sign("logout+jwt", Encoding.UTF8.GetBytes(claims.ToJsonString()));
        Assert.Equal(200, (await provider.Post(_url + "/session/back-channel-logout", [new("logout_token", token)])).Status);
        Assert.Equal(401, (await laptop.Get(_url + "/who")).Status);
        Assert.Equal(200, (await phone.Get(_url + "/who")).Status);
    }

    [Fact]
    public async Task A_full_store_ends_the_session_that_was_not_used_for_longest()
    {
        using var first = new Browser(_idp);
        using var second = new Browser(_idp);
        using var third = new Browser(_idp);
        foreach (var browser in (Browser[])[first, second, third])
        {
            await browser.Get(await SignIn(browser));
            _idp.Clock.Advance(TimeSpan.FromSeconds(1));
            if (browser == second) Assert.Equal(200, (await first.Get(_url + "/who")).Status);
            _idp.Clock.Advance(TimeSpan.FromSeconds(1));
        }
        Assert.Equal(200, (await first.Get(_url + "/who")).Status);
        Assert.Equal(401, (await second.Get(_url + "/who")).Status);
        Assert.Equal(200, (await third.Get(_url + "/who")).Status);
    }

    [Fact]
    public async Task A_person_whose_sign_in_failed_reads_a_page_and_a_program_a_problem()
    {
        using var browser = new Browser(_idp);
        var page = await browser.Get(_url + "/session/callback");
        Assert.Equal((400, "text/html"), (page.Status, page.Response.Content.Headers.ContentType?.MediaType));
        Assert.Contains("<a href=\"/session/sign-in\">", page.Body, StringComparison.Ordinal);
        using var program = new HttpClient();
        Assert.Equal("application/problem+json", (await program.GetAsync(_url + "/session/callback")).Content.Headers.ContentType?.MediaType);
    }

    [Fact]
    public async Task An_answer_counts_only_in_the_browser_that_asked_and_from_the_provider_that_was_asked()
    {
        using var browser = new Browser(_idp);
        var callback = await SignIn(browser);
        using var other = new Browser(_idp);
        Assert.Equal(400, (await other.Get(callback)).Status);
        Assert.Equal(400, (await browser.Get(callback + "&code=again")).Status);
        Assert.Equal(400, (await browser.Get(callback.Replace("iss=", "was=", StringComparison.Ordinal))).Status);
        Assert.Equal(400, (await browser.Get(_url + "/session/callback?code=x&state=0123456789012345678901234567890123456789012")).Status);
        Assert.Equal(400, (await browser.Get(_url + "/session/callback")).Status);
    }

    [Theory]
    [InlineData("//evil.test")]
    [InlineData("/\\evil.test")]
    [InlineData("https://evil.test")]
    [InlineData("/a&return_to=/b")]
    [InlineData("/a&max_age=x")]
    [InlineData("/a&acr_values=%22")]
    public async Task A_sign_in_leads_back_to_this_application_only(string returnTo)
    {
        using var browser = new Browser(_idp);
        Assert.Equal(400, (await browser.Get(_url + "/session/sign-in?return_to=" + returnTo)).Status);
    }

    private async Task<string> SignIn(Browser browser)
    {
        var start = await browser.Get(_url + "/session/sign-in?return_to=/who%3Fx=1");
        Assert.Equal(302, start.Status);
        Assert.Contains("code_challenge_method=S256", start.Location, StringComparison.Ordinal);
        var answer = await browser.Follow(await browser.Get(start.Location!));
        if (answer.Body.Contains("id=\"login-submit\"", StringComparison.Ordinal)) answer = await browser.SignIn(answer);
        if (answer.Body.Contains("id=\"consent-accept\"", StringComparison.Ordinal)) answer = await browser.Accept(answer);
        Assert.StartsWith(_url + "/session/callback?", answer.Location, StringComparison.Ordinal);
        return answer.Location!;
    }

    private Task<PageAnswer> Post(Browser browser, string path)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, _url + path);
        request.Headers.Add("X-CSRF", "1");
        return browser.Send(request);
    }

    private void Trust(TokenValidationOptions options)
    {
        options.Issuer = _idp.Issuer;
        options.Audiences.Add(IdpServer.Api);
    }
}
