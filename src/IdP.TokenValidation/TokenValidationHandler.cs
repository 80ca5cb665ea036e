using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace IdP.TokenValidation;

/// <summary>Authenticates requests by their bearer token and answers those that it refuses. Added by <see cref="TokenValidationSetup"/>.</summary>
public sealed class TokenValidationHandler : AuthenticationHandler<TokenValidationOptions>
{
    // Of this request; the framework makes a handler for each.
    private Refusal? _refusal;

    /// <summary>For the framework.</summary>
    public TokenValidationHandler(IOptionsMonitor<TokenValidationOptions> options, ILoggerFactory logger, UrlEncoder encoder)
        : base(options, logger, encoder)
    {
    }

    /// <inheritdoc/>
    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var credentials = BearerCredentials.Read(Request);
        if (credentials.Problem is { } malformed) return Refuse(Refusal.InvalidRequest(malformed));
        if (credentials.Token is null) return AuthenticateResult.NoResult();

        var verdict = await Options.Validator!.Validate(credentials.Token, Context.RequestAborted);
        if (verdict.IsUnavailable) return Refuse(Refusal.Unavailable);
        if (verdict.Problem is { } problem) return Refuse(Refusal.InvalidToken(problem));
        var principal = TokenPrincipal.Create(verdict.Claims, Scheme.Name, Options.Issuer!);
        return AuthenticateResult.Success(new AuthenticationTicket(principal, Scheme.Name));
    }

    /// <inheritdoc/>
    protected override async Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        // A challenge may come without authentication before it; the refusal says why there is nobody.
        await HandleAuthenticateOnceSafeAsync();
        await (_refusal ?? Refusal.NoToken).Write(Context, Options.EffectiveRealm);
    }

    /// <inheritdoc/>
    protected override Task HandleForbiddenAsync(AuthenticationProperties properties)
    {
        var refusal = ScopeRequirement.Missing(Context) is { } missing ? Refusal.InsufficientScope(missing) : Refusal.Forbidden;
        return refusal.Write(Context, Options.EffectiveRealm);
    }

    private AuthenticateResult Refuse(Refusal refusal)
    {
        _refusal = refusal;
        return AuthenticateResult.Fail(refusal.Detail!);
    }
}
