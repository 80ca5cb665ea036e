using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace IdP.TokenValidation;

/// <summary>
/// What <c>WWW-Authenticate</c> says, one challenge for each carrier that the endpoint accepts. <c>Bearer</c> and <c>Basic</c> are registered;
/// <c>ApiKey</c> and <c>Session</c> are this library's own and documented in its README.
/// </summary>
internal static class Challenge
{
    // The parameters of a refusal that may stand in a header, RFC 6750 §3 and RFC 9470 §3.
    private static readonly string[] InHeader = ["scope", "acr_values", "max_age"];

    public static StringValues All(HttpContext http, Refusal refusal, AcceptedSchemes accepted, string? scheme)
    {
        List<string> challenges = [];
        foreach (var (name, options) in accepted.Schemes)
        {
            // The error is told to the scheme whose credential was tried; if two were sent, to all.
            var error = scheme is null || scheme == name ? refusal : null;
            foreach (var carrier in options.Carriers)
            {
                var challenge = One(http, options, carrier, error);
                if (!challenges.Contains(challenge, StringComparer.Ordinal)) challenges.Add(challenge);
            }
        }

        return challenges.ToArray();
    }

    // All values are ours or checked when the application starts, so that nothing needs escaping.
    private static string One(HttpContext http, TokenValidationOptions options, Carrier carrier, Refusal? refusal)
    {
        var realm = $"realm=\"{options.EffectiveRealm}\"";
        switch (options.Kind)
        {
            case CredentialKind.Basic:
                // RFC 7617 §2.1.
                return $"Basic {realm}, charset=\"UTF-8\"";
            case CredentialKind.ApiKey:
                return $"ApiKey {realm}, in=\"{Where(carrier)}\", name=\"{carrier.Name}\"{Error(refusal)}";
            case CredentialKind.Session:
                return $"Session {realm}, sign_in=\"{http.Request.PathBase}{options.Session.SignInPath}\"{Error(refusal)}";
            default:
                // RFC 9728 §5.1.
                var metadata = options.Resource is { } resource ? $", resource_metadata=\"{ResourceMetadata.AddressOf(resource)}\"" : null;
                return $"Bearer {realm}{Error(refusal)}{metadata}";
        }
    }

    private static string Where(Carrier carrier) => carrier.Place switch { CarrierPlace.Header => "header", CarrierPlace.Query => "query", _ => "cookie" };

    private static string? Error(Refusal? refusal)
    {
        if (refusal?.Error is null) return null;
        var parameters = string.Concat(refusal.Parameters.Where(parameter => InHeader.Contains(parameter.Key, StringComparer.Ordinal)).Select(parameter => $", {parameter.Key}=\"{parameter.Value}\""));
        return $", error=\"{refusal.Error}\", error_description=\"{refusal.Detail}\"{parameters}";
    }
}
