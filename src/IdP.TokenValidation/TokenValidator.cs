using System.Text.Json;
using IdP.Protocol;
using Microsoft.Extensions.Logging;

namespace IdP.TokenValidation;

/// <summary>What came of checking a credential: claims, or a problem with it, or that it could not be checked now.</summary>
internal readonly record struct TokenVerdict(TokenClaims? Claims, string? Problem, bool IsUnavailable)
{
    public static TokenVerdict Accepted(TokenClaims claims) => new(claims, null, false);

    public static TokenVerdict Refused(string problem) => new(null, problem, false);

    public static TokenVerdict Unavailable() => new(null, null, true);
}

/// <summary>All that a scheme keeps between requests. Made before the options are validated, so it opens nothing until the first credential.</summary>
internal sealed class TokenValidator(TokenValidationOptions options, ILogger logger)
{
    private readonly Lazy<LocalValidation> _local = new(() => new LocalValidation(options, new Backchannel(options), logger));
    private readonly Lazy<SharedSecretValidation> _shared = new(() => new SharedSecretValidation(options));
    private readonly Lazy<Introspection> _introspection = new(() => new Introspection(options, new Backchannel(options), logger));

    private BrowserSessions? _sessions;

    /// <summary>The sessions of a scheme for browsers.</summary>
    public BrowserSessions Sessions => LazyInitializer.EnsureInitialized(ref _sessions, () => new BrowserSessions(options, this, logger));

    /// <summary>Checks the text that a carrier had.</summary>
    public ValueTask<TokenVerdict> Validate(string text, CancellationToken ct)
    {
        switch (options.Kind)
        {
            case CredentialKind.Basic or CredentialKind.ApiKey:
                // Its checksum tells a key from anything else, so that garbage never costs a request to the provider.
                return ApiKeyText.TryParse(text, out _)
                    ? _introspection.Value.Validate(text, ct)
                    : ValueTask.FromResult(TokenVerdict.Refused("This is not an API key"));
            case CredentialKind.Session:
                return Sessions.Validate(text, ct);
            default:
                return ValidateToken(text, ct);
        }
    }

    public ValueTask<TokenVerdict> ValidateToken(string token, CancellationToken ct)
    {
        if (options.Mode == TokenValidationMode.Introspection) return _introspection.Value.Validate(token, ct);
        return options.SharedSecret is null ? _local.Value.Validate(token, ct) : ValueTask.FromResult(_shared.Value.Validate(token));
    }
}
