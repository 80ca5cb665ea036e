using System.Security.Cryptography;
using IdP.Protocol.Jose;
using IdP.Storage;
using Microsoft.EntityFrameworkCore;

namespace IdP.Keys;

/// <summary>A key for handles, in the two that it is used as: derived once, because every handle needs both.</summary>
internal sealed record HandleKey(int Number, byte[] Mac, byte[] Encryption)
{
    public static HandleKey Derive(int number, byte[] secret) => new(number,
        HKDF.Expand(HashAlgorithmName.SHA256, secret, 32, "idp handle mac"u8.ToArray()), HKDF.Expand(HashAlgorithmName.SHA256, secret, 32, "idp handle encryption"u8.ToArray()));

    public override string ToString() => $"handle key {Number}";
}

/// <summary>The keys in memory, opened. Kept current by <see cref="ChangePoll"/>; what is active follows from the time.</summary>
internal sealed class KeyRing(Database database, IdpOptions options, TimeProvider clock)
{
    private volatile Snapshot _keys = new([], []);
    private MasterKeys? _masters;

    /// <summary>Changes whenever a key comes, goes or is revoked: what was derived from the ring is stale then.</summary>
    public object Edition => _keys;

    public MasterKeys Masters => _masters ?? throw new InvalidOperationException("The key ring is not open.");

    /// <summary>Refuses master keys that do not open what the database holds, before a start changes anything.</summary>
    public async Task RequireMasterKeys(CancellationToken ct)
    {
        var sealedWith = new List<string>();
        if ((await Migrator.Inspect(database, ct)).Count > 0)
        {
            await using var db = database.OpenForReading();
            sealedWith = await db.Set<StoredKey>().Select(k => k.MasterKeyId).Distinct().ToListAsync(ct);
        }
        if (sealedWith.Count > 0 || MasterKeys.Find(options) is not null) _ = MasterKeys.Load(options, sealedWith);
    }

    /// <summary>Opens the master key, makes the first keys and loads them all.</summary>
    public async Task Open(CancellationToken ct)
    {
        List<KeyPurpose> present;
        await using (var db = database.OpenForReading())
        {
            var stored = await db.Set<StoredKey>().Select(k => new { k.MasterKeyId, k.Purpose, k.RevokedAt }).ToListAsync(ct);
            _masters = MasterKeys.Load(options, stored.Select(k => k.MasterKeyId).Distinct().ToList());
            present = stored.Where(k => k.RevokedAt is null).Select(k => k.Purpose).Distinct().ToList();
        }
        if (present.Count < Enum.GetValues<KeyPurpose>().Length) await Write((db, now) => EnsureAll(db, now, ct), ct);
        await Load(-1, ct);
    }

    /// <summary>Makes the first key of an algorithm, for a resource that asks for it.</summary>
    public Task Ensure(IdpDbContext db, string algorithm, CancellationToken ct) =>
        KeyStatements.Ensure(db, Masters, KeyPurpose.Sign, algorithm, clock.GetUtcNow(), ct);

    public async Task Load(long sinceVersion, CancellationToken ct)
    {
        await using var db = database.OpenForReading();
        if (sinceVersion >= 0 && !await db.Set<StoredKey>().AnyAsync(k => k.Version > sinceVersion, ct)) return;
        var signing = new List<LoadedKey>();
        var symmetric = new List<LoadedKey>();
        foreach (var stored in await db.Set<StoredKey>().OrderBy(k => k.ActiveFrom).ThenBy(k => k.Number).ToListAsync(ct))
        {
            // Opening an RSA key is slow: what has not changed is kept.
            var loaded = _keys.All.FirstOrDefault(k => k.Stored.KeyId == stored.KeyId)?.With(stored) ??
                new LoadedKey(stored, Masters.Open(stored.Sealed, stored.MasterKeyId, KeyStatements.Associated(stored)));
            (stored.Purpose == KeyPurpose.Sign ? signing : symmetric).Add(loaded);
        }
        _keys = new Snapshot([.. signing], [.. symmetric]);
    }

    /// <summary>Hands over to due keys and forgets those whose tokens have all expired.</summary>
    public Task Maintain(CancellationToken ct) => Write(async (db, now) =>
    {
        await KeyStatements.RotateWhatIsDue(db, Masters, options, now, ct);
        await KeyStatements.Sweep(db, now, ct);
    }, ct);

    /// <summary>The key that signs with the algorithm now.</summary>
    public SigningKey Signer(string algorithm)
    {
        var now = clock.GetUtcNow();
        var keys = _keys.Signing;
        for (var i = keys.Length - 1; i >= 0; i--)
            if (keys[i].Signing!.Algorithm == algorithm && keys[i].IsActive(now)) return keys[i].Signing!;
        throw new StorageException($"There is no active {algorithm} key.");
    }

    /// <summary>The key that verifies a token that names it, if tokens of it may still be good.</summary>
    public VerificationKey? Verifier(string? keyId, string algorithm)
    {
        if (keyId is null) return null;
        var now = clock.GetUtcNow();
        foreach (var key in _keys.Signing)
            if (key.Stored.KeyId == keyId) return key.Signing!.Algorithm == algorithm && key.IsKept(now) ? key.Verification : null;
        return null;
    }

