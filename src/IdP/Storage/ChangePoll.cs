using IdP.Observability;
using IdP.Protocol.OAuth;
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
    private readonly Lock _lock = new();
    private Task<bool>? _look;
    private long _lookedAt;
    private Task _keepingTime = Task.CompletedTask;
    private DateTimeOffset _highWater;
    private long _stamp = -1;
    private long _lastGood;
    private bool _failing;
    private bool _isOff;

    /// <summary>How long ago the database last answered.</summary>
    public TimeSpan Age => TimeSpan.FromMilliseconds(Environment.TickCount64 - Volatile.Read(ref _lastGood));

    /// <summary>Registers what reads changes newer than the stamp that it is given.</summary>
    public void Follow(Func<long, CancellationToken, Task> reload)
    {
        _followers.Add(reload);
        // Who follows from now on has read nothing yet.
        _stamp = -1;
    }

    /// <summary>Why nothing is issued now: the database has not answered for three seconds, or this machine's clock is not the database's. Null when all is well.</summary>
    public async ValueTask<OAuthError?> Refusal(CancellationToken ct) =>
        await Unreachable(ct) is { } unreachable ? unreachable
        : clock.IsOff ? OAuthError.Unavailable("the server's clock is wrong; try again", 5, $"the machine's clock is {Off} the database's") : null;

    /// <summary>Why nothing is answered that the database has a say in; null when it answers.</summary>
    public async ValueTask<OAuthError?> Unreachable(CancellationToken ct) =>
        await IsFresh(ct) ? null : OAuthError.Unavailable("the server cannot reach its database; try again", 2);

    private string Off => $"{clock.Ahead.Duration().TotalSeconds:0} s {(clock.Ahead > TimeSpan.Zero ? "ahead of" : "behind")}";

    private async ValueTask<bool> IsFresh(CancellationToken ct)
    {
        if (Environment.TickCount64 - Volatile.Read(ref _lastGood) < StaleAfter.TotalMilliseconds && Volatile.Read(ref _lastGood) > 0) return true;
        // The poll may only have been starved of a thread: look before refusing, once for everybody who waits, and nobody waits for long.
        Task<bool> look;
        lock (_lock)
        {
            if (_look is not { IsCompleted: false }) (_look, _lookedAt) = (Task.Run(() => Poll(CancellationToken.None), CancellationToken.None), Environment.TickCount64);
            // It hangs, and those before have waited for it already.
            else if (Environment.TickCount64 - _lookedAt > StaleAfter.TotalMilliseconds) return false;
            look = _look;
        }
        try
        {
            return await look.WaitAsync(StaleAfter, ct);
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    /// <summary>Asks now; true when the database answered.</summary>
    public async Task<bool> Poll(CancellationToken ct)
    {
        try
        {
            await Look(ct);
            if (_failing) log.LogInformation("The database answers again");
            _failing = false;
            return true;
        }
        catch (Exception failure) when (!ct.IsCancellationRequested)
        {
            if (!_failing) log.LogError(failure, "The database does not answer; tokens are refused with 503 until it does");
            _failing = true;
            DatabaseWatch.Failed(DatabaseWatch.Poll);
            return false;
        }
    }

    /// <summary>Asks now; throws when the database did not answer, or cannot be written while the time is due to be stored.</summary>
    public async Task Ask(CancellationToken ct)
    {
        await Look(ct);
        if (IsTimeDue) await RaiseHighWater(ct);
    }

    private bool IsTimeDue => database.Engine == Engine.Sqlite && clock.GetUtcNow() - _highWater >= HighWaterEvery;

    /// <summary>One look, and no more: writes nothing.</summary>
    public async Task Look(CancellationToken ct)
    {
        await _one.WaitAsync(ct);
        try
        {
            await using (var db = database.OpenForReading())
            {
                // One connection that hangs must not keep the node from taking another.
                using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
                limit.CancelAfter(StaleAfter);
                var state = await db.Set<ServerState>().SingleAsync(limit.Token);
                if (database.Engine != Engine.Sqlite) await FollowClock(db, limit.Token);
                else clock.NeverBefore(state.ClockHighWater);
                _highWater = state.ClockHighWater;
                if (state.ChangeStamp != _stamp)
                {
                    foreach (var reload in _followers) await reload(_stamp, ct);
                    _stamp = state.ChangeStamp;
                }
            }
            Volatile.Write(ref _lastGood, Environment.TickCount64);
        }
        finally
        {
            _one.Release();
        }
    }

    private async Task FollowClock(IdpDbContext db, CancellationToken ct)
    {
        var asked = clock.GetTimestamp();
        var answer = (await db.Database.SqlQueryRaw<DateTimeOffset?>(Dialect.Time(database.Engine)).ToListAsync(ct))[0] ?? throw new StorageException(Migrator.ReadOnlyServer(database.Engine));
        clock.Follow(answer, clock.GetElapsedTime(asked));
        if (clock.IsOff == _isOff) return;
        _isOff = clock.IsOff;
        if (_isOff) log.LogError("This machine's clock is {Off} the database's: tokens are refused with 503 until they agree. Set both by NTP", Off);
        else log.LogInformation("This machine's clock and the database's agree again");
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            // Not waited for: another program may keep the database locked for writing, and reading goes on.
            if (await Poll(stoppingToken) && IsTimeDue && _keepingTime.IsCompleted) _keepingTime = Task.Run(() => KeepTime(stoppingToken), stoppingToken);
        }
    }

    private async Task KeepTime(CancellationToken ct)
    {
        try
        {
            await RaiseHighWater(ct);
        }
        catch (Exception failure) when (!ct.IsCancellationRequested)
        {
            log.LogWarning(failure, "The time could not be stored; it is tried again");
        }
        catch (OperationCanceledException)
        {
            // The server stops.
        }
    }

    private Task<int> RaiseHighWater(CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        return database.Write(db => db.Set<ServerState>().Where(s => s.ClockHighWater < now)
            .ExecuteUpdateAsync(set => set.SetProperty(s => s.ClockHighWater, now), ct), ct);
    }
}
