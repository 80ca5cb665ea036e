using IdP.Accounts;
using IdP.Clients;
using IdP.Sessions;
using IdP.Testing;
using IdP.Tests.Support;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace IdP.Tests.RefreshTokens;

/// <summary>Refresh tokens of people who signed in through the browser: who gets them, and what ends them.</summary>
public abstract class CodeGrants(ServerFixture fixture)
{
    private IdpServer Server => fixture.Server;

    [Theory]
    [Trait("Case", "REF-17")]
    [InlineData("openid", false)]
    [InlineData("openid items:read", false)]
    [InlineData("openid offline_access", true)]
    [InlineData("offline_access items:read", true)]
    public async Task Only_offline_access_gives_a_refresh_token(string scope, bool isDue)
    {
        using var browser = new Browser(Server);
        Assert.Equal(isDue, (await Tokens(browser, new CodeFlow { Scope = scope })).Json.ContainsKey("refresh_token"));
    }

    [Fact]
    [Trait("Case", "REF-17")]
    public async Task Nobody_gets_one_who_was_not_asked()
    {
        using var browser = new Browser(Server);
        await Server.AddUser("unasked");
        await browser.Complete(new CodeFlow().Parameters(), "unasked");
        await browser.RefusedToClient(Server, new CodeFlow { Scope = "openid offline_access", With = { ["prompt"] = "none" } }, "consent_required");
        FrontChannel.IsConsent(await browser.Authorize(new CodeFlow { Scope = "openid offline_access" }.Parameters()));
        // A client that was not given the scope cannot ask for it.
        await Server.AddClient("never-offline", "authorization_code refresh_token", "openid", c => c.RedirectUris = ["https://never.test/cb"]);
        await browser.RefusedToClient(Server, new CodeFlow { ClientId = "never-offline", RedirectUri = "https://never.test/cb", Scope = "openid offline_access" }, "invalid_scope");
    }

    [Theory]
    [Trait("Case", "REF-12")]
    [Trait("Case", "STA-07")]
    [InlineData("offline_access")]
    [InlineData("refresh_token")]
    public async Task A_client_that_has_lost_the_right_to_refresh_has_lost_it_for_what_it_holds(string lost)
    {
        var flow = new CodeFlow { ClientId = $"lost-{lost}", RedirectUri = "https://lost.test/cb", Scope = "openid offline_access" };
        await Server.AddClient(flow.ClientId, "authorization_code refresh_token", "openid offline_access", c => c.RedirectUris = [flow.RedirectUri]);
        using var browser = new Browser(Server);
        var tokens = await Tokens(browser, flow);
        var pending = FrontChannel.IsCode(Server, await browser.Authorize(flow.Parameters()), flow);
        await Change(flow.ClientId, client =>
        {
            if (lost == "offline_access") client.Scopes = ["openid"];
            else client.GrantTypes = ["authorization_code"];
        });
        await Server.Refused(400, lost == "offline_access" ? "invalid_grant" : "unauthorized_client", "/connect/token", flow.ClientId, Refreshing(tokens));
        var late = await flow.Redeem(Server, pending);
        Assert.Equal(200, late.Status);
        Assert.False(late.Json.ContainsKey("refresh_token"));
    }

    [Fact]
    [Trait("Case", "REF-12")]
    [Trait("Case", "STA-07")]
    public async Task An_api_of_which_the_client_has_lost_every_scope_is_no_audience_any_more()
    {
        var flow = new CodeFlow { ClientId = "lost-api", RedirectUri = "https://lost.test/cb", Scope = "openid offline_access items:read" };
        await Server.AddClient(flow.ClientId, "authorization_code refresh_token", "openid offline_access items:read", c => c.RedirectUris = [flow.RedirectUri]);
        using var browser = new Browser(Server);
        var tokens = await Tokens(browser, flow);
        Assert.Contains(IdpServer.Api, tokens.Claims["aud"]!.ToJsonString(), StringComparison.Ordinal);
        await Change(flow.ClientId, client => client.Scopes = ["openid", "offline_access"]);
        var refreshed = await Server.Post("/connect/token", flow.ClientId, Refreshing(tokens));
        Assert.Equal("openid offline_access", refreshed.Json["scope"]!.GetValue<string>());
        Assert.Equal(Server.Issuer, refreshed.Claims["aud"]!.GetValue<string>());
        await Server.Refused(400, "invalid_target", "/connect/token", flow.ClientId, [.. Refreshing(tokens), ("resource", IdpServer.Api)]);
        await Server.Refused(400, "invalid_scope", "/connect/token", flow.ClientId, [.. Refreshing(tokens), ("scope", "items:read")]);
    }

