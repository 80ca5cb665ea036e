using System.Text.Json;
using IdP.Http;
using IdP.Protocol.Jose;
using IdP.Roles;

namespace IdP.Tokens;

/// <summary>What an access token of this provider says, whatever its format.</summary>
internal sealed record AccessTokenClaims
{
    /// <summary>The private claim that names the grant.</summary>
    public const string GrantIdName = "gid";

    /// <summary>The private claim that carries the client's generation, in tokens that have no grant.</summary>
    public const string GenerationName = "gen";

    public required string Issuer { get; init; }
    public required string Subject { get; init; }
    public required string[] Audience { get; init; }
    public required string ClientId { get; init; }
    public required string Scope { get; init; }
    public required long IssuedAt { get; init; }
    public required long ExpiresAt { get; init; }
    public required string JwtId { get; init; }
    public required string KeyId { get; init; }
    public string? Algorithm { get; init; }
    public Guid? GrantId { get; init; }
    public long? Generation { get; init; }

    /// <summary>The roles and permissions that the subject had when the token was issued.</summary>
    public Rights Rights { get; init; } = Rights.None;
    public string? Acr { get; init; }
    public long? AuthenticatedAt { get; init; }

    /// <summary>The API whose shared secret it was signed with could have made it itself: nobody else believes it.</summary>
    public bool IsBySharedSecret => Algorithm == SharedSecretKey.Algorithm;

    /// <summary>Its name among revoked tokens. One by a shared secret has a name space of its own: it could carry any other's jti.</summary>
    public string RevocationId => IsBySharedSecret ? $"{KeyId}.{JwtId}" : JwtId;

    // RFC 7519 §4.1.3: one audience is a string.
    public static void WriteAudience(Utf8JsonWriter writer, string[] audience)
    {
        if (audience.Length == 1) writer.WriteString("aud"u8, audience[0]);
        else writer.WriteList("aud", audience);
    }

    /// <summary>Null when a claim that our tokens always have is missing or of another shape.</summary>
    public static AccessTokenClaims? From(JwtClaims claims, string keyId, string? algorithm)
    {
        if (claims is not { Issuer: { } issuer, Subject: { } subject, JwtId: { } jwtId, ClientId: { } client, IssuedAt: { } issued, ExpiresAt: { } expires }) return null;
        var hasGrant = Guid.TryParseExact(claims.GetString(GrantIdName), "N", out var grant);
        var hasGeneration = claims.TryGet(GenerationName, out var number) && number.ValueKind == JsonValueKind.Number && number.TryGetInt64(out _);
        if (hasGrant == hasGeneration) return null;
        return new AccessTokenClaims
        {
            Issuer = issuer,
            Subject = subject,
            Audience = [.. claims.Audiences],
            ClientId = client,
            Scope = claims.GetString("scope") ?? "",
            IssuedAt = issued,
            ExpiresAt = expires,
            JwtId = jwtId,
            KeyId = keyId,
            Algorithm = algorithm,
            GrantId = hasGrant ? grant : null,
            Generation = hasGeneration ? number.GetInt64() : null,
            Rights = claims.TryGet("roles", out _) || claims.TryGet("permissions", out _) ? new Rights(Texts(claims, "roles"), Texts(claims, "permissions")) : Rights.None,
            Acr = claims.GetString("acr"),
            AuthenticatedAt = claims.TryGet("auth_time", out var at) && at.ValueKind == JsonValueKind.Number && at.TryGetInt64(out var seconds) ? seconds : null,
        };
    }

    private static string[] Texts(JwtClaims claims, string name) => claims.TryGet(name, out var list) && list.ValueKind == JsonValueKind.Array
        ? [.. list.EnumerateArray().Where(value => value.ValueKind == JsonValueKind.String).Select(value => value.GetString()!)]
        : [];
}
