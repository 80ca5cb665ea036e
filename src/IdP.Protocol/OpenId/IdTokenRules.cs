using IdP.Protocol.Jose;

namespace IdP.Protocol.OpenId;

/// <summary>What a relying party must check of an ID token (OpenID Connect Core §3.1.3.7); the signature is its caller's. Pure.</summary>
internal static class IdTokenRules
{
    /// <summary>OpenID Connect Core §2: the longest <c>sub</c>.</summary>
    public const int LongestSubject = 255;

    /// <returns>What is wrong, or null.</returns>
    public static string? Problem(JwtClaims claims, string issuer, string clientId, string nonce, DateTimeOffset now, TimeSpan skew)
    {
        if (claims.Issuer != issuer) return "its iss is another issuer";
        if (!claims.Audiences.Contains(clientId)) return "its aud does not name this client";
        // A token for several parties names the one that it was made for.
        if ((claims.Audiences.Count > 1 || claims.TryGet("azp", out _)) && claims.GetString("azp") != clientId) return "its azp does not name this client";
        if (claims.Subject is not { Length: > 0 and <= LongestSubject }) return "its sub is missing or too long";
        if (claims.ExpiresAt is not { } expires || now.ToUnixTimeSeconds() >= expires + (long)skew.TotalSeconds) return "it has expired";
        if (claims.IssuedAt is not { } issued || issued > now.ToUnixTimeSeconds() + (long)skew.TotalSeconds) return "its iat is missing or in the future";
        if (claims.NotBefore is { } begins && begins > now.ToUnixTimeSeconds() + (long)skew.TotalSeconds) return "it is not valid yet";
        return claims.GetString("nonce") == nonce ? null : "its nonce is not the one that was sent";
    }

    /// <summary>OpenID Connect Core §3.1.2.1: whether the sign-in that the token tells of is recent enough for <c>max_age</c>.</summary>
    public static bool IsRecent(JwtClaims claims, TimeSpan maxAge, DateTimeOffset now, TimeSpan skew) =>
        claims.TryGet("auth_time", out var value) && value.TryGetInt64(out var at) && now.ToUnixTimeSeconds() - at <= (long)(maxAge + skew).TotalSeconds;
}
