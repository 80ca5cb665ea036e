using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using IdP.Protocol;
using IdP.Protocol.Jose;
using Microsoft.Extensions.Logging;

namespace IdP.TokenValidation;

/// <summary>Asks the provider about each token (RFC 7662).</summary>
internal sealed partial class Introspection
{
    private static readonly MediaTypeHeaderValue FormType = new("application/x-www-form-urlencoded");

    private readonly TokenValidationOptions _options;
    private readonly Backchannel _provider;
    private readonly ILogger _logger;
    private readonly Refreshed<Uri> _endpoint;
    private readonly AuthenticationHeaderValue _credentials;
    private readonly TokenDigestCache<Answer>? _answers;
    private readonly bool _isKey;
    private readonly string _noun;

    public Introspection(TokenValidationOptions options, Backchannel provider, ILogger logger)
    {
        (_options, _provider, _logger) = (options, provider, logger);
        _isKey = options.Kind is CredentialKind.Basic or CredentialKind.ApiKey;
        _noun = _isKey ? "The API key" : "The token";
        _endpoint = new Refreshed<Uri>(options, async (_, ct) => provider.Endpoint(await provider.Discover(ct), "introspection_endpoint"), logger);
        _credentials = Backchannel.Credentials(options);
        if (options.IntrospectionCacheDuration > TimeSpan.Zero) _answers = new TokenDigestCache<Answer>(options.IntrospectionCacheSize);
    }

    public async ValueTask<TokenVerdict> Validate(string token, CancellationToken ct)
    {
        if (token.Length > SignedJwt.MaximumLength) return TokenVerdict.Refused($"{_noun} is too long");
        var digest = _answers is null ? default : TokenDigest.Of(token);
        var now = _options.TimeProvider!.GetUtcNow();
        if (_answers is not null && _answers.TryGet(digest, out var known) && now < known.Until) return Judge(known.Claims, now);
        if (await _endpoint.Get(ct) is not { } endpoint) return TokenVerdict.Unavailable();

        TokenClaims answer;
        try
        {
            answer = new TokenClaims(await Ask(endpoint, token, ct));
        }
        catch (ProviderException e)
        {
            LogFailed(_logger, _options.Issuer!, e.Message);
            return TokenVerdict.Unavailable();
        }

        var verdict = Judge(answer, _options.TimeProvider.GetUtcNow());
        if (_answers is not null && verdict is { Problem: null, IsUnavailable: false } && Time(answer.Root, "exp", out var expires) && expires is { } end)
        {
            // Counted from before the question, and never past the end of the token. An answer that has run out gives way to the new one.
            var until = now + _options.IntrospectionCacheDuration;
            _answers.Add(digest, new Answer(answer, until < end ? until : end));
        }

        return verdict;
    }

    private async Task<JsonElement> Ask(Uri endpoint, string token, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, endpoint);
        request.Headers.Authorization = _credentials;
        request.Content = Form(token);
        if (!StrictJson.TryParseObject(await _provider.Send(request, ct), out var answer)
            || !answer.TryGetProperty("active", out var active) || active.ValueKind is not (JsonValueKind.True or JsonValueKind.False))
            throw new ProviderException("The introspection endpoint gave no introspection response.");
        return answer;
    }

    // What FormUrlEncodedContent would send, without its copies.
    private static ByteArrayContent Form(string token)
    {
        var form = new ByteArrayContent(Encoding.ASCII.GetBytes($"token={Backchannel.FormEncode(token)}&token_type_hint=access_token"));
        form.Headers.ContentType = FormType;
        return form;
    }

    private TokenVerdict Judge(TokenClaims claims, DateTimeOffset now)
    {
        var answer = claims.Root;
        if (!answer.GetProperty("active").GetBoolean()) return TokenVerdict.Refused($"{_noun} is not active");

        // RFC 7662 §2.2: all of these may be absent but aud, without which the token may be for anybody.
        if (!IsForUs(answer)) return TokenVerdict.Refused($"{_noun} is for another audience");
        if (answer.TryGetProperty("iss", out var issuer) && !(issuer.ValueKind == JsonValueKind.String && issuer.ValueEquals(_options.Issuer)))
            return TokenVerdict.Refused($"{_noun} is from another issuer");
        if (!Time(answer, "exp", out var expires) || !Time(answer, "nbf", out var notBefore)) return TokenVerdict.Refused($"{_noun} has a claim of the wrong type");
        if (now >= expires + _options.ClockSkew) return TokenVerdict.Refused($"{_noun} has expired");
        if (notBefore > now + _options.ClockSkew) return TokenVerdict.Refused($"{_noun} is not valid yet");

        // RFC 8705 §3.2 and RFC 9449 §6.2: bound to a key, so it is worth nothing without proof of that key.
        if (answer.TryGetProperty("cnf", out _)) return TokenVerdict.Refused($"{_noun} is bound to a key and may not be used as a bearer token");
        return HasOurType(answer) ? TokenVerdict.Accepted(claims) : TokenVerdict.Refused(_isKey ? "This is not an API key" : "The token is not a bearer token");
    }

    // A provider need not say what a bearer token is (RFC 7662 §2.2); that something is an API key must be said, and then it is no token.
    private bool HasOurType(JsonElement answer)
    {
        if (!answer.TryGetProperty("token_type", out var type)) return !_isKey;
        return type.ValueKind == JsonValueKind.String && string.Equals(type.GetString(), _isKey ? "ApiKey" : "Bearer", StringComparison.OrdinalIgnoreCase);
    }

    private bool IsForUs(JsonElement answer)
    {
        if (!answer.TryGetProperty("aud", out var audience)) return false;
        if (audience.ValueKind == JsonValueKind.String) return _options.Audiences.Contains(audience.GetString()!);
        return audience.ValueKind == JsonValueKind.Array
            && audience.EnumerateArray().Any(one => one.ValueKind == JsonValueKind.String && _options.Audiences.Contains(one.GetString()!));
    }

    /// <returns>False if the member is there but is no time.</returns>
    private static bool Time(JsonElement answer, string name, out DateTimeOffset? time)
    {
        time = null;
        if (!answer.TryGetProperty(name, out var value)) return true;
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetInt64(out var seconds) || seconds is < 0 or > JwtClaims.MaximumTime) return false;
        time = DateTimeOffset.FromUnixTimeSeconds(seconds);
        return true;
    }

    [LoggerMessage(2, LogLevel.Warning, "The provider {Issuer} could not be asked about a token: {Problem}")]
    private static partial void LogFailed(ILogger logger, string issuer, string problem);

    private sealed record Answer(TokenClaims Claims, DateTimeOffset Until);
}
