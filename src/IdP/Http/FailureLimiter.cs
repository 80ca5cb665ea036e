using System.Collections.Concurrent;

namespace IdP.Http;

/// <summary>
/// Counts failures a minute for a caller (a name at one address) and for an address, in bounded memory. Successes cost nothing, and a
/// caller that has succeeded at an address is not blocked by what others do there.
/// </summary>
internal sealed class FailureLimiter(IdpOptions options, TimeProvider clock)
{
    private const int MostEntries = 100_000;
    private const int Window = 60;
    private static readonly TimeSpan Trust = TimeSpan.FromHours(1);
    private readonly ConcurrentDictionary<(string Kind, string Caller, string Address), Counter> _counters = new();
    private readonly ConcurrentDictionary<(string Kind, string Caller, string Address), long> _trusted = new();

    // Close to what the dictionaries hold: they would take every lock to count it themselves.
    private volatile int _size;
    private volatile int _trustsGiven;

    /// <summary>How much is remembered: never more than twice the bound.</summary>
    public int Entries => _counters.Count + _trusted.Count;

    /// <summary>Seconds to wait when there were too many failures; null when the attempt may go on.</summary>
    public int? Blocked(string kind, string caller, string address)
    {
        var now = Now();
        if (_counters.IsEmpty) return null;
        if (Over((kind, caller, address), options.Limits.FailuresPerCaller, now) is { } seconds) return seconds;
        if (Over((kind, "", address), options.Limits.FailuresPerAddress, now) is not { } wait) return null;
        return _trusted.TryGetValue(Bounded((kind, caller, address)), out var until) && until > now ? null : wait;
    }

    public void Failed(string kind, string caller, string address)
    {
        Count((kind, caller, address));
        Count((kind, "", address));
    }

    public void Succeeded(string kind, string caller, string address)
    {
        var now = Now();
        var key = Bounded((kind, caller, address));
        // Renewed only when half of it is gone: the usual request writes nothing.
        if (_trusted.TryGetValue(key, out var until) && until - now > Trust.TotalSeconds / 2) return;
        if (Interlocked.Increment(ref _trustsGiven) >= MostEntries)
        {
            _trusted.Clear();
            _trustsGiven = 0;
        }
        _trusted[key] = now + (long)Trust.TotalSeconds;
    }

    /// <summary>Counts one failure against a limit of its own; seconds to wait when that was too many.</summary>
    public int? CountAgainst(string kind, string caller, int limit)
    {
        Count((kind, caller, ""));
        return Over((kind, caller, ""), limit, Now());
    }

    private int? Over((string Kind, string Caller, string Address) key, int limit, long now) =>
        _counters.TryGetValue(Bounded(key), out var counter) && counter.WindowEnds > now && counter.Failures >= limit ? (int)(counter.WindowEnds - now) : null;

    private void Count((string Kind, string Caller, string Address) key)
    {
        var now = Now();
        if (_size >= MostEntries) Trim(now);
        _counters.AddOrUpdate(Bounded(key), _ => Added(now),
            (_, counter) => counter.WindowEnds <= now ? new Counter(1, now + Window) : counter with { Failures = counter.Failures + 1 });
    }

    private Counter Added(long now)
    {
        Interlocked.Increment(ref _size);
        return new Counter(1, now + Window);
    }

    private void Trim(long now)
    {
        Forget(now);
        _size = _counters.Count;
    }

    private void Forget(long now)
    {
        foreach (var (key, counter) in _counters)
            if (counter.WindowEnds <= now) _counters.TryRemove(key, out _);
        // Still full of live entries: someone floods us with names. Forget the callers and keep the addresses. Half is the mark in both
        // places, so that the next look through them all is far away.
        if (_counters.Count < MostEntries / 2) return;
        foreach (var key in _counters.Keys)
            if (key.Caller.Length > 0) _counters.TryRemove(key, out _);
        // From tens of thousands of networks at once: to count each of them helps no more, and to remember them all would be the harm.
        if (_counters.Count >= MostEntries / 2) _counters.Clear();
    }

    // A name of megabytes must not be kept; its beginning and length tell it apart well enough for counting.
    private static (string, string, string) Bounded((string Kind, string Caller, string Address) key) =>
        key.Caller.Length <= 128 ? key : (key.Kind, string.Concat(key.Caller.AsSpan(0, 128), key.Caller.Length.ToString()), key.Address);

    private long Now() => clock.GetUtcNow().ToUnixTimeSeconds();

    [System.Runtime.InteropServices.StructLayout(System.Runtime.InteropServices.LayoutKind.Auto)]
    private readonly record struct Counter(int Failures, long WindowEnds);
}
