using System.Globalization;
using System.Security.Claims;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace IdP.TokenValidation;

/// <summary>Asks for values of a claim: all of them, or any. Checks itself: the framework calls requirements that are handlers too.</summary>
internal sealed class ClaimRequirement(string claimType, string[] values, bool isAny) : AuthorizationHandler<ClaimRequirement>, IAuthorizationRequirement
{
    public const string ScopeClaim = "scope";
    public const string PermissionsClaim = "permissions";
    public const string AudienceClaim = "aud";

    public string ClaimType { get; } = claimType;

    public IReadOnlyList<string> Values { get; } = values;

    public bool IsAny { get; } = isAny;

    /// <inheritdoc/>
    public override string ToString() => $"{ClaimType}: {(IsAny ? "any" : "all")} of {string.Join(' ', Values)}";

    /// <summary>The values that the user lacks: those of all that are missing, or every one of which any would do.</summary>
    public IEnumerable<string> MissingFor(ClaimsPrincipal user) => IsAny ? Values : Values.Where(value => !user.HasClaim(ClaimType, value));

    /// <inheritdoc/>
    protected override Task HandleRequirementAsync(AuthorizationHandlerContext context, ClaimRequirement requirement)
    {
        // The framework asks the handler of each requirement about every other of its kind.
        if (requirement == this && IsMetBy(context.User)) context.Succeed(requirement);
        return Task.CompletedTask;
    }

    public bool IsMetBy(ClaimsPrincipal user)
    {
        foreach (var value in values)
        {
            if (user.HasClaim(ClaimType, value) == IsAny) return IsAny;
        }

        return !IsAny;
    }
}

/// <summary>Asks for one of several policies to be met as a whole.</summary>
internal sealed class AnyOfRequirement(IReadOnlyList<AuthorizationPolicy> alternatives) : AuthorizationHandler<AnyOfRequirement>, IAuthorizationRequirement
{
    public IReadOnlyList<AuthorizationPolicy> Alternatives { get; } = alternatives;

    /// <inheritdoc/>
    public override string ToString() => string.Join(" or ", Alternatives.Select(policy => $"({string.Join(" and ", policy.Requirements)})"));

    /// <inheritdoc/>
    protected override async Task HandleRequirementAsync(AuthorizationHandlerContext context, AnyOfRequirement requirement)
    {
        if (requirement != this) return;
        foreach (var policy in Alternatives)
        {
            var inner = new AuthorizationHandlerContext(policy.Requirements, context.User, context.Resource);
            foreach (var one in policy.Requirements) await ((IAuthorizationHandler)one).HandleAsync(inner);
            if (!inner.HasSucceeded) continue;
            context.Succeed(requirement);
            return;
        }
    }
}

/// <summary>Asks for a sign-in that was strong enough, or is not too long ago (RFC 9470).</summary>
internal sealed class StepUpRequirement(string[] acrValues, TimeSpan? maxAge) : AuthorizationHandler<StepUpRequirement>, IAuthorizationRequirement
{
    public IReadOnlyList<string> AcrValues { get; } = acrValues;

    public TimeSpan? MaxAge { get; } = maxAge;

    /// <inheritdoc/>
    public override string ToString() => MaxAge is { } age ? $"signed in at most {age} ago" : $"acr: any of {string.Join(' ', AcrValues)}";

    /// <inheritdoc/>
    protected override Task HandleRequirementAsync(AuthorizationHandlerContext context, StepUpRequirement requirement)
    {
        if (requirement == this && IsStrongEnough(context.User) && IsRecentEnough(context)) context.Succeed(requirement);
        return Task.CompletedTask;
    }

    private bool IsStrongEnough(ClaimsPrincipal user)
    {
        if (AcrValues.Count == 0) return true;
        foreach (var value in AcrValues)
        {
            if (user.HasClaim("acr", value)) return true;
        }

        return false;
    }

    // RFC 9470 §3: who does not say when the person signed in has not shown that it was lately.
    private bool IsRecentEnough(AuthorizationHandlerContext context)
    {
        if (MaxAge is not { } age) return true;
        if (!long.TryParse(context.User.FindFirst("auth_time")?.Value, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)) return false;
        var clock = (context.Resource as HttpContext)?.RequestServices.GetService<TimeProvider>() ?? TimeProvider.System;
        return clock.GetUtcNow().ToUnixTimeSeconds() - seconds <= age.TotalSeconds;
    }
}
