using Microsoft.EntityFrameworkCore;

namespace IdP.Storage;

/// <summary>Each second: has anything changed that nodes keep in memory, what time is it in the database, and does it answer at all.</summary>
internal sealed class ChangePoll(Database database, DatabaseClock clock, ILogger<ChangePoll> log) : BackgroundService
{
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <summary>How long a command waits so that every node has seen its change.</summary>
    public static readonly TimeSpan Propagation = Interval + TimeSpan.FromMilliseconds(500);

    private static readonly TimeSpan StaleAfter = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan HighWaterEvery = TimeSpan.FromMinutes(1);
    private readonly List<Func<long, CancellationToken, Task>> _followers = [];
    private readonly SemaphoreSlim _one = new(1);
    private long _stamp = -1;
    private long _lastGood;
    private bool _failing;

    /// <summary>Registers what reads changes newer than the stamp that it is given.</summary>
    public void Follow(Func<long, CancellationToken, Task> reload) => _followers.Add(reload);

    /// <summary>False when the database has not answered for three seconds: then nothing is issued (503).</summary>
    public async ValueTask<bool> IsFresh(CancellationToken ct)
    {
        if (Environment.TickCount64 - Volatile.Read(ref _lastGood) < StaleAfter.TotalMilliseconds && Volatile.Read(ref _lastGood) > 0) return true;
        // The poll may only have been starved of a thread: ask once before refusing.
        return await Poll(ct);
    }

    /// <summary>Asks now; true when the database answered.</summary>
    public async Task<bool> Poll(CancellationToken ct)
    {
        try
        {
            await Ask(ct);
            if (_failing) log.LogInformation("The database answers again");
            _failing = false;
            return true;
        }
        catch (Exception failure) when (!ct.IsCancellationRequested)
        {
            if (!_failing) log.LogError(failure, "The database does not answer; tokens are refused with 503 until it does");
            _failing = true;
            return false;
        }
    }

    /// <summary>Asks now; throws when the database did not answer.</summary>
    public async Task Ask(CancellationToken ct)
    {
        await _one.WaitAsync(ct);
        try
        {
            await using (var db = database.OpenForReading())
            {
                var state = await db.Set<ServerState>().SingleAsync(ct);
                if (database.Engine == Engine.Postgres)
                    clock.Follow((await db.Database.SqlQueryRaw<DateTimeOffset>("SELECT clock_timestamp() AS \"Value\"").ToListAsync(ct))[0]);
                else clock.NeverBefore(state.ClockHighWater);
                if (state.ChangeStamp != _stamp)
                {
                    foreach (var reload in _followers) await reload(_stamp, ct);
                    _stamp = state.ChangeStamp;
                }
                if (database.Engine == Engine.Sqlite && clock.GetUtcNow() - state.ClockHighWater >= HighWaterEvery) await RaiseHighWater(ct);
            }
            Volatile.Write(ref _lastGood, Environment.TickCount64);
        }
        finally
        {
            _one.Release();
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval);
        while (await timer.WaitForNextTickAsync(stoppingToken)) await Poll(stoppingToken);
    }

    private Task<int> RaiseHighWater(CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        return database.Write(db => db.Set<ServerState>().Where(s => s.ClockHighWater < now)
            .ExecuteUpdateAsync(set => set.SetProperty(s => s.ClockHighWater, now), ct), ct);
    }
}
