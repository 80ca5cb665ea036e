using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using IdP.Storage;
using Microsoft.EntityFrameworkCore;

namespace IdP.Audit;

/// <summary>Where the chain begins, how far it reaches, what is wrong with it, and what is not in it yet.</summary>
internal sealed record AuditVerdict(AuditBeginning Beginning, long Sealed, byte[] Head, string? Problem, int Unsealed, DateTimeOffset? UnsealedSince);

/// <summary>
/// Each sealed event has the next number and SHA-256 over its own content and the hash before. The chain has no key: somebody who may write
/// to the database could make all of it anew, or cut its end or its beginning off, so the head is worth keeping elsewhere. It begins after the
/// last of the <see cref="OldEvents"/> that were removed, if any were: see <see cref="AuditBeginning"/>.
/// </summary>
internal static class AuditChain
{
    public const int Batch = 500;
    private const int Page = 2000;
    private static readonly TimeSpan LeaseTime = TimeSpan.FromSeconds(30);

    /// <summary>Seals one batch of what is committed; the number of events that it sealed, none while another node does this.</summary>
    public static Task<int> SealOnce(Database database, Guid holder, DateTimeOffset now, CancellationToken ct) => database.Write(async db =>
    {
        if (!await Lease.Hold(db, Lease.AuditSeal, holder, now, LeaseTime, ct)) return 0;
        var last = await db.Set<AuditEvent>().AsNoTracking().Where(e => e.Sequence != null).OrderByDescending(e => e.Sequence).FirstOrDefaultAsync(ct);
        // There is none left when all were old and have been removed.
        var beginning = last is null ? await AuditBeginning.Of(db, ct) : null;
        var (sequence, hash) = (last?.Sequence ?? beginning!.Sequence, last?.Hash ?? beginning!.Hash);
        var events = await db.Set<AuditEvent>().AsTracking().Where(e => e.Sequence == null).OrderBy(e => e.Id).Take(Batch).ToListAsync(ct);
        foreach (var one in events)
        {
            hash = Link(hash, ++sequence, one);
            (one.Sequence, one.Hash) = (sequence, hash);
        }
        await db.SaveChangesAsync(ct);
        return events.Count;
    }, ct);

    /// <summary>Goes through the chain from its beginning to the first link that does not hold. An expected head from before the beginning cannot be met, and is no problem.</summary>
    public static async Task<AuditVerdict> Verify(Database database, (long Sequence, byte[] Hash)? expected, CancellationToken ct)
    {
        await using var db = database.OpenForReading();
        while (true)
        {
            var beginning = await AuditBeginning.Of(db, ct);
            var verdict = await Verify(db, beginning, expected, ct);
            // What was removed meanwhile because it is old has not been taken out.
            if (verdict.Problem is null || (await AuditBeginning.Of(db, ct)).Sequence == beginning.Sequence) return verdict;
        }
    }

    private static async Task<AuditVerdict> Verify(IdpDbContext db, AuditBeginning beginning, (long Sequence, byte[] Hash)? expected, CancellationToken ct)
    {
        var (sequence, hash, met) = (beginning.Sequence, beginning.Hash, expected is null || expected.Value.Sequence <= beginning.Sequence);
        var problem = await ProblemBefore(db, beginning, expected, ct);
        while (problem is null)
        {
            var after = sequence;
            var page = await db.Set<AuditEvent>().Where(e => e.Sequence > after).OrderBy(e => e.Sequence).Take(Page).ToListAsync(ct);
            foreach (var one in page)
            {
                problem = Problem(hash, sequence + 1, one);
                if (problem is not null) break;
                (sequence, hash) = (sequence + 1, one.Hash!);
                if (sequence != expected?.Sequence) continue;
                met = true;
                if (!CryptographicOperations.FixedTimeEquals(hash, expected.Value.Hash)) problem = $"event {sequence} ({one.Id:N}) has another hash than the one that was kept: the chain has been made anew";
                if (problem is not null) break;
            }
            if (page.Count == 0) break;
        }
        if (!met) problem ??= $"the chain ends at {sequence}, before the {expected!.Value.Sequence} that was kept: its end has been cut off";
        var unsealed = db.Set<AuditEvent>().Where(e => e.Sequence == null);
        var count = await unsealed.CountAsync(ct);
        var since = await unsealed.OrderBy(e => e.Id).Select(e => (DateTimeOffset?)e.At).FirstOrDefaultAsync(ct);
        return new AuditVerdict(beginning, sequence, hash, problem, count, since);
    }

    private static async Task<string?> ProblemBefore(IdpDbContext db, AuditBeginning beginning, (long Sequence, byte[] Hash)? expected, CancellationToken ct)
    {
        if (expected is { } head && head.Sequence == beginning.Sequence && !CryptographicOperations.FixedTimeEquals(beginning.Hash, head.Hash))
            return $"it begins after event {beginning.Sequence} with another hash than the one that was kept: the chain has been made anew";
        var before = await db.Set<AuditEvent>().Where(e => e.Sequence <= beginning.Sequence).OrderBy(e => e.Sequence).FirstOrDefaultAsync(ct);
        return before is null ? null : $"event {before.Sequence} ({before.Id:N}) is there, and the chain begins after event {beginning.Sequence}: its beginning has been moved";
    }

    /// <summary>Why this is not the event of that number after this hash, as it was sealed.</summary>
    public static string? Problem(byte[] before, long number, AuditEvent one) =>
        one.Sequence != number ? $"event {number} is missing: the next one is {one.Sequence} ({one.Id:N})"
        : one.Hash is not null && CryptographicOperations.FixedTimeEquals(one.Hash, Link(before, number, one)) ? null
        : $"event {number} ({one.Id:N}) is not what was sealed";

    private static byte[] Link(byte[] before, long sequence, AuditEvent one)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(before);
        Append(hash, sequence);
        hash.AppendData(one.Id.ToByteArray(bigEndian: true));
        Append(hash, one.At.ToUnixTimeMilliseconds());
        foreach (var text in (string?[])[one.Type, one.Actor, one.Target, one.Address, one.Details])
        {
            // The length first, so that nothing can move from one field to the next.
            var bytes = text is null ? [] : Encoding.UTF8.GetBytes(text);
            Append(hash, text is null ? -1 : bytes.Length);
            hash.AppendData(bytes);
        }
        return hash.GetHashAndReset();
    }

    private static void Append(IncrementalHash hash, long number)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(bytes, number);
        hash.AppendData(bytes);
    }
}
