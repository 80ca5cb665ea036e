using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace IdP.Protocol.OAuth;

/// <summary>The parameters of one request, strictly read: no parameter repeats but those that may, an empty value is no value.</summary>
internal sealed class FormParameters
{
    public const int MostParameters = 64;
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
    private readonly List<KeyValuePair<string, string>> _pairs;

    private FormParameters(List<KeyValuePair<string, string>> pairs) => _pairs = pairs;

    /// <summary>The names that were repeated against the rules; only <see cref="ParseLeniently"/> lets one through.</summary>
    public IReadOnlyCollection<string> Repeated { get; private init; } = [];

    /// <summary>The value, or null when it was not sent or sent empty.</summary>
    public string? this[string name]
    {
        get
        {
            foreach (var (key, value) in _pairs)
                if (key == name) return value.Length == 0 ? null : value;
            return null;
        }
    }

    public IEnumerable<string> All(string name) => _pairs.Where(pair => pair.Key == name && pair.Value.Length > 0).Select(pair => pair.Value);

    public bool Has(string name) => this[name] is not null;

    public static Result<FormParameters> Parse(ReadOnlySpan<byte> body)
    {
        if (ParseLeniently(body).Failed(out var form, out var error)) return error;
        foreach (var name in form.Repeated) return OAuthError.InvalidRequest($"the parameter '{OAuthError.Printable(name)}' is repeated");
        return form;
    }

    /// <summary>The same for an authorization request, whose error goes to the client if it is known: repeated names are told, not refused.</summary>
    public static Result<FormParameters> ParseLeniently(ReadOnlySpan<byte> body)
    {
        var pairs = new List<KeyValuePair<string, string>>(8);
        List<string>? repeated = null;
        foreach (var range in body.Split((byte)'&'))
        {
            var pair = body[range];
            if (pair.IsEmpty) continue;
            var equals = pair.IndexOf((byte)'=');
            if (!TryDecode(equals < 0 ? pair : pair[..equals], out var name) ||
                !TryDecode(equals < 0 ? default : pair[(equals + 1)..], out var value))
                return OAuthError.InvalidRequest("the parameters are not valid application/x-www-form-urlencoded UTF-8");
            if (pairs.Count == MostParameters) return OAuthError.InvalidRequest($"more than {MostParameters} parameters");
            // RFC 6749 §3.2: parameters must not repeat. RFC 8707 §2 and RFC 8693 §2.1: resource and audience may.
            if (name is not ("resource" or "audience") && pairs.Exists(other => other.Key == name)) (repeated ??= []).Add(name);
            pairs.Add(new(name, value));
        }
        return new FormParameters(pairs) { Repeated = repeated ?? [] };
    }

    public FormParameters Without(params string[] names) => new(_pairs.FindAll(pair => !names.Contains(pair.Key)));

    /// <summary>The parameters as they were, for keeping; <see cref="Parse"/> reads them again.</summary>
    public string Encode() => string.Join('&', _pairs.Select(pair => $"{Uri.EscapeDataString(pair.Key)}={Uri.EscapeDataString(pair.Value)}"));

    /// <summary>Decodes one name or value of application/x-www-form-urlencoded; false for a broken escape or broken UTF-8.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> encoded, [NotNullWhen(true)] out string? text)
    {
        text = null;
        if (encoded.IndexOfAny((byte)'%', (byte)'+') < 0) return TryUtf8(encoded, out text);
        Span<byte> decoded = encoded.Length <= 512 ? stackalloc byte[encoded.Length] : new byte[encoded.Length];
        var length = 0;
        for (var i = 0; i < encoded.Length; i++)
        {
            var b = encoded[i];
            if (b == '%')
            {
                if (i + 2 >= encoded.Length || !char.IsAsciiHexDigit((char)encoded[i + 1]) || !char.IsAsciiHexDigit((char)encoded[i + 2])) return false;
                b = (byte)((HexValue(encoded[i + 1]) << 4) | HexValue(encoded[i + 2]));
                i += 2;
            }
            else if (b == '+') b = (byte)' ';
            decoded[length++] = b;
        }
        return TryUtf8(decoded[..length], out text);
    }

    private static int HexValue(byte digit) => digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10;

    private static bool TryUtf8(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out string? text)
    {
        text = null;
        if (!System.Text.Unicode.Utf8.IsValid(bytes)) return false;
        text = StrictUtf8.GetString(bytes);
        return true;
    }
}
