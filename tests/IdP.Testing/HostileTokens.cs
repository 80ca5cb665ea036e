using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using IdP.Protocol.Jose;

namespace IdP.Testing;

/// <summary>One token that nobody may accept, and the case that it belongs to.</summary>
public sealed record HostileToken(string Case, string What, string Token);

/// <summary>
/// Tokens with exactly one thing wrong. Everything else in them is what an honest token has, so that whoever refuses one
/// refuses it for that one thing: tests also send <see cref="Honest"/>, which must be accepted.
/// </summary>
public sealed class HostileTokens
{
    /// <summary>Where a jku or x5u points; a test may listen there.</summary>
    public const string Listener = "http://127.0.0.1:9/keys";

    private readonly SigningKey _key;
    private readonly SigningKey _attacker;
    private readonly JsonObject _claims;
    private readonly long _now;
    private readonly long _skew;
    private readonly string _listener;
    private readonly List<HostileToken> _tokens = [];

    private HostileTokens(SigningKey key, JsonObject claims, DateTimeOffset now, TimeSpan skew, string listener)
    {
        (_key, _claims, _listener) = (key, claims, listener);
        (_now, _skew) = (now.ToUnixTimeSeconds(), (long)skew.TotalSeconds);
        _attacker = SigningKey.Generate(key.Algorithm);
    }

    /// <summary>The same claims, nothing wrong.</summary>
    public static string Honest(SigningKey key, JsonObject claims) => ForgedJwt.Sign(key, claims);

    /// <param name="key">A key that the verifier trusts for access tokens.</param>
    /// <param name="claims">Claims that are accepted, with iss, sub, aud (a string or an array of one), client_id, exp, iat, jti.</param>
    /// <param name="now">The verifier's time.</param>
    /// <param name="skew">The verifier's tolerance, at most 30 s.</param>
    /// <param name="listener">Where a jku or x5u points.</param>
    public static IReadOnlyList<HostileToken> All(SigningKey key, JsonObject claims, DateTimeOffset now, TimeSpan skew, string listener = Listener)
    {
        var made = new HostileTokens(key, claims, now, skew, listener);
        using (made._attacker)
        {
            made.AddKeyTricks();
            made.AddTypes();
            made.AddClaims();
            made.AddTimes();
            made.AddHeaders();
            made.AddEncrypted();
            made.AddSignatures();
            made.AddEncodings();
        }

        return made._tokens;
    }

    private string Payload => _claims.ToJsonString();

    private string Audience => _claims["aud"] is JsonArray several ? several[0]!.GetValue<string>() : _claims["aud"]!.GetValue<string>();

    private string Issuer => _claims["iss"]!.GetValue<string>();

    private void Add(string id, string what, string token) => _tokens.Add(new HostileToken(id, what, token));

    private string With(string name, JsonNode? value)
    {
        var claims = _claims.DeepClone().AsObject();
        claims[name] = value;
        return ForgedJwt.Sign(_key, claims);
    }

    private string Without(string name)
    {
        var claims = _claims.DeepClone().AsObject();
        claims.Remove(name);
        return ForgedJwt.Sign(_key, claims);
    }

    // For numbers that no JSON writer makes.
    private string WithRaw(string name, string json)
    {
        var claims = _claims.DeepClone().AsObject();
        claims.Remove(name);
        return ForgedJwt.Sign(_key, ForgedJwt.Header(_key), $"{claims.ToJsonString()[..^1]},\"{name}\":{json}}}");
    }

    private string Signed(string header) => ForgedJwt.Sign(_key, header, Payload);

    private string SignedByAttacker(string member) => ForgedJwt.Sign(_attacker, ForgedJwt.Header(_key, member), Payload);

