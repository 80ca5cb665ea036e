using System.Net;
using IdP.Testing;
using IdP.Tests.Support;
using IdP.Upstream;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace IdP.Tests.Upstream;

/// <summary>Sign-in with node-oidc-provider, which we did not write: its discovery, its keys, its pages, its userinfo.</summary>
public sealed class NodeOidcProvider
{
    [Fact]
    public async Task People_sign_in_with_it_and_get_an_account_with_what_it_tells()
    {
        var folder = Path.Combine(ChildProcess.Repository, "tests", "interop", "upstream");
        if (!Directory.Exists(Path.Combine(folder, "node_modules"))) throw new InvalidOperationException("This test needs a package from npm: run `make setup`.");
        await using var server = await IdpServer.Start(https: true);
        var port = ChildProcess.FreePort();
        var issuer = $"http://127.0.0.1:{port}";
        await using var provider = await ChildProcess.Serve(new Uri(issuer + "/.well-known/openid-configuration"), ["node", "provider.mjs"], folder, new Dictionary<string, string>
        {
            ["PORT"] = $"{port}", ["CLIENT_ID"] = "idp", ["CLIENT_SECRET"] = "a secret: with/odd%20characters", ["REDIRECT_URI"] = server.Issuer + UpstreamFlow.CallbackPath("node"),
        });
        await server.Change(async (db, _) => await server.App.Services.GetRequiredService<UpstreamStatements>().Add(
            db, new NewUpstream("node", issuer, "idp") { Secret = "a secret: with/odd%20characters", Scopes = ["profile", "email"], CreatesAccounts = true }, "test", CancellationToken.None));

        using var browser = new Browser(server);
        var flow = new CodeFlow { Scope = "openid profile email" };
        var pressed = await browser.Submit(await browser.Authorize(flow.Parameters()), "/sign-in?handler=Upstream", ("provider", "node"));
        // Its cookies are bound to paths of its own, so its pages get a browser of their own.
        using var there = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, CookieContainer = new CookieContainer() }) { BaseAddress = new Uri(issuer) };
        var login = await Follow(there, await there.GetAsync(pressed.Location));
        var consent = await Follow(there, await Post(there, login, new() { ["prompt"] = "login", ["login"] = "nina", ["password"] = "anything" }));
        var back = await Follow(there, await Post(there, consent, new() { ["prompt"] = "consent" }));
        var page = await browser.Follow(await browser.Get(back.Headers.Location!.OriginalString));
        FrontChannel.IsConsent(page);
        FrontChannel.IsCode(server, await browser.Accept(page), flow);

        await using var db = server.Database.OpenForReading();
        var user = await db.Users.SingleAsync(u => u.UserName == "nina-upstream");
        Assert.Equal(("nina@upstream.example", true, "nina from upstream"), (user.Email, user.EmailConfirmed, user.Name));
    }

    // Within its own pages; the answer that leads back to us is not followed.
    private static async Task<HttpResponseMessage> Follow(HttpClient http, HttpResponseMessage answer)
    {
        for (var i = 0; i < 10 && answer.Headers.Location is { } location; i++)
        {
            var next = new Uri(http.BaseAddress!, location);
            if (next.Authority != http.BaseAddress!.Authority) return answer;
            answer = await http.GetAsync(next);
        }
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        return answer;
    }

    private static Task<HttpResponseMessage> Post(HttpClient http, HttpResponseMessage page, Dictionary<string, string> form) =>
        http.PostAsync(page.RequestMessage!.RequestUri, new FormUrlEncodedContent(form));
}
