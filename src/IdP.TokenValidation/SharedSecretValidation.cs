using IdP.Protocol;
using IdP.Protocol.Jose;

namespace IdP.TokenValidation;

/// <summary>Checks JWTs with a secret that the provider and this API share: HS256 and nothing else, so that no public key is ever taken for a secret (RFC 8725 §2.1).</summary>
internal sealed class SharedSecretValidation(TokenValidationOptions options)
{
    private readonly SharedSecretKey _key = SharedSecretKey.ForVerification(SharedSecretKey.ParseSecret(options.SharedSecret)!);
    private readonly string[] _audiences = [.. options.Audiences];
    private readonly TokenDigestCache<Known> _checked = new(options.SignatureCacheSize);

    public TokenVerdict Validate(string token)
    {
        var digest = TokenDigest.Of(token);
        if (_checked.TryGet(digest, out var known)) return Check(known.Jwt) is { } problem ? TokenVerdict.Refused(problem) : TokenVerdict.Accepted(known.Claims);
        if (!SignedJwt.TryParse(token, allowsSharedSecret: true, out var jwt, out var malformed)) return TokenVerdict.Refused(malformed);
        if (jwt.Algorithm != SharedSecretKey.Algorithm) return TokenVerdict.Refused("The algorithm of the token is not accepted");
        if (Check(jwt) is { } wrong) return TokenVerdict.Refused(wrong);
        if (!jwt.Verify(_key)) return TokenVerdict.Refused("The signature of the token is not valid");
        known = new Known(jwt, new TokenClaims(jwt.Claims.Root));
        _checked.Add(digest, known);
        return TokenVerdict.Accepted(known.Claims);
    }

    private string? Check(SignedJwt jwt)
    {
        // RFC 7518 §3.2 leaves two parties who could have made the token: it must be for this one alone.
        if (jwt.Claims.Audiences.Count > 1) return "The token is for another audience";
        return AccessTokenRules.Check(jwt, options.Issuer!, _audiences, options.TimeProvider!.GetUtcNow(), options.ClockSkew);
    }

    private sealed record Known(SignedJwt Jwt, TokenClaims Claims);
}
