using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Serilog.Core;
using Serilog.Events;

namespace IdP.Observability;

/// <summary>
/// Writes one JSON object a line to standard output: time, level, message, and the properties that have a value. Lines are gathered and
/// written a few times a second, because a system call for each would cost more than the request; an error is written at once.
/// </summary>
internal sealed class JsonLines : ILogEventSink, IDisposable
{
    private const int FlushAt = 32 * 1024;
    private static readonly TimeSpan FlushEvery = TimeSpan.FromMilliseconds(200);
    private readonly Lock _lock = new();
    private readonly Stream _output = Console.OpenStandardOutput();
    private readonly ArrayBufferWriter<byte> _buffer = new(FlushAt * 2);
    private readonly Utf8JsonWriter _json;
    private readonly Timer _timer;

    public JsonLines()
    {
        _json = new Utf8JsonWriter(_buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true });
        _timer = new Timer(_ => Flush(), null, FlushEvery, FlushEvery);
    }

    public void Emit(LogEvent logEvent)
    {
        lock (_lock)
        {
            _json.Reset();
            Write(logEvent);
            _json.Flush();
            _buffer.Write("\n"u8);
            if (_buffer.WrittenCount >= FlushAt || logEvent.Level >= LogEventLevel.Error) Flush();
        }
    }

    public void Dispose()
    {
        _timer.Dispose();
        Flush();
        _json.Dispose();
    }

    private void Flush()
    {
        lock (_lock)
        {
            if (_buffer.WrittenCount == 0) return;
            try
            {
                _output.Write(_buffer.WrittenSpan);
                _output.Flush();
            }
            catch (IOException)
            {
                // Nobody reads the log any more; that must not stop the server.
            }
            _buffer.ResetWrittenCount();
        }
    }

    private void Write(LogEvent logEvent)
    {
        _json.WriteStartObject();
        Span<char> time = stackalloc char[32];
        logEvent.Timestamp.UtcDateTime.TryFormat(time, out var length, "yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);
        _json.WriteString("time"u8, time[..length]);
        _json.WriteString("level"u8, LevelName(logEvent.Level));
        // A line of the request log is its properties; any other is worth reading as a sentence.
        if (!logEvent.Properties.ContainsKey("Outcome")) _json.WriteString("message"u8, logEvent.RenderMessage(CultureInfo.InvariantCulture));
        foreach (var (name, value) in logEvent.Properties)
            if (name is not ("EventId" or "RequestId" or "RequestPath" or "ConnectionId")) Write(name, value);
        if (logEvent.TraceId is { } trace) _json.WriteString("TraceId"u8, trace.ToHexString());
        if (logEvent.Exception is { } failure) _json.WriteString("Exception"u8, failure.ToString());
        _json.WriteEndObject();
    }

    private void Write(string name, LogEventPropertyValue value)
    {
        switch ((value as ScalarValue)?.Value)
        {
            case string text: _json.WriteString(name, text); break;
            case int number: _json.WriteNumber(name, number); break;
            case double number: _json.WriteNumber(name, Math.Round(number, 2)); break;
            case { } other: _json.WriteString(name, Convert.ToString(other, CultureInfo.InvariantCulture)); break;
            case null when value is not ScalarValue: _json.WriteString(name, value.ToString(null, CultureInfo.InvariantCulture)); break;
        }
    }

    private static string LevelName(LogEventLevel level) => level switch
    {
        LogEventLevel.Verbose => "Verbose",
        LogEventLevel.Debug => "Debug",
        LogEventLevel.Information => "Information",
        LogEventLevel.Warning => "Warning",
        LogEventLevel.Error => "Error",
        _ => "Fatal",
    };
}
