using IdP.Clients;
using IdP.Grants;
using IdP.Testing;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace IdP.Storage.Tests.Writes;

public sealed class DeadlocksOnPostgres(PostgresFixture fixture) : DeadlockSuite(fixture), IClassFixture<PostgresFixture>;

[Collection(SqlServerDatabase.Collection)]
public sealed class DeadlocksOnSqlServer(SqlServerFixture fixture) : DeadlockSuite(fixture), IClassFixture<SqlServerFixture>;

/// <summary>What a database server undoes for the sake of others is done again, and nothing else is. SQLite has one writer, and no deadlocks.</summary>
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
        await using var read = fixture.Database.OpenForReading();
        Assert.Equal([3, 3], await read.Set<Client>().Where(c => c.Id == one.Id || c.Id == two.Id).Select(c => c.Generation).ToListAsync());
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
        await using var read = fixture.Database.OpenForReading();
        Assert.Equal([12, 12], await read.Set<Client>().Where(c => c.Id == one.Id || c.Id == two.Id).Select(c => c.Generation).ToListAsync());
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

    private static Task<int> Raise(IdpDbContext db, Client client) =>
        db.Set<Client>().Where(c => c.Id == client.Id).ExecuteUpdateAsync(set => set.SetProperty(c => c.Generation, c => c.Generation + 1));

    // Whether nobody has the row for themselves.
    private async Task<bool> IsFree(Client client)
    {
        var lockIt = fixture.Database.Engine == Engine.Postgres
            ? """SELECT 1 AS "Value" FROM "Clients" WHERE "Id" = {0} FOR UPDATE SKIP LOCKED"""
            : """SELECT 1 AS "Value" FROM "Clients" WITH (UPDLOCK, READPAST) WHERE "Id" = {0}""";
        using var other = fixture.AnotherNode();
        return await other.Write(async db => (await db.Database.SqlQueryRaw<int>(lockIt, client.Id).ToListAsync()).Count > 0, CancellationToken.None);
    }

    private static async Task WaitFor(Func<Task<bool>> condition)
    {
        for (var i = 0; i < 600; i++)
        {
            if (await condition()) return;
            await Task.Delay(50);
        }
        Assert.Fail("it did not happen within half a minute");
    }
}
