using System.Globalization;
using IdP.Audit;
using IdP.Clients;
using IdP.Grants;
using IdP.Keys;
using IdP.Outbox;
using IdP.Protocol.OAuth;
using IdP.Resources;
using IdP.Storage;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;

namespace IdP.Commands;

internal enum HealthLevel
{
    Ok,

    /// <summary>Worth a look before it becomes a problem.</summary>
    Note,

    /// <summary>Something does not work, or soon will not.</summary>
    Problem,
}

/// <summary>What was examined, how it is, and what to do if it is not well.</summary>
internal sealed record Examined(HealthLevel Level, string About, string Text);

/// <summary>What 'IdP doctor' looks at. Nothing here writes.</summary>
internal static class DoctorChecks
{
    private const long LittleSpace = 1L << 30;
    private const long NoSpace = 100L << 20;

    // What running servers do within seconds.
    private static readonly TimeSpan Undone = TimeSpan.FromMinutes(10);

    public static async Task<List<Examined>> Examine(IdpOptions options, TimeProvider system, CancellationToken ct)
    {
        var found = OfFiles(options, system.GetUtcNow());
        try
        {
            using var database = new Database(options);
            await Migrator.RequireCurrent(database, ct);
            found.Add(Ok("migrations", "the database is this program's version"));
            found.AddRange(await OfIntegrity(database, ct));
            found.AddRange(await OfSchema(database, ct));
            var (clock, timely) = await OfClock(database, system, ct);
            found.AddRange(timely);
            var now = clock.GetUtcNow();
            await using var db = database.OpenForReading();
            found.AddRange(await OfKeys(db, options, now, ct));
            found.AddRange(await OfAudit(db, now, ct));
            found.AddRange(await OfOutbox(db, now, ct));
            found.AddRange(await OfLeases(db, now, ct));
            found.AddRange(await OfRetention(db, options, now, ct));
        }
        catch (StorageException failure)
        {
            found.Add(Problem("database", failure.Message));
        }
        catch (Exception failure) when (Migrator.Explain("database", failure) is { } sentence)
        {
            found.Add(Problem("database", sentence));
        }
        return found;
    }

    private static List<Examined> OfFiles(IdpOptions options, DateTimeOffset now)
    {
        var found = new List<Examined>();
        foreach (var finding in ProductionChecks.OfFiles(options, [])) found.Add(Problem(finding.About, finding.Text));
        foreach (var finding in ProductionChecks.OfListener(options, now).Where(finding => finding.About == "Http:TlsCertificate"))
            found.Add(new Examined(finding.Level == FindingLevel.Unsafe ? HealthLevel.Problem : HealthLevel.Note, "certificate", finding.Text));
        if (!options.Storage.Provider.Equals("sqlite", StringComparison.OrdinalIgnoreCase)) return found;
        var folder = Path.GetFullPath(options.Storage.DataDirectory);
        if (!Directory.Exists(folder)) return found;
        var free = new DriveInfo(folder).AvailableFreeSpace;
        var text = $"{free >> 20} MiB are free in {folder}";
        found.Add(free < NoSpace ? Problem("disk", $"{text}: the database cannot grow, and changes will be refused; free some space.")
            : free < LittleSpace ? Note("disk", $"{text}: free some space before the database needs it.") : Ok("disk", text));
        var preparing = Path.Combine(folder, Backups.Restoration.Preparing);
        if (Directory.Exists(preparing)) found.Add(Note("restore", $"a restore goes on or was interrupted: when there is none, delete {preparing}."));
        var log = new FileInfo(Path.Combine(folder, "idp.db-wal"));
        if (log.Exists && log.Length > LittleSpace)
            found.Add(Note("disk", $"the log {log.FullName} has {log.Length >> 20} MiB: some program reads the database for very long, and it cannot be folded into it until that ends."));
        return found;
    }

    private static async Task<List<Examined>> OfIntegrity(Database database, CancellationToken ct)
    {
        if (database.Engine != Engine.Sqlite)
        {
            await using var db = database.OpenForReading();
            // Its pages are the server's own to check; that it answers is what can be seen from here.
            await db.Set<ServerState>().SingleAsync(ct);
            return [Ok("database", $"{database.Engine} answers; its own tools check its pages")];
        }
        using var connection = (SqliteConnection)database.OpenConnection();
        return SqliteCheck.Problem(connection) is { } problem
            ? [Problem("database", $"{database.File} is damaged ({problem}): stop the server, keep a copy of the file, and restore the last backup.")]
            : [Ok("database", $"{database.File} is whole")];
    }

    private static async Task<List<Examined>> OfSchema(Database database, CancellationToken ct)
    {
        var problems = await SchemaCheck.Problems(database, ct);
        return problems.Count == 0 ? [Ok("schema", "tables, columns, indexes and collations are as this program made them")]
            : problems.ConvertAll(problem => Problem("schema", $"{problem}: somebody has changed the database by hand; undo that, or restore a backup."));
    }

