using System.Globalization;
using System.Text.Json;
using Serilog.Events;
using Serilog.Formatting;

namespace IdP.Observability;

/// <summary>One JSON object a line: time, level, event id, message template, and the properties that have a value.</summary>
internal sealed class JsonLines : ITextFormatter
{
    public void Format(LogEvent logEvent, TextWriter output)
    {
        using var buffer = new MemoryStream(512);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("time"u8, logEvent.Timestamp.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture));
            json.WriteString("level"u8, logEvent.Level.ToString());
            // A line of the request log is its properties; any other is worth reading as a sentence.
            if (!logEvent.Properties.ContainsKey("Outcome")) json.WriteString("message"u8, logEvent.RenderMessage(CultureInfo.InvariantCulture));
            foreach (var (name, value) in logEvent.Properties)
                if (name is not ("RequestId" or "RequestPath" or "ConnectionId" or "SpanId")) Write(json, name, value);
            if (logEvent.Exception is { } failure) json.WriteString("exception"u8, failure.ToString());
            json.WriteEndObject();
        }
        output.WriteLine(System.Text.Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length));
    }

    private static void Write(Utf8JsonWriter json, string name, LogEventPropertyValue value)
    {
        switch (value)
        {
            case ScalarValue { Value: null }: return;
            case ScalarValue { Value: int number }: json.WriteNumber(name, number); return;
            case ScalarValue { Value: double number }: json.WriteNumber(name, Math.Round(number, 2)); return;
            case ScalarValue { Value: string text }: json.WriteString(name, text); return;
            case ScalarValue { Value: { } other }: json.WriteString(name, Convert.ToString(other, CultureInfo.InvariantCulture)); return;
            case StructureValue structure when name == "EventId":
                json.WriteString("event"u8, structure.Properties.FirstOrDefault(p => p.Name == "Name")?.Value is ScalarValue { Value: string id } ? id : structure.ToString());
                return;
            default: json.WriteString(name, value.ToString(null, CultureInfo.InvariantCulture)); return;
        }
    }
}
