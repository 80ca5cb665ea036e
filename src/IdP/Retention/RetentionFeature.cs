using IdP.Accounts;
using IdP.Grants;
using IdP.Storage;
using Microsoft.EntityFrameworkCore;

namespace IdP.Retention;

/// <summary>
/// Owns the removal of rows that mean nothing any more: grants whose last token has expired, revoked tokens that would have expired by
/// now, counters whose window is over. Small keyed batches, each a write of its own, so that nobody waits for a sweep.
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
            await database.Write(db => db.Set<SignInAttempts>().Where(a => a.WindowEndsAt < gone).OrderBy(a => a.WindowEndsAt).Take(batch).ExecuteDeleteAsync(ct), ct);
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
                    while (await SweepOnce(database, clock.GetUtcNow(), stoppingToken) > 0) await Task.Delay(50, stoppingToken);
                }
                catch (Exception failure) when (!stoppingToken.IsCancellationRequested)
                {
                    log.LogError(failure, "Sweeping expired rows failed; it is tried again in {Every}", Every);
                }
            }
        }
    }
}
