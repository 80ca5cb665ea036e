using System.Security.Claims;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace IdP.TokenValidation;

/// <summary>
/// What a request's credential is worth to one scheme: asked by <see cref="TokenValidationHandler"/>, or by <see cref="CredentialPolicyEvaluator"/>
/// without the framework between. Where the answer is known at once, nothing waits.
/// </summary>
internal static class SchemeAuthentication
{
    public static ValueTask<AuthenticateResult> Of(HttpContext context, string scheme, TokenValidationOptions options)
    {
        var presented = Carrier.FindOne(context.Request, options.Carriers, out var carrier);
        if (presented.Problem is { } malformed) return Refuse(Refusal.InvalidRequest(malformed));
        if (presented.Text is not { } text) return ValueTask.FromResult(AuthenticateResult.NoResult());
        var verdict = options.Validator!.Validate(text, context.RequestAborted);
        return verdict.IsCompletedSuccessfully ? Answer(context, scheme, options, carrier!, verdict.Result) : Wait(context, scheme, options, carrier!, verdict);
    }

    private static async ValueTask<AuthenticateResult> Wait(HttpContext context, string scheme, TokenValidationOptions options, Carrier carrier, ValueTask<TokenVerdict> verdict) =>
        await Answer(context, scheme, options, carrier, await verdict);

    private static ValueTask<AuthenticateResult> Answer(HttpContext context, string scheme, TokenValidationOptions options, Carrier carrier, TokenVerdict verdict)
    {
        if (verdict.IsUnavailable) return Refuse(Refusal.Unavailable(options.Kind));
        if (verdict.Claims is not { } claims) return Refuse(Refusal.InvalidCredential(options.Kind, verdict.Problem!));
        var ticket = new AuthenticationTicket(claims.ToPrincipal(scheme, options.Issuer!), scheme);

        // A browser sends cookies by itself, on behalf of any page.
        return carrier.Place == CarrierPlace.Cookie && !IsSafe(context.Request.Method)
            ? FromCookie(context, options, carrier, ticket)
            : ValueTask.FromResult(AuthenticateResult.Success(ticket));
    }

    private static async ValueTask<AuthenticateResult> FromCookie(HttpContext context, TokenValidationOptions options, Carrier carrier, AuthenticationTicket ticket) =>
        await IsFromOurPages(context, options, ticket.Principal) ? AuthenticateResult.Success(ticket) : await Refuse(Refusal.CrossSite(carrier, options.CsrfHeader));

    private static bool IsSafe(string method) => HttpMethods.IsGet(method) || HttpMethods.IsHead(method) || HttpMethods.IsOptions(method) || HttpMethods.IsTrace(method);

    // A page of another origin can send no header of its own without asking by CORS first, and knows no antiforgery token.
    private static async Task<bool> IsFromOurPages(HttpContext context, TokenValidationOptions options, ClaimsPrincipal principal)
    {
        if (context.Request.Headers.ContainsKey(options.CsrfHeader)) return true;
        if (context.RequestServices.GetService<IAntiforgery>() is not { } antiforgery) return false;

        // The token is bound to the user.
        var before = context.User;
        try
        {
            context.User = principal;
            return await antiforgery.IsRequestValidAsync(context);
        }
        finally
        {
            context.User = before;
        }
    }

    private static ValueTask<AuthenticateResult> Refuse(Refusal refusal) => ValueTask.FromResult(AuthenticateResult.Fail(new RefusedCredentialException(refusal)));
}
