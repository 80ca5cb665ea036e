using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace IdP.TokenValidation;

/// <summary>Authenticates requests by their credential and answers those that it refuses. Added by <see cref="TokenValidationSetup"/>.</summary>
public sealed class TokenValidationHandler : AuthenticationHandler<TokenValidationOptions>
{
    /// <summary>For the framework.</summary>
    public TokenValidationHandler(IOptionsMonitor<TokenValidationOptions> options, ILoggerFactory logger, UrlEncoder encoder)
        : base(options, logger, encoder)
    {
    }

    /// <inheritdoc/>
    protected override Task<AuthenticateResult> HandleAuthenticateAsync() => SchemeAuthentication.Of(Context, Scheme.Name, Options).AsTask();

    /// <inheritdoc/>
    protected override async Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        var refused = Refused();
        if (refused.Refusal is null && refused.Accepted.Schemes.Length == 1)
        {
            // A challenge may come without authentication before it; the refusal says why there is nobody.
            var result = await HandleAuthenticateOnceSafeAsync();
            if (result.Failure is RefusedCredentialException refusal) (refused.Refusal, refused.Scheme) = (refusal.Refusal, Scheme.Name);
        }

        await Answer(refused, refused.Refusal ?? Refusal.NoCredential(refused.Accepted));
    }

    /// <inheritdoc/>
    protected override Task HandleForbiddenAsync(AuthenticationProperties properties)
    {
        var refused = Refused();
        return Answer(refused, Refusal.Of(Context.User, refused.Failure, KindOf(refused)));
    }

    private Task Answer(RefusedRequest refused, Refusal refusal)
    {
        if (refused.IsAnswered) return Task.CompletedTask;
        refused.IsAnswered = true;
        return refusal.Write(Context, refused.Accepted, refused.Scheme);
    }

    // Somebody may ask this scheme alone for an answer, as Results.Challenge does: then it is the only one.
    private RefusedRequest Refused()
    {
        var refused = Context.Features.Get<RefusedRequest>();
        if (refused is not null && Array.Exists(refused.Accepted.Schemes, scheme => scheme.Name == Scheme.Name)) return refused;
        return new RefusedRequest(new AcceptedSchemes([(Scheme.Name, Options)], hasOthers: false)) { Scheme = Scheme.Name };
    }

    private CredentialKind KindOf(RefusedRequest refused) =>
        Array.Find(refused.Accepted.Schemes, scheme => scheme.Name == refused.Scheme).Options is { } options ? options.Kind : Options.Kind;
}
