using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace IdP.Protocol.Jose;

/// <summary>The keys of a JWK Set (RFC 7517 §5) that can verify signatures here. Immutable.</summary>
public sealed class JsonWebKeySet
{
    /// <summary>The greatest number of entries, usable or not.</summary>
    public const int MaximumKeys = 256;

    private readonly Dictionary<(string KeyId, string Algorithm), VerificationKey> _byId = [];
    private readonly List<VerificationKey> _keys = [];

    private JsonWebKeySet()
    {
    }

    /// <summary>The usable keys; an RSA key without <c>alg</c> is here twice, for RS256 and for PS256.</summary>
    public IReadOnlyList<VerificationKey> Keys => _keys;

    /// <summary>Reads a set. Keys for other purposes or of unknown kinds are left out, as are weak keys and points off the curve.</summary>
    /// <param name="utf8">The document; the caller limits its length.</param>
    /// <param name="set">The set; it may be empty.</param>
    /// <param name="problem">What is wrong: not strict JSON, no array <c>keys</c>, or two usable keys with the same <c>kid</c> and algorithm.</param>
    public static bool TryParse(ReadOnlySpan<byte> utf8, [NotNullWhen(true)] out JsonWebKeySet? set, [NotNullWhen(false)] out string? problem)
    {
        set = null;
        if (!StrictJson.TryParseObject(utf8, out var root))
        {
            problem = "The key set is not a JSON object in strict UTF-8.";
            return false;
        }

        if (!root.TryGetProperty("keys"u8, out var keys) || keys.ValueKind != JsonValueKind.Array || keys.GetArrayLength() > MaximumKeys)
        {
            problem = "The key set has no array of keys, or too long a one.";
            return false;
        }

        var result = new JsonWebKeySet();
        foreach (var jwk in keys.EnumerateArray())
        {
            if (jwk.ValueKind != JsonValueKind.Object)
            {
                problem = "An entry of the key set is not an object.";
                return false;
            }

            foreach (var key in Read(jwk))
            {
                result._keys.Add(key);
                if (key.KeyId.Length == 0 || result._byId.TryAdd((key.KeyId, key.Algorithm), key)) continue;
                problem = "Two keys of the key set have the same kid and algorithm.";
                return false;
            }
        }

        set = result;
        problem = null;
        return true;
    }

    /// <summary>The key for a token's header.</summary>
    /// <returns>
    /// The key of that id and algorithm. Without an id, the only key of the algorithm, or null if there are several:
    /// trying them all would be a guess.
    /// </returns>
    public VerificationKey? Find(string? keyId, string algorithm)
    {
        if (!string.IsNullOrEmpty(keyId)) return _byId.GetValueOrDefault((keyId, algorithm));
        if (keyId is not null) return null;
        VerificationKey? only = null;
        foreach (var key in _keys)
        {
            if (key.Algorithm != algorithm) continue;
            if (only is not null) return null;
            only = key;
        }

        return only;
    }

    // RFC 7517 §5: a key that is not understood or out of range is ignored, not an error. Only public members are ever read.
    private static IEnumerable<VerificationKey> Read(JsonElement jwk)
    {
        if (jwk.TryGetProperty("use"u8, out var use) && !(use.ValueKind == JsonValueKind.String && use.ValueEquals("sig"u8))) return [];
        if (jwk.TryGetProperty("key_ops"u8, out var operations) && !AllowsVerify(operations)) return [];
        if (jwk.TryGetProperty("kid"u8, out var kid) && !(kid.ValueKind == JsonValueKind.String && JoseHeader.IsKeyId(kid.GetString()!))) return [];
        string? algorithm = null;
        if (jwk.TryGetProperty("alg"u8, out _) && !StrictJson.TryGetString(jwk, "alg", out algorithm)) return [];

        var keyId = kid.ValueKind == JsonValueKind.String ? kid.GetString()! : "";
        if (!StrictJson.TryGetString(jwk, "kty", out var type)) return [];
        if (type == "EC")
        {
            if (algorithm is not (null or SigningAlgorithms.ES256)) return [];
            if (!StrictJson.TryGetString(jwk, "crv", out var curve) || curve != "P-256") return [];
            return ReadPublic(jwk, "x", "y", isElliptic: true) is { } point ? [new VerificationKey(keyId, SigningAlgorithms.ES256, point)] : [];
        }

        if (type != "RSA" || algorithm is not (null or SigningAlgorithms.RS256 or SigningAlgorithms.PS256)) return [];
        if (ReadPublic(jwk, "n", "e", isElliptic: false) is not { } rsa) return [];
        if (algorithm is not null) return [new VerificationKey(keyId, algorithm, rsa)];
        return [new VerificationKey(keyId, SigningAlgorithms.RS256, rsa), new VerificationKey(keyId, SigningAlgorithms.PS256, rsa)];
    }

    private static PublicKey? ReadPublic(JsonElement jwk, string firstName, string secondName, bool isElliptic) =>
        StrictJson.TryGetString(jwk, firstName, out var first) && StrictJson.TryGetString(jwk, secondName, out var second)
        && CanonicalBase64Url.TryDecode(first, out var firstBytes) && CanonicalBase64Url.TryDecode(second, out var secondBytes)
            ? PublicKey.TryCreate(firstBytes, secondBytes, isElliptic)
            : null;

    private static bool AllowsVerify(JsonElement operations)
    {
        if (operations.ValueKind != JsonValueKind.Array) return false;
        foreach (var operation in operations.EnumerateArray())
        {
            if (operation.ValueKind == JsonValueKind.String && operation.ValueEquals("verify"u8)) return true;
        }

        return false;
    }
}
