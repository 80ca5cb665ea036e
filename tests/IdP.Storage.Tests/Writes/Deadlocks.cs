using System.Data;
using System.Data.Common;
using IdP.Clients;
using IdP.Grants;
using IdP.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Xunit;

namespace IdP.Storage.Tests.Writes;

public sealed class DeadlocksOnPostgres(PostgresFixture fixture) : DeadlockSuite(fixture), IClassFixture<PostgresFixture>
{
    private readonly StorageFixture _fixture = fixture;

    [Fact]
    public async Task Statements_that_met_a_row_changed_under_their_snapshot_are_run_again()
    {
        using var statements = new PreparedStatements(_fixture.Database);
        var (one, two) = (await _fixture.AddClient("snapshot-1"), await _fixture.AddClient("snapshot-2"));
        // Of all that a transaction does, only what a sequence has given stays when it is undone.
        await statements.Execute("CREATE SEQUENCE attempts", [], CancellationToken.None);
        TaskCompletionSource hasOne = new();
        var change = _fixture.Database.Write(async db =>
        {
            await Raise(db, one);
            hasOne.TrySetResult();
            // Whoever has written the other row has looked at the database, and waits for this one.
            await WaitFor(async () => !await IsFree(two));
        }, CancellationToken.None);
        await hasOne.Task;
        const string raise = """UPDATE "Clients" SET "Generation" = "Generation" + 10 WHERE "Id" = @p0""";
        var passed = await statements.ExecuteAll(
        [
            new Statement("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", []), new Statement("SELECT nextval('attempts')", []), new Statement(raise, [two.Id], IsGate: true), new Statement(raise, [one.Id], IsGate: true),
        ], CancellationToken.None).WaitAsync(TimeSpan.FromMinutes(1));
        await change.WaitAsync(TimeSpan.FromMinutes(1));

        Assert.True(passed);
        Assert.Equal(2, await statements.Read("SELECT last_value FROM attempts", [], row => row.GetInt64(0), CancellationToken.None));
        Assert.Equal([12, 11], await Generations(one, two));
    }
}

[Collection(SqlServerDatabase.Collection)]
public sealed class DeadlocksOnSqlServer(SqlServerFixture fixture) : DeadlockSuite(fixture), IClassFixture<SqlServerFixture>;

/// <summary>What a database server undoes for the sake of others, because of a deadlock or of a row that changed under a snapshot, is done again, and nothing else is. SQLite has one writer, and neither of them.</summary>
public abstract class DeadlockSuite(StorageFixture fixture)
{
    [StorageFact]
    public async Task A_change_that_lost_a_deadlock_is_made_again()
    {
        var (one, two) = (await fixture.AddClient("deadlock-1"), await fixture.AddClient("deadlock-2"));
        TaskCompletionSource hasOne = new(), hasTwo = new();
        var attempts = 0;

        async Task Both(Client first, Client second, TaskCompletionSource mine, TaskCompletionSource others, string record)
        {
            await fixture.Database.Write(async db =>
            {
                Interlocked.Increment(ref attempts);
                db.Add(new RevokedToken { JwtId = record, ExpiresAt = fixture.Clock.GetUtcNow() });
                await db.SaveChangesAsync();
                await Raise(db, first);
                mine.TrySetResult();
                // The first time each has one of the rows, and wants the other's.
                await others.Task;
                await Raise(db, second);
            }, CancellationToken.None);
        }
        await Task.WhenAll(Both(one, two, hasOne, hasTwo, "deadlock-a"), Both(two, one, hasTwo, hasOne, "deadlock-b")).WaitAsync(TimeSpan.FromMinutes(1));

        Assert.Equal(3, attempts);
        Assert.Equal([3, 3], await Generations(one, two));
        await using var read = fixture.Database.OpenForReading();
        Assert.Equal(2, await read.Set<RevokedToken>().CountAsync(t => t.JwtId.StartsWith("deadlock-")));
    }

    [StorageFact]
    public async Task A_statement_that_lost_a_deadlock_is_run_again()
    {
        using var statements = new PreparedStatements(fixture.Database);
        var (one, two) = (await fixture.AddClient("statement-1"), await fixture.AddClient("statement-2"));
        // Both rows in one statement, in the order of the first reader; the transaction takes them in the other.
        TaskCompletionSource hasTwo = new();
        var change = fixture.Database.Write(async db =>
        {
            await Raise(db, two);
            // Only the first time: whoever lost, the other one has gone on since.
            if (hasTwo.TrySetResult()) await WaitFor(async () => !await IsFree(one));
            await Raise(db, one);
        }, CancellationToken.None);
        await hasTwo.Task;
        var changed = await statements.Execute("""UPDATE "Clients" SET "Generation" = "Generation" + 10 WHERE "Id" IN (@p0, @p1)""", [one.Id, two.Id], CancellationToken.None).WaitAsync(TimeSpan.FromMinutes(1));
        await change.WaitAsync(TimeSpan.FromMinutes(1));

        Assert.Equal(2, changed);
        Assert.Equal([12, 12], await Generations(one, two));
    }

