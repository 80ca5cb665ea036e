namespace IdP.TokenValidation.Tests;

/// <summary>A clock that stands still until a test moves it; its timestamps move with it.</summary>
internal sealed class SteppedClock : TimeProvider
{
    private long _ticks = new DateTime(2030, 1, 1, 0, 0, 0, DateTimeKind.Utc).Ticks;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow() => new(Volatile.Read(ref _ticks), TimeSpan.Zero);

    public override long GetTimestamp() => Volatile.Read(ref _ticks);

    public void Advance(TimeSpan time) => Interlocked.Add(ref _ticks, time.Ticks);
}
