using System.Collections.Concurrent;
using System.Diagnostics.Tracing;
using System.Globalization;

namespace IdP.TelemetryExport;

/// <summary>What the library could not do, such as reaching the collector: it tells nobody by itself. Each kind is told once in ten minutes.</summary>
internal sealed class LibraryProblems(Action<string> tell) : EventListener
{
    private const int Longest = 300;
    private static readonly TimeSpan Again = TimeSpan.FromMinutes(10);
    private readonly ConcurrentDictionary<string, long> _told = new(StringComparer.Ordinal);

    protected override void OnEventSourceCreated(EventSource eventSource)
    {
        if (eventSource.Name.StartsWith("OpenTelemetry-", StringComparison.Ordinal)) EnableEvents(eventSource, EventLevel.Warning);
    }

    protected override void OnEventWritten(EventWrittenEventArgs eventData)
    {
        var now = Environment.TickCount64;
        var kind = $"{eventData.EventSource.Name}.{eventData.EventName}";
        if (_told.TryGetValue(kind, out var at) && now - at < Again.TotalMilliseconds) return;
        _told[kind] = now;
        var text = string.Format(CultureInfo.InvariantCulture, eventData.Message ?? kind, [.. eventData.Payload ?? (IEnumerable<object?>)[]]).ReplaceLineEndings(" ");
        tell(text.Length > Longest ? text[..Longest] : text);
    }
}
