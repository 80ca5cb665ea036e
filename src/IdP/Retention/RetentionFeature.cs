using IdP.Accounts;
using IdP.ApiKeys;
using IdP.Grants;
using IdP.Observability;
using IdP.Outbox;
using IdP.Passkeys;
using IdP.Sessions;
using IdP.Storage;
using IdP.Upstream;
using Microsoft.EntityFrameworkCore;

namespace IdP.Retention;

/// <summary>
/// Owns the removal of rows that mean nothing any more: grants whose last token has expired, revoked tokens that would have expired by
/// now, sessions that are over and that no grant names, counters whose window is over, ways to other providers that nobody came back on, links in mails that nobody used, questions that no passkey answered, notices that nobody has sent for a week,
/// API keys that ended a month ago. Small
/// keyed batches, each a write of its own, so that nobody waits for a sweep; one node at a time.
/// </summary>
internal static class RetentionFeature
{
    public static void AddRetention(this IServiceCollection services) => services.AddHostedService<Sweep>();

    /// <summary>Deletes one batch of each kind; the number of rows that went.</summary>
    public static async Task<int> SweepOnce(Database database, DateTimeOffset now, CancellationToken ct)
    {
        const int batch = 500;
        // A little later than they expire: another node's clock may be behind.
        var gone = now.AddMinutes(-5);
        return await database.Write(db => db.Set<RevokedToken>().Where(t => t.ExpiresAt < gone).OrderBy(t => t.ExpiresAt).Take(batch).ExecuteDeleteAsync(ct), ct) +
            await database.Write(db => db.Set<Grant>().Where(g => g.ExpiresAt < gone).OrderBy(g => g.ExpiresAt).Take(batch).ExecuteDeleteAsync(ct), ct) +
            await EndSessions(database, now, batch, ct) +
            await DeleteSessions(database, gone, batch, ct) +
            await database.Write(db => db.Set<UpstreamRequest>().Where(r => r.ExpiresAt < gone).OrderBy(r => r.ExpiresAt).Take(batch).ExecuteDeleteAsync(ct), ct) +
            await database.Write(db => db.Set<PasskeyChallenge>().Where(c => c.ExpiresAt < gone).OrderBy(c => c.ExpiresAt).Take(batch).ExecuteDeleteAsync(ct), ct) +
            await database.Write(db => db.Set<MailLink>().Where(l => l.ExpiresAt < gone).OrderBy(l => l.ExpiresAt).Take(batch).ExecuteDeleteAsync(ct), ct) +
            await database.Write(db => db.Set<ApiKey>().Where(k => k.ExpiresAt < now.AddDays(-30)).OrderBy(k => k.ExpiresAt).Take(batch).ExecuteDeleteAsync(ct), ct) +
            await database.Write(db => db.Set<OutboxItem>().Where(o => o.CreatedAt < now.AddDays(-7)).OrderBy(o => o.Id).Take(batch).ExecuteDeleteAsync(ct), ct) +
            await database.Write(db => db.Set<SignInAttempts>().Where(a => a.WindowEndsAt < gone).OrderBy(a => a.WindowEndsAt).Take(batch).ExecuteDeleteAsync(ct), ct);
    }

    // Found by a reader, so that the one writer is not kept by the search.
    private static async Task<int> EndSessions(Database database, DateTimeOffset now, int batch, CancellationToken ct)
    {
        List<Guid> expired;
        await using (var db = database.OpenForReading())
            expired = await db.Set<Session>().Where(s => s.EndedAt == null && s.IdleExpiresAt < now).OrderBy(s => s.Id).Select(s => s.Id).Take(batch).ToListAsync(ct);
        if (expired.Count > 0) await database.Write(db => SessionEnd.Expire(db, expired, now, ct), ct);
        return expired.Count;
    }

    private static async Task<int> DeleteSessions(Database database, DateTimeOffset gone, int batch, CancellationToken ct)
    {
        List<Guid> over;
        await using (var db = database.OpenForReading())
            over = await db.Set<Session>().Where(s => s.EndedAt < gone && !db.Set<Grant>().Any(g => g.SessionId == s.Id)).OrderBy(s => s.Id).Select(s => s.Id).Take(batch).ToListAsync(ct);
        // What they have in SessionClients goes with them.
        return over.Count == 0 ? 0 : await database.Write(db => db.Set<Session>().Where(s => over.Contains(s.Id)).ExecuteDeleteAsync(ct), ct);
    }

    private sealed class Sweep(Database database, TimeProvider clock, ILogger<Sweep> log) : BackgroundService
    {
        private static readonly TimeSpan Every = TimeSpan.FromMinutes(1);

        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            using var timer = new PeriodicTimer(Every);
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                try
                {
                    if (!await database.Write(db => Lease.Hold(db, Lease.Retention, Lease.Me, clock.GetUtcNow(), Every * 2, stoppingToken), stoppingToken)) continue;
                    while (await SweepOnce(database, clock.GetUtcNow(), stoppingToken) is > 0 and var removed)
                    {
                        Telemetry.RowsRemoved.Add(removed);
                        await Task.Delay(50, stoppingToken);
                    }
                }
                catch (Exception failure) when (!stoppingToken.IsCancellationRequested)
                {
                    log.LogError(failure, "Sweeping expired rows failed; it is tried again in {Every}", Every);
                }
            }
        }
    }
}
