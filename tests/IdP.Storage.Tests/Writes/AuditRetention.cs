using IdP.Audit;
using IdP.Retention;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace IdP.Storage.Tests.Writes;

public sealed class AuditRetentionOnSqlite(SqliteFixture fixture) : AuditRetentionSuite(fixture), IClassFixture<SqliteFixture>;

public sealed class AuditRetentionOnPostgres(PostgresFixture fixture) : AuditRetentionSuite(fixture), IClassFixture<PostgresFixture>;

[Collection(IdP.Testing.SqlServerDatabase.Collection)]
public sealed class AuditRetentionOnSqlServer(SqlServerFixture fixture) : AuditRetentionSuite(fixture), IClassFixture<SqlServerFixture>;

/// <summary>Events that are not kept for ever: what goes, what stays, and what the chain still says.</summary>
public abstract class AuditRetentionSuite(StorageFixture fixture)
{
    [StorageFact]
    public async Task Sealed_events_go_after_their_days_and_not_before_and_the_chain_holds_after_each_removal()
    {
        var now = await Begin((30, -100), (30, -50), (30, -10));

        Assert.Equal((20, 10, 0), (await Sweep(60, now, 20), await Sweep(60, now, 20), await Sweep(60, now, 20)));
        Assert.Equal((30L, 90L, 1), await Reach());
        Assert.Equal(31, await First());
        Assert.Equal(0, await Sweep(51, now));
        Assert.Equal(30, await Sweep(49, now));
        Assert.Equal((60L, 90L, 1), await Reach());

        // It is told once a day, in an event like any other.
        await Seal(now);
        Assert.Equal((60L, 91L, 0), await Reach());
        await using (var read = fixture.Database.OpenForReading())
            Assert.Equal("""{"days":"60","before":"21"}""", (await read.Set<AuditEvent>().SingleAsync(e => e.Type == "audit.shortened")).Details);

        // All of them: the next one is sealed to what was the last.
        Assert.Equal(31, await Sweep(30, now.AddDays(31)));
        Assert.Equal((91L, 91L, 1), await Reach());
        await Seal(now);
        Assert.Equal((91L, 92L, 0), await Reach());
        Assert.Equal(92, await First());
    }

    [StorageFact]
    public async Task What_is_not_sealed_stays_however_old_it_is_and_without_the_setting_everything_does()
    {
        var now = await Begin((5, -100));
        await Record(3, now.AddDays(-99));

        Assert.Equal(ExpiredRows.All, ExpiredRows.Of(new RetentionOptions(), NullLogger.Instance));
        await RetentionFeature.SweepOnce(fixture.Database, now, CancellationToken.None);
        Assert.Equal((0L, 5L, 3), await Reach());

        Assert.Equal(5, await Sweep(30, now));
        Assert.Equal(0, await Sweep(30, now));
        Assert.Equal((5L, 5L, 4), await Reach());
    }

    [StorageFact]
    public async Task An_older_event_that_was_sealed_later_waits_for_those_before_it()
    {
        var now = await Begin((2, -10), (2, -100), (2, -10));

        Assert.Equal(0, await Sweep(30, now));
        Assert.Equal((0L, 6L, 0), await Reach());
        Assert.Equal(6, await Sweep(30, now.AddDays(30)));
    }

    [StorageFact]
    public async Task What_is_changed_or_taken_out_is_found_behind_the_beginning_and_stays_to_be_found()
    {
        var now = await Begin((10, -100), (10, -50));
        Assert.Equal(10, await Sweep(60, now));

        await Alter(15, e => e.Actor = "nobody");
        Assert.StartsWith("event 15 (", await Problem(), StringComparison.Ordinal);
        // As far as it holds and no further.
        Assert.Equal((4, 0), (await Sweep(30, now), await Sweep(30, now)));
        Assert.Equal(15, await First());
        await Alter(15, e => e.Actor = "cli");
        Assert.Null(await Problem());

        await fixture.Write(db => db.Set<AuditEvent>().Where(e => e.Sequence == 17).ExecuteDelete());
        Assert.StartsWith("event 17 is missing", await Problem(), StringComparison.Ordinal);
        await fixture.Write(db => db.Set<AuditEvent>().Where(e => e.Sequence == 15).ExecuteDelete());
        Assert.StartsWith("event 15 is missing", await Problem(), StringComparison.Ordinal);
        Assert.Equal(0, await Sweep(30, now));
    }

