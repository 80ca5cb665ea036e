using IdP.Clients;
using IdP.Grants;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace IdP.Storage.Tests.Writes;

public sealed class WritesOnSqlite(SqliteFixture fixture) : WriteSuite(fixture), IClassFixture<SqliteFixture>;

public sealed class WritesOnPostgres(PostgresFixture fixture) : WriteSuite(fixture), IClassFixture<PostgresFixture>;

[Collection(IdP.Testing.SqlServerDatabase.Collection)]
public sealed class WritesOnSqlServer(SqlServerFixture fixture) : WriteSuite(fixture), IClassFixture<SqlServerFixture>;

/// <summary>What a write promises, alone and among many.</summary>
public abstract class WriteSuite(StorageFixture fixture)
{
    [StorageFact]
    public async Task A_failed_change_undoes_itself_and_no_other()
    {
        var now = fixture.Clock.GetUtcNow();
        var results = await Task.WhenAll(Enumerable.Range(0, 100).Select(async i =>
        {
            try
            {
                await fixture.Database.Write(async db =>
                {
                    db.Add(new RevokedToken { JwtId = $"batch-{i}", ExpiresAt = now });
                    await db.SaveChangesAsync();
                    if (i % 3 == 0) throw new InvalidOperationException("on purpose");
                }, CancellationToken.None);
                return true;
            }
            catch (InvalidOperationException)
            {
                return false;
            }
        }));
        await using var read = fixture.Database.OpenForReading();
        var stored = await read.Set<RevokedToken>().Where(t => t.JwtId.StartsWith("batch-")).Select(t => t.JwtId).ToListAsync();
        Assert.Equal(Enumerable.Range(0, 100).Where(i => i % 3 != 0).Select(i => $"batch-{i}").Order(StringComparer.Ordinal), stored.Order(StringComparer.Ordinal));
        Assert.Equal(results.Count(done => done), stored.Count);
    }

    [StorageFact]
    public async Task What_was_acknowledged_is_visible_to_another_node_at_once()
    {
        using var other = fixture.AnotherNode();
        for (var i = 0; i < 20; i++)
        {
            var id = $"seen-{i}";
            await fixture.Write(db => db.Add(new RevokedToken { JwtId = id, ExpiresAt = fixture.Clock.GetUtcNow() }));
            await using var read = other.OpenForReading();
            Assert.True(await read.Set<RevokedToken>().AnyAsync(t => t.JwtId == id));
        }
    }

    [StorageFact]
    public async Task Of_parallel_conditional_updates_exactly_one_wins()
    {
        var client = await fixture.AddClient("contested");
        using var other = fixture.AnotherNode();
        var wins = await Task.WhenAll(Enumerable.Range(0, 100).Select(i => (i % 2 == 0 ? fixture.Database : other).Write(db =>
            db.Set<Client>().Where(c => c.Id == client.Id && c.Generation == 1).ExecuteUpdateAsync(set => set.SetProperty(c => c.Generation, 2)),
            CancellationToken.None)));
        Assert.Equal(1, wins.Sum());
    }

    [StorageFact]
    public async Task Change_stamps_commit_in_their_order()
    {
        using var other = fixture.AnotherNode();
        var stamps = await Task.WhenAll(Enumerable.Range(0, 60).Select(i => (i % 2 == 0 ? fixture.Database : other).Write(
            db => ServerState.NextStamp(db, CancellationToken.None), CancellationToken.None)));
        Assert.Equal(stamps.Length, stamps.Distinct().Count());
        await using var read = fixture.Database.OpenForReading();
        Assert.Equal(stamps.Max(), (await read.Set<ServerState>().SingleAsync()).ChangeStamp);
    }

    [StorageFact]
    public async Task A_change_that_was_cancelled_before_it_ran_leaves_nothing()
    {
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => fixture.Database.Write(
            db => { db.Add(new RevokedToken { JwtId = "cancelled", ExpiresAt = fixture.Clock.GetUtcNow() }); return db.SaveChangesAsync(cancelled.Token); }, cancelled.Token));
        await using var read = fixture.Database.OpenForReading();
        Assert.False(await read.Set<RevokedToken>().AnyAsync(t => t.JwtId == "cancelled"));
    }
}
