using System.Text.RegularExpressions;
using IdP.Retention;
using IdP.Sessions;
using IdP.Testing;
using IdP.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace IdP.Tests.Retention;

public sealed class ExpiredRowsAreFoundByIndexOnSqlite(SqliteServer fixture) : ExpiredRowsAreFoundByIndex(fixture), IClassFixture<SqliteServer>;

public sealed class ExpiredRowsAreFoundByIndexOnPostgres(PostgresServer fixture) : ExpiredRowsAreFoundByIndex(fixture), IClassFixture<PostgresServer>;

/// <summary>However many rows there are that have not expired, no batch of a sweep goes through them.</summary>
public abstract partial class ExpiredRowsAreFoundByIndex(ServerFixture fixture)
{
    private readonly IdpServer _server = fixture.Server;

    [Fact]
    public async Task No_batch_and_no_count_goes_through_a_whole_table()
    {
        // Long ago, so that the times in the statements are this test's alone and nothing of others is removed.
        var now = new DateTimeOffset(2001, 2, 3, 4, 5, 6, TimeSpan.Zero).AddSeconds(Random.Shared.Next(100_000));
        var user = await _server.AddUser($"swept-{_server.Database.Engine}");
        await _server.Database.Write(async db =>
        {
            foreach (var (idle, ended) in ((DateTimeOffset, DateTimeOffset?)[])[(now.AddDays(-1), null), (now, now.AddDays(-1))])
                db.Add(new Session
                {
                    Id = Guid.CreateVersion7(now), UserId = user.Id, Seed = new byte[32], Acr = "a", Amr = "pwd", CreatedAt = now, AuthenticatedAt = now, LastUsedAt = now,
                    IdleExpiresAt = idle, AbsoluteExpiresAt = now, EndedAt = ended,
                });
            await db.SaveChangesAsync();
        }, CancellationToken.None);
        var (from, to) = (now.AddDays(-40).ToUnixTimeMilliseconds(), now.ToUnixTimeMilliseconds());
        using var asked = new AskedCommands(value => value is long time && time >= from && time <= to);

        var (counted, removed) = (new Dictionary<string, int>(StringComparer.Ordinal), new Dictionary<string, int>(StringComparer.Ordinal));
        await using var read = _server.Database.OpenForReading();
        foreach (var kind in ExpiredRows.Of(new RetentionOptions { AuditDays = 30 }, NullLogger.Instance)) counted[kind.Name] = await kind.Count(read, now, 100, CancellationToken.None);
        foreach (var kind in ExpiredRows.All) removed[kind.Name] = (await kind.Remove(_server.Database, now, 100, CancellationToken.None)).Rows;

        Assert.Equal((1, 1), (removed["sessions_run_out"], removed["sessions"]));
        Assert.Equal((1, 1), (counted["sessions_run_out"], counted["sessions"]));
        var tables = new HashSet<string>(StringComparer.Ordinal);
        foreach (var command in asked.All)
        {
            var plan = await _server.FoundByIndex(command);
            // Sorted by the index as well: the oldest are found without looking at all that have expired.
            if (command.Text.Contains("ORDER BY", StringComparison.Ordinal)) Assert.DoesNotContain(plan, line => line.Contains("TEMP B-TREE FOR ORDER BY", StringComparison.Ordinal));
            tables.UnionWith(Table().Matches(command.Text).Select(match => match.Groups["name"].Value));
        }
        Assert.Superset(new HashSet<string> { "Grants", "RevokedTokens", "Sessions", "UpstreamRequests", "PasskeyChallenges", "MailLinks", "ApiKeys", "Outbox", "SignInAttempts", "AuditEvents" }, tables);
    }

    [Fact]
    public void A_batch_grows_while_nobody_notices_and_shrinks_when_it_keeps_the_database_for_too_long()
    {
        Assert.Equal((100, 25, 50), (Sweep.NextSize(50, TimeSpan.FromMilliseconds(0.5)), Sweep.NextSize(50, TimeSpan.FromMilliseconds(3)), Sweep.NextSize(50, TimeSpan.FromMilliseconds(1))));
        Assert.Equal((500, 10), (Sweep.NextSize(400, TimeSpan.Zero), Sweep.NextSize(12, TimeSpan.FromSeconds(1))));
    }

    [Theory]
    [InlineData(100, 5, 45), InlineData(500, 5, 5), InlineData(1000, 5, 0), InlineData(1, 1, 999)]
    public void Of_each_second_only_the_budget_is_spent(int budget, int spent, int pause) =>
        Assert.Equal(TimeSpan.FromMilliseconds(pause), Sweep.Pause(TimeSpan.FromMilliseconds(spent), budget));

    [GeneratedRegex("FROM \"(?<name>[A-Za-z]+)\"", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Table();
}
