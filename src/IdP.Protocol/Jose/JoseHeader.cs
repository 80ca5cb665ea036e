using System.Text.Json;

namespace IdP.Protocol.Jose;

/// <summary>The header of a signed JWT. Only alg, kid and typ count; jwk, jku, x5u and x5c are never looked at (RFC 8725 §3.10).</summary>
internal sealed record JoseHeader(string Algorithm, string? KeyId, string? Type)
{
    private const int MaximumKeyIdLength = 256;

    public static bool TryParse(ReadOnlySpan<byte> utf8, bool allowsSharedSecret, out JoseHeader? header, out string? problem)
    {
        header = null;
        if (!StrictJson.TryParseObject(utf8, out var root))
        {
            problem = "The header of the token is not a JSON object without repeated members";
            return false;
        }

        string? algorithm = null, keyId = null, type = null;
        problem = null;
        foreach (var member in root.EnumerateObject())
        {
            if (member.NameEquals("alg"u8))
            {
                algorithm = KnownAlgorithm(member.Value, allowsSharedSecret);
            }
            else if (member.NameEquals("kid"u8))
            {
                keyId = Text(member.Value);
                if (keyId is null || !IsKeyId(keyId)) problem = "The key id of the token is not acceptable";
            }
            else if (member.NameEquals("typ"u8))
            {
                type = Text(member.Value);
                if (type is null) problem = "The type of the token is not a string";
            }
            else if (member.NameEquals("crit"u8) || member.NameEquals("b64"u8))
            {
                // RFC 7515 §4.1.11: no extension is understood here, and an empty crit is an error by itself. RFC 7797 §6: so is b64 alone.
                problem = "The header of the token has an extension that is not understood";
            }
        }

        if (algorithm is null) problem = "The algorithm of the token is not accepted";
        if (problem is not null) return false;
        header = new JoseHeader(algorithm!, keyId, type);
        return true;
    }

    /// <summary>Whether a kid is short and printable; it is a name to compare, never a path or a query.</summary>
    public static bool IsKeyId(string keyId) =>
        keyId.Length is > 0 and <= MaximumKeyIdLength
        && !keyId.AsSpan().ContainsAnyInRange('\0', '\u001f')
        && !keyId.AsSpan().ContainsAnyInRange('\u007f', '\u009f');

    // The constants, so that no string is made for each token.
    private static string? KnownAlgorithm(JsonElement value, bool allowsSharedSecret)
    {
        if (value.ValueKind != JsonValueKind.String) return null;
        if (value.ValueEquals("ES256"u8)) return SigningAlgorithms.ES256;
        if (value.ValueEquals("RS256"u8)) return SigningAlgorithms.RS256;
        if (value.ValueEquals("PS256"u8)) return SigningAlgorithms.PS256;
        return allowsSharedSecret && value.ValueEquals("HS256"u8) ? SharedSecretKey.Algorithm : null;
    }

    private static string? Text(JsonElement value) => value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
