using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace IdP.Protocol.Jose;

/// <summary>The claims of a JWT, types checked (RFC 7519 §4.1) but not yet believed. Immutable.</summary>
public sealed class JwtClaims
{
    /// <summary>The greatest time in a token: the end of the year 9999 in seconds since 1970.</summary>
    public const long MaximumTime = 253402300799;

    private JwtClaims(JsonElement root) => Root = root;

    /// <summary><c>iss</c>.</summary>
    public string? Issuer { get; private set; }

    /// <summary><c>sub</c>.</summary>
    public string? Subject { get; private set; }

    /// <summary><c>jti</c>.</summary>
    public string? JwtId { get; private set; }

    /// <summary><c>client_id</c> (RFC 8693 §4.3).</summary>
    public string? ClientId { get; private set; }

    /// <summary><c>aud</c>, one or several; empty if there is none.</summary>
    public IReadOnlyList<string> Audiences { get; private set; } = [];

    /// <summary><c>exp</c> in seconds since 1970.</summary>
    public long? ExpiresAt { get; private set; }

    /// <summary><c>nbf</c> in seconds since 1970.</summary>
    public long? NotBefore { get; private set; }

    /// <summary><c>iat</c> in seconds since 1970.</summary>
    public long? IssuedAt { get; private set; }

    /// <summary>All claims, as a JSON object without repeated members.</summary>
    public JsonElement Root { get; }

    /// <summary>A claim that is a string; null if it is missing or of another type.</summary>
    public string? GetString(string name) => TryGet(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    /// <summary>A claim of any type.</summary>
    public bool TryGet(string name, out JsonElement value) => Root.TryGetProperty(name, out value);

    internal static bool TryParse(ReadOnlySpan<byte> utf8, [NotNullWhen(true)] out JwtClaims? claims, [NotNullWhen(false)] out string? problem)
    {
        claims = null;
        if (!StrictJson.TryParseObject(utf8, out var root))
        {
            problem = "The claims of the token are not a JSON object without repeated members";
            return false;
        }

        var result = new JwtClaims(root);
        foreach (var member in root.EnumerateObject())
        {
            if (result.Take(member)) continue;
            problem = "A claim of the token has the wrong type";
            return false;
        }

        claims = result;
        problem = null;
        return true;
    }

    // True for every claim that is not registered: those are the caller's to judge.
    private bool Take(JsonProperty member)
    {
        if (member.NameEquals("iss"u8)) return (Issuer = Text(member.Value)) is not null;
        if (member.NameEquals("sub"u8)) return (Subject = Text(member.Value)) is not null;
        if (member.NameEquals("jti"u8)) return (JwtId = Text(member.Value)) is not null;
        if (member.NameEquals("client_id"u8)) return (ClientId = Text(member.Value)) is not null;
        if (member.NameEquals("exp"u8)) return (ExpiresAt = Seconds(member.Value)) is not null;
        if (member.NameEquals("nbf"u8)) return (NotBefore = Seconds(member.Value)) is not null;
        if (member.NameEquals("iat"u8)) return (IssuedAt = Seconds(member.Value)) is not null;
        return !member.NameEquals("aud"u8) || (Audiences = Texts(member.Value)).Count > 0;
    }

    private static string? Text(JsonElement value) => value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static string[] Texts(JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.String) return [value.GetString()!];
        if (value.ValueKind != JsonValueKind.Array) return [];
        var texts = new string[value.GetArrayLength()];
        for (var i = 0; i < texts.Length; i++)
        {
            if (Text(value[i]) is not { } text) return [];
            texts[i] = text;
        }

        return texts;
    }

    // RFC 7519 §2, NumericDate: fractions are allowed there, but nobody issues them and they only invite disagreement.
    private static long? Seconds(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Number) return null;
        if (!value.TryGetInt64(out var seconds))
        {
            if (!value.TryGetDecimal(out var number) || number != decimal.Truncate(number) || number is < 0 or > MaximumTime) return null;
            seconds = (long)number;
        }

        return seconds is >= 0 and <= MaximumTime ? seconds : null;
    }
}
