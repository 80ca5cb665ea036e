using IdP.Protocol;
using IdP.Protocol.Jose;
using Microsoft.Extensions.Logging;

namespace IdP.TokenValidation;

/// <summary>Checks JWTs with the provider's published keys (RFC 9068 §4).</summary>
internal sealed class LocalValidation
{
    private readonly TokenValidationOptions _options;
    private readonly Backchannel _provider;
    private readonly Refreshed<Keys> _keys;
    private readonly string[] _audiences;

    public LocalValidation(TokenValidationOptions options, Backchannel provider, ILogger logger)
    {
        _options = options;
        _provider = provider;
        _audiences = [.. options.Audiences];
        _keys = new Refreshed<Keys>(options, Read, logger);
    }

    public ValueTask<TokenVerdict> Validate(string token, CancellationToken ct)
    {
        var keys = _keys.Get(ct);
        return keys.IsCompletedSuccessfully ? Validate(token, keys.Result, ct) : Wait(token, keys, ct);
    }

    private async ValueTask<TokenVerdict> Wait(string token, ValueTask<Keys?> keys, CancellationToken ct) => await Validate(token, await keys, ct);

    private ValueTask<TokenVerdict> Validate(string token, Keys? keys, CancellationToken ct)
    {
        // Cheap checks first: only a token that claims to be this provider's, for this API, in time, is worth a signature or a request.
        var digest = TokenDigest.Of(token);
        if (keys is null || !keys.Checked.TryGet(digest, out var known))
        {
            if (!SignedJwt.TryParse(token, out var jwt, out var malformed)) return Refused(malformed);
            if (!_options.AllowedAlgorithms.Contains(jwt.Algorithm)) return Refused("The algorithm of the token is not accepted");
            if (Check(jwt) is { } claimProblem) return Refused(claimProblem);
            if (keys is null) return ValueTask.FromResult(TokenVerdict.Unavailable());
            return keys.Set.Find(jwt.KeyId, jwt.Algorithm) is { } key ? Verify(jwt, digest, keys, key) : WithNewerKeys(jwt, digest, ct);
        }

        // Known: the signature was this token's under these keys. All else is checked every time.
        return Check(known.Jwt) is { } problem ? Refused(problem) : ValueTask.FromResult(TokenVerdict.Accepted(known.Claims));
    }

    private string? Check(SignedJwt jwt) => AccessTokenRules.Check(jwt, _options.Issuer!, _audiences, _options.TimeProvider!.GetUtcNow(), _options.ClockSkew);

    private async ValueTask<TokenVerdict> WithNewerKeys(SignedJwt jwt, TokenDigest digest, CancellationToken ct)
    {
        // The provider may have a new key; if it cannot be asked, the token may be good and is not called bad.
        if (await _keys.GetNewer(ct) is not { } newer) return TokenVerdict.Unavailable();
        return newer.Set.Find(jwt.KeyId, jwt.Algorithm) is { } key ? await Verify(jwt, digest, newer, key) : TokenVerdict.Refused("The key of the token is not known");
    }

    private static ValueTask<TokenVerdict> Verify(SignedJwt jwt, TokenDigest digest, Keys keys, VerificationKey key)
    {
        if (!jwt.Verify(key)) return Refused("The signature of the token is not valid");
        var known = new Known(jwt, new TokenClaims(jwt.Claims.Root));
        keys.Checked.Add(digest, known);
        return ValueTask.FromResult(TokenVerdict.Accepted(known.Claims));
    }

    private static ValueTask<TokenVerdict> Refused(string problem) => ValueTask.FromResult(TokenVerdict.Refused(problem));

    private async Task<Keys> Read(Keys? last, CancellationToken ct)
    {
        var metadata = await _provider.Discover(ct);
        var document = await _provider.Get(_provider.Endpoint(metadata, "jwks_uri"), ct);

        // The same keys keep the checked signatures; any change, a key that is gone above all, forgets them.
        if (last is not null && last.Document.AsSpan().SequenceEqual(document)) return last;
        if (!JsonWebKeySet.TryParse(document, out var set, out var problem)) throw new ProviderException(problem);
        if (set.Keys.Count == 0) throw new ProviderException("The key set has no key that can be used.");
        // What is seen once is not kept: it would only be moved about by the garbage collector.
        return new Keys(document, set, new TokenDigestCache<Known>(_options.SignatureCacheSize, remembersAtOnce: false));
    }

    private sealed record Known(SignedJwt Jwt, TokenClaims Claims);

    private sealed record Keys(byte[] Document, JsonWebKeySet Set, TokenDigestCache<Known> Checked);
}
