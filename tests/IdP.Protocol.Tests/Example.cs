using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using IdP.Protocol.Jose;

namespace IdP.Protocol.Tests;

/// <summary>One key of each algorithm for all tests, and a token that is right in every respect.</summary>
internal static class Example
{
    public const string Issuer = "https://idp.example";
    public const string Audience = "urn:demo:api";

    private static readonly Lazy<SigningKey> Es = new(() => SigningKey.Generate(SigningAlgorithms.ES256));
    private static readonly Lazy<SigningKey> Rs = new(() => SigningKey.Generate(SigningAlgorithms.RS256));
    private static readonly Lazy<SigningKey> Ps = new(() => SigningKey.Generate(SigningAlgorithms.PS256));

    public static DateTimeOffset Now { get; } = DateTimeOffset.FromUnixTimeSeconds(1_800_000_000);

    public static TimeSpan Skew { get; } = TimeSpan.FromSeconds(30);

    public static TheoryData<string> Algorithms => [.. SigningAlgorithms.All];

    public static SigningKey Key(string algorithm) => algorithm switch
    {
        SigningAlgorithms.ES256 => Es.Value,
        SigningAlgorithms.RS256 => Rs.Value,
        _ => Ps.Value,
    };

    public static JsonObject Claims() => new()
    {
        ["iss"] = Issuer,
        ["sub"] = "demo-service",
        ["aud"] = new JsonArray(Audience),
        ["client_id"] = "demo-service",
        ["exp"] = Now.ToUnixTimeSeconds() + 600,
        ["nbf"] = Now.ToUnixTimeSeconds(),
        ["iat"] = Now.ToUnixTimeSeconds(),
        ["jti"] = "5nRzHc3hGQ0",
        ["scope"] = "items:read items:write",
    };

    /// <summary>The published keys: one per algorithm.</summary>
    public static JsonWebKeySet Keys() => KeySet([.. SigningAlgorithms.All.Select(Jwk)]);

    public static JsonWebKeySet KeySet(params string[] jwks)
    {
        Assert.True(JsonWebKeySet.TryParse(Utf8($$"""{"keys":[{{string.Join(',', jwks)}}]}"""), out var set, out var problem), problem);
        return set;
    }

    public static string Jwk(string algorithm)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream)) Key(algorithm).WritePublicJwk(writer);
        return Encoding.UTF8.GetString(stream.ToArray());
    }

    /// <summary>All that a verifier does. Null if it accepts the token, else what it says.</summary>
    public static string? Verdict(string token, JsonWebKeySet keys)
    {
        if (!SignedJwt.TryParse(token, out var jwt, out var problem)) return problem;
        if (keys.Find(jwt.KeyId, jwt.Algorithm) is not { } key) return "no key";
        if (!jwt.Verify(key)) return "bad signature";
        return AccessTokenRules.Check(jwt, Issuer, [Audience], Now, Skew);
    }

    public static SignedJwt Parse(string token)
    {
        Assert.True(SignedJwt.TryParse(token, out var jwt, out var problem), problem);
        return jwt;
    }

    public static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);
}
