using System.Security.Cryptography;
using IdP.Audit;
using IdP.Protocol.Jose;
using IdP.Storage;
using Microsoft.EntityFrameworkCore;

namespace IdP.Keys;

/// <summary>What may happen to stored keys. Every method runs in its caller's transaction.</summary>
internal static class KeyStatements
{
    public const string SealAlgorithm = "A256GCM";
    public const string HashAlgorithm = "HS256";
    public const string HandleAlgorithm = "A256CTR-HS256";
    public const string PairwiseAlgorithm = "A256ECB";

    // Hashes cannot be made again without the secrets, and handles and sealed secrets may live for months: these keys stay until a command replaces them.
    // Pairwise subjects stay for ever.
    private static readonly KeyPurpose[] Staying = [KeyPurpose.Hash, KeyPurpose.Handle, KeyPurpose.Pairwise, KeyPurpose.SealStored];

    /// <summary>The longest life of anything that a key signs or seals; a key goes when the last of it has expired.</summary>
    public static readonly TimeSpan LongestToken = TimeSpan.FromDays(1);

    /// <summary>Whether keys of this kind are replaced when their time is over.</summary>
    public static bool RotatesByItself(KeyPurpose purpose) => !Staying.Contains(purpose);

    /// <summary>Makes the first key of a kind if there is none.</summary>
    public static async Task Ensure(IdpDbContext db, MasterKeys masters, KeyPurpose purpose, string algorithm, DateTimeOffset now, CancellationToken ct)
    {
        if (await db.Set<StoredKey>().AnyAsync(k => k.Purpose == purpose && k.Algorithm == algorithm && k.RevokedAt == null, ct)) return;
        await Add(db, masters, purpose, algorithm, now, now, "server", ct);
    }

    /// <summary>Makes the next key of each kind that is due: published at least a day before the current one hands over.</summary>
    public static async Task RotateWhatIsDue(IdpDbContext db, MasterKeys masters, IdpOptions options, DateTimeOffset now, CancellationToken ct)
    {
        var lifetime = TimeSpan.FromDays(options.Keys.LifetimeDays);
        var ahead = TimeSpan.FromDays(Math.Max(1, options.Keys.PublishDays));
        foreach (var newest in await Newest(db, ct))
        {
            if (Staying.Contains(newest.Purpose) || newest.ActiveFrom + lifetime - ahead > now) continue;
            await Succeed(db, masters, newest, Instant.Later(newest.ActiveFrom + lifetime, now + TimeSpan.FromDays(1)), now, "server", ct);
        }
    }

    /// <summary>Makes the next key of one kind now; a key that signs takes over after a day, when caches of the JWKS have it.</summary>
    public static async Task<StoredKey?> Rotate(IdpDbContext db, MasterKeys masters, KeyPurpose purpose, string algorithm, DateTimeOffset now, CancellationToken ct)
    {
        var newest = (await Newest(db, ct)).Find(k => k.Purpose == purpose && k.Algorithm == algorithm);
        if (newest is null) return null;
        var start = now + purpose switch
        {
            KeyPurpose.Sign => TimeSpan.FromDays(1),
            KeyPurpose.Hash => TimeSpan.Zero,
            // When every node has heard of it: what one seals the others must be able to open.
            _ => TimeSpan.FromSeconds(10),
        };
        return await Succeed(db, masters, newest, Instant.Later(start, newest.ActiveFrom), now, "cli", ct);
    }

    /// <summary>Ends a key at once, because it may be known to others; another one takes over at once if it was in use.</summary>
    public static async Task Revoke(IdpDbContext db, MasterKeys masters, StoredKey key, DateTimeOffset now, CancellationToken ct)
    {
        key.RevokedAt = now;
        key.Version = await ServerState.NextStamp(db, ct);
        AuditEvent.Record(db, now, new KeyRevoked(), "cli", $"key:{key.KeyId}");
        var others = await db.Set<StoredKey>().AsTracking()
            .Where(k => k.KeyId != key.KeyId && k.Purpose == key.Purpose && k.Algorithm == key.Algorithm && k.RevokedAt == null).ToListAsync(ct);
        var last = others.MaxBy(k => k.Number);
        if (last is null || last.ActiveUntil <= now)
        {
            await db.SaveChangesAsync(ct);
            await Add(db, masters, key.Purpose, key.Algorithm, now, now, "cli", ct);
            return;
        }
        // Without the key that was to follow, the last one stays; without the one in use, the one that waits begins now.
        last.ActiveUntil = null;
        if (!others.Exists(k => k.ActiveFrom <= now && (k.ActiveUntil is not { } until || until > now))) last.ActiveFrom = now;
        last.Version = key.Version;
        await db.SaveChangesAsync(ct);
    }

