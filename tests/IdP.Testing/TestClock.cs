using System.Collections.Immutable;

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

    /// <summary>Lets time pass, for the machine and whoever else follows <see cref="Followers"/>.</summary>
    public void Advance(TimeSpan time)
    {
        var all = TimeSpan.FromTicks(Interlocked.Add(ref _ahead, time.Ticks));
        foreach (var follow in Followers) follow(all);
    }

    /// <summary>Told how much has passed in all.</summary>
    internal ImmutableList<Action<TimeSpan>> Followers { get; set; } = [];

    internal TimeSpan PassedInAll => TimeSpan.FromTicks(Volatile.Read(ref _ahead));
}
