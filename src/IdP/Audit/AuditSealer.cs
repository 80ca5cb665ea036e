using IdP.Storage;
using Microsoft.EntityFrameworkCore;

namespace IdP.Audit;

/// <summary>Seals what has been committed, beside everything else.</summary>
internal sealed class AuditSealer(Database database, TimeProvider clock, ILogger<AuditSealer> log) : BackgroundService
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(5);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Every);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                // A look first: the one writer is not kept for nothing.
                while (await Unsealed(stoppingToken) && await AuditChain.SealOnce(database, Lease.Me, clock.GetUtcNow(), stoppingToken) == AuditChain.Batch)
                {
                    // There is more than one batch.
                }
            }
            catch (Exception failure) when (!stoppingToken.IsCancellationRequested)
            {
                log.LogError(failure, "Sealing audit events failed; it is tried again in {Every}", Every);
            }
        }
    }

    private async Task<bool> Unsealed(CancellationToken ct)
    {
        await using var db = database.OpenForReading();
        return await db.Set<AuditEvent>().AnyAsync(e => e.Sequence == null, ct);
    }
}