    private static async Task<(DatabaseClock, List<Examined>)> OfClock(Database database, TimeProvider system, CancellationToken ct)
    {
        var clock = new DatabaseClock(system);
        await new ChangePoll(database, clock, Microsoft.Extensions.Logging.Abstractions.NullLogger<ChangePoll>.Instance).Look(ct);
        if (database.Engine != Engine.Sqlite)
        {
            var seconds = clock.Ahead.Duration().TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture);
            var text = $"this machine's is {seconds} s {(clock.Ahead > TimeSpan.Zero ? "ahead of" : "behind")} the database's";
            return (clock, [clock.IsOff ? Problem("clock", $"{text}: nodes on it issue nothing; set both by NTP.")
                : clock.Ahead.Duration() > TimeSpan.FromSeconds(1) ? Note("clock", $"{text}: at {DatabaseClock.MostOff.TotalSeconds:0} s nodes on it stop issuing; set both by NTP.") : Ok("clock", text)]);
        }
        var ahead = clock.StandsStillFor;
        return (clock, [ahead > TimeSpan.FromMinutes(1)
            ? Problem("clock", $"the database has seen a time that is {ahead:d\\.hh\\:mm\\:ss} ahead of this machine's clock, and until then nothing expires. Set the machine's clock if it is behind. If it is right, it was once wrong: stop the server and run sqlite3 {database.File} 'UPDATE ServerState SET ClockHighWater = 0'; what expired only by the wrong time counts again then, and 'IdP restore --after-external-restore' ends it.")
            : Ok("clock", "this machine's clock is not behind the time that the database has seen")]);
    }

    private static async Task<List<Examined>> OfKeys(IdpDbContext db, IdpOptions options, DateTimeOffset now, CancellationToken ct)
    {
        var keys = await db.Set<StoredKey>().ToListAsync(ct);
        if (keys.Count == 0) return [Note("keys", "there are none yet; the first start makes them")];
        var found = new List<Examined>();
        MasterKeys masters;
        try
        {
            masters = MasterKeys.Load(options, keys.ConvertAll(key => key.MasterKeyId).Distinct().ToList());
            foreach (var key in keys) _ = masters.Open(key.Sealed, key.MasterKeyId, KeyStatements.Associated(key));
            found.Add(Ok("master key", $"it opens all {keys.Count} keys"));
        }
        catch (StorageException failure)
        {
            return [Problem("master key", failure.Message)];
        }
        var stale = keys.Count(key => key.MasterKeyId != masters.CurrentId);
        if (stale > 0) found.Add(Note("master key", $"{stale} keys are sealed with another than the first master key: 'IdP keys reseal' makes the others superfluous."));

        var wanted = Enum.GetValues<KeyPurpose>().Where(purpose => purpose != KeyPurpose.Sign).Select(purpose => (purpose, Algorithm: (string?)null)).ToList();
        wanted.AddRange((await SigningAlgorithms(db, ct)).Select(algorithm => (KeyPurpose.Sign, (string?)algorithm)));
        foreach (var (purpose, algorithm) in wanted.Where(want => !keys.Exists(key => key.Purpose == want.purpose && (want.Algorithm is null || key.Algorithm == want.Algorithm) && IsActive(key, now))))
            found.Add(Problem("keys", $"there is no {(algorithm is null ? purpose.ToString() : $"{algorithm} signing")} key in use: start a server, which makes it, or run 'IdP keys rotate'."));

        var newest = keys.Where(key => key.RevokedAt is null && KeyStatements.RotatesByItself(key.Purpose)).GroupBy(key => (key.Purpose, key.Algorithm)).Select(kind => kind.MaxBy(key => key.Number)!).ToList();
        var due = newest.ConvertAll(key => (Key: key, At: key.ActiveFrom + TimeSpan.FromDays(options.Keys.LifetimeDays))).OrderBy(one => one.At).ToList();
        foreach (var (key, at) in due.Where(one => one.At < now))
            found.Add(Problem("keys", $"the {key.Algorithm} key {key.KeyId} was due for rotation at {Table.Time(at)}: no server has been running, or its log says why it failed."));
        if (found.TrueForAll(one => one.Level != HealthLevel.Problem) && due.Count > 0) found.Add(Ok("keys", $"every kind has one in use; the next rotation is at {Table.Time(due[0].At)}"));
        return found;
    }

    private static bool IsActive(StoredKey key, DateTimeOffset now) => key.RevokedAt is null && key.ActiveFrom <= now && (key.ActiveUntil is not { } until || until > now);

    private static async Task<HashSet<string>> SigningAlgorithms(IdpDbContext db, CancellationToken ct)
    {
        var algorithms = (await db.Set<Resource>().Where(r => r.TokenFormat == TokenFormat.Jwt && r.SealedSecret == null).Select(r => r.Algorithm).Distinct().ToListAsync(ct)).ToHashSet(StringComparer.Ordinal);
        foreach (var client in await db.Set<Client>().Where(c => c.DisabledAt == null).Select(c => new { c.GrantTypes, c.IdTokenAlgorithm, c.UserInfoAlgorithm }).ToListAsync(ct))
        {
            if (client.GrantTypes.Contains(GrantNames.AuthorizationCode)) algorithms.Add(client.IdTokenAlgorithm);
            if (client.UserInfoAlgorithm is { } signed) algorithms.Add(signed);
        }
        return algorithms;
    }

    private static async Task<List<Examined>> OfAudit(IdpDbContext db, DateTimeOffset now, CancellationToken ct)
    {
        var head = await db.Set<AuditEvent>().Where(e => e.Sequence != null).OrderByDescending(e => e.Sequence).Select(e => new { e.Sequence, e.Hash }).FirstOrDefaultAsync(ct);
        var waiting = await db.Set<AuditEvent>().Where(e => e.Sequence == null).OrderBy(e => e.Id).Select(e => (DateTimeOffset?)e.At).FirstOrDefaultAsync(ct);
        if (waiting < now - Undone)
            return [Note("audit", $"events since {Table.Time(waiting)} are not in the chain of hashes yet: a running server puts them there within seconds; if one runs, its log says why not.")];
        var beginning = await AuditBeginning.Of(db, ct);
        var (sequence, hash) = (head?.Sequence ?? beginning.Sequence, head?.Hash ?? beginning.Hash);
        return [sequence == 0 ? Ok("audit", "nothing is sealed yet") : Ok("audit", $"the head of the chain is {sequence}:{Convert.ToHexStringLower(hash)}; 'IdP audit verify' checks all of it")];
    }

    private static async Task<List<Examined>> OfOutbox(IdpDbContext db, DateTimeOffset now, CancellationToken ct)
    {
        var late = now - Undone;
        var stuck = await db.Set<OutboxItem>().Where(o => o.DueAt < late).GroupBy(o => o.Kind).Select(kind => new { Kind = kind.Key, Count = kind.Count(), Since = kind.Min(o => o.DueAt) }).ToListAsync(ct);
        return stuck.Count == 0 ? [Ok("outbox", "nothing waits for longer than it should")]
            : stuck.ConvertAll(kind => Problem("outbox", $"{kind.Count} items ({kind.Kind}) should have been sent at {Table.Time(kind.Since)} or since: a running server sends them within seconds; if one runs, its log says why not."));
    }

    private static async Task<List<Examined>> OfLeases(IdpDbContext db, DateTimeOffset now, CancellationToken ct)
    {
        var longest = now + Lease.Longest;
        var held = await db.Set<Lease>().Where(l => l.ExpiresAt > longest).ToListAsync(ct);
        return held.Count == 0 ? [Ok("leases", "none is held for longer than anybody asks for")]
            : held.ConvertAll(lease => Problem("leases", $"{lease.Name} is held until {Table.Time(lease.ExpiresAt)} by a node whose clock was wrong, and nobody else can do that work: run UPDATE \"Leases\" SET \"ExpiresAt\" = 0 on the database."));
    }

    private static async Task<List<Examined>> OfRetention(IdpDbContext db, IdpOptions options, DateTimeOffset now, CancellationToken ct)
    {
        if (options.Retention.AuditDays is { } days &&
            await db.Set<AuditEvent>().Where(e => e.Sequence != null).OrderBy(e => e.Sequence).Select(e => (DateTimeOffset?)e.At).FirstOrDefaultAsync(ct) is { } first && first < now.AddDays(-days - 1))
            return [Note("retention", $"events of {Table.Time(first)} are still there, and Retention:AuditDays is {days}: no server has been running, or their chain is broken, which keeps them; 'IdP audit verify' says so.")];
        var oldest = await db.Set<Grant>().OrderBy(g => g.ExpiresAt).Select(g => (DateTimeOffset?)g.ExpiresAt).FirstOrDefaultAsync(ct);
        return oldest < now - TimeSpan.FromDays(1)
            ? [Note("retention", $"rows that expired at {Table.Time(oldest)} are still there: no server has been running, or the budget (Retention:BudgetMilliseconds) is too small for what comes in.")]
            : [Ok("retention", "expired rows are removed in time")];
    }

    private static Examined Ok(string about, string text) => new(HealthLevel.Ok, about, text);

    private static Examined Note(string about, string text) => new(HealthLevel.Note, about, text);

    private static Examined Problem(string about, string text) => new(HealthLevel.Problem, about, text);
}
