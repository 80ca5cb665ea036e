using IdP.Accounts;
using IdP.Clients;
using IdP.Grants;
using IdP.Storage;
using IdP.Testing;
using IdP.Tests.Support;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace IdP.Tests.RefreshTokens;

public sealed class RefreshOnSqlite(SqliteServer fixture) : RefreshSuite(fixture), IClassFixture<SqliteServer>;

public sealed class RefreshOnPostgres(PostgresServer fixture) : RefreshSuite(fixture), IClassFixture<PostgresServer>;

public sealed class RefreshOnNodes(PostgresNodes fixture) : RefreshSuite(fixture), IClassFixture<PostgresNodes>;

/// <summary>RFC 6749 §6 and RFC 9700 §4.14: refresh tokens of a client that rotates (public) and of one that keeps them (confidential).</summary>
public abstract class RefreshSuite(ServerFixture fixture) : IAsyncLifetime
{
    private const string Rotating = "rotating";
    private const string Keeping = "keeping";
    private IdpServer Server => fixture.Server;

    public async Task InitializeAsync()
    {
        if (await Server.App.Services.GetRequiredService<ClientDirectory>().Find(Rotating, CancellationToken.None) is not null) return;
        const string scopes = "openid offline_access items:read items:write";
        await Server.AddClient(Rotating, "password refresh_token", scopes, c => c.RotatesRefreshTokens = true);
        await Server.AddClient(Keeping, "password refresh_token", scopes);
        await Server.AddClient("no-refresh", "password", scopes);
        await Server.AddClient("other", "password refresh_token", scopes, c => c.RotatesRefreshTokens = true);
    }

    public Task DisposeAsync() => Task.CompletedTask;

    [Fact]
    [Trait("Case", "REF-17")]
    public async Task Without_offline_access_there_is_no_refresh_token()
    {
        Assert.False((await Server.PasswordGrant("alice", clientId: Keeping, scope: "openid items:read")).Json.ContainsKey("refresh_token"));
        Assert.False((await Server.PasswordGrant("alice", clientId: "no-refresh", scope: "offline_access items:read")).Json.ContainsKey("refresh_token"));
    }

    [Fact]
    public async Task A_client_that_keeps_its_refresh_token_gets_the_same_one_again()
    {
        var first = await SignIn(Keeping);
        var second = await Refresh(first, Keeping);
        Assert.Equal(200, second.Status);
        Assert.Equal(first, Token(second));
        Assert.True((await Server.Introspect(second.AccessToken)).Active);
        Assert.Equal(200, (await Refresh(first, Keeping)).Status);
    }

    [Fact]
    public async Task A_client_that_rotates_gets_another_one_each_time()
    {
        var first = await SignIn(Rotating);
        var second = Token(await Refresh(first, Rotating));
        var third = Token(await Refresh(second, Rotating));
        Assert.Equal(3, new[] { first, second, third }.Distinct().Count());
    }

    [Fact]
    [Trait("Case", "REF-04")]
    public async Task A_lost_answer_is_given_again_and_is_the_same()
    {
        var first = await SignIn(Rotating);
        var second = Token(await Refresh(first, Rotating));
        Assert.Equal(second, Token(await Refresh(first, Rotating)));
        Assert.Equal(200, (await Refresh(second, Rotating)).Status);
    }

    [Fact]
    [Trait("Case", "REF-01")]
    public async Task A_token_of_two_generations_ago_ends_the_grant()
    {
        var first = await SignIn(Rotating);
        var second = await Refresh(first, Rotating);
        var third = await Refresh(Token(second), Rotating);
        await Refused(first, Rotating);
        await Refused(Token(third), Rotating);
        Assert.False((await Server.Introspect(third.AccessToken)).Active);
        await using var db = Server.Database.OpenForReading();
        Assert.True(await db.Set<Audit.AuditEvent>().AnyAsync(e => e.Type == "refresh_token.reused"));
    }

