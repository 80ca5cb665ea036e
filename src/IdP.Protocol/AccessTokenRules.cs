using IdP.Protocol.Jose;

namespace IdP.Protocol;

/// <summary>What must hold for a JWT access token besides its signature (RFC 9068 §4).</summary>
public static class AccessTokenRules
{
    /// <summary>The <c>typ</c> of an access token.</summary>
    public const string Type = "at+jwt";

    /// <summary>Checks type, issuer, audience, times and the required claims of a token that came as a plain Bearer token.</summary>
    /// <param name="jwt">The token; its signature is the caller's to verify.</param>
    /// <param name="issuer">The only accepted <c>iss</c>, compared ordinally.</param>
    /// <param name="audiences">The accepted <c>aud</c> values, compared ordinally; one must be in the token.</param>
    /// <param name="now">The current time.</param>
    /// <param name="skew">How far the issuer's clock may be off.</param>
    /// <returns>Null if all holds, else a short text that holds nothing of the token and suits an <c>error_description</c>.</returns>
    public static string? Check(SignedJwt jwt, string issuer, IReadOnlyCollection<string> audiences, DateTimeOffset now, TimeSpan skew)
    {
        ArgumentNullException.ThrowIfNull(jwt);
        ArgumentNullException.ThrowIfNull(issuer);
        ArgumentNullException.ThrowIfNull(audiences);
        var claims = jwt.Claims;

        // RFC 9068 §4: anything else is another kind of token, an ID token for example.
        if (!IsAccessTokenType(jwt.Type)) return "The token is not an access token";
        if (claims.Issuer is null || claims.Issuer != issuer) return "The token is from another issuer";
        if (!IsFor(claims.Audiences, audiences)) return "The token is for another audience";

        // RFC 9068 §2.2: these are required; absence is a failure, not a reason to skip a check.
        if (claims.ExpiresAt is not { } expires || claims.IssuedAt is not { } issued) return "The token lacks its times";
        if (claims.Subject is null || claims.ClientId is null || claims.JwtId is null) return "The token lacks a required claim";

        var (milliseconds, tolerance) = (now.ToUnixTimeMilliseconds(), (long)skew.TotalMilliseconds);
        if (milliseconds >= (expires * 1000) + tolerance) return "The token has expired";
        if (issued * 1000 > milliseconds + tolerance || claims.NotBefore * 1000 > milliseconds + tolerance) return "The token is not valid yet";

        // RFC 8705 §3 and RFC 9449 §7.2: a token bound to a key is worth nothing without proof of that key.
        return claims.TryGet("cnf", out _) ? "The token is bound to a key and may not be used as a bearer token" : null;
    }

    /// <summary>Whether a <c>typ</c> says access token: <c>at+jwt</c>, with or without <c>application/</c>, in any case (RFC 9068 §4, RFC 7515 §4.1.9).</summary>
    public static bool IsAccessTokenType(string? type) =>
        string.Equals(type, Type, StringComparison.OrdinalIgnoreCase) || string.Equals(type, "application/at+jwt", StringComparison.OrdinalIgnoreCase);

    private static bool IsFor(IReadOnlyList<string> actual, IReadOnlyCollection<string> accepted)
    {
        for (var i = 0; i < actual.Count; i++)
        {
            // Not accepted.Contains: a set may have been made with a comparer that ignores case.
            foreach (var audience in accepted)
            {
                if (audience == actual[i]) return true;
            }
        }

        return false;
    }
}
