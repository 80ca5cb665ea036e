namespace IdP.Storage;

/// <summary>The time that the product goes by: the database server's, or for the embedded database never earlier than a time already seen.</summary>
internal sealed class DatabaseClock(TimeProvider system) : TimeProvider
{
    private long _offsetTicks;
    private long _floorTicks;

    /// <summary>How far the machine's clock is ahead of the database server's; negative when it is behind.</summary>
    public TimeSpan Ahead => TimeSpan.FromTicks(-Volatile.Read(ref _offsetTicks));

    public override DateTimeOffset GetUtcNow()
    {
        var ticks = system.GetUtcNow().UtcTicks + Volatile.Read(ref _offsetTicks);
        return new DateTimeOffset(Math.Max(ticks, Volatile.Read(ref _floorTicks)), TimeSpan.Zero);
    }

    public override long GetTimestamp() => system.GetTimestamp();

    public override long TimestampFrequency => system.TimestampFrequency;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        system.CreateTimer(callback, state, dueTime, period);

    /// <summary>Follows a database server whose clock differs from ours.</summary>
    public void Follow(DateTimeOffset databaseNow) => Volatile.Write(ref _offsetTicks, databaseNow.UtcTicks - system.GetUtcNow().UtcTicks);

    /// <summary>A clock that was set back must not revive what has expired.</summary>
    public void NeverBefore(DateTimeOffset seen) => Volatile.Write(ref _floorTicks, Math.Max(seen.UtcTicks, Volatile.Read(ref _floorTicks)));
}
