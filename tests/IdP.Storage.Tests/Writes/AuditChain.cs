using IdP.Audit;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace IdP.Storage.Tests.Writes;

public sealed class AuditChainOnSqlite(SqliteFixture fixture) : AuditChainSuite(fixture), IClassFixture<SqliteFixture>;

public sealed class AuditChainOnPostgres(PostgresFixture fixture) : AuditChainSuite(fixture), IClassFixture<PostgresFixture>;

[Collection(IdP.Testing.SqlServerDatabase.Collection)]
public sealed class AuditChainOnSqlServer(SqlServerFixture fixture) : AuditChainSuite(fixture), IClassFixture<SqlServerFixture>;

public abstract class AuditChainSuite(StorageFixture fixture)
{
    private static readonly Guid One = Guid.NewGuid(), Other = Guid.NewGuid();

    [StorageFact]
    [Trait("Case", "LOG-03")]
    public async Task Sealed_events_are_numbered_without_a_gap_and_whatever_is_changed_or_taken_out_is_named()
    {
        await Record(1200);
        using var second = fixture.AnotherNode();
        var now = fixture.Clock.GetUtcNow();

        // One node at a time: the other finds the lease taken.
        Assert.Equal(AuditChain.Batch, await AuditChain.SealOnce(fixture.Database, One, now, CancellationToken.None));
        Assert.Equal(0, await AuditChain.SealOnce(second, Other, now, CancellationToken.None));
        Assert.Equal((500L, 700), await Reach());
        // It takes over when the holder's time is over; two that both hold it still make one chain.
        await Task.WhenAll(Enumerable.Range(0, 6).Select(i => AuditChain.SealOnce(i % 2 == 0 ? fixture.Database : second, Other, now.AddMinutes(1), CancellationToken.None)));
        await Record(3);

        Assert.Equal((1200L, 3), await Reach());
        await using var read = fixture.Database.OpenForReading();
        Assert.Equal(Enumerable.Range(1, 1200).Select(n => (long?)n), await read.Set<AuditEvent>().Where(e => e.Sequence != null).OrderBy(e => e.Sequence).Select(e => e.Sequence).ToListAsync());
        var head = (1200L, (await read.Set<AuditEvent>().SingleAsync(e => e.Sequence == 1200)).Hash!);
        Assert.Null((await AuditChain.Verify(fixture.Database, head, CancellationToken.None)).Problem);

        var seventh = await read.Set<AuditEvent>().SingleAsync(e => e.Sequence == 7);
        foreach (var (change, restore) in ((Action<AuditEvent>, Action<AuditEvent>)[])[
            (e => e.Actor = "cli2", e => e.Actor = seventh.Actor), (e => e.Target = null, e => e.Target = seventh.Target),
            (e => (e.Actor, e.Target) = ("cl", "i" + e.Target), e => (e.Actor, e.Target) = (seventh.Actor, seventh.Target)),
            (e => e.At = e.At.AddSeconds(1), e => e.At = seventh.At), (e => e.Details = "{}", e => e.Details = seventh.Details)])
        {
            await Alter(change);
            Assert.Equal($"event 7 ({seventh.Id:N}) is not what was sealed", await Problem());
            await Alter(restore);
        }
        Assert.Null(await Problem());

        // The end cut off shows to whoever kept the head; an event taken out shows by itself.
        await fixture.Write(db => db.Set<AuditEvent>().Where(e => e.Sequence > 1190).ExecuteDelete());
        Assert.Null(await Problem());
        Assert.Contains("cut off", (await AuditChain.Verify(fixture.Database, head, CancellationToken.None)).Problem, StringComparison.Ordinal);
        await fixture.Write(db => db.Set<AuditEvent>().Where(e => e.Sequence == 9).ExecuteDelete());
        Assert.StartsWith("event 9 is missing", await Problem(), StringComparison.Ordinal);

        async Task<string?> Problem() => (await AuditChain.Verify(fixture.Database, expected: null, CancellationToken.None)).Problem;
        Task Alter(Action<AuditEvent> change) => fixture.Database.Write(async db =>
        {
            change(await db.Set<AuditEvent>().AsTracking().SingleAsync(e => e.Id == seventh.Id));
            await db.SaveChangesAsync();
        }, CancellationToken.None);
    }

    private async Task<(long, int)> Reach()
    {
        var verdict = await AuditChain.Verify(fixture.Database, expected: null, CancellationToken.None);
        Assert.Null(verdict.Problem);
        return (verdict.Sealed, verdict.Unsealed);
    }

    private Task Record(int count) => fixture.Write(db =>
    {
        for (var i = 0; i < count; i++) AuditEvent.Record(db, fixture.Clock.GetUtcNow(), new KeysResealed(i), "cli", $"user:{i}", "::1");
    });
}
