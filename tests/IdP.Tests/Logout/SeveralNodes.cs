using IdP.Testing;
using IdP.Tests.Support;
using Xunit;

namespace IdP.Tests.Logout;

public sealed class SeveralNodesOnSqlite(SqliteServer fixture) : SeveralNodes(fixture), IClassFixture<SqliteServer>;

public sealed class SeveralNodesOnPostgres(PostgresServer fixture) : SeveralNodes(fixture), IClassFixture<PostgresServer>;

public sealed class SeveralNodesBalanced(PostgresNodes fixture) : SeveralNodes(fixture), IClassFixture<PostgresNodes>;

/// <summary>Signing out at one node is signing out at all of them, and each app is told by one of them.</summary>
public abstract class SeveralNodes(ServerFixture fixture)
{
    private readonly IdpServer _server = fixture.Server;

    [Fact]
    [Trait("Case", "STA-09")]
    public async Task A_session_that_ends_at_one_node_is_over_at_the_other_at_once()
    {
        await using var other = await fixture.StartAnother();
        var app = await LogoutApp.Register(_server);
        using var browser = new Browser(_server);
        var signIn = await app.SignIn(browser);
        using var there = new Browser(other);
        foreach (System.Net.Cookie cookie in browser.Cookies.GetAllCookies()) there.Cookies.Add(cookie);
        await app.AssertSignedIn(there);

        Assert.Equal(app.SignedOut, (await there.Get(LogoutApp.Address(("id_token_hint", signIn.IdToken), ("post_logout_redirect_uri", app.SignedOut)))).Location);
        await app.AssertSignedOut(browser);
        Assert.False((await _server.Introspect(signIn.AccessToken, app.Id)).Active);
    }

    [Fact]
    [Trait("Case", "LGO-06")]
    public async Task Of_two_nodes_one_tells_the_app()
    {
        await using var other = await fixture.StartAnother();
        await using var receiver = await Receiver.Start();
        var apps = new List<LogoutApp>();
        for (var i = 0; i < 10; i++) apps.Add(await LogoutApp.Register(_server, c => c.BackChannelLogoutUri = $"{receiver.Url}/{c.ClientId}"));
        using var browser = new Browser(_server);
        AppSignIn? last = null;
        foreach (var app in apps) last = await app.SignIn(browser);
        await browser.Get(LogoutApp.Address(("id_token_hint", last!.IdToken)));
        await receiver.Wait(apps.Count);
        // Time enough for the other node to look twice.
        await Task.Delay(TimeSpan.FromSeconds(5));
        Assert.Equal(apps.Select(app => "/" + app.Id).Order(StringComparer.Ordinal), receiver.All.Select(one => one.Path).Order(StringComparer.Ordinal));
        Assert.Equal(0, await _server.Count("Outbox"));
    }
}