    private void AddKeyTricks()
    {
        var hmac = $$"""{"alg":"HS256","kid":"{{_key.KeyId}}","typ":"at+jwt"}""";
        var publicKey = PublicForms(_key);
        foreach (var (name, bytes) in publicKey) Add("JWT-02", "HS256 keyed with the public key as " + name, ForgedJwt.Hmac(bytes, hmac, Payload));
        foreach (var none in (string[])["none", "None", "NONE", "nOnE", ""])
        {
            var header = $$"""{"alg":"{{none}}","kid":"{{_key.KeyId}}","typ":"at+jwt"}""";
            Add("JWT-02", $"alg '{none}' without a signature", ForgedJwt.WithoutSignature(header, Payload));
            Add("JWT-02", $"alg '{none}' with a signature", Signed(header));
        }

        Add("JWT-02", "alg missing", Signed($$"""{"kid":"{{_key.KeyId}}","typ":"at+jwt"}"""));
        Add("JWT-02", "alg a number", Signed($$"""{"alg":256,"kid":"{{_key.KeyId}}","typ":"at+jwt"}"""));
        Add("JWT-02", "alg in lower case", Signed($$"""{"alg":"{{_key.Algorithm.ToLowerInvariant()}}","kid":"{{_key.KeyId}}","typ":"at+jwt"}"""));

        var jwk = Jwk(_attacker);
        Add("JWT-03", "jwk of an attacker", SignedByAttacker($"\"jwk\":{jwk}"));
        Add("JWT-03", "jwk of an attacker without kid", ForgedJwt.Sign(_attacker, $$"""{"alg":"{{_key.Algorithm}}","typ":"at+jwt","jwk":{{jwk}}}""", Payload));
        Add("JWT-03", "x5c of an attacker", SignedByAttacker("\"x5c\":[\"MIIB\"]"));
        Add("JWT-04", "jku to a listener", SignedByAttacker($"\"jku\":\"{_listener}\""));
        Add("JWT-04", "x5u to a listener", SignedByAttacker($"\"x5u\":\"{_listener}\""));
        foreach (var (what, kid) in (ReadOnlySpan<(string, string)>)
            [("a path", "../../../dev/null"), ("SQL", "' OR 1=1--"), ("10 kB", new string('k', 10_000)), ("NUL", "a\\u0000b"), ("empty", ""), ("unknown", "nobody")])
            Add("JWT-06", "kid is " + what, Signed($$"""{"alg":"{{_key.Algorithm}}","kid":"{{kid}}","typ":"at+jwt"}"""));
        Add("JWT-06", "kid is a number", Signed($$"""{"alg":"{{_key.Algorithm}}","kid":1,"typ":"at+jwt"}"""));
        var other = _key.Algorithm switch { SigningAlgorithms.ES256 => SigningAlgorithms.RS256, SigningAlgorithms.RS256 => SigningAlgorithms.PS256, _ => SigningAlgorithms.RS256 };
        Add("JWT-17", "an algorithm that is not the key's", Signed($$"""{"alg":"{{other}}","kid":"{{_key.KeyId}}","typ":"at+jwt"}"""));
    }

    private void AddTypes()
    {
        Add("JWT-08", "an ID token", ForgedJwt.Sign(_key, _claims, "JWT"));
        foreach (var type in (string[])["dpop+jwt", "logout+jwt", "oauth-authz-req+jwt", "client-authentication+jwt", "at+jwt2", "at", "text/at+jwt", "at+jwt ", ""])
            Add("JWT-09", $"typ '{type}'", ForgedJwt.Sign(_key, _claims, type));
        Add("JWT-09", "typ missing", Signed($$"""{"alg":"{{_key.Algorithm}}","kid":"{{_key.KeyId}}"}"""));
        Add("JWT-09", "typ an array", Signed($$"""{"alg":"{{_key.Algorithm}}","kid":"{{_key.KeyId}}","typ":["at+jwt"]}"""));
    }

    private void AddClaims()
    {
        Add("JWT-10", "aud of another", With("aud", "urn:other"));
        Add("JWT-10", "aud an array of others", With("aud", new JsonArray("urn:other", "urn:third")));
        Add("JWT-10", "aud missing", Without("aud"));
        Add("JWT-10", "aud a number", With("aud", 1));
        Add("JWT-10", "aud an empty array", With("aud", new JsonArray()));
        Add("JWT-10", "aud ours and a number", With("aud", new JsonArray(Audience, 1)));
        Add("JWT-10", "aud null", With("aud", null));
        Add("JWT-10", "aud a prefix", With("aud", Audience[..^1]));
        Add("JWT-10", "aud with a slash at the end", With("aud", Audience + "/"));
        Add("JWT-10", "aud in another case", With("aud", Audience.ToUpperInvariant()));
        Add("JWT-11", "iss of another", With("iss", "https://other.example"));
        Add("JWT-11", "iss with a slash at the end", With("iss", Issuer + "/"));
        Add("JWT-11", "iss with another scheme", With("iss", Issuer.StartsWith("https:", StringComparison.Ordinal) ? "http:" + Issuer[6..] : "https:" + Issuer[5..]));
        Add("JWT-11", "iss in another case", With("iss", Issuer.ToUpperInvariant()));
        Add("JWT-11", "iss missing", Without("iss"));
        Add("JWT-11", "iss an array", With("iss", new JsonArray(Issuer)));
        Add("JWT-21", "a tenant's token under the same key", With("iss", Issuer + "/tenant-a"));
        foreach (var name in (string[])["sub", "client_id", "jti"])
        {
            Add("JWT-12", name + " missing", Without(name));
            Add("JWT-12", name + " a number", With(name, 7));
            Add("JWT-12", name + " null", With(name, null));
        }
    }

