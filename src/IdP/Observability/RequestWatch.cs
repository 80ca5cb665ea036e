using System.Collections.Frozen;
using System.Diagnostics;
using IdP.ApiKeys;
using IdP.Authorize;
using IdP.Http;
using IdP.Logout;
using IdP.Tokens;
using IdP.Ui;
using IdP.UserInfo;
using Microsoft.AspNetCore.Http.Features;

namespace IdP.Observability;

/// <summary>
/// Around every request while somebody watches: counts what became of it, and says it in its span. Both go by what the request log goes by
/// (<see cref="RequestFacts"/>), so that the three agree.
/// </summary>
internal sealed class RequestWatch(RequestDelegate next)
{
    // What an answer can say; anything else, which would be a new code that nobody has listed here, counts as one.
    private static readonly FrozenSet<string> ErrorCodes = new[]
    {
        "invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type", "invalid_scope", "invalid_target", "temporarily_unavailable",
        "access_denied", "login_required", "consent_required", "interaction_required", "account_selection_required", "unsupported_response_type", "request_not_supported",
        "request_uri_not_supported", "registration_not_supported", "unmet_authentication_requirements", "invalid_token", "insufficient_scope", "unauthorized", "conflict", "not_found", "server_error",
    }.ToFrozenSet(StringComparer.Ordinal);

    private static readonly string[] Statuses = [.. Enumerable.Range(0, 600).Select(status => status.ToString())];

    public async Task Invoke(HttpContext http)
    {
        try
        {
            await next(http);
        }
        finally
        {
            if (http.Features.Get<RequestFacts>() is { } facts)
            {
                if (Telemetry.RequestsRefused.Enabled) Count(facts, http.Response.StatusCode);
                if (http.Features.Get<IHttpActivityFeature>()?.Activity is { Recorded: true, IsAllDataRequested: true } activity) Describe(activity, http, facts);
            }
        }
    }

    private static void Count(RequestFacts facts, int status)
    {
        var outcome = facts.Outcome;
        switch (outcome)
        {
            case "issued": Telemetry.Count(Telemetry.TokensIssued, "grant_type", facts.Grant!); return;
            case "active" or "inactive": Telemetry.Count(Telemetry.Introspections, "result", outcome); return;
            case "revoked": Telemetry.Count(Telemetry.Revocations, "result", outcome); return;
            case "nothing to revoke": Telemetry.Count(Telemetry.Revocations, "result", "nothing"); return;
            case "signed_in": CountSignIn(facts, "signed_in"); return;
            case "first_factor": CountSignIn(facts, "second_factor_due"); return;
            case "upstream_unknown": CountSignIn(facts, "unknown"); return;
            case "sign_in_refused" or "second_factor_refused" or "set_up_refused" or "upstream_refused" or "upstream_failed" or "upstream_disabled": CountSignIn(facts, "refused"); return;
        }
        var isKnown = outcome is not null && ErrorCodes.Contains(outcome);
        if (isKnown || status >= 400)
            Telemetry.RequestsRefused.Add(1, new("endpoint", EndpointOf(facts.Path)), new("error", isKnown ? outcome : "other"), new("status", status is > 0 and < 600 ? Statuses[status] : "other"));
    }

    private static void CountSignIn(RequestFacts facts, string outcome) => Telemetry.SignIns.Add(1, new("way", WayOf(facts.Path)), new("outcome", outcome));

    private static string WayOf(string path) => path switch
    {
        PageAddresses.SignIn => "password",
        PageAddresses.SignInByPasskey => "passkey",
        PageAddresses.SecondFactor => "second_factor",
        PageAddresses.SetUpFactor => "second_factor_set_up",
        PageAddresses.CompleteSignUp => "sign_up",
        _ when path.StartsWith("/sign-in/upstream/", StringComparison.OrdinalIgnoreCase) => "upstream",
        _ => "other",
    };

    private static string EndpointOf(string path) => path switch
    {
        TokenEndpoint.Path => "token",
        IntrospectionEndpoint.Path => "introspect",
        RevocationEndpoint.Path => "revoke",
        AuthorizeEndpoint.Path => "authorize",
        PushedAuthorizationEndpoint.Path => "par",
        UserInfoEndpoint.Path => "userinfo",
        LogoutEndpoint.Path => "logout",
        _ when path.StartsWith(ApiKeysEndpoint.Path, StringComparison.Ordinal) => "api-keys",
        _ => "other",
    };

    // Neither address nor query nor names: what is typed into either may be a secret. The route says where it was, the log who.
    private static void Describe(Activity activity, HttpContext http, RequestFacts facts)
    {
        if (facts.Path.StartsWith("/health", StringComparison.Ordinal))
        {
            // Probes come every few seconds and tell nothing.
            activity.ActivityTraceFlags &= ~ActivityTraceFlags.Recorded;
            return;
        }
        var (method, route, status) = (MethodOf(facts.Method), RouteOf(http, facts), http.Response.StatusCode);
        activity.DisplayName = route is null ? method : $"{method} {route}";
        activity.SetTag("http.request.method", method);
        activity.SetTag("http.route", route);
        activity.SetTag("http.response.status_code", status);
        activity.SetTag("idp.grant_type", facts.Grant);
        activity.SetTag("idp.outcome", facts.Outcome);
        if (status >= 500) activity.SetTag("error.type", Statuses[Math.Min(status, 599)]).SetStatus(ActivityStatusCode.Error);
        // What a caller has hung on its trace is not ours to keep.
        activity.TraceStateString = null;
    }

    private static string? RouteOf(HttpContext http, RequestFacts facts)
    {
        if (EndpointOf(facts.Path) is not ("other" or "api-keys")) return facts.Path;
        // The page that says what was wrong stands for any address.
        if ((http.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText is not { } pattern || pattern == PageAddresses.Error[1..] || pattern == PageAddresses.Error) return null;
        return pattern.StartsWith('/') ? pattern : $"/{pattern}";
    }

    private static string MethodOf(string method) =>
        HttpMethods.IsGet(method) || HttpMethods.IsPost(method) || HttpMethods.IsHead(method) || HttpMethods.IsOptions(method) || HttpMethods.IsDelete(method) || HttpMethods.IsPut(method) || HttpMethods.IsPatch(method) ? HttpMethods.GetCanonicalizedValue(method) : "HTTP";
}
