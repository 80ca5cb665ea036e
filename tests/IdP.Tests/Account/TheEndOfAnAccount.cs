using IdP.ApiKeys;
using IdP.Audit;
using IdP.Storage;
using IdP.Testing;
using IdP.Tests.Support;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace IdP.Tests.Account;

/// <summary>Besides, what takes time: the clock of this engine is the test's to move.</summary>
public sealed class TheEndOfAnAccountOnSqlite(SqliteServer fixture) : TheEndOfAnAccount(fixture), IClassFixture<SqliteServer>
{
    private readonly IdpServer _server = fixture.Server;

    [Fact]
    public async Task Without_being_sure_or_without_a_fresh_sign_in_nothing_is_deleted()
    {
        await _server.AddUser("berta");
        using var browser = new Browser(_server);
        var page = await browser.Enter("/account/data", "berta");

        var unsure = await browser.Post("/account/data?handler=Delete", page.Fields().Where(field => field.Key != "sure"));
        _server.Clock.Advance(TimeSpan.FromMinutes(6));
        var late = await browser.Follow(await browser.Submit(page, "/account/data?handler=Delete", ("sure", "yes")));

        Assert.Equal((400, "Say that you are sure: nothing was deleted."), (unsure.Status, unsure.Text("#problem")));
        Assert.True(late.AsksToSignIn());
        Assert.Equal(200, (await _server.PasswordGrant("berta")).Status);
    }
}

public sealed class TheEndOfAnAccountOnPostgres(PostgresServer fixture) : TheEndOfAnAccount(fixture), IClassFixture<PostgresServer>;

public sealed class TheEndOfAnAccountOnNodes(PostgresNodes fixture) : TheEndOfAnAccount(fixture), IClassFixture<PostgresNodes>;

/// <summary>An owner deletes the account: nothing opens any more, for nobody, whoever has the name later.</summary>
public abstract class TheEndOfAnAccount(ServerFixture fixture)
{
    private readonly IdpServer _server = fixture.Server;

    [Fact]
    [Trait("Case", "STA-02")]
    public async Task Every_path_is_closed_and_another_of_the_same_name_inherits_nothing()
    {
        var user = await _server.AddUser("ada");
        await using var receiver = await Receiver.Start();
        var app = await LogoutApp.Register(_server, client => client.BackChannelLogoutUri = $"{receiver.Url}/bye");
        using var here = new Browser(_server);
        using var there = new Browser(_server);
        var tokens = await app.SignIn(here, "ada", "openid offline_access");
        await there.Enter("/account", "ada");
        var flow = new CodeFlow { ClientId = app.Id, RedirectUri = app.Callback };
        var code = (await here.Complete(flow.Parameters(), "ada")).ResponseParameters()["code"];
        var key = await _server.Database.Write(async db => (await _server.App.Services.GetRequiredService<ApiKeyStatements>()
            .AddForUser(db, "ada", new NewApiKey("key", IdpServer.Api, ["items:read"], null), new ApiKeyActor("cli"), CancellationToken.None)).Text.ToString(), CancellationToken.None);
        Assert.True((await _server.Introspect(key)).Active);
        var passwordToken = (await _server.PasswordGrant("ada")).AccessToken;
        var page = await here.Enter("/account/data", "ada");

        var after = await here.Press(page, "/account/data?handler=Delete", ("sure", "yes"));

        Assert.Equal("Nothing of it is left that anybody could sign in to. You can close this page.", after.Text("#deleted"));
        Assert.DoesNotContain(here.Cookies.GetAllCookies(), cookie => cookie.Name.EndsWith("idp_session", StringComparison.Ordinal));
        async Task IsClosed()
        {
            Assert.Equal("invalid_grant", (await _server.Post("/connect/token", app.Id, ("grant_type", "refresh_token"), ("refresh_token", tokens.RefreshToken!))).Error);
            Assert.Equal("invalid_grant", (await flow.Redeem(_server, code)).Error);
            Assert.False((await _server.Introspect(tokens.AccessToken, app.Id)).Active);
            Assert.False((await _server.Introspect(passwordToken)).Active);
            Assert.False((await _server.Introspect(key)).Active);
            Assert.True((await there.Follow(await there.Get("/account"))).AsksToSignIn());
            using var request = new HttpRequestMessage(HttpMethod.Get, "/connect/userinfo");
            request.Headers.Authorization = new("Bearer", tokens.AccessToken);
            Assert.Equal(401, (await _server.Send(request)).Status);
        }
        await IsClosed();
        Assert.Equal("invalid_grant", (await _server.PasswordGrant("ada")).Error);
        Assert.EndsWith("was deleted", (await _server.Mail("ada@example.com")).Subject, StringComparison.Ordinal);
        await using (var db = _server.Database.OpenForReading())
        {
            foreach (var table in (string[])["Sessions", "Grants", "Consents", "ApiKeys", "UserRoles", "UpstreamLogins", "Passkeys"])
                Assert.Equal(0, (await db.Database.SqlQueryRaw<int>($"""SELECT COUNT(*) AS "Value" FROM "{table}" WHERE "UserId" = @p0""".Replace("@p0", "{0}", StringComparison.Ordinal), db.Key(user.Id)).ToListAsync())[0]);
            Assert.Equal($"user:{user.Subject}", (await db.Set<AuditEvent>().SingleAsync(e => e.Type == "user.deleted" && e.UserId == user.Id)).Actor);
        }

        await _server.AddUser("ada");
        await IsClosed();
        using var again = new Browser(_server);
        Assert.NotNull((await again.Enter("/account/apps", "ada")).Text("#none"));
        Assert.Single((await again.Enter("/account/events")).All("#events > li"));
        Assert.NotEqual(user.Subject, (await _server.PasswordGrant("ada")).Claims["sub"]!.GetValue<string>());
        // Her old browser is nobody's, and the new one's session is not reached by its cookies.
        Assert.True((await here.Follow(await here.Get("/account"))).AsksToSignIn());
    }

    [Fact]
    public async Task Somebody_elses_account_is_not_touched()
    {
        await _server.AddUser("cara");
        var dora = await _server.AddUser("dora");
        var token = (await _server.PasswordGrant("dora")).AccessToken;
        using var browser = new Browser(_server);
        var page = await browser.Enter("/account/data", "cara");

        await browser.Press(page, "/account/data?handler=Delete", ("sure", "yes"), ("id", dora.Subject), ("user", "dora"));

        Assert.True((await _server.Introspect(token)).Active);
        Assert.Equal("invalid_grant", (await _server.PasswordGrant("cara")).Error);
    }
}