    private void AddTimes()
    {
        Add("JWT-12", "expired at the edge of the skew", With("exp", _now - _skew));
        Add("JWT-12", "expired 1 s beyond the skew", With("exp", _now - _skew - 1));
        Add("JWT-12", "iat 61 s ahead", With("iat", _now + 61));
        Add("JWT-12", "nbf 61 s ahead", With("nbf", _now + 61));
        Add("JWT-12", "exp missing", Without("exp"));
        Add("JWT-12", "iat missing", Without("iat"));
        foreach (var name in (string[])["exp", "iat", "nbf"])
        {
            Add("JWT-12", name + " a string", With(name, _now.ToString(CultureInfo.InvariantCulture)));
            foreach (var number in (string[])["1e308", "-1", "253402300800", "9223372036854775808", "1.5", "null", "true", "[1]"]) Add("JWT-12", $"{name} {number}", WithRaw(name, number));
            Add("JWT-12", name + " NaN", WithRaw(name, "NaN"));
        }
    }

    private void AddHeaders()
    {
        foreach (var crit in (string[])["\"crit\":[\"exp\"],\"exp\":1", "\"crit\":[]", "\"crit\":[\"b64\"],\"b64\":true", "\"crit\":null", "\"crit\":\"b64\"", "\"b64\":false", "\"b64\":true"])
            Add("JWT-13", crit.Replace('"', '\''), Signed(ForgedJwt.Header(_key, crit)));
        Add("JWT-14", "alg twice", Signed($$"""{"alg":"none","alg":"{{_key.Algorithm}}","kid":"{{_key.KeyId}}","typ":"at+jwt"}"""));
        Add("JWT-14", "alg twice, once with an escape", Signed(ForgedJwt.Header(_key, $"\"\\u0061lg\":\"{_key.Algorithm}\"")));
        Add("JWT-14", "typ twice", Signed(ForgedJwt.Header(_key, "\"typ\":\"at+jwt\"")));
        foreach (var name in (string[])["sub", "aud", "exp", "iss"])
            Add("JWT-14", name + " twice", ForgedJwt.Sign(_key, ForgedJwt.Header(_key), $"{Payload[..^1]},\"{name}\":{_claims[name]!.ToJsonString()}}}"));
        Add("JWT-14", "a nested member twice", ForgedJwt.Sign(_key, ForgedJwt.Header(_key), Payload[..^1] + ",\"x\":{\"a\":1,\"a\":2}}"));
    }

    private void AddEncrypted()
    {
        var parts = ".AAAA.AAAAAAAAAAAAAAAA." + Base64Url.EncodeToString(Encoding.UTF8.GetBytes(Payload)) + ".AAAAAAAAAAAAAAAAAAAAAA";
        foreach (var header in (string[])
            [
                """{"alg":"dir","enc":"A256GCM","zip":"DEF","typ":"at+jwt"}""",
                """{"alg":"PBES2-HS512+A256KW","enc":"A256GCM","p2c":2147483647,"p2s":"AAAA","typ":"at+jwt"}""",
                """{"alg":"ECDH-ES","enc":"A256GCM","epk":{"kty":"EC","crv":"P-256","x":"AAAA","y":"AAAA"},"typ":"at+jwt"}""",
                """{"alg":"RSA-OAEP","enc":"A256GCM","cty":"JWT","typ":"at+jwt"}""",
            ])
            Add("JWT-15", "JWE with " + header[8..16].Replace('"', '\''), Base64Url.EncodeToString(Encoding.UTF8.GetBytes(header)) + parts);
        var nested = Honest(_key, _claims);
        for (var i = 0; i < 5; i++) nested = "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..AAAA." + Base64Url.EncodeToString(Encoding.UTF8.GetBytes(nested)) + ".AAAA";
        Add("JWT-15", "five nested JWEs", nested);
        Add("JWT-22", "a JWE of raw JSON", "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIiwidHlwIjoiYXQrand0In0." + parts[1..]);
        Add("JWT-22", "a JWE header in three parts", ForgedJwt.Sign(_key, """{"alg":"dir","enc":"A256GCM","typ":"at+jwt"}""", Payload));
    }

