using System.Diagnostics;
using IdP.Accounts;
using IdP.ApiKeys;
using IdP.Audit;
using IdP.Grants;
using IdP.Outbox;
using IdP.Passkeys;
using IdP.Sessions;
using IdP.Storage;
using IdP.Upstream;
using Microsoft.EntityFrameworkCore;

namespace IdP.Retention;

/// <summary>What a batch removed, and how long the database worked on it: without waiting for its turn or for the disk.</summary>
internal sealed record Removed(int Rows, TimeSpan Work)
{
    public static readonly Removed Nothing = new(0, TimeSpan.Zero);
}

/// <summary>A kind of row that means nothing any more. Every batch and every count is found by an index.</summary>
internal sealed class ExpiredRows(string name, Func<Database, DateTimeOffset, int, CancellationToken, Task<Removed>> remove, Func<IdpDbContext, DateTimeOffset, int, IQueryable<object>> find)
{
    // A little later than they expire: another node's clock may be behind.
    private static readonly TimeSpan Grace = TimeSpan.FromMinutes(5);

    public static readonly IReadOnlyList<ExpiredRows> All =
    [
        Kind<Grant>("grants", (rows, now) => rows.Where(g => g.ExpiresAt < now - Grace).OrderBy(g => g.ExpiresAt)),
        Kind<RevokedToken>("revoked_tokens", (rows, now) => rows.Where(t => t.ExpiresAt < now - Grace).OrderBy(t => t.ExpiresAt)),
        new("sessions_run_out", EndSessions, (db, now, most) => RunOut(db, now).Take(most)),
        new("sessions", DeleteSessions, (db, now, most) => NamedByNoGrant(db, Over(db, now).Take(most))),
        // Ways to other providers that nobody came back on, questions that no passkey answered, links in mails that nobody used.
        Kind<UpstreamRequest>("upstream_requests", (rows, now) => rows.Where(r => r.ExpiresAt < now - Grace).OrderBy(r => r.ExpiresAt)),
        Kind<PasskeyChallenge>("passkey_challenges", (rows, now) => rows.Where(c => c.ExpiresAt < now - Grace).OrderBy(c => c.ExpiresAt)),
        Kind<MailLink>("mail_links", (rows, now) => rows.Where(l => l.ExpiresAt < now - Grace).OrderBy(l => l.ExpiresAt)),
        // Their owner may still want to see which key it was.
        Kind<ApiKey>("api_keys", (rows, now) => rows.Where(k => k.ExpiresAt < now.AddDays(-30)).OrderBy(k => k.ExpiresAt)),
        // Whoever sends an item moves its time ahead first: nobody has tried for a week.
        Kind<OutboxItem>("outbox", (rows, now) => rows.Where(o => o.DueAt < now.AddDays(-7)).OrderBy(o => o.DueAt)),
        Kind<SignInAttempts>("counters", (rows, now) => rows.Where(a => a.WindowEndsAt < now - Grace).OrderBy(a => a.WindowEndsAt)),
    ];

    /// <summary>What it is called in figures.</summary>
    public string Name => name;

    /// <summary>All, and events of the audit where they are not kept for ever.</summary>
    public static IReadOnlyList<ExpiredRows> Of(RetentionOptions options, ILogger log) => options.AuditDays is { } days ? [.. All, OfAudit(days, log)] : All;

    /// <summary>Removes the oldest of them, at most so many.</summary>
    public Task<Removed> Remove(Database database, DateTimeOffset now, int most, CancellationToken ct) => remove(database, now, most, ct);

    /// <summary>How many of them a sweep at this time would find, counted no further than so many.</summary>
    public Task<int> Count(IdpDbContext db, DateTimeOffset now, int most, CancellationToken ct) => find(db, now, most).CountAsync(ct);

    private static ExpiredRows Kind<T>(string name, Func<IQueryable<T>, DateTimeOffset, IQueryable<T>> expired) where T : class => new(name,
        (database, now, size, ct) => Write(database, db => expired(db.Set<T>(), now).Take(size).ExecuteDeleteAsync(ct), ct),
        (db, now, most) => expired(db.Set<T>(), now).Take(most));

    private static IQueryable<Session> RunOut(IdpDbContext db, DateTimeOffset now) => db.Set<Session>().Where(s => s.EndedAt == null && s.IdleExpiresAt < now).OrderBy(s => s.IdleExpiresAt);

    private static IQueryable<Session> Over(IdpDbContext db, DateTimeOffset now) => db.Set<Session>().Where(s => s.EndedAt < now - Grace).OrderBy(s => s.EndedAt);

    private static IQueryable<Session> NamedByNoGrant(IdpDbContext db, IQueryable<Session> sessions) => sessions.Where(s => !db.Set<Grant>().Any(g => g.SessionId == s.Id));

    // What has run out ends, and what hangs on it. Found by a reader, so that the one writer is not kept by the search.
    private static async Task<Removed> EndSessions(Database database, DateTimeOffset now, int size, CancellationToken ct)
    {
        List<Guid> expired;
        await using (var db = database.OpenForReading())
            expired = await RunOut(db, now).Select(s => s.Id).Take(size).ToListAsync(ct);
        return expired.Count == 0 ? Removed.Nothing : await Write(database, async db =>
        {
            await SessionEnd.Expire(db, expired, now, ct);
            return expired.Count;
        }, ct);
    }

    // Those that no grant names. What they have in SessionClients goes with them.
    private static async Task<Removed> DeleteSessions(Database database, DateTimeOffset now, int size, CancellationToken ct)
    {
        List<Guid> over;
        await using (var db = database.OpenForReading())
            over = await NamedByNoGrant(db, Over(db, now)).Select(s => s.Id).Take(size).ToListAsync(ct);
        return over.Count == 0 ? Removed.Nothing : await Write(database, db => db.Set<Session>().Where(s => over.Contains(s.Id)).ExecuteDeleteAsync(ct), ct);
    }

    private static ExpiredRows OfAudit(int days, ILogger log) => new("audit_events", async (database, now, size, ct) =>
    {
        var old = await OldEvents.Find(database, now.AddDays(-days), size, ct);
        if (old.Problem is { } problem)
            log.LogError("The audit is broken: {Problem}. No event from there on is removed until somebody has looked into it ('IdP audit verify')", problem);
        return old.Count == 0 ? Removed.Nothing : await Write(database, db => old.Remove(db, days, now, ct), ct);
    }, (db, now, most) => db.Set<AuditEvent>().Where(e => e.At < now.AddDays(-days) && e.Sequence != null).OrderBy(e => e.At).Take(most));

    private static Task<Removed> Write(Database database, Func<IdpDbContext, Task<int>> remove, CancellationToken ct) => database.Write(async db =>
    {
        var began = Stopwatch.GetTimestamp();
        var rows = await remove(db);
        return new Removed(rows, Stopwatch.GetElapsedTime(began));
    }, ct);
}