    [Fact]
    [Trait("Case", "REF-09")]
    public async Task A_refresh_narrows_and_never_grows_and_its_id_token_has_no_nonce()
    {
        using var browser = new Browser(Server);
        var tokens = await Tokens(browser, new CodeFlow { Scope = "openid offline_access items:read items:write" });
        var narrow = await Server.Post("/connect/token", "web", [.. Refreshing(tokens), ("scope", "items:read")]);
        Assert.Equal(("items:read", IdpServer.Api), (narrow.Json["scope"]!.GetValue<string>(), narrow.Claims["aud"]!.GetValue<string>()));
        Assert.False(narrow.Json.ContainsKey("id_token"));
        var whole = await Server.Post("/connect/token", "web", Refreshing(tokens));
        Assert.Equal("openid offline_access items:read items:write", whole.Json["scope"]!.GetValue<string>());
        var (first, later) = (IdToken.Claims(tokens), IdToken.Claims(whole));
        Assert.False(later.ContainsKey("nonce"));
        foreach (var same in (string[])["iss", "sub", "aud", "auth_time"]) Assert.Equal(first[same]!.ToJsonString(), later[same]!.ToJsonString());
        foreach (var scope in (string[])["openid email", "admin", "items:read  items:write", "openid offline_access items:read items:write profile"])
            await Server.Refused(400, "invalid_scope", "/connect/token", "web", [.. Refreshing(tokens), ("scope", scope)]);
        await Server.Refused(400, "invalid_target", "/connect/token", "web", [.. Refreshing(tokens), ("resource", "https://elsewhere.test")]);
    }

    [Theory]
    [Trait("Case", "REF-12")]
    [Trait("Case", "REF-13")]
    [Trait("Case", "LGN-21")]
    [Trait("Case", "STA-03")]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_changed_password_or_a_disabled_account_ends_every_session_and_family_on_every_node(bool isPassword)
    {
        await using var group = await Nodes.Start(fixture, 2);
        var user = await Server.AddUser($"everywhere-{isPassword}");
        var browsers = group.All.Select(node => new Browser(node)).ToList();
        var families = new List<Answer>();
        foreach (var browser in browsers) families.Add(await Tokens(browser, new CodeFlow { Scope = "openid offline_access" }, user.UserName!));
        var services = Server.App.Services;
        await Server.Change(async (db, _) =>
        {
            var statements = services.GetRequiredService<UserStatements>();
            if (isPassword) await statements.ChangePassword(db, user.UserName!, await Server.NewPassword("another-Password-1", user.UserName!), "cli", CancellationToken.None);
            else await statements.Disable(db, user.UserName!, "cli", CancellationToken.None);
        });
        foreach (var (browser, i) in browsers.Select((browser, i) => (browser, i)))
        {
            await browser.RefusedToClient(group[i], new CodeFlow { With = { ["prompt"] = "none" } }, "login_required");
            FrontChannel.IsPage(await browser.SignIn(await browser.Authorize(new CodeFlow().Parameters()), user.UserName!), "id=\"problem\"", 400);
            foreach (var node in group.All) Assert.Equal("invalid_grant", (await node.Post("/connect/token", "web", Refreshing(families[i]))).Error);
            Assert.False((await group[i + 1].Introspect(families[i].AccessToken, "web")).Active);
            browser.Dispose();
        }
    }

    [Fact]
    [Trait("Case", "STA-09")]
    public async Task A_session_that_ends_takes_what_is_bound_to_it_and_leaves_what_was_for_the_time_after()
    {
        await using var group = await Nodes.Start(fixture, 2);
        var user = await Server.AddUser("leaver");
        await Server.AddClient("bound", "authorization_code refresh_token", "openid items:read", c => (c.RedirectUris, c.SessionRefreshTokens, c.BackChannelLogoutUri) = (["https://bound.test/cb"], true, "https://bound.test/logout"));
        using var browser = new Browser(Server);
        var bound = await Tokens(browser, new CodeFlow { ClientId = "bound", RedirectUri = "https://bound.test/cb", Scope = "openid items:read" }, user.UserName!);
        var offline = await Tokens(browser, new CodeFlow { Scope = "openid offline_access items:read" }, user.UserName!);
        var online = await Tokens(browser, new CodeFlow { Scope = "openid items:read" }, user.UserName!);
        Assert.Equal(200, (await group[1].Post("/connect/token", "bound", Refreshing(bound))).Status);

        var notices = await Server.Count("Outbox");
        await Server.Database.Write(async db => await SessionEnd.End(db, db.Set<Session>().Where(s => s.UserId == user.Id), Server.Clock.GetUtcNow(), CancellationToken.None), CancellationToken.None);

        Assert.Equal(notices + 1, await Server.Count("Outbox"));
        foreach (var node in group.All)
        {
            Assert.Equal("invalid_grant", (await node.Post("/connect/token", "bound", Refreshing(bound))).Error);
            Assert.False((await node.Introspect(bound.AccessToken)).Active);
            Assert.False((await node.Introspect(online.AccessToken)).Active);
            Assert.True((await node.Introspect(offline.AccessToken)).Active);
            Assert.Equal(200, (await node.Post("/connect/token", "web", Refreshing(offline))).Status);
        }
        await browser.RefusedToClient(Server, new CodeFlow { With = { ["prompt"] = "none" } }, "login_required");
    }

