using System.Diagnostics.Metrics;
using OpenTelemetry.Metrics;

namespace IdP.TelemetryExport;

/// <summary>What of the framework's and the driver's instruments is worth watching, and which of their labels: few, and none that says where something is or who.</summary>
internal static class WatchedInstruments
{
    public static readonly double[] Seconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

    public static readonly string[] Meters = ["Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "System.Runtime", "Npgsql"];

    private static readonly Dictionary<string, MetricStreamConfiguration> Kept = new(StringComparer.Ordinal)
    {
        ["http.server.request.duration"] = new ExplicitBucketHistogramConfiguration { Boundaries = Seconds, TagKeys = ["http.route", "http.request.method", "http.response.status_code"] },
        ["http.server.active_requests"] = Keeping(),
        ["kestrel.active_connections"] = Keeping(),
        ["dotnet.process.cpu.time"] = Keeping("cpu.mode"),
        ["dotnet.process.memory.working_set"] = Keeping(),
        ["dotnet.gc.collections"] = Keeping("gc.heap.generation"),
        ["dotnet.gc.pause.time"] = Keeping(),
        ["dotnet.gc.heap.total_allocated"] = Keeping(),
        ["dotnet.gc.last_collection.heap.size"] = Keeping("gc.heap.generation"),
        // Their pool is named after the connection string.
        ["db.client.connection.count"] = new MetricStreamConfiguration { Name = "db.client.connections", TagKeys = ["db.client.connection.state"] },
        ["db.client.connection.max"] = new MetricStreamConfiguration { Name = "db.client.connections.max", TagKeys = [] },
    };

    public static MetricStreamConfiguration? View(Instrument instrument, string own) =>
        instrument.Meter.Name == own ? null : Kept.GetValueOrDefault(instrument.Name, MetricStreamConfiguration.Drop);

    private static MetricStreamConfiguration Keeping(params string[] tags) => new() { TagKeys = tags };
}
