using System.Globalization;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Authorization.Infrastructure;

namespace IdP.TokenValidation;

/// <summary>What an endpoint asks for, as far as its policies say it: read from them, never typed twice.</summary>
internal sealed record EndpointRequirements(IReadOnlyList<string> Schemes, IReadOnlyList<string> Scopes, IReadOnlyList<string> Sentences)
{
    /// <param name="policies">The application's named policies.</param>
    /// <param name="metadata">The endpoint's metadata.</param>
    /// <returns>Null for an endpoint that anybody may call.</returns>
    public static async Task<EndpointRequirements?> Of(IAuthorizationPolicyProvider policies, IEnumerable<object> metadata)
    {
        var all = metadata as IReadOnlyCollection<object> ?? [.. metadata];
        if (all.OfType<IAllowAnonymous>().Any()) return null;
        var policy = await AuthorizationPolicy.CombineAsync(policies, all.OfType<IAuthorizeData>(), all.OfType<AuthorizationPolicy>());
        if (policy is null) return null;
        List<string> scopes = [], sentences = [];
        foreach (var requirement in policy.Requirements)
        {
            scopes.AddRange(ScopesOf(requirement).Except(scopes, StringComparer.Ordinal));
            if (Sentence(requirement) is { } sentence && !sentences.Contains(sentence)) sentences.Add(sentence);
        }

        return new EndpointRequirements(policy.AuthenticationSchemes, scopes, sentences);
    }

    // All that could be of use: with any of several, and with alternatives, the caller chooses.
    private static IEnumerable<string> ScopesOf(IAuthorizationRequirement requirement) => requirement switch
    {
        ClaimRequirement { ClaimType: ClaimRequirement.ScopeClaim } scope => scope.Values,
        AnyOfRequirement any => any.Alternatives.SelectMany(one => one.Requirements.SelectMany(ScopesOf)),
        _ => [],
    };

    private static string? Sentence(IAuthorizationRequirement requirement) => requirement switch
    {
        ClaimRequirement claim => $"{(claim.IsAny ? "any of the" : "the")} {Noun(claim)} {Listed(claim.Values, claim.IsAny)}",
        RolesAuthorizationRequirement roles => $"the {(roles.AllowedRoles.Count() > 1 ? "roles" : "role")} {Listed(roles.AllowedRoles, isAny: true)}",
        AnyOfRequirement any => "either " + string.Join(", or ", any.Alternatives.Select(one => string.Join(" and ", one.Requirements.Select(Sentence).OfType<string>()))),
        StepUpRequirement { MaxAge: { } age } => $"a sign-in at most {age.TotalSeconds.ToString("0", CultureInfo.InvariantCulture)} seconds ago",
        StepUpRequirement step => $"a sign-in of the strength {Listed(step.AcrValues, isAny: true)}",
        DenyAnonymousAuthorizationRequirement => null,
        _ => "what a policy of the application decides",
    };

    private static string Noun(ClaimRequirement claim) => (claim.ClaimType switch
    {
        ClaimRequirement.PermissionsClaim => "permission",
        ClaimRequirement.AudienceClaim => "audience",
        _ => "scope",
    }) + (claim.Values.Count > 1 ? "s" : "");

    private static string Listed(IEnumerable<string> values, bool isAny) => string.Join(isAny ? " or " : " and ", values.Select(value => $"`{value}`"));
}
