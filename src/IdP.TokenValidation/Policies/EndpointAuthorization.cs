using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;

namespace IdP.TokenValidation;

/// <summary>
/// Says what an endpoint asks for. Each may be called several times, on groups too: everything adds up. All of them imply an authenticated
/// user. Who lacks something gets 403 <c>insufficient_scope</c> with what is missing, as problem details and in <c>WWW-Authenticate</c>.
/// </summary>
public static class EndpointAuthorization
{
    /// <summary>Accepts credentials by these schemes only.</summary>
    /// <param name="builder">An endpoint or a group.</param>
    /// <param name="schemes">
    /// Names of schemes, in the order of precedence: if two read the same carrier, the first that accepts the credential wins. Credentials in
    /// two carriers are refused with 400. Other carriers are not looked at.
    /// </param>
    /// <exception cref="ArgumentException">No scheme is given.</exception>
    public static TBuilder RequireSchemes<TBuilder>(this TBuilder builder, params string[] schemes)
        where TBuilder : IEndpointConventionBuilder
    {
        ArgumentNullException.ThrowIfNull(schemes);
        if (schemes.Length == 0) throw new ArgumentException("At least one scheme must be given.", nameof(schemes));
        return builder.RequireAuthorization(new AuthorizationPolicyBuilder(schemes).RequireAuthenticatedUser().Build());
    }

    /// <summary>Asks for all these scopes.</summary>
    /// <exception cref="ArgumentException">No scope is given, or one is not a scope by RFC 6749 §3.3.</exception>
    public static TBuilder RequireScope<TBuilder>(this TBuilder builder, params string[] scopes)
        where TBuilder : IEndpointConventionBuilder => builder.Require(policy => policy.RequireScope(scopes));

    /// <summary>Asks for any of these scopes.</summary>
    /// <exception cref="ArgumentException">No scope is given, or one is not a scope by RFC 6749 §3.3.</exception>
    public static TBuilder RequireAnyScope<TBuilder>(this TBuilder builder, params string[] scopes)
        where TBuilder : IEndpointConventionBuilder => builder.Require(policy => policy.RequireAnyScope(scopes));

    /// <summary>Asks for all these permissions (the claim <c>permissions</c>).</summary>
    /// <exception cref="ArgumentException">No permission is given, or one has spaces, quotes or backslashes.</exception>
    public static TBuilder RequirePermission<TBuilder>(this TBuilder builder, params string[] permissions)
        where TBuilder : IEndpointConventionBuilder => builder.Require(policy => policy.RequirePermission(permissions));

    /// <summary>Asks for any of these permissions (the claim <c>permissions</c>).</summary>
    /// <exception cref="ArgumentException">No permission is given, or one has spaces, quotes or backslashes.</exception>
    public static TBuilder RequireAnyPermission<TBuilder>(this TBuilder builder, params string[] permissions)
        where TBuilder : IEndpointConventionBuilder => builder.Require(policy => policy.RequireAnyPermission(permissions));

    /// <summary>Asks for any of these roles (the claim <c>roles</c>), as <see cref="AuthorizationPolicyBuilder.RequireRole(string[])"/> does; call it again for all.</summary>
    public static TBuilder RequireRole<TBuilder>(this TBuilder builder, params string[] roles)
        where TBuilder : IEndpointConventionBuilder => builder.Require(policy => policy.RequireRole(roles));

    /// <summary>Asks for a credential that is for any of these names of the API; for one that has several among its audiences.</summary>
    /// <exception cref="ArgumentException">No audience is given.</exception>
    public static TBuilder RequireAudience<TBuilder>(this TBuilder builder, params string[] audiences)
        where TBuilder : IEndpointConventionBuilder => builder.Require(policy => policy.RequireAudience(audiences));

    /// <summary>Asks for a sign-in of any of these strengths (the claim <c>acr</c>); otherwise the answer is the challenge of RFC 9470 with them.</summary>
    /// <exception cref="ArgumentException">No value is given, or one has spaces, quotes or backslashes.</exception>
    public static TBuilder RequireAcr<TBuilder>(this TBuilder builder, params string[] acrValues)
        where TBuilder : IEndpointConventionBuilder => builder.Require(policy => policy.RequireAcr(acrValues));

    /// <summary>Asks for a sign-in (the claim <c>auth_time</c>) at most so long ago, in whole seconds; otherwise the answer is the challenge of RFC 9470 with it.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The time is negative.</exception>
    public static TBuilder RequireMaxAge<TBuilder>(this TBuilder builder, TimeSpan age)
        where TBuilder : IEndpointConventionBuilder => builder.Require(policy => policy.RequireMaxAge(age));

    private static TBuilder Require<TBuilder>(this TBuilder builder, Action<AuthorizationPolicyBuilder> more)
        where TBuilder : IEndpointConventionBuilder
    {
        var policy = new AuthorizationPolicyBuilder().RequireAuthenticatedUser();
        more(policy);
        return builder.RequireAuthorization(policy.Build());
    }
}