    /// <summary>What belongs into the JWKS now: the next keys, the active ones, and those whose tokens still live.</summary>
    public IReadOnlyList<SigningKey> Published()
    {
        var now = clock.GetUtcNow();
        return _keys.Signing.Where(k => k.IsKept(now)).Select(k => k.Signing!).ToList();
    }

    /// <summary>The keys that sign now, one for each algorithm.</summary>
    public IEnumerable<StoredKey> ActiveSigning()
    {
        var now = clock.GetUtcNow();
        return _keys.Signing.Where(k => k.IsActive(now)).Select(k => k.Stored).GroupBy(k => k.Algorithm).Select(same => same.Last());
    }

    /// <summary>The newest usable key of a kind that encrypts or hashes.</summary>
    public (string KeyId, byte[] Secret) Symmetric(KeyPurpose purpose)
    {
        var now = clock.GetUtcNow();
        var keys = _keys.Symmetric;
        for (var i = keys.Length - 1; i >= 0; i--)
            if (keys[i].Stored.Purpose == purpose && keys[i].IsActive(now)) return (keys[i].Stored.KeyId, keys[i].Secret!);
        throw new StorageException($"There is no active {purpose} key.");
    }

    public byte[]? Symmetric(KeyPurpose purpose, string keyId)
    {
        var now = clock.GetUtcNow();
        foreach (var key in _keys.Symmetric)
            if (key.Stored.KeyId == keyId && key.Stored.Purpose == purpose && (purpose == KeyPurpose.Hash || (purpose == KeyPurpose.SealStored && key.Stored.RevokedAt is null) || key.IsKept(now))) return key.Secret;
        return null;
    }

    /// <summary>The key that makes handles now, or the one with the number that a handle names.</summary>
    public HandleKey? HandleKey(int? number)
    {
        var (keys, now) = (_keys.Symmetric, clock.GetUtcNow());
        for (var i = keys.Length - 1; i >= 0; i--)
        {
            var stored = keys[i].Stored;
            if (stored.Purpose == KeyPurpose.Handle && (number is null ? keys[i].IsActive(now) : stored.Number == number && stored.RevokedAt is null)) return keys[i].Handle;
        }
        return null;
    }

    private async Task EnsureAll(IdpDbContext db, DateTimeOffset now, CancellationToken ct)
    {
        await KeyStatements.Ensure(db, Masters, KeyPurpose.Hash, KeyStatements.HashAlgorithm, now, ct);
        await KeyStatements.Ensure(db, Masters, KeyPurpose.Handle, KeyStatements.HandleAlgorithm, now, ct);
        await KeyStatements.Ensure(db, Masters, KeyPurpose.SealToken, KeyStatements.SealAlgorithm, now, ct);
        await KeyStatements.Ensure(db, Masters, KeyPurpose.SealPage, KeyStatements.SealAlgorithm, now, ct);
        await KeyStatements.Ensure(db, Masters, KeyPurpose.SealStored, KeyStatements.SealAlgorithm, now, ct);
        await KeyStatements.Ensure(db, Masters, KeyPurpose.Pairwise, KeyStatements.PairwiseAlgorithm, now, ct);
        await KeyStatements.Ensure(db, Masters, KeyPurpose.Sign, SigningAlgorithms.ES256, now, ct);
    }

    // Nodes that start or rotate at once must not each make a key.
    private Task Write(Func<IdpDbContext, DateTimeOffset, Task> change, CancellationToken ct) => database.Write(async db =>
    {
        await ServerState.TakeTurn(db, ct);
        await change(db, clock.GetUtcNow());
    }, ct);

    private sealed record Snapshot(LoadedKey[] Signing, LoadedKey[] Symmetric)
    {
        public IEnumerable<LoadedKey> All => Signing.Concat(Symmetric);
    }

    private sealed class LoadedKey
    {
        public LoadedKey(StoredKey stored, byte[] secret)
        {
            Stored = stored;
            if (stored.Purpose == KeyPurpose.Sign)
            {
                Signing = SigningKey.Import(stored.Algorithm, secret);
                Verification = Signing.ToVerificationKey();
            }
            else Secret = secret;
            if (stored.Purpose == KeyPurpose.Handle) Handle = Keys.HandleKey.Derive(stored.Number, secret);
        }

        private LoadedKey(StoredKey stored, LoadedKey opened) =>
            (Stored, Signing, Verification, Secret, Handle) = (stored, opened.Signing, opened.Verification, opened.Secret, opened.Handle);

        public StoredKey Stored { get; }
        public SigningKey? Signing { get; }
        public VerificationKey? Verification { get; }
        public byte[]? Secret { get; }
        public HandleKey? Handle { get; }

        public LoadedKey With(StoredKey stored) => new(stored, this);

        public bool IsActive(DateTimeOffset now) =>
            Stored.RevokedAt is null && Stored.ActiveFrom <= now && (Stored.ActiveUntil is not { } until || until > now);

        public bool IsKept(DateTimeOffset now) =>
            Stored.RevokedAt is null && (Stored.ActiveUntil is not { } until || until + KeyStatements.LongestToken > now);
    }
}
