using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace IdP.TelemetryExport;

/// <summary>Where traces and figures go.</summary>
internal sealed record Collector(string Endpoint, bool IsGrpc, string? Headers, int TracesPercent);

/// <summary>
/// Listens to the instruments: OpenTelemetry's library adds them up, <see cref="PrometheusText"/> writes them for whoever asks, its exporter
/// sends them and traces to a collector. Its usual variables (OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES, OTEL_METRIC_EXPORT_INTERVAL, ...) count.
/// </summary>
internal sealed class Export : IDisposable
{
    private readonly MeterProvider _metrics;
    private readonly TracerProvider? _traces;
    private readonly PrometheusText? _text;
    private readonly LibraryProblems _problems;

    /// <param name="name">The program's meter and its source of spans.</param>
    /// <param name="version">The program's version.</param>
    /// <param name="hasText">Whether <see cref="Collected"/> will be asked.</param>
    /// <param name="collector">Where to send; null sends nothing.</param>
    /// <param name="tell">Told what the library could not do.</param>
    public Export(string name, string version, bool hasText, Collector? collector, Action<string> tell)
    {
        _problems = new LibraryProblems(tell);
        void Describe(ResourceBuilder resource) => resource.Clear().AddService("idp", serviceVersion: version).AddTelemetrySdk().AddEnvironmentVariableDetector();
        var metrics = Sdk.CreateMeterProviderBuilder().ConfigureResource(Describe).AddMeter(name).AddMeter(WatchedInstruments.Meters)
            .AddView(instrument => WatchedInstruments.View(instrument, name));
        if (hasText) metrics.AddReader(_text = new PrometheusText());
        if (collector is not null) metrics.AddOtlpExporter(exporter => Configure(exporter, collector, "metrics"));
        if (collector is { TracesPercent: > 0 })
            _traces = Sdk.CreateTracerProviderBuilder().ConfigureResource(Describe).AddSource("Microsoft.AspNetCore", name)
                // Not what a caller wishes: a stranger must not decide how much work this is.
                .SetSampler(new TraceIdRatioBasedSampler(collector.TracesPercent / 100.0))
                .AddOtlpExporter(exporter => Configure(exporter, collector, "traces")).Build();
        _metrics = metrics.Build();
    }

    /// <summary>The figures as Prometheus reads them. For one caller at a time, who is done with the text before the next.</summary>
    public ReadOnlyMemory<byte> Collected() => _text!.Collected();

    public void Dispose()
    {
        // What has not been sent yet is sent now.
        _metrics.Dispose();
        _traces?.Dispose();
        _problems.Dispose();
    }

    private static void Configure(OtlpExporterOptions exporter, Collector collector, string signal)
    {
        exporter.Protocol = collector.IsGrpc ? OtlpExportProtocol.Grpc : OtlpExportProtocol.HttpProtobuf;
        // OTLP 1.0, "OTLP/HTTP Request": the exporter adds the path only to an address that it has from its own variable.
        exporter.Endpoint = new Uri(collector.IsGrpc ? collector.Endpoint : $"{collector.Endpoint.TrimEnd('/')}/v1/{signal}");
        if (collector.Headers is { Length: > 0 } headers) exporter.Headers = headers;
    }
}
