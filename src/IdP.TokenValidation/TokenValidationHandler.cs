using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
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
    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var presented = Carrier.FindOne(Request, Options.Carriers, out var carrier);
        if (presented.Problem is { } malformed) return Refuse(Refusal.InvalidRequest(malformed));
        if (presented.Text is not { } text) return AuthenticateResult.NoResult();

        var verdict = await Options.Validator!.Validate(text, Context.RequestAborted);
        if (verdict.IsUnavailable) return Refuse(Refusal.Unavailable(Options.Kind));
        if (verdict.Claims is not { } claims) return Refuse(Refusal.InvalidCredential(Options.Kind, verdict.Problem!));
        var principal = claims.ToPrincipal(Scheme.Name, Options.Issuer!);

        // A browser sends cookies by itself, on behalf of any page.
        if (carrier!.Place == CarrierPlace.Cookie && !IsSafe(Request.Method) && !await IsFromOurPages(principal)) return Refuse(Refusal.CrossSite(carrier, Options.CsrfHeader));
        return AuthenticateResult.Success(new AuthenticationTicket(principal, Scheme.Name));
    }

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

    private static bool IsSafe(string method) => HttpMethods.IsGet(method) || HttpMethods.IsHead(method) || HttpMethods.IsOptions(method) || HttpMethods.IsTrace(method);

    // A page of another origin can send no header of its own without asking by CORS first, and knows no antiforgery token.
    private async Task<bool> IsFromOurPages(System.Security.Claims.ClaimsPrincipal principal)
    {
        if (Request.Headers.ContainsKey(Options.CsrfHeader)) return true;
        if (Context.RequestServices.GetService<IAntiforgery>() is not { } antiforgery) return false;

        // The token is bound to the user.
        var before = Context.User;
        try
        {
            Context.User = principal;
            return await antiforgery.IsRequestValidAsync(Context);
        }
        finally
        {
            Context.User = before;
        }
    }

    private static AuthenticateResult Refuse(Refusal refusal) => AuthenticateResult.Fail(new RefusedCredentialException(refusal));
}