    [Fact]
    [Trait("Case", "REF-01")]
    public async Task After_the_overlap_the_token_before_ends_the_grant()
    {
        var first = await SignIn(Rotating);
        var second = await Refresh(first, Rotating);
        Server.Clock.Advance(TimeSpan.FromSeconds(11));
        await Refused(first, Rotating);
        await Refused(Token(second), Rotating);
        Assert.False((await Server.Introspect(second.AccessToken)).Active);
    }

    [Fact]
    [Trait("Case", "REF-03")]
    public async Task Of_a_hundred_at_once_at_most_three_are_answered_and_all_alike()
    {
        var first = await SignIn(Rotating);
        using var other = await Node();
        var answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(i => Refresh(first, Rotating, i % 2 == 0 ? Server : other.Server)));
        Assert.InRange(answers.Count(a => a.Status == 200), 1, 3);
        Assert.All(answers.Where(a => a.Status != 200), a => Assert.Equal((400, "invalid_grant"), (a.Status, a.Error)));
        var second = Assert.Single(answers.Where(a => a.Status == 200).Select(Token).Distinct());
        Assert.All(await Task.WhenAll(answers.Where(a => a.Status == 200).Select(a => Server.Introspect(a.AccessToken))), a => Assert.True(a.Active));
        Assert.Equal(200, (await Refresh(second, Rotating)).Status);
    }

    [Fact]
    [Trait("Case", "REF-05")]
    public async Task Another_client_gets_nothing_and_ends_nothing()
    {
        var first = await SignIn(Rotating);
        await Refused(first, "other");
        Assert.Equal(200, (await Refresh(first, Rotating)).Status);
    }

    [Fact]
    [Trait("Case", "REF-09")]
    public async Task Scopes_can_be_narrowed_and_come_back_but_never_grow()
    {
        var first = await SignIn(Keeping, "offline_access items:read items:write");
        Assert.Equal("items:read", (await Refresh(first, Keeping, null, ("scope", "items:read"))).Json["scope"]!.GetValue<string>());
        Assert.Equal("offline_access items:read items:write", (await Refresh(first, Keeping)).Json["scope"]!.GetValue<string>());
        var narrow = await SignIn(Keeping, "offline_access items:read");
        Assert.Equal("invalid_scope", (await Refresh(narrow, Keeping, null, ("scope", "items:read items:write"))).Error);
        Assert.Equal("invalid_target", (await Refresh(narrow, Keeping, null, ("resource", "https://elsewhere.test"))).Error);
        Assert.Equal(200, (await Refresh(narrow, Keeping, null, ("resource", IdpServer.Api))).Status);
    }

    [Fact]
    public async Task The_audience_is_the_identifier_that_the_refresh_names()
    {
        var first = await SignIn(Keeping);
        Assert.Equal("https://api.test", (await Refresh(first, Keeping, null, ("resource", "https://api.test"))).Claims["aud"]!.GetValue<string>());
        Assert.Equal(IdpServer.Api, (await Refresh(first, Keeping)).Claims["aud"]!.GetValue<string>());
    }

    [Fact]
    [Trait("Case", "REF-12")]
    public async Task A_scope_that_the_client_has_lost_is_gone()
    {
        await Server.AddClient("losing", "password refresh_token", "offline_access items:read items:write");
        var first = await SignIn("losing", "offline_access items:read items:write");
        await Server.Change(async (db, version) =>
        {
            var client = await db.Set<Client>().AsTracking().SingleAsync(c => c.ClientId == "losing");
            (client.Scopes, client.Version) = (["offline_access", "items:read"], version);
            await db.SaveChangesAsync();
        });
        Assert.Equal("offline_access items:read", (await Refresh(first, "losing")).Json["scope"]!.GetValue<string>());
    }

    [Fact]
    [Trait("Case", "REF-12")]
    public async Task A_disabled_person_gets_nothing_more()
    {
        var user = await Server.AddUser($"short-{Guid.NewGuid():N}");
        var first = Token(await Server.PasswordGrant(user.UserName!, clientId: Keeping, scope: "offline_access items:read"));
        await Server.Change(async (db, _) => await db.Set<User>().Where(u => u.Id == user.Id).ExecuteUpdateAsync(set => set.SetProperty(u => u.DisabledAt, Server.Clock.GetUtcNow())));
        await Refused(first, Keeping);
    }

    [Fact]
    [Trait("Case", "REV-03")]
    public async Task Revoking_a_refresh_token_ends_its_access_tokens_and_revoking_an_access_token_only_itself()
    {
        var signIn = await Server.PasswordGrant("alice", clientId: Keeping, scope: "offline_access items:read");
        var more = await Refresh(Token(signIn), Keeping);
        Assert.Equal(200, (await Server.Post("/connect/revoke", Keeping, ("token", signIn.AccessToken))).Status);
        Assert.False((await Server.Introspect(signIn.AccessToken)).Active);
        Assert.True((await Server.Introspect(more.AccessToken)).Active);
        Assert.Equal("invalid_grant", (await Server.Post("/connect/revoke", Rotating, ("token", Token(signIn)))).Error);
        Assert.Equal(200, (await Server.Post("/connect/revoke", Keeping, ("token", Token(signIn)))).Status);
        Assert.False((await Server.Introspect(more.AccessToken)).Active);
        await Refused(Token(signIn), Keeping);
        Assert.Equal(200, (await Server.Post("/connect/revoke", Keeping, ("token", Token(signIn)))).Status);
    }

    [Fact]
    [Trait("Case", "REV-05")]
    public async Task After_a_revocation_is_acknowledged_nothing_that_raced_it_works()
    {
        using var other = await Node();
        for (var round = 0; round < 20; round++)
        {
            var first = await SignIn(Rotating);
            var refreshes = Enumerable.Range(0, 3).Select(i => Refresh(first, Rotating, i % 2 == 0 ? Server : other.Server)).ToList();
            var revoke = Server.Post("/connect/revoke", Rotating, ("token", first));
            Assert.Equal(200, (await revoke).Status);
            foreach (var answer in await Task.WhenAll(refreshes))
            {
                if (answer.Status != 200) continue;
                Assert.False((await Server.Introspect(answer.AccessToken)).Active);
                await Refused(Token(answer), Rotating);
            }
        }
    }

    [Fact]
    [Trait("Case", "INT-06")]
    public async Task A_refresh_token_is_not_active_at_introspection()
    {
        var first = await SignIn(Keeping);
        Assert.Equal("""{"active":false}""", (await Server.Introspect(first)).Body);
        Assert.Equal("""{"active":false}""", (await Server.Introspect(first, Keeping)).Body);
    }

    [Fact]
    [Trait("Case", "REF-16")]
    public async Task No_other_text_than_the_token_itself_is_one()
    {
        var token = await SignIn(Keeping);
        const string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        var texts = Enumerable.Range(0, token.Length).Select(i => token[..i] + alphabet[(alphabet.IndexOf(token[i], StringComparison.Ordinal) + 1 + (i * 7 % 62)) % 64] + token[(i + 1)..])
            .Concat(Enumerable.Range(1, 10).Select(i => token[..^i])).Append(token + "A").Append(token + "=");
        foreach (var text in texts) await Refused(text, Keeping);
        Assert.Equal(200, (await Refresh(token, Keeping)).Status);
    }

    private Task<string> SignIn(string client, string scope = "offline_access items:read") => Task.Run(async () => Token(await Server.PasswordGrant("alice", clientId: client, scope: scope)));

    private Task<Answer> Refresh(string token, string client, IdpServer? node = null, params (string Name, string Value)[] more) =>
        (node ?? Server).Post("/connect/token", client, [("grant_type", "refresh_token"), ("refresh_token", token), .. more]);

    private Task<Answer> Refused(string token, string client) =>
        Server.Refused(400, "invalid_grant", "/connect/token", client, ("grant_type", "refresh_token"), ("refresh_token", token));

    private static string Token(Answer answer) => answer.Json["refresh_token"]!.GetValue<string>();

    private async Task<SecondNode> Node() => new(await fixture.StartAnother());

    private sealed class SecondNode(IdpServer server) : IDisposable
    {
        public IdpServer Server => server;

        public void Dispose() => server.DisposeAsync().AsTask().GetAwaiter().GetResult();
    }
}
