using System.Diagnostics.Metrics;
using IdP.Audit;
using IdP.Outbox;
using IdP.Retention;
using IdP.Storage;
using Microsoft.EntityFrameworkCore;

namespace IdP.Observability;

/// <summary>
/// Looks into the database four times a minute, only while somebody watches: what is waiting there. Each count is over an index and ends at
/// <see cref="Most"/>, so that a large backlog is not made worse by counting it. Expired rows are not counted while another node sees to them.
/// </summary>
internal sealed class Backlogs(Database database, IdpOptions options, TimeProvider clock, ILogger<Backlogs> log) : BackgroundService
{
    public const int Most = 10_000;
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(15);

    // There is a sweep a minute: what one would have found five ago is not merely waiting for the next.
    private static readonly TimeSpan Late = TimeSpan.FromMinutes(5);
    private static readonly KeyValuePair<string, object?>[] Kinds = [new("kind", OutboxItem.Mail), new("kind", OutboxItem.BackChannelLogout)];
    private volatile Found? _found;
    private long _lookedAt = Environment.TickCount64;

    /// <summary>Nothing until the first look, and none of another node's.</summary>
    public IEnumerable<Measurement<int>> Outbox => _found?.Outbox ?? [];
    public IEnumerable<Measurement<double>> OutboxOldest => _found is { } found ? [new(found.OutboxSince is { } since ? Math.Max(0, (clock.GetUtcNow() - since).TotalSeconds) : 0)] : [];
    public IEnumerable<Measurement<int>> Expired => _found?.Expired ?? [];
    public IEnumerable<Measurement<int>> Unsealed => _found is { } found ? [new(found.Unsealed)] : [];
    public double Age => TimeSpan.FromMilliseconds(Environment.TickCount64 - Volatile.Read(ref _lookedAt)).TotalSeconds;

    public async Task Look(CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        await using var db = database.OpenForReading();
        var outbox = new List<Measurement<int>>();
        foreach (var kind in Kinds)
        {
            var name = (string)kind.Value!;
            outbox.Add(new(await db.Set<OutboxItem>().Where(o => o.Kind == name).Take(Most).CountAsync(ct), kind));
        }
        // Ids begin with their time.
        var since = await db.Set<OutboxItem>().OrderBy(o => o.Id).Select(o => (DateTimeOffset?)o.CreatedAt).FirstOrDefaultAsync(ct);
        var unsealed = await db.Set<AuditEvent>().Where(e => e.Sequence == null).Take(Most).CountAsync(ct);
        _found = new Found(outbox, since, unsealed, await Lease.IsHeldElsewhere(db, Lease.Retention, Lease.Me, now, ct) ? [] : await CountExpired(db, now, ct));
        Volatile.Write(ref _lookedAt, Environment.TickCount64);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Every);
        do
        {
            try
            {
                await Look(stoppingToken);
            }
            catch (Exception failure) when (!stoppingToken.IsCancellationRequested)
            {
                // The poll for changes says it when the database is gone; this one is told by its age.
                log.LogDebug(failure, "The backlogs could not be counted; it is tried again in {Every}", Every);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    private async Task<List<Measurement<int>>> CountExpired(IdpDbContext db, DateTimeOffset now, CancellationToken ct)
    {
        var counts = new List<Measurement<int>>();
        foreach (var kind in ExpiredRows.Of(options.Retention, log)) counts.Add(new(await kind.Count(db, now - Late, Most, ct), new KeyValuePair<string, object?>("table", kind.Name)));
        return counts;
    }

    private sealed record Found(List<Measurement<int>> Outbox, DateTimeOffset? OutboxSince, int Unsealed, List<Measurement<int>> Expired);
}
