namespace IdP.Storage;

/// <summary>The time that the product goes by: the database server's, or for the embedded database never earlier than a time already seen.</summary>
internal sealed class DatabaseClock(TimeProvider system) : TimeProvider
{
    private Answer? _last;
    private long _aheadTicks;
    private long _floorTicks;

    /// <summary>How far the machine's clock is ahead of the database server's; negative when it is behind.</summary>
    public TimeSpan Ahead => TimeSpan.FromTicks(Volatile.Read(ref _aheadTicks));

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
    public void Follow(DateTimeOffset databaseNow)
    {
        Volatile.Write(ref _last, new Answer(databaseNow, system.GetTimestamp()));
        Volatile.Write(ref _aheadTicks, (system.GetUtcNow() - databaseNow).Ticks);
    }

    /// <summary>A clock that was set back must not revive what has expired.</summary>
    public void NeverBefore(DateTimeOffset seen) => Volatile.Write(ref _floorTicks, Math.Max(seen.UtcTicks, Volatile.Read(ref _floorTicks)));

    /// <summary>What the database said, and when by the monotonic clock.</summary>
    private sealed record Answer(DateTimeOffset Time, long At);
}
