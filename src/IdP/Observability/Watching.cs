using IdP.Http;
using IdP.TelemetryExport;

namespace IdP.Observability;

/// <summary>Has the instruments listened to, and what they say sent or served. It is there only when somebody wants to know.</summary>
internal sealed class Watching(IdpOptions options, StateGauges gauges, ILoggerFactory logs) : IHostedService, IDisposable
{
    private readonly ILogger _log = logs.CreateLogger<Watching>();
    private Export? _export;
    private MetricsListener? _listener;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        // Its being made is what it is for.
        _ = gauges;
        var (telemetry, isServed) = (options.Telemetry, options.Metrics.Urls.Length > 0);
        _export = new Export(Telemetry.Name, typeof(Watching).Assembly.GetName().Version!.ToString(3), isServed, telemetry.OtlpEndpoint is { Length: > 0 } endpoint
            ? new Collector(endpoint, telemetry.OtlpProtocol == "grpc", telemetry.OtlpHeaders, telemetry.TracesPercent) : null, Tell);
        Telemetry.Begin();
        if (!isServed) return;
        _listener = new MetricsListener(options.Metrics, _export.Collected, logs);
        await _listener.Start(cancellationToken);
    }

    public Task StopAsync(CancellationToken cancellationToken) => _listener?.Stop(cancellationToken) ?? Task.CompletedTask;

    private void Tell(string problem) => _log.LogWarning("Figures or traces are lost: {Problem}", RequestBoundary.Loggable(problem));

    public void Dispose()
    {
        _listener?.Dispose();
        _export?.Dispose();
    }
}