    [Fact]
    [Trait("Case", "REF-02")]
    [Trait("Case", "REF-03")]
    public async Task Of_a_hundred_refreshes_at_once_on_three_nodes_few_succeed_and_all_alike()
    {
        await using var group = await Nodes.Start(fixture, 3);
        using var browser = new Browser(Server);
        var flow = new CodeFlow { ClientId = "spa", RedirectUri = "https://spa.test/callback", Scope = "openid offline_access items:read" };
        var tokens = await Tokens(browser, flow);
        for (var round = 0; round < 3; round++)
        {
            (string, string)[] form = [.. Refreshing(tokens), ("client_id", "spa")];
            var answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(i => group[i].Post("/connect/token", null, form)));
            var successes = answers.Where(answer => answer.Status == 200).ToList();
            Assert.InRange(successes.Count, 1, 3);
            Assert.All(answers.Except(successes), answer => Assert.Equal((400, "invalid_grant"), (answer.Status, answer.Error)));
            Assert.Single(successes.Select(answer => answer.Json["refresh_token"]!.GetValue<string>()).Distinct());
            tokens = successes[0];
        }
        Assert.True((await group[1].Introspect(tokens.AccessToken)).Active);
    }

    [Fact]
    [Trait("Case", "REF-02")]
    public async Task Of_a_hundred_refreshes_at_once_without_an_overlap_one_succeeds()
    {
        await using var group = await Nodes.Start(fixture, 3);
        using var browser = new Browser(Server);
        var tokens = await Tokens(browser, new CodeFlow { ClientId = "spa", RedirectUri = "https://spa.test/callback", Scope = "openid offline_access items:read" });
        var options = group.All.SelectMany(node => node.Nodes).Select(node => node.App.Services.GetRequiredService<IdpOptions>().Tokens).ToList();
        options.ForEach(one => one.RefreshOverlapSeconds = 0);
        try
        {
            (string, string)[] form = [.. Refreshing(tokens), ("client_id", "spa")];
            var answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(i => group[i].Post("/connect/token", null, form)));
            var winner = Assert.Single(answers, answer => answer.Status == 200);
            Assert.All(answers.Where(answer => answer != winner), answer => Assert.Equal((400, "invalid_grant"), (answer.Status, answer.Error)));
            // RFC 9700 §4.14.2: the others had a token that was replaced.
            Assert.False((await Server.Introspect(winner.AccessToken)).Active);
        }
        finally
        {
            options.ForEach(one => one.RefreshOverlapSeconds = 10);
        }
    }

    [Fact]
    [Trait("Case", "REF-10")]
    public async Task A_family_ends_unused_and_in_any_case()
    {
        using var browser = new Browser(Server);
        var flow = new CodeFlow { ClientId = "spa", RedirectUri = "https://spa.test/callback", Scope = "openid offline_access" };
        (string, string)[] Form(Answer tokens) => [.. Refreshing(tokens), ("client_id", "spa")];
        var unused = await Tokens(browser, flow);
        var used = await Tokens(browser, flow);
        for (var day = 0; day < 174; day += 29)
        {
            Server.Clock.Advance(TimeSpan.FromDays(29));
            used = await Server.Post("/connect/token", null, Form(used));
            Assert.Equal(200, used.Status);
        }
        Assert.Equal("invalid_grant", (await Server.Post("/connect/token", null, Form(unused))).Error);
        Server.Clock.Advance(TimeSpan.FromDays(6) - TimeSpan.FromSeconds(60));
        used = await Server.Post("/connect/token", null, Form(used));
        Assert.Equal(200, used.Status);
        Server.Clock.Advance(TimeSpan.FromSeconds(61));
        Assert.Equal("invalid_grant", (await Server.Post("/connect/token", null, Form(used))).Error);
    }

    private async Task<Answer> Tokens(Browser browser, CodeFlow flow, string user = "alice")
    {
        var tokens = await flow.Redeem(Server, FrontChannel.IsCode(Server, await browser.Complete(flow.Parameters(), user), flow), isPublic: flow.ClientId == "spa");
        Assert.True(tokens.Status == 200, tokens.Body);
        return tokens;
    }

    private static (string, string)[] Refreshing(Answer tokens) => [("grant_type", "refresh_token"), ("refresh_token", tokens.Json["refresh_token"]!.GetValue<string>())];

    private Task Change(string clientId, Action<Client> change) => Server.Change(async (db, version) =>
    {
        var client = await db.Set<Client>().AsTracking().SingleAsync(c => c.ClientId == clientId);
        change(client);
        client.Version = version;
        await db.SaveChangesAsync();
    });
}

public sealed class CodeGrantsOnSqlite(SqliteServer fixture) : CodeGrants(fixture), IClassFixture<SqliteServer>;

public sealed class CodeGrantsOnPostgres(PostgresServer fixture) : CodeGrants(fixture), IClassFixture<PostgresServer>;

public sealed class CodeGrantsOnNodes(PostgresNodes fixture) : CodeGrants(fixture), IClassFixture<PostgresNodes>;
