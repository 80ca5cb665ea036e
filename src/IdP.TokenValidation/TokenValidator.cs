using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace IdP.TokenValidation;

/// <summary>What came of checking a token: claims, or a problem with the token, or that it could not be checked now.</summary>
internal readonly record struct TokenVerdict(JsonElement Claims, string? Problem, bool IsUnavailable)
{
    public static TokenVerdict Accepted(JsonElement claims) => new(claims, null, false);

    public static TokenVerdict Refused(string problem) => new(default, problem, false);

    public static TokenVerdict Unavailable() => new(default, null, true);
}

/// <summary>All that a scheme keeps between requests. Made before the options are validated, so it opens nothing until the first token.</summary>
internal sealed class TokenValidator(TokenValidationOptions options, ILogger logger)
{
    private readonly Lazy<LocalValidation> _local = new(() => new LocalValidation(options, new Backchannel(options), logger));
    private readonly Lazy<Introspection> _introspection = new(() => new Introspection(options, new Backchannel(options), logger));

    public ValueTask<TokenVerdict> Validate(string token, CancellationToken ct) => options.Mode == TokenValidationMode.Introspection
        ? _introspection.Value.Validate(token, ct)
        : _local.Value.Validate(token, ct);
}
