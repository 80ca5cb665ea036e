using IdP.Storage;
using Microsoft.EntityFrameworkCore;

namespace IdP.Audit;

/// <summary>
/// Sealed events that are old enough to go, from the beginning of the chain to <see cref="Last"/>. They go only as far as the chain holds, so
/// that what somebody has changed or taken out stays to be found, and events that are not sealed never go.
/// </summary>
internal sealed record OldEvents(AuditBeginning From, long Last, byte[] Hash, string? Problem)
{
    private static readonly TimeSpan ToldEvery = TimeSpan.FromDays(1);

    public int Count => (int)(Last - From.Sequence);

    /// <summary>The first of the chain, at most so many, up to the first that is not from before this time.</summary>
    public static async Task<OldEvents> Find(Database database, DateTimeOffset before, int most, CancellationToken ct)
    {
        await using var db = database.OpenForReading();
        var from = await AuditBeginning.Of(db, ct);
        var first = await db.Set<AuditEvent>().Where(e => e.Sequence > from.Sequence).OrderBy(e => e.Sequence).Take(most).ToListAsync(ct);
        var (last, hash) = (from.Sequence, from.Hash);
        foreach (var one in first.TakeWhile(e => e.At < before))
        {
            if (AuditChain.Problem(hash, last + 1, one) is { } problem)
                return new OldEvents(from, last, hash, (await AuditBeginning.Of(db, ct)).Sequence == from.Sequence ? problem : null);
            (last, hash) = (last + 1, one.Hash!);
        }
        return new OldEvents(from, last, hash, Problem: null);
    }

    /// <summary>Moves the beginning and removes what lies before it, in one transaction; the number of events that went.</summary>
    public async Task<int> Remove(IdpDbContext db, int days, DateTimeOffset now, CancellationToken ct)
    {
        var tells = From.ToldAt <= now - ToldEvery;
        var toldAt = tells ? now : From.ToldAt;
        var moved = await db.Set<AuditBeginning>().Where(b => b.Id == AuditBeginning.OnlyId && b.Sequence == From.Sequence)
            .ExecuteUpdateAsync(set => set.SetProperty(b => b.Sequence, Last).SetProperty(b => b.Hash, Hash).SetProperty(b => b.ToldAt, toldAt), ct);
        // Another node has done it, whose lease was over.
        if (moved == 0) return 0;
        if (tells)
        {
            AuditEvent.Record(db, now, new AuditShortened(days, Last + 1), "server");
            await db.SaveChangesAsync(ct);
        }
        return await db.Set<AuditEvent>().Where(e => e.Sequence > From.Sequence && e.Sequence <= Last).ExecuteDeleteAsync(ct);
    }
}
