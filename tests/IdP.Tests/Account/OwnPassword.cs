using IdP.Audit;
using IdP.Sessions;
using IdP.Testing;
using IdP.Tests.Support;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace IdP.Tests.Account;

/// <summary>Besides, what takes time: the clock of this engine is the test's to move.</summary>
public sealed class OwnPasswordOnSqlite(SqliteServer fixture) : OwnPassword(fixture), IClassFixture<SqliteServer>
{
    private readonly IdpServer _server = fixture.Server;

    [Fact]
    [Trait("Case", "MFA-07")]
    public async Task It_takes_a_sign_in_of_the_last_five_minutes()
    {
        await _server.AddUser("dora");
        using var browser = new Browser(_server);
        var page = await browser.Enter("/account/password", "dora");
        _server.Clock.Advance(TimeSpan.FromMinutes(6));

        var posted = await browser.Follow(await browser.Submit(page, "/account/password", ("old", IdpServer.Password), ("new", Another), ("again", Another)));

        Assert.True(posted.AsksToSignIn());
        Assert.Equal(200, (await _server.PasswordGrant("dora")).Status);
        Assert.Equal(200, (await browser.Get("/account")).Status);
        // The sign-in leads back to the page.
        Assert.Equal("Password", (await browser.SignIn(posted, "dora")).Text("h1"));
    }
}

public sealed class OwnPasswordOnPostgres(PostgresServer fixture) : OwnPassword(fixture), IClassFixture<PostgresServer>;

/// <summary>The owner changes the password: this browser goes on, and nothing else does.</summary>
public abstract class OwnPassword(ServerFixture fixture)
{
    protected const string Another = "another-Password-77";
    private readonly IdpServer _server = fixture.Server;

    [Fact]
    [Trait("Case", "LGN-21")]
    [Trait("Case", "STA-03")]
    public async Task Every_other_session_on_every_node_and_every_token_ends_with_the_old_password()
    {
        await using var node = await fixture.StartAnother();
        var user = await _server.AddUser("ada");
        var app = await LogoutApp.Register(_server);
        using var here = new Browser(_server);
        using var there = new Browser(_server);
        using var elsewhere = new Browser(node);
        await here.Enter("/account", "ada");
        var before = await app.SignIn(here, "ada", "openid offline_access");
        await there.Enter("/account", "ada");
        await elsewhere.Enter("/account", "ada");
        // A copy of this browser's own cookies, taken before the change.
        using var thief = new Browser(_server);
        here.CopyTo(thief);
        Assert.Equal(200, (await thief.Get("/account")).Status);

        var after = await Change(here, "ada", IdpServer.Password, Another);

        Assert.Equal("Your password is changed, and you are signed out everywhere else.", after.Text("#notice"));
        Assert.Equal(200, (await here.Get("/account")).Status);
        foreach (var other in (Browser[])[there, elsewhere, thief]) Assert.True((await other.Follow(await other.Get("/account"))).AsksToSignIn());
        Assert.False((await _server.Introspect(before.AccessToken, app.Id)).Active);
        Assert.Equal("invalid_grant", (await node.Post("/connect/token", app.Id, ("grant_type", "refresh_token"), ("refresh_token", before.RefreshToken!))).Error);
        Assert.Equal("invalid_grant", (await _server.PasswordGrant("ada")).Error);
        Assert.Equal(200, (await _server.PasswordGrant("ada", Another)).Status);
        Assert.EndsWith("was changed", (await _server.Mail("ada@example.com")).Subject, StringComparison.Ordinal);
        await using var db = _server.Database.OpenForReading();
        var recorded = await db.Set<AuditEvent>().SingleAsync(e => e.Type == "user.password_changed" && e.UserId == user.Id);
        Assert.Equal(($"user:{user.Subject}", recorded.Actor, null), (recorded.Actor, recorded.Target!, recorded.Details));
    }

