using System.Globalization;
using System.Security.Claims;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Authorization.Infrastructure;
using Microsoft.AspNetCore.Http;

namespace IdP.TokenValidation;

/// <summary>Turns requirements that were not met into the answer that says so.</summary>
internal static class Missing
{
    private static readonly Refusal Forbidden = new(StatusCodes.Status403Forbidden, "Forbidden", null, "");

    public static Refusal Of(ClaimsPrincipal user, AuthorizationFailure? failure, string noun)
    {
        var failed = failure?.FailedRequirements.ToArray() ?? [];
        var rights = Rights(user, failed).ToArray();
        if (rights.Length > 0)
        {
            // RFC 6750 §3.1: insufficient_scope is also the code for what no scope would give.
            return Forbidden with
            {
                Error = "insufficient_scope",
                Detail = $"{noun} lacks {string.Join(" and ", rights.Select(right => Phrase(right.Key)).Distinct())}",
                Parameters = [.. rights.GroupBy(right => right.Key, right => right.Value).Select(group => KeyValuePair.Create(group.Key, string.Join(' ', group.Distinct())))],
            };
        }

        // Signing in again helps only if nothing else is missing.
        var stepUps = failed.OfType<StepUpRequirement>().ToArray();
        return stepUps.Length > 0 && stepUps.Length == failed.Length ? StepUp(stepUps) : Forbidden with { Detail = $"{noun} does not allow this." };
    }

    private static IEnumerable<KeyValuePair<string, string>> Rights(ClaimsPrincipal user, IEnumerable<IAuthorizationRequirement> failed)
    {
        foreach (var requirement in failed)
        {
            switch (requirement)
            {
                case ClaimRequirement claim:
                    foreach (var value in claim.MissingFor(user)) yield return KeyValuePair.Create(Member(claim), value);
                    break;
                case RolesAuthorizationRequirement roles:
                    foreach (var role in roles.AllowedRoles) yield return KeyValuePair.Create("roles", role);
                    break;
                case AnyOfRequirement any:
                    yield return KeyValuePair.Create("any_of", any.ToString());
                    break;
            }
        }
    }

    private static string Member(ClaimRequirement claim) => claim.ClaimType;

    private static string Phrase(string member) => member switch
    {
        "scope" => "a scope",
        "permissions" => "a permission",
        "roles" => "a role",
        "aud" => "an audience",
        _ => "all of the rights of which one would do",
    };

    // RFC 9470 §3.
    private static Refusal StepUp(StepUpRequirement[] failed)
    {
        List<KeyValuePair<string, string>> parameters = [];
        var values = failed.SelectMany(requirement => requirement.AcrValues).Distinct().ToArray();
        if (values.Length > 0) parameters.Add(KeyValuePair.Create("acr_values", string.Join(' ', values)));
        if (failed.Min(requirement => requirement.MaxAge) is { } age) parameters.Add(KeyValuePair.Create("max_age", ((long)age.TotalSeconds).ToString(CultureInfo.InvariantCulture)));
        return new Refusal(StatusCodes.Status401Unauthorized, "Unauthorized", "insufficient_user_authentication",
            values.Length > 0 ? "This needs a stronger sign-in" : "This needs a more recent sign-in")
        { Parameters = parameters };
    }
}
