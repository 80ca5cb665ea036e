using Microsoft.AspNetCore.Authorization;

namespace IdP.TokenValidation;

/// <summary>The same for policies: <c>policy.RequireScope("items:read")</c>. <c>RequireRole</c>, <c>RequireClaim</c> and so on are ASP.NET Core's own.</summary>
public static class PolicyAuthorization
{
    /// <summary>Asks for all these scopes.</summary>
    /// <exception cref="ArgumentException">No scope is given, or one is not a scope by RFC 6749 §3.3.</exception>
    public static AuthorizationPolicyBuilder RequireScope(this AuthorizationPolicyBuilder builder, params string[] scopes) =>
        builder.Claims(ClaimRequirement.ScopeClaim, scopes, isAny: false, nameof(scopes));

    /// <summary>Asks for any of these scopes.</summary>
    /// <exception cref="ArgumentException">No scope is given, or one is not a scope by RFC 6749 §3.3.</exception>
    public static AuthorizationPolicyBuilder RequireAnyScope(this AuthorizationPolicyBuilder builder, params string[] scopes) =>
        builder.Claims(ClaimRequirement.ScopeClaim, scopes, isAny: true, nameof(scopes));

    /// <summary>Asks for all these permissions.</summary>
    /// <exception cref="ArgumentException">No permission is given, or one has spaces, quotes or backslashes.</exception>
    public static AuthorizationPolicyBuilder RequirePermission(this AuthorizationPolicyBuilder builder, params string[] permissions) =>
        builder.Claims(ClaimRequirement.PermissionsClaim, permissions, isAny: false, nameof(permissions));

    /// <summary>Asks for any of these permissions.</summary>
    /// <exception cref="ArgumentException">No permission is given, or one has spaces, quotes or backslashes.</exception>
    public static AuthorizationPolicyBuilder RequireAnyPermission(this AuthorizationPolicyBuilder builder, params string[] permissions) =>
        builder.Claims(ClaimRequirement.PermissionsClaim, permissions, isAny: true, nameof(permissions));

    /// <summary>Asks for a credential that is for any of these names of the API.</summary>
    /// <exception cref="ArgumentException">No audience is given.</exception>
    public static AuthorizationPolicyBuilder RequireAudience(this AuthorizationPolicyBuilder builder, params string[] audiences) =>
        builder.Claims(ClaimRequirement.AudienceClaim, audiences, isAny: true, nameof(audiences));

    /// <summary>Asks for one of several policies to be met as a whole: <c>RequireAnyOf(p => p.RequireScope("admin"), p => p.RequireRole("manager").RequirePermission("items:delete"))</c>.</summary>
    /// <exception cref="ArgumentException">There are fewer than two, or one has a requirement that needs a handler of its own.</exception>
    public static AuthorizationPolicyBuilder RequireAnyOf(this AuthorizationPolicyBuilder builder, params Action<AuthorizationPolicyBuilder>[] alternatives)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(alternatives);
        if (alternatives.Length < 2) throw new ArgumentException("At least two alternatives must be given.", nameof(alternatives));
        List<AuthorizationPolicy> policies = [];
        foreach (var configure in alternatives)
        {
            var alternative = new AuthorizationPolicyBuilder();
            configure(alternative);
            if (alternative.Requirements.FirstOrDefault(requirement => requirement is not IAuthorizationHandler) is { } foreign)
                throw new ArgumentException($"{foreign.GetType().Name} does not check itself and cannot be an alternative.", nameof(alternatives));
            policies.Add(alternative.Build());
        }

        return builder.AddRequirements(new AnyOfRequirement(policies));
    }

    /// <summary>Asks for a sign-in of any of these strengths (the claim <c>acr</c>, RFC 9470).</summary>
    /// <exception cref="ArgumentException">No value is given, or one has spaces, quotes or backslashes.</exception>
    public static AuthorizationPolicyBuilder RequireAcr(this AuthorizationPolicyBuilder builder, params string[] acrValues)
    {
        ArgumentNullException.ThrowIfNull(builder);
        Check(acrValues, nameof(acrValues));
        return builder.AddRequirements(new StepUpRequirement([.. acrValues], null));
    }

    /// <summary>Asks for a sign-in (the claim <c>auth_time</c>) at most so long ago, in whole seconds (RFC 9470).</summary>
    /// <exception cref="ArgumentOutOfRangeException">The time is negative.</exception>
    public static AuthorizationPolicyBuilder RequireMaxAge(this AuthorizationPolicyBuilder builder, TimeSpan age)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentOutOfRangeException.ThrowIfLessThan(age, TimeSpan.Zero);
        return builder.AddRequirements(new StepUpRequirement([], age));
    }

    private static AuthorizationPolicyBuilder Claims(this AuthorizationPolicyBuilder builder, string claimType, string[] values, bool isAny, string parameter)
    {
        ArgumentNullException.ThrowIfNull(builder);
        Check(values, parameter);
        return builder.AddRequirements(new ClaimRequirement(claimType, [.. values], isAny));
    }

    private static void Check(string[] values, string parameter)
    {
        ArgumentNullException.ThrowIfNull(values);
        if (values.Length == 0 || !Array.TrueForAll(values, Scope.IsToken))
            throw new ArgumentException($"The {parameter} must be given one by one, without spaces, quotes and backslashes.", parameter);
    }
}
