using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Authorization.Policy;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace IdP.TokenValidation;

/// <summary>Why a request was refused, for whichever scheme is asked to write the answer.</summary>
internal sealed class RefusedRequest(AcceptedSchemes accepted)
{
    public AcceptedSchemes Accepted { get; } = accepted;

    /// <summary>The scheme whose credential was tried; null if there was none, or more than one.</summary>
    public string? Scheme { get; set; }

    public Refusal? Refusal { get; set; }

    /// <summary>The requirements that were not met.</summary>
    public AuthorizationFailure? Failure { get; set; }

    /// <summary>The framework asks each scheme of the policy in turn: the first of ours answers for all of them.</summary>
    public bool IsAnswered { get; set; }
}

/// <summary>A credential that was refused, on its way through the framework.</summary>
internal sealed class RefusedCredentialException(Refusal refusal) : Exception(refusal.Detail)
{
    public Refusal Refusal { get; } = refusal;
}

/// <summary>
/// Has an endpoint read only the carriers that it accepts, and refuse a request with credentials in two of them. The framework by itself
/// would ask every scheme and add up what each of them says of the user.
/// </summary>
internal sealed class CredentialPolicyEvaluator(SchemesOfPolicies schemes, PlainFramework framework) : IPolicyEvaluator
{
    private static readonly Task<PolicyAuthorizationResult> Met = Task.FromResult(PolicyAuthorizationResult.Success());

    public Task<AuthenticateResult> AuthenticateAsync(AuthorizationPolicy policy, HttpContext context)
    {
        var accepted = schemes.Of(policy);
        return accepted.IsCompletedSuccessfully ? Authenticate(policy, context, accepted.Result) : Wait(policy, context, accepted);
    }

    public Task<PolicyAuthorizationResult> AuthorizeAsync(AuthorizationPolicy policy, AuthenticateResult authenticationResult, HttpContext context, object? resource) =>
        framework.IsMet(policy, context) ? Met : Ask(policy, authenticationResult, context, resource);

    private async Task<PolicyAuthorizationResult> Ask(AuthorizationPolicy policy, AuthenticateResult authenticationResult, HttpContext context, object? resource)
    {
        var result = await Framework(context).AuthorizeAsync(policy, authenticationResult, context, resource);
        if (result.Succeeded || await schemes.Of(policy) is not { Schemes.Length: > 0 } accepted) return result;
        var refused = Refused(context, accepted);
        refused.Failure = result.AuthorizationFailure;
        refused.Scheme ??= authenticationResult.Ticket?.AuthenticationScheme;
        return result;
    }

    // The services that the framework decides with belong to the request.
    private static PolicyEvaluator Framework(HttpContext context) => new(context.RequestServices.GetRequiredService<IAuthorizationService>());

    private async Task<AuthenticateResult> Wait(AuthorizationPolicy policy, HttpContext context, ValueTask<AcceptedSchemes> accepted) =>
        await Authenticate(policy, context, await accepted);

    private Task<AuthenticateResult> Authenticate(AuthorizationPolicy policy, HttpContext context, AcceptedSchemes accepted)
    {
        if (accepted.Schemes.Length != 1 || accepted.HasOthers || policy.AuthenticationSchemes.Count == 0) return AuthenticateBySeveral(policy, context, accepted);
        var name = accepted.Schemes[0].Name;
        var result = Authenticate(context, name);
        return result.IsCompletedSuccessfully ? Task.FromResult(Take(context, accepted, result.Result, name)) : WaitFor(result);

        async Task<AuthenticateResult> WaitFor(ValueTask<AuthenticateResult> result) => Take(context, accepted, await result, name);
    }

    // The framework makes a handler for each request, which would have nothing to add but its log.
    private ValueTask<AuthenticateResult> Authenticate(HttpContext context, string name)
    {
        var options = schemes.Named(name).Options;
        if (!framework.MayAuthenticate(context, options)) return new ValueTask<AuthenticateResult>(context.AuthenticateAsync(name));
        var result = SchemeAuthentication.Of(context, name, options);
        return result.IsCompletedSuccessfully ? ValueTask.FromResult(framework.Logged(name, result.Result)) : WaitFor(result);

        async ValueTask<AuthenticateResult> WaitFor(ValueTask<AuthenticateResult> result) => framework.Logged(name, await result);
    }

    private async Task<AuthenticateResult> AuthenticateBySeveral(AuthorizationPolicy policy, HttpContext context, AcceptedSchemes accepted)
    {
        if (accepted.Schemes.Length == 0) return await Framework(context).AuthenticateAsync(policy, context);

        // Without schemes of its own the policy goes by the default scheme, which the middleware has asked already.
        if (policy.AuthenticationSchemes.Count == 0)
        {
            var middleware = await Framework(context).AuthenticateAsync(policy, context);
            var (name, _) = accepted.Schemes[0];
            if (!middleware.Succeeded) Note(context, accepted, await context.AuthenticateAsync(name), name);
            return middleware;
        }

        var presented = Carrier.FindOne(context.Request, accepted.Carriers, out var carrier);
        if (presented.Problem is { } problem) return Take(context, accepted, AuthenticateResult.Fail(new RefusedCredentialException(Refusal.InvalidRequest(problem))), null);
        if (carrier is null) return accepted.HasOthers ? await Others(policy, context, accepted) : Take(context, accepted, AuthenticateResult.NoResult(), null);
        return await Try(context, accepted, carrier);
    }

    // Several schemes may read one carrier, two issuers' bearer tokens for example: the first that accepts the credential wins.
    private async Task<AuthenticateResult> Try(HttpContext context, AcceptedSchemes accepted, Carrier carrier)
    {
        (AuthenticateResult Result, string Name)? refused = null;
        foreach (var (name, options) in accepted.Schemes)
        {
            if (!options.Carriers.Contains(carrier)) continue;
            var result = await Authenticate(context, name);
            if (result.Succeeded) return Take(context, accepted, result, name);

            // While one of them cannot be asked, nobody knows whether the credential is bad.
            if (refused is null || IsUnavailable(result)) refused = (result, name);
        }

        return Take(context, accepted, refused!.Value.Result, refused.Value.Name);
    }

    private static async Task<AuthenticateResult> Others(AuthorizationPolicy policy, HttpContext context, AcceptedSchemes accepted)
    {
        var result = await Framework(context).AuthenticateAsync(policy, context);
        if (!result.Succeeded) Refused(context, accepted);
        return result;
    }

    private static AuthenticateResult Take(HttpContext context, AcceptedSchemes accepted, AuthenticateResult result, string? name)
    {
        context.User = result.Principal ?? new ClaimsPrincipal(new ClaimsIdentity());
        if (!result.Succeeded) Note(context, accepted, result, name);
        return result;
    }

    private static void Note(HttpContext context, AcceptedSchemes accepted, AuthenticateResult result, string? name)
    {
        var refused = Refused(context, accepted);
        if (result.Failure is RefusedCredentialException refusal) (refused.Refusal, refused.Scheme) = (refusal.Refusal, name);
    }

    private static RefusedRequest Refused(HttpContext context, AcceptedSchemes accepted)
    {
        if (context.Features.Get<RefusedRequest>() is { } known && known.Accepted == accepted) return known;
        var refused = new RefusedRequest(accepted);
        context.Features.Set(refused);
        return refused;
    }

    private static bool IsUnavailable(AuthenticateResult result) => result.Failure is RefusedCredentialException { Refusal.Status: StatusCodes.Status503ServiceUnavailable };
}