    [StorageFact]
    public async Task A_beginning_that_was_moved_by_itself_is_found()
    {
        var now = await Begin((10, -100), (10, -50));
        Assert.Equal(10, await Sweep(60, now));
        var (kept, twelfth) = (await Beginning(), await Event(12));

        await Move(12, twelfth.Hash!);
        Assert.StartsWith("event 11 (", await Problem(), StringComparison.Ordinal);
        Assert.EndsWith("is there, and the chain begins after event 12: its beginning has been moved", await Problem(), StringComparison.Ordinal);
        await Move(9, kept.Hash);
        Assert.StartsWith("event 10 is missing", await Problem(), StringComparison.Ordinal);
        await Move(10, twelfth.Hash!);
        Assert.StartsWith("event 11 (", await Problem(), StringComparison.Ordinal);
        Assert.EndsWith("is not what was sealed", await Problem(), StringComparison.Ordinal);
        await fixture.Write(db => db.Set<AuditBeginning>().ExecuteDelete());
        Assert.StartsWith("event 1 is missing", await Problem(), StringComparison.Ordinal);
        await fixture.Write(db => db.Add(kept));
        Assert.Null(await Problem());
    }

    [StorageFact]
    public async Task A_head_that_was_kept_is_met_while_its_event_or_the_beginning_is_there()
    {
        var now = await Begin((10, -100), (10, -50));
        var (fifth, tenth, last) = (await Event(5), await Event(10), await Event(20));
        Assert.Equal(10, await Sweep(60, now));

        Assert.Null(await Problem((20, last.Hash!)));
        Assert.Null(await Problem((10, tenth.Hash!)));
        // Nobody can say any more; that is not the same as tampering.
        Assert.Null(await Problem((5, fifth.Hash!)));
        Assert.Contains("made anew", await Problem((10, fifth.Hash!)), StringComparison.Ordinal);
        Assert.Contains("made anew", await Problem((20, tenth.Hash!)), StringComparison.Ordinal);
        Assert.Contains("cut off", await Problem((21, last.Hash!)), StringComparison.Ordinal);
    }

    [StorageFact]
    public async Task A_removal_that_does_not_become_durable_moves_nothing_and_of_two_nodes_one_removes()
    {
        var now = await Begin((10, -100));
        using var second = fixture.AnotherNode();
        var (one, other) = (await OldEvents.Find(fixture.Database, now.AddDays(-30), 5, CancellationToken.None), await OldEvents.Find(second, now.AddDays(-30), 8, CancellationToken.None));

        await Assert.ThrowsAsync<InvalidOperationException>(() => fixture.Database.Write(async db =>
        {
            Assert.Equal(5, await one.Remove(db, 30, now, CancellationToken.None));
            throw new InvalidOperationException("the power is gone");
        }, CancellationToken.None));
        Assert.Equal((0L, 10L, 0), await Reach());

        var removed = await Task.WhenAll(fixture.Database.Write(db => one.Remove(db, 30, now, CancellationToken.None), CancellationToken.None),
            second.Write(db => other.Remove(db, 30, now, CancellationToken.None), CancellationToken.None));
        Assert.Contains(0, removed);
        Assert.Equal((removed.Sum(), 10L, 1), await Reach());
    }

