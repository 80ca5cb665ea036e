namespace IdP.Testing;

/// <summary>The machine's clock plus what a test has added to it.</summary>
public sealed class TestClock : TimeProvider
{
    private long _ahead;
    private long _stepped;

    public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + TimeSpan.FromTicks(Volatile.Read(ref _ahead) + Volatile.Read(ref _stepped));

    public override long GetTimestamp() => base.GetTimestamp() + (long)(TimeSpan.FromTicks(Volatile.Read(ref _ahead)).TotalSeconds * TimestampFrequency);

    /// <summary>Sets the machine's clock to another time: nothing has passed.</summary>
    public void Step(TimeSpan time) => Interlocked.Add(ref _stepped, time.Ticks);

    /// <summary>Lets time pass.</summary>
    public void Advance(TimeSpan time) => Interlocked.Add(ref _ahead, time.Ticks);
}
