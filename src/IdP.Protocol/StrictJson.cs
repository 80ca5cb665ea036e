using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Unicode;

namespace IdP.Protocol;

/// <summary>Reads JSON from strangers: strict UTF-8 without a byte order mark, no member twice at any level, small depth, no lone surrogates.</summary>
public static class StrictJson
{
    /// <summary>The greatest nesting of arrays and objects.</summary>
    public const int MaximumDepth = 16;

    private static readonly JsonDocumentOptions Options = new() { MaxDepth = MaximumDepth, AllowDuplicateProperties = false };

    /// <summary>Parses one JSON value. The caller limits the length.</summary>
    /// <returns>False if anything of the above is broken; it never throws, and neither does reading a string of the result.</returns>
    public static bool TryParse(ReadOnlySpan<byte> utf8, out JsonElement root)
    {
        root = default;
        if (!Utf8.IsValid(utf8) || HasLoneSurrogate(utf8)) return false;
        try
        {
            root = JsonElement.Parse(utf8, Options);
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <summary>Parses one JSON object.</summary>
    /// <inheritdoc cref="TryParse"/>
    public static bool TryParseObject(ReadOnlySpan<byte> utf8, out JsonElement root) =>
        TryParse(utf8, out root) && root.ValueKind == JsonValueKind.Object;

    /// <summary>The value of a member that is a string.</summary>
    /// <returns>False if the member is missing or of another type.</returns>
    public static bool TryGetString(JsonElement json, string member, [NotNullWhen(true)] out string? value)
    {
        value = json.TryGetProperty(member, out var found) && found.ValueKind == JsonValueKind.String ? found.GetString() : null;
        return value is not null;
    }

    // RFC 8259 §8.2: an escape may spell half of a surrogate pair, which is no Unicode text; the reader would throw only when it is read.
    private static bool HasLoneSurrogate(ReadOnlySpan<byte> utf8)
    {
        for (int next; (next = utf8.IndexOf((byte)'\\')) >= 0;)
        {
            utf8 = utf8[next..];
            if (!TryReadEscape(utf8, out var unit))
            {
                utf8 = utf8[Math.Min(2, utf8.Length)..];
                continue;
            }

            if (char.IsLowSurrogate(unit)) return true;
            utf8 = utf8[6..];
            if (!char.IsHighSurrogate(unit)) continue;
            if (!TryReadEscape(utf8, out var low) || !char.IsLowSurrogate(low)) return true;
            utf8 = utf8[6..];
        }

        return false;
    }

    private static bool TryReadEscape(ReadOnlySpan<byte> utf8, out char unit)
    {
        unit = default;
        if (utf8.Length < 6 || utf8[0] != '\\' || utf8[1] != 'u') return false;
        var value = 0;
        foreach (var digit in utf8[2..6])
        {
            if (!char.IsAsciiHexDigit((char)digit)) return false;
            value = (value << 4) | (digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10);
        }

        unit = (char)value;
        return true;
    }
}