    [StorageFact]
    public async Task Whoever_verifies_or_seals_while_events_go_finds_nothing_wrong()
    {
        var now = await Begin((400, -100), (50, -1));
        using var second = fixture.AnotherNode();
        var verdicts = new List<string?>();
        using var over = new CancellationTokenSource();
        var verifying = Task.Run(async () =>
        {
            while (!over.IsCancellationRequested) verdicts.Add((await AuditChain.Verify(second, expected: null, CancellationToken.None)).Problem);
        });

        for (var removed = 1; removed > 0;)
        {
            removed = await Sweep(30, now, 10);
            await Record(1, now);
            await AuditChain.SealOnce(second, Guid.Empty, now, CancellationToken.None);
        }
        await over.CancelAsync();
        await verifying;

        Assert.NotEmpty(verdicts);
        Assert.All(verdicts, Assert.Null);
        await Seal(now);
        // Forty batches and the look that finds no more, an event after each, and the one that tells of it.
        Assert.Equal((400L, 450L + 42, 0), await Reach());
    }

    /// <summary>A chain of nothing but so many events of so many days ago.</summary>
    private async Task<DateTimeOffset> Begin(params (int Count, int Days)[] events)
    {
        var now = fixture.Clock.GetUtcNow();
        await fixture.Write(db =>
        {
            db.Set<AuditEvent>().ExecuteDelete();
            db.Set<AuditBeginning>().ExecuteDelete();
            db.Set<Lease>().ExecuteUpdate(set => set.SetProperty(l => l.ExpiresAt, DateTimeOffset.UnixEpoch));
            db.Add(new AuditBeginning { ToldAt = DateTimeOffset.UnixEpoch });
        });
        foreach (var (count, days) in events)
        {
            await Record(count, now.AddDays(days));
            await Seal(now);
        }
        return now;
    }

    private Task<int> Seal(DateTimeOffset now) => AuditChain.SealOnce(fixture.Database, Guid.Empty, now, CancellationToken.None);

    private Task Record(int count, DateTimeOffset at) => fixture.Write(db =>
    {
        for (var i = 0; i < count; i++) AuditEvent.Record(db, at, new KeysResealed(i), "cli", $"user:{i}", "::1");
    });

    private async Task<int> Sweep(int days, DateTimeOffset now, int size = 500) =>
        (await ExpiredRows.Of(new RetentionOptions { AuditDays = days }, NullLogger.Instance).Single(kind => kind.Name == "audit_events").Remove(fixture.Database, now, size, CancellationToken.None)).Rows;

    /// <summary>The last that was removed, the last of all, and how many are not sealed.</summary>
    private async Task<(long, long, int)> Reach()
    {
        var verdict = await AuditChain.Verify(fixture.Database, expected: null, CancellationToken.None);
        Assert.Null(verdict.Problem);
        return (verdict.Beginning.Sequence, verdict.Sealed, verdict.Unsealed);
    }

    private async Task<string?> Problem((long, byte[])? expected = null) => (await AuditChain.Verify(fixture.Database, expected, CancellationToken.None)).Problem;

    private async Task<long?> First()
    {
        await using var db = fixture.Database.OpenForReading();
        return await db.Set<AuditEvent>().MinAsync(e => e.Sequence);
    }

    private async Task<AuditEvent> Event(long number)
    {
        await using var db = fixture.Database.OpenForReading();
        return await db.Set<AuditEvent>().SingleAsync(e => e.Sequence == number);
    }

    private async Task<AuditBeginning> Beginning()
    {
        await using var db = fixture.Database.OpenForReading();
        return await AuditBeginning.Of(db, CancellationToken.None);
    }

    private Task Move(long sequence, byte[] hash) =>
        fixture.Write(db => db.Set<AuditBeginning>().ExecuteUpdate(set => set.SetProperty(b => b.Sequence, sequence).SetProperty(b => b.Hash, hash)));

    private Task Alter(long number, Action<AuditEvent> change) => fixture.Database.Write(async db =>
    {
        change(await db.Set<AuditEvent>().AsTracking().SingleAsync(e => e.Sequence == number));
        await db.SaveChangesAsync();
    }, CancellationToken.None);
}
