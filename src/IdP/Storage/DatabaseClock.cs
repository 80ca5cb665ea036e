namespace IdP.Storage;

/// <summary>The time that the product goes by: the database server's, or for the embedded database never earlier than a time already seen.</summary>
internal sealed class DatabaseClock(TimeProvider system) : TimeProvider
{
    /// <summary>How far a machine's clock may be from the database server's before its node stops issuing.</summary>
    public static readonly TimeSpan MostOff = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan LongestRoundTrip = TimeSpan.FromSeconds(1);
    private Answer? _last;
    private long _aheadTicks;
    private long _floorTicks;

    /// <summary>How far the machine's clock is ahead of the database server's; negative when it is behind.</summary>
    public TimeSpan Ahead => TimeSpan.FromTicks(Volatile.Read(ref _aheadTicks));

    /// <summary>Whether the machine's clock is so far from the database server's that something is wrong with one of them.</summary>
    public bool IsOff => Ahead.Duration() > MostOff;

    /// <summary>How far the time already seen is ahead of the machine's clock: until it gets there, time stands still.</summary>
    public TimeSpan StandsStillFor => TimeSpan.FromTicks(Math.Max(0, Volatile.Read(ref _floorTicks) - system.GetUtcNow().UtcTicks));

    public override DateTimeOffset GetUtcNow()
    {
        // By the monotonic clock since: a step of the machine's clock between two polls must not make a node issue, revoke or expire at another time.
        if (Volatile.Read(ref _last) is { } last) return last.Time + system.GetElapsedTime(last.At);
        return new DateTimeOffset(Math.Max(system.GetUtcNow().UtcTicks, Volatile.Read(ref _floorTicks)), TimeSpan.Zero);
    }

    public override long GetTimestamp() => system.GetTimestamp();

    public override long TimestampFrequency => system.TimestampFrequency;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        system.CreateTimer(callback, state, dueTime, period);

    /// <summary>Follows a database server whose clock differs from ours.</summary>
    /// <param name="databaseNow">What it has just answered.</param>
    /// <param name="roundTrip">How long that took: it looked at its clock somewhere in between, so the middle is wrong by half of it at most.</param>
    public void Follow(DateTimeOffset databaseNow, TimeSpan roundTrip)
    {
        // Until a better one comes, the last answer goes on by the monotonic clock.
        if (_last is not null && roundTrip > LongestRoundTrip) return;
        var now = databaseNow + (roundTrip / 2);
        Volatile.Write(ref _last, new Answer(now, system.GetTimestamp()));
        Volatile.Write(ref _aheadTicks, (system.GetUtcNow() - now).Ticks);
    }

    /// <summary>A clock that was set back must not revive what has expired.</summary>
    public void NeverBefore(DateTimeOffset seen) => Volatile.Write(ref _floorTicks, Math.Max(seen.UtcTicks, Volatile.Read(ref _floorTicks)));

    /// <summary>What the database said, and when by the monotonic clock.</summary>
    private sealed record Answer(DateTimeOffset Time, long At);
}
