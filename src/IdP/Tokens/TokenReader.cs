using IdP.Http;
using IdP.Keys;
using IdP.Protocol;
using IdP.Protocol.Jose;
using IdP.Protocol.OAuth;
using IdP.Resources;

namespace IdP.Tokens;

/// <summary>
/// Recognizes access tokens of this provider: signature or seal, type, issuer, expiry. Whether one still counts is for
/// <see cref="Grants.Liveness"/>. Checked signatures are remembered by the digest of the whole token, in bounded memory; everything
/// else, the key's own standing included, is checked every time.
/// </summary>
internal sealed class TokenReader(KeyRing keys, SharedSecrets sharedSecrets, OpaqueTokens opaque, Issuer issuer, TimeProvider clock)
{
    // The node that signed may be a little ahead of this one. Expiry is exact: Read looks at it again.
    private static readonly TimeSpan BetweenNodes = TimeSpan.FromSeconds(30);

    /// <summary>With the id of the secret before it, it must fit where revoked tokens are kept.</summary>
    private const int LongestForeignJwtId = 32;
    private readonly TokenDigestCache<AccessTokenClaims> _checked = new(capacity: 32_768, remembersAtOnce: false);

    /// <summary>Null for anything but an unexpired access token of ours.</summary>
    public AccessTokenClaims? Read(string token)
    {
        if (token.Length > SignedJwt.MaximumLength) return null;
        var claims = token.Contains('.') ? ReadJwt(token) : ReadOpaque(token);
        return claims is not null && claims.ExpiresAt > clock.GetUtcNow().ToUnixTimeSeconds() ? claims : null;
    }

    private AccessTokenClaims? ReadJwt(string token)
    {
        var digest = TokenDigest.Of(token);
        if (_checked.TryGet(digest, out var known))
            return keys.Verifier(known.KeyId, known.Algorithm!) is null ? null : known;

        if (!SignedJwt.TryParse(token, allowsSharedSecret: true, out var jwt, out _)) return null;
        if (jwt.Algorithm == SharedSecretKey.Algorithm) return ReadShared(jwt);
        if (keys.Verifier(jwt.KeyId, jwt.Algorithm) is not { } key) return null;
        // RFC 9068 §4; the audience is the caller's concern, so the token's own is as good as any here.
        if (AccessTokenRules.Check(jwt, issuer.Value, jwt.Claims.Audiences, clock.GetUtcNow(), BetweenNodes) is not null || !jwt.Verify(key)) return null;
        if (AccessTokenClaims.From(jwt.Claims, key.KeyId, jwt.Algorithm) is not { } claims) return null;
        _checked.Add(digest, claims);
        return claims;
    }

    // The API that shares the secret may have made it: it is for that API and nobody else, whatever it says. Not remembered: an HMAC costs little.
    private AccessTokenClaims? ReadShared(SignedJwt jwt)
    {
        if (sharedSecrets.Find(jwt.KeyId) is not var (api, key) || !jwt.Verify(key)) return null;
        if (jwt.Claims.Audiences is not [var audience] || !api.Identifiers.Exists(identifier => identifier.Value == audience)) return null;
        if (!CouldBeOurs(jwt.Claims)) return null;
        return AccessTokenRules.Check(jwt, issuer.Value, [audience], clock.GetUtcNow(), BetweenNodes) is null ? AccessTokenClaims.From(jwt.Claims, key.KeyId, jwt.Algorithm) : null;
    }

    // What a forger may write reaches the database and its log: only texts that ours have, and no entry among the revoked that outlives ours.
    private static bool CouldBeOurs(JwtClaims claims) =>
        claims.JwtId is { Length: <= LongestForeignJwtId } id && ScopeText.IsToken(id) &&
        claims.ClientId is { } client && ClientIdentifier.Problem(client) is null &&
        claims.ExpiresAt - claims.IssuedAt <= (long)KeyStatements.LongestToken.TotalSeconds;

    private AccessTokenClaims? ReadOpaque(string token)
    {
        if (opaque.Open(token) is not { } opened || !JwtClaims.TryParse(opened.Claims, out var claims, out _)) return null;
        var read = AccessTokenClaims.From(claims, opened.KeyId, algorithm: null);
        return read?.Issuer == issuer.Value ? read : null;
    }
}
