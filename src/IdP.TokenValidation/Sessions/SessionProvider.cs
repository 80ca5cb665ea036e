using System.Net;
using System.Text.Json;
using IdP.Protocol;
using IdP.Protocol.Jose;
using Microsoft.Extensions.Logging;

namespace IdP.TokenValidation;

/// <summary>Where a provider's endpoints are and what its keys are.</summary>
internal sealed record ProviderEndpoints(Uri Authorize, Uri Token, Uri? EndSession, Uri? Revoke, bool SendsIssuer, JsonWebKeySet Keys);

/// <summary>The provider as a client with the code flow sees it.</summary>
internal sealed class SessionProvider
{
    private readonly TokenValidationOptions _options;
    private readonly Backchannel _backchannel;
    private readonly Refreshed<ProviderEndpoints> _endpoints;

    public SessionProvider(TokenValidationOptions options, Backchannel backchannel, ILogger logger)
    {
        (_options, _backchannel) = (options, backchannel);
        _endpoints = new Refreshed<ProviderEndpoints>(options, Read, logger);
    }

    /// <returns>Null if the provider cannot be read.</returns>
    public ValueTask<ProviderEndpoints?> Endpoints(CancellationToken ct) => _endpoints.Get(ct);

    /// <summary>Asks the token endpoint (RFC 6749 §3.2).</summary>
    /// <returns>The answer, or null and the provider's error code.</returns>
    /// <exception cref="ProviderException">There was no answer that makes sense.</exception>
    public async Task<(JsonElement? Answer, string? Error)> AskForTokens(ProviderEndpoints endpoints, params KeyValuePair<string, string>[] form)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, endpoints.Token) { Content = new FormUrlEncodedContent(form) };
        request.Headers.Authorization = Backchannel.Credentials(_options);

        // Not the caller's cancellation: a code or a refresh token that was used is gone, and its answer must not get lost.
        var (status, body) = await _backchannel.Exchange(request, CancellationToken.None);
        if (!StrictJson.TryParseObject(body, out var answer)) throw new ProviderException($"The token endpoint answered {(int)status} without a JSON object.");
        if (status == HttpStatusCode.OK) return (answer, null);
        if (StrictJson.TryGetString(answer, "error", out var error) && Scope.IsToken(error) && (int)status < 500) return (null, error);
        throw new ProviderException($"The token endpoint answered {(int)status}.");
    }

    /// <summary>Revokes a refresh token (RFC 7009), as well as can be.</summary>
    public async Task Revoke(ProviderEndpoints endpoints, string refreshToken)
    {
        if (endpoints.Revoke is null) return;
        using var request = new HttpRequestMessage(HttpMethod.Post, endpoints.Revoke);
        request.Content = new FormUrlEncodedContent([new("token", refreshToken), new("token_type_hint", "refresh_token")]);
        request.Headers.Authorization = Backchannel.Credentials(_options);
        await _backchannel.Exchange(request, CancellationToken.None);
    }

    /// <summary>Checks a token that is for this client: an ID token (OpenID Connect Core §3.1.3.7) or a logout token (Back-Channel Logout §2.6).</summary>
    /// <returns>Its claims, or a problem.</returns>
    public async ValueTask<(JwtClaims? Claims, string? Problem)> Check(string token, Func<string?, bool> isType, CancellationToken ct)
    {
        if (!SignedJwt.TryParse(token, out var jwt, out var malformed)) return (null, malformed);
        if (!isType(jwt.Type)) return (null, "The token is of another type");
        if (!_options.AllowedAlgorithms.Contains(jwt.Algorithm)) return (null, "The algorithm of the token is not accepted");
        var claims = jwt.Claims;
        if (claims.Issuer != _options.Issuer) return (null, "The token is from another issuer");
        if (claims.Audiences is not [var audience] || audience != _options.ClientId) return (null, "The token is for another client");
        var (now, skew) = (_options.TimeProvider!.GetUtcNow().ToUnixTimeSeconds(), (long)_options.ClockSkew.TotalSeconds);
        if (claims.ExpiresAt is not { } expires || claims.IssuedAt is not { } issued) return (null, "The token lacks its times");
        if (now >= expires + skew || issued > now + skew) return (null, "The token has expired or is not valid yet");

        var key = (await _endpoints.Get(ct))?.Keys.Find(jwt.KeyId, jwt.Algorithm) ?? (await _endpoints.GetNewer(ct))?.Keys.Find(jwt.KeyId, jwt.Algorithm);
        if (key is null) return (null, "The key of the token is not known");
        return jwt.Verify(key) ? (claims, null) : (null, "The signature of the token is not valid");
    }

    private async Task<ProviderEndpoints> Read(ProviderEndpoints? last, CancellationToken ct)
    {
        var metadata = await _backchannel.Discover(ct);
        var document = await _backchannel.Get(_backchannel.Endpoint(metadata, "jwks_uri"), ct);
        if (!JsonWebKeySet.TryParse(document, out var keys, out var problem)) throw new ProviderException(problem);
        var sendsIssuer = metadata.TryGetProperty("authorization_response_iss_parameter_supported", out var iss) && iss.ValueKind == JsonValueKind.True;
        return new ProviderEndpoints(
            _backchannel.Endpoint(metadata, "authorization_endpoint"), _backchannel.Endpoint(metadata, "token_endpoint"),
            Optional(metadata, "end_session_endpoint"), Optional(metadata, "revocation_endpoint"), sendsIssuer, keys);
    }

    private Uri? Optional(JsonElement metadata, string name) => metadata.TryGetProperty(name, out _) ? _backchannel.Endpoint(metadata, name) : null;
}