    [Fact]
    public async Task What_is_wrong_is_told_and_changes_nothing()
    {
        await _server.AddUser("berta");
        using var here = new Browser(_server);
        using var there = new Browser(_server);
        await there.Enter("/account", "berta");
        (string Old, string New, string Again, string Problem)[] wrong =
        [
            ("not-the-password", Another, Another, "Your password until now is another one."), ("", Another, Another, "Fill in every field."),
            (IdpServer.Password, Another, Another + "x", "The new password is not the same both times."), (IdpServer.Password, "short", "short", "8"), (IdpServer.Password, "berta123", "berta123", ""),
        ];
        foreach (var (old, password, again, problem) in wrong)
        {
            var page = await here.Enter("/account/password", "berta");
            var refused = await here.Submit(page, "/account/password", ("old", old), ("new", password), ("again", again));
            Assert.Equal(400, refused.Status);
            Assert.Contains(problem, refused.Text("#problem"), StringComparison.Ordinal);
            Assert.DoesNotContain(password, refused.Body, StringComparison.Ordinal);
        }
        Assert.Equal(200, (await there.Get("/account")).Status);
        Assert.Equal(200, (await _server.PasswordGrant("berta")).Status);
    }

    [Fact]
    [Trait("Case", "LGN-05")]
    public async Task Guessing_the_old_one_here_counts_like_guessing_at_the_sign_in()
    {
        await _server.AddUser("cara");
        using var browser = new Browser(_server);
        var page = await browser.Enter("/account/password", "cara");
        for (var i = 0; i < 10; i++) await browser.Submit(page, "/account/password", ("old", $"guess-number-{i}"), ("new", Another), ("again", Another));

        var refused = await browser.Submit(page, "/account/password", ("old", IdpServer.Password), ("new", Another), ("again", Another));

        Assert.Equal(400, refused.Status);
        Assert.Equal(200, (await _server.PasswordGrant("cara")).Status);
    }

    [Fact]
    public async Task Whoever_has_no_password_sets_one()
    {
        await _server.AddUser("emil");
        using var browser = new Browser(_server);
        await browser.Enter("/account", "emil");
        await _server.Change((db, _) => db.Users.Where(u => u.UserName == "emil").ExecuteUpdateAsync(set => set.SetProperty(u => u.PasswordHash, (string?)null)));
        var page = await browser.Enter("/account/password");
        Assert.Empty(page.All("#old"));

        await browser.Press(page, "/account/password", ("new", Another), ("again", Another));

        Assert.Equal(200, (await _server.PasswordGrant("emil", Another)).Status);
    }

    [Fact]
    public async Task Of_two_changes_at_once_one_is_made()
    {
        await _server.AddUser("frida");
        using var browser = new Browser(_server);
        var page = await browser.Enter("/account/password", "frida");
        using var same = new Browser(_server);
        browser.CopyTo(same);

        var answers = await Task.WhenAll(new[] { (browser, "first-of-Them-11"), (same, "second-of-Them-22") }.Select(async one =>
            (await one.Item1.Submit(page, "/account/password", ("old", IdpServer.Password), ("new", one.Item2), ("again", one.Item2)), one.Item2)));

        var made = answers.Single(answer => answer.Item1.Status == 303 && answer.Item1.Location!.StartsWith("/account/password?done=", StringComparison.Ordinal));
        Assert.Equal(200, (await _server.PasswordGrant("frida", made.Item2)).Status);
    }

    [Fact]
    [Trait("Case", "LGN-20")]
    public async Task A_session_is_never_refreshed_for_somebody_else()
    {
        var (greta, hugo) = (await _server.AddUser("greta"), await _server.AddUser("hugo"));
        using var browser = new Browser(_server);
        await browser.Enter("/account", "greta");
        await using var db = _server.Database.OpenForReading();
        var id = await db.Set<Session>().Where(s => s.UserId == greta.Id).Select(s => s.Id).SingleAsync();
        var session = await _server.App.Services.GetRequiredService<SessionStatements>().Read(id, CancellationToken.None);

        await Assert.ThrowsAsync<InvalidOperationException>(() => _server.Database.Write(other => BrowserSessions.Refresh(other, session!, hugo.Id, CancellationToken.None), CancellationToken.None));

        Assert.Equal(200, (await browser.Get("/account")).Status);
    }

    private static async Task<PageAnswer> Change(Browser browser, string user, string old, string password) =>
        await browser.Press(await browser.Enter("/account/password", user), "/account/password", ("old", old), ("new", password), ("again", password));
}