    [StorageFact]
    public async Task A_change_whose_row_somebody_has_changed_since_it_looked_is_made_again()
    {
        // Without this SQL Server keeps no snapshots.
        if (fixture.Database.Engine == Engine.SqlServer) await Execute("ALTER DATABASE CURRENT SET ALLOW_SNAPSHOT_ISOLATION ON");
        using var database = new Database(fixture.Database.Engine, OpenSnapshot);
        foreach (var isSaved in (bool[])[false, true])
        {
            var client = await fixture.AddClient($"looked-at-{isSaved}");
            var attempts = 0;
            await database.Write(async db =>
            {
                attempts++;
                db.Add(new RevokedToken { JwtId = $"looked-at-{isSaved}", ExpiresAt = fixture.Clock.GetUtcNow() });
                await db.SaveChangesAsync();
                var seen = await db.Set<Client>().AsTracking().SingleAsync(c => c.Id == client.Id);
                if (attempts == 1) await fixture.Database.Write(other => other.Set<Client>().Where(c => c.Id == client.Id).ExecuteUpdateAsync(set => set.SetProperty(c => c.Generation, c => c.Generation + 10)), CancellationToken.None);
                if (!isSaved)
                {
                    await Raise(db, client);
                    return;
                }
                seen.Generation++;
                await db.SaveChangesAsync();
            }, CancellationToken.None);

            Assert.Equal(2, attempts);
            Assert.Equal([12], await Generations(client));
            await using var read = fixture.Database.OpenForReading();
            Assert.Equal(1, await read.Set<RevokedToken>().CountAsync(t => t.JwtId == $"looked-at-{isSaved}"));
        }
    }

    [StorageFact]
    public async Task A_change_that_failed_for_a_reason_of_its_own_is_not_made_again()
    {
        var attempts = 0;
        await fixture.AddClient("its-own-reason");
        var failure = await Assert.ThrowsAnyAsync<Exception>(() => fixture.Database.Write(async db =>
        {
            attempts++;
            db.Add(new Client { ClientId = "its-own-reason", AuthenticationMethods = ["none"], GrantTypes = ["password"], CreatedAt = fixture.Clock.GetUtcNow() });
            await db.SaveChangesAsync();
        }, CancellationToken.None));
        Assert.True(Database.IsUniqueViolation(failure));
        Assert.Equal(1, attempts);
    }

    private protected static Task<int> Raise(IdpDbContext db, Client client) =>
        db.Set<Client>().Where(c => c.Id == client.Id).ExecuteUpdateAsync(set => set.SetProperty(c => c.Generation, c => c.Generation + 1));

    private protected async Task<List<long>> Generations(params Client[] clients)
    {
        var ids = clients.Select(client => client.Id).ToList();
        await using var read = fixture.Database.OpenForReading();
        return await read.Set<Client>().Where(c => ids.Contains(c.Id)).OrderBy(c => c.Id).Select(c => c.Generation).ToListAsync();
    }

    // Whether nobody has the row for themselves.
    private protected async Task<bool> IsFree(Client client)
    {
        var lockIt = fixture.Database.Engine == Engine.Postgres
            ? """SELECT 1 AS "Value" FROM "Clients" WHERE "Id" = {0} FOR UPDATE SKIP LOCKED"""
            : """SELECT 1 AS "Value" FROM "Clients" WITH (UPDLOCK, READPAST) WHERE "Id" = {0}""";
        using var other = fixture.AnotherNode();
        return await other.Write(async db => (await db.Database.SqlQueryRaw<int>(lockIt, client.Id).ToListAsync()).Count > 0, CancellationToken.None);
    }

    private protected static async Task WaitFor(Func<Task<bool>> condition)
    {
        for (var i = 0; i < 600; i++)
        {
            if (await condition()) return;
            await Task.Delay(50);
        }
        Assert.Fail("it did not happen within half a minute");
    }

    private IdpDbContext OpenSnapshot()
    {
        var given = fixture.Options.Storage.ConnectionString!;
        return fixture.Database.Engine == Engine.Postgres
            ? new PostgresIdpDbContext(new DbContextOptionsBuilder<PostgresIdpDbContext>().UseNpgsql(given).AddInterceptors(new Snapshot(IsolationLevel.RepeatableRead)).Options)
            : new SqlServerIdpDbContext(new DbContextOptionsBuilder<SqlServerIdpDbContext>(IdP.Storage.SqlServer.Options(given, maxBatchSize: null)).AddInterceptors(new Snapshot(IsolationLevel.Snapshot)).Options);
    }

    private async Task Execute(string sql)
    {
        await using var connection = await fixture.Database.Connect(CancellationToken.None);
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        await command.ExecuteNonQueryAsync();
    }

    private sealed class Snapshot(IsolationLevel level) : DbTransactionInterceptor
    {
        public override async ValueTask<InterceptionResult<DbTransaction>> TransactionStartingAsync(
            DbConnection connection, TransactionStartingEventData eventData, InterceptionResult<DbTransaction> result, CancellationToken cancellationToken = default) =>
            InterceptionResult<DbTransaction>.SuppressWithResult(await connection.BeginTransactionAsync(level, cancellationToken));
    }
}
