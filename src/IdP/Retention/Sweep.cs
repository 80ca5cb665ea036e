using System.Diagnostics;
using IdP.Observability;
using IdP.Storage;

namespace IdP.Retention;

/// <summary>
/// Removes what has expired, on one node at a time. Of each second it spends Retention:BudgetMilliseconds, waiting included, so that it gets
/// slower and not in the way when the database is busy; a batch is as large as the database does in the time that nobody notices.
/// </summary>
internal sealed class Sweep(Database database, IdpOptions options, DatabaseClock clock, ILogger<Sweep> log) : BackgroundService
{
    private const int Smallest = 10;
    private const int Largest = 500;
    private static readonly TimeSpan Every = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LeaseTime = Every * 2;
    private static readonly TimeSpan RenewAfter = TimeSpan.FromSeconds(20);

    // A writer that is kept for longer shows in the slowest of a hundred requests.
    private static readonly TimeSpan Unnoticed = TimeSpan.FromMilliseconds(2);

    /// <summary>How many rows the next batch may have, after one that took so long.</summary>
    public static int NextSize(int size, TimeSpan work) =>
        work > Unnoticed ? Math.Max(Smallest, size / 2) : work < Unnoticed / 3 ? Math.Min(Largest, size * 2) : size;

    /// <summary>How long to leave the database alone after having kept it for so long.</summary>
    public static TimeSpan Pause(TimeSpan spent, int budgetMilliseconds) => spent * (1000 - budgetMilliseconds) / budgetMilliseconds;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Every);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await Once(stoppingToken);
            }
            catch (Exception failure) when (!stoppingToken.IsCancellationRequested)
            {
                log.LogError(failure, "Removing expired rows failed; it is tried again in {Every}", Every);
            }
        }
    }

    /// <summary>One look, if no other node does it.</summary>
    internal async Task Once(CancellationToken ct)
    {
        // One of the two clocks is wrong, and what is removed by a wrong one is gone.
        if (!clock.IsOff && await Hold(ct)) await Look(ct);
    }

    /// <summary>Takes a batch of each kind in turn, until nothing is left, another node does it, or the next look is due.</summary>
    private async Task Look(CancellationToken ct)
    {
        var (began, held) = (Stopwatch.GetTimestamp(), Stopwatch.GetTimestamp());
        var left = ExpiredRows.Of(options.Retention, log).Select(kind => (Kind: kind, Size: Smallest * 5)).ToList();
        while (left.Count > 0 && !clock.IsOff && Stopwatch.GetElapsedTime(began) < Every)
        {
            for (var i = left.Count - 1; i >= 0; i--)
            {
                if (Stopwatch.GetElapsedTime(held) > RenewAfter)
                {
                    if (!await Hold(ct)) return;
                    held = Stopwatch.GetTimestamp();
                }
                var (kind, size) = left[i];
                var asked = Stopwatch.GetTimestamp();
                var removed = await kind.Remove(database, clock.GetUtcNow(), size, ct);
                Telemetry.RowsRemoved.Add(removed.Rows);
                if (removed.Rows < size) left.RemoveAt(i);
                else left[i] = (kind, NextSize(size, removed.Work));
                await Task.Delay(Pause(Stopwatch.GetElapsedTime(asked), options.Retention.BudgetMilliseconds), ct);
            }
        }
    }

    private Task<bool> Hold(CancellationToken ct) => database.Write(db => Lease.Hold(db, Lease.Retention, Lease.Me, clock.GetUtcNow(), LeaseTime, ct), ct);
}
