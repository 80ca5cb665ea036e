using IdP.Testing;
using IdP.Tests.Support;
using Xunit;

namespace IdP.Tests.RefreshTokens;

/// <summary>What the settings of refresh tokens do: no overlap, other idle and absolute lifetimes; and a database that is behind.</summary>
public sealed class Lifetimes
{
    [Fact]
    [Trait("Case", "REF-02")]
    public async Task Without_overlap_exactly_one_of_a_hundred_is_answered()
    {
        await using var server = await Start(options => options.Tokens.RefreshOverlapSeconds = 0);
        var first = await SignIn(server);
        var answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => Refresh(server, first)));
        Assert.Equal(1, answers.Count(a => a.Status == 200));
        Assert.All(answers.Where(a => a.Status != 200), a => Assert.Equal((400, "invalid_grant"), (a.Status, a.Error)));
    }

    [Fact]
    [Trait("Case", "REF-10")]
    public async Task A_token_that_is_not_used_ends_and_one_that_is_used_ends_later()
    {
        await using var server = await Start(options => (options.Tokens.RefreshIdleDays, options.Tokens.RefreshAbsoluteDays) = (10, 25));
        var (idle, used) = (await SignIn(server), await SignIn(server));
        foreach (var _ in new[] { 1, 2 })
        {
            server.Clock.Advance(TimeSpan.FromDays(10) - TimeSpan.FromSeconds(2));
            used = Token(await Refresh(server, used));
        }
        Assert.Equal("invalid_grant", (await Refresh(server, idle)).Error);
        server.Clock.Advance(TimeSpan.FromDays(5));
        Assert.Equal(200, (await Refresh(server, used)).Status);
        server.Clock.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal("invalid_grant", (await Refresh(server, used)).Error);
    }

    [Fact]
    public async Task A_token_from_the_future_is_refused_and_nothing_is_revoked()
    {
        await using var server = await Start();
        var first = await SignIn(server);
        var second = await Refresh(server, first);
        // As after the restore of a backup: the row is one generation behind what clients hold.
        await server.Database.Write(async db => { await SetGeneration(db); return 0; }, CancellationToken.None);
        Assert.Equal("invalid_grant", (await Refresh(server, Token(second))).Error);
        Assert.Equal(200, (await Refresh(server, first)).Status);

        static Task SetGeneration(Storage.IdpDbContext db) =>
            Microsoft.EntityFrameworkCore.RelationalDatabaseFacadeExtensions.ExecuteSqlRawAsync(db.Database, """UPDATE "Grants" SET "Generation" = 1""");
    }

    private static async Task<IdpServer> Start(Action<IdpOptions>? configure = null)
    {
        var server = await IdpServer.Start(configure);
        await server.AddClient("rotating", "password refresh_token", "offline_access items:read", c => c.RotatesRefreshTokens = true);
        return server;
    }

    private static async Task<string> SignIn(IdpServer server) => Token(await server.PasswordGrant("alice", clientId: "rotating", scope: "offline_access items:read"));

    private static Task<Answer> Refresh(IdpServer server, string token) =>
        server.Post("/connect/token", "rotating", ("grant_type", "refresh_token"), ("refresh_token", token));

    private static string Token(Answer answer) => answer.Json["refresh_token"]!.GetValue<string>();
}