    private void AddSignatures()
    {
        var honest = Honest(_key, _claims);
        var signature = ForgedJwt.Signature(honest);
        Add("JWT-16", "signature of zeros", ForgedJwt.WithSignature(honest, new byte[signature.Length]));
        Add("JWT-16", "signature padded with a zero in front", ForgedJwt.WithSignature(honest, [0, .. signature]));
        Add("JWT-16", "signature padded with a zero at the end", ForgedJwt.WithSignature(honest, [.. signature, 0]));
        Add("JWT-16", "signature cut", ForgedJwt.WithSignature(honest, signature[..^1]));
        Add("JWT-16", "signature empty", honest[..(honest.LastIndexOf('.') + 1)]);
        Add("JWT-16", "signature part missing", honest[..honest.LastIndexOf('.')]);
        Add("JWT-16", "signature of ones", ForgedJwt.WithSignature(honest, [.. Enumerable.Repeat((byte)0xff, signature.Length)]));
        Add("JWT-16", "signature of another key", ForgedJwt.Sign(_attacker, ForgedJwt.Header(_key), Payload));
        if (_key.Algorithm != SigningAlgorithms.ES256) return;
        using var ecdsa = ECDsa.Create();
        ecdsa.ImportPkcs8PrivateKey(_key.ExportPkcs8(), out _);
        var input = Encoding.ASCII.GetBytes(honest[..honest.LastIndexOf('.')]);
        Add("JWT-16", "signature in DER", ForgedJwt.WithSignature(honest, ecdsa.SignData(input, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence)));
    }

    private void AddEncodings()
    {
        var header = Encoding.UTF8.GetBytes(ForgedJwt.Header(_key));
        var payload = Encoding.UTF8.GetBytes(Payload);
        void AddPayload(string what, ReadOnlySpan<byte> bytes) => Add("JWT-18", what, ForgedJwt.Sign(_key, header, bytes.ToArray()));
        AddPayload("depth 6,000", Encoding.UTF8.GetBytes(Payload[..^1] + ",\"x\":" + new string('[', 3000) + new string(']', 3000) + "}"));
        AddPayload("depth 17", Encoding.UTF8.GetBytes(Payload[..^1] + ",\"x\":" + new string('[', 16) + new string(']', 16) + "}"));
        AddPayload("1 MB", Encoding.UTF8.GetBytes(Payload[..^1] + ",\"x\":\"" + new string('x', 1_000_000) + "\"}"));
        AddPayload("invalid UTF-8", [.. payload[..^1], .. ",\"x\":\""u8, 0xC3, 0x28, .. "\"}"u8]);
        AddPayload("an overlong NUL", [.. payload[..^1], .. ",\"x\":\""u8, 0xC0, 0x80, .. "\"}"u8]);
        AddPayload("a byte order mark", [0xEF, 0xBB, 0xBF, .. payload]);
        AddPayload("a lone surrogate", [.. payload[..^1], .. ",\"x\":\"\\ud800\"}"u8]);
        AddPayload("a surrogate pair the wrong way round", [.. payload[..^1], .. ",\"x\":\"\\udc00\\ud800\"}"u8]);
        AddPayload("an unescaped control character", [.. payload[..^1], .. ",\"x\":\"\n\"}"u8]);
        AddPayload("a comment", [.. payload[..^1], .. "/**/}"u8]);
        AddPayload("a comma at the end", [.. payload[..^1], .. ",}"u8]);
        AddPayload("bytes after the object", [.. payload, .. "{}"u8]);
        AddPayload("an array", [.. "["u8, .. payload, .. "]"u8]);
        AddPayload("nothing", []);
        Add("JWT-18", "a byte order mark before the header", ForgedJwt.Sign(_key, [0xEF, 0xBB, 0xBF, .. header], payload));
        Add("JWT-20", "10,000 dots", new string('.', 10_000));
        Add("JWT-20", "1 M dots", new string('.', 1_000_000));
        Add("JWT-20", "a first segment of 1 M characters", new string('A', 1_000_000) + "." + "e30.AAAA");
        Add("JWT-20", "a fourth segment", Honest(_key, _claims) + ".AAAA");
    }

    private static string Jwk(SigningKey key)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream)) key.WritePublicJwk(writer);
        return Encoding.UTF8.GetString(stream.ToArray());
    }

    private static IEnumerable<(string Name, byte[] Bytes)> PublicForms(SigningKey key)
    {
        using AsymmetricAlgorithm algorithm = key.Algorithm == SigningAlgorithms.ES256 ? ECDsa.Create() : RSA.Create();
        algorithm.ImportPkcs8PrivateKey(key.ExportPkcs8(), out _);
        yield return ("PEM", Encoding.ASCII.GetBytes(algorithm.ExportSubjectPublicKeyInfoPem()));
        yield return ("PEM with a line break at the end", Encoding.ASCII.GetBytes(algorithm.ExportSubjectPublicKeyInfoPem() + "\n"));
        yield return ("DER", algorithm.ExportSubjectPublicKeyInfo());
        yield return ("JWK", Encoding.UTF8.GetBytes(Jwk(key)));
        yield return ("bytes of the number", algorithm is RSA rsa ? rsa.ExportParameters(false).Modulus! : ((ECDsa)algorithm).ExportParameters(false).Q.X!);
        yield return ("the empty key", []);
    }
}
