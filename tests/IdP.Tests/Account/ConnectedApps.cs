using IdP.Testing;
using IdP.Tests.Support;
using Xunit;

namespace IdP.Tests.Account;

/// <summary>Which apps may have something of one's own, and the end of it.</summary>
public sealed class ConnectedApps(PageServer fixture) : IClassFixture<PageServer>
{
    private readonly IdpServer _server = fixture.Server;

    [Fact]
    [Trait("Case", "STA-08")]
    public async Task An_app_is_listed_with_what_it_may_and_loses_everything_at_once()
    {
        await _server.AddUser("ada");
        var app = await LogoutApp.Register(_server);
        var other = await LogoutApp.Register(_server);
        using var browser = new Browser(_server);
        Assert.Equal("No app may have anything of yours.", (await browser.Enter("/account/apps", "ada")).Text("#none"));
        var signIn = await app.SignIn(browser, "ada", "openid profile offline_access");
        var kept = await other.SignIn(browser, "ada");

        var page = await browser.Enter("/account/apps");
        Assert.Equal(2, page.All("#apps > li").Length);
        Assert.Contains($"App {app.Id}", page.Text("#apps")!, StringComparison.Ordinal);
        Assert.Contains("Keep this access while you are away", page.Text("#apps")!, StringComparison.Ordinal);
        var after = await browser.Press(page, "/account/apps?handler=Disconnect", ("client", app.Id));

        Assert.Equal("The app can no longer get anything of yours.", after.Text("#notice"));
        Assert.DoesNotContain($"App {app.Id}", after.Text("#apps")!, StringComparison.Ordinal);
        Assert.False((await _server.Introspect(signIn.AccessToken, app.Id)).Active);
        Assert.Equal("invalid_grant", (await _server.Post("/connect/token", app.Id, ("grant_type", "refresh_token"), ("refresh_token", signIn.RefreshToken!))).Error);
        Assert.True((await _server.Introspect(kept.AccessToken, other.Id)).Active);
        // It has to ask again.
        var flow = new CodeFlow { ClientId = app.Id, RedirectUri = app.Callback, Scope = "openid profile" };
        Assert.Contains("id=\"consent-accept\"", (await browser.Authorize(flow.Parameters())).Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_app_that_has_tokens_without_having_asked_is_there_too()
    {
        await _server.AddUser("berta");
        var token = (await _server.PasswordGrant("berta")).AccessToken;
        Assert.True((await _server.Introspect(token)).Active);
        using var browser = new Browser(_server);

        var page = await browser.Enter("/account/apps", "berta");
        Assert.Equal("app", page.Text("#app-0"));
        var after = await browser.Press(page, "/account/apps?handler=Disconnect", ("client", "app"));

        Assert.NotNull(after.Text("#none"));
        Assert.False((await _server.Introspect(token)).Active);
    }

    [Fact]
    public async Task What_somebody_else_let_the_app_have_stays()
    {
        await _server.AddUser("cara");
        await _server.AddUser("dora");
        var app = await LogoutApp.Register(_server);
        using var cara = new Browser(_server);
        using var dora = new Browser(_server);
        var caras = await app.SignIn(cara, "cara");
        await app.SignIn(dora, "dora");

        await dora.Press(await dora.Enter("/account/apps"), "/account/apps?handler=Disconnect", ("client", app.Id));
        await dora.Press(await dora.Enter("/account/apps"), "/account/apps?handler=Disconnect", ("client", "nobody"));

        Assert.True((await _server.Introspect(caras.AccessToken, app.Id)).Active);
        Assert.Equal(200, (await cara.Enter("/account/apps")).Status);
        Assert.Single((await cara.Enter("/account/apps")).All("#apps > li"));
    }
}