    /// <summary>
    /// Ends every key that has made something which others may hold, and makes another of each kind, which is used at once; the number of those
    /// that ended. Keys stay that nobody holds anything of: those that key hashes, that seal what stands in the database, and that of pairwise subjects.
    /// </summary>
    public static async Task<int> ReplaceAll(IdpDbContext db, MasterKeys masters, DateTimeOffset now, CancellationToken ct)
    {
        var old = await db.Set<StoredKey>().AsTracking().Where(k => k.RevokedAt == null && k.Purpose != KeyPurpose.Hash && k.Purpose != KeyPurpose.SealStored && k.Purpose != KeyPurpose.Pairwise).ToListAsync(ct);
        var stamp = await ServerState.NextStamp(db, ct);
        foreach (var key in old)
        {
            (key.RevokedAt, key.Version) = (now, stamp);
            AuditEvent.Record(db, now, new KeyRevoked(), "cli", $"key:{key.KeyId}");
        }
        await db.SaveChangesAsync(ct);
        foreach (var (purpose, algorithm) in old.Select(key => (key.Purpose, key.Algorithm)).Distinct()) await Add(db, masters, purpose, algorithm, now, now, "cli", ct);
        return old.Count;
    }

    /// <summary>Deletes keys whose last token has expired.</summary>
    public static Task<int> Sweep(IdpDbContext db, DateTimeOffset now, CancellationToken ct)
    {
        var gone = now - LongestToken - TimeSpan.FromMinutes(5);
        return db.Set<StoredKey>().Where(k => !Staying.Contains(k.Purpose) && (k.ActiveUntil < gone || k.RevokedAt < gone)).ExecuteDeleteAsync(ct);
    }

    /// <summary>Seals every key with the first master key.</summary>
    public static async Task<int> Reseal(IdpDbContext db, MasterKeys masters, DateTimeOffset now, CancellationToken ct)
    {
        var stale = await db.Set<StoredKey>().AsTracking().Where(k => k.MasterKeyId != masters.CurrentId).ToListAsync(ct);
        foreach (var key in stale)
        {
            key.Sealed = masters.Seal(masters.Open(key.Sealed, key.MasterKeyId, Associated(key)), Associated(key));
            key.MasterKeyId = masters.CurrentId;
        }
        AuditEvent.Record(db, now, new KeysResealed(stale.Count), "cli");
        await db.SaveChangesAsync(ct);
        return stale.Count;
    }

    public static string Associated(StoredKey key) => $"{key.KeyId}:{key.Purpose}";

    private static async Task<List<StoredKey>> Newest(IdpDbContext db, CancellationToken ct)
    {
        var keys = await db.Set<StoredKey>().AsTracking().Where(k => k.RevokedAt == null).ToListAsync(ct);
        return keys.GroupBy(k => (k.Purpose, k.Algorithm)).Select(kind => kind.MaxBy(k => k.Number)!).ToList();
    }

    private static async Task<StoredKey> Succeed(IdpDbContext db, MasterKeys masters, StoredKey current, DateTimeOffset start, DateTimeOffset now, string actor, CancellationToken ct)
    {
        var next = await Add(db, masters, current.Purpose, current.Algorithm, start, now, actor, ct);
        current.ActiveUntil = start;
        current.Version = next.Version;
        await db.SaveChangesAsync(ct);
        return next;
    }

    private static async Task<StoredKey> Add(IdpDbContext db, MasterKeys masters, KeyPurpose purpose, string algorithm, DateTimeOffset start, DateTimeOffset now, string actor, CancellationToken ct)
    {
        var (id, secret) = Generate(purpose, algorithm);
        var key = new StoredKey
        {
            KeyId = id,
            Purpose = purpose,
            Algorithm = algorithm,
            Number = 1 + (await db.Set<StoredKey>().Where(k => k.Purpose == purpose && k.Algorithm == algorithm).MaxAsync(k => (int?)k.Number, ct) ?? 0),
            Sealed = [],
            MasterKeyId = masters.CurrentId,
            CreatedAt = now,
            ActiveFrom = start,
            Version = await ServerState.NextStamp(db, ct),
        };
        key.Sealed = masters.Seal(secret, Associated(key));
        CryptographicOperations.ZeroMemory(secret);
        db.Add(key);
        AuditEvent.Record(db, now, new KeyCreated(), actor, $"key:{id}");
        await db.SaveChangesAsync(ct);
        return key;
    }

    private static (string Id, byte[] Secret) Generate(KeyPurpose purpose, string algorithm)
    {
        if (purpose != KeyPurpose.Sign) return (Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8)), RandomNumberGenerator.GetBytes(32));
        using var key = SigningKey.Generate(algorithm);
        return (key.KeyId, key.ExportPkcs8());
    }
}
