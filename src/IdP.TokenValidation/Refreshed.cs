using Microsoft.Extensions.Logging;

namespace IdP.TokenValidation;

/// <summary>
/// Something read from the provider and kept: read again on an interval, by one caller at a time, while the others go on with what
/// there is; the last good value is used for a while if the provider is down.
/// </summary>
internal sealed partial class Refreshed<T>(TokenValidationOptions options, Func<T?, CancellationToken, Task<T>> read, ILogger logger)
    where T : class
{
    // While there is nothing to go on with, at most one attempt in this time.
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly TimeProvider _clock = options.TimeProvider!;
    private State _state = new(null, 0, null, true);
    private Task? _reading;

    /// <returns>The value, or null if there is none that may be used.</returns>
    public ValueTask<T?> Get(CancellationToken ct)
    {
        var state = Volatile.Read(ref _state);
        return state.Value is { } fresh && Age(state) < options.RefreshInterval ? ValueTask.FromResult<T?>(fresh) : GetLate(state, ct);
    }

    /// <summary>Reads the value again because it was not enough, unless that was done a moment ago.</summary>
    /// <returns>The value, or null if the last attempt failed, so that nobody knows whether it would be enough.</returns>
    public async ValueTask<T?> GetNewer(CancellationToken ct)
    {
        await ReadAgain(options.MinimumRefreshInterval).WaitAsync(ct);
        var state = Volatile.Read(ref _state);
        return state.Succeeded ? state.Value : null;
    }

    private async ValueTask<T?> GetLate(State state, CancellationToken ct)
    {
        // A little late, or the provider is known to be down: somebody reads it again in the background.
        // Very late, after a night without requests: wait for it.
        var reading = ReadAgain(state.Value is null ? Pause : options.MinimumRefreshInterval);
        var mayWait = state.Succeeded && Age(state) >= 2 * options.RefreshInterval;
        if (state.Value is { } stale && Age(state) < options.MaximumKeyAge && !mayWait) return stale;
        await reading.WaitAsync(ct);

        state = Volatile.Read(ref _state);
        return state.Value is not null && Age(state) < options.MaximumKeyAge ? state.Value : null;
    }

    private TimeSpan Age(State state) => _clock.GetElapsedTime(state.ReadAt);

    /// <returns>The attempt under way or begun now; nothing to wait for if the last one is more recent than the pause.</returns>
    private Task ReadAgain(TimeSpan pause)
    {
        lock (_lock)
        {
            if (_reading is { IsCompleted: false }) return _reading;
            if (_state.AttemptedAt is { } attempted && _clock.GetElapsedTime(attempted) < pause) return Task.CompletedTask;
            return _reading = Task.Run(Read);
        }
    }

    private async Task Read()
    {
        var state = _state;
        var now = _clock.GetTimestamp();
        try
        {
            // Not the caller's cancellation: others wait for this as well.
            using var timeout = new CancellationTokenSource(options.BackchannelTimeout);
            var value = await read(state.Value, timeout.Token);
            Volatile.Write(ref _state, new State(value, now, now, true));
        }
        catch (Exception e) when (e is ProviderException or OperationCanceledException)
        {
            LogFailed(logger, options.Issuer!, e is ProviderException ? e.Message : "It did not answer in time.");
            Volatile.Write(ref _state, state with { AttemptedAt = now, Succeeded = false });
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "The provider {Issuer} could not be read: {Problem}")]
    private static partial void LogFailed(ILogger logger, string issuer, string problem);

    private sealed record State(T? Value, long ReadAt, long? AttemptedAt, bool Succeeded);
}
