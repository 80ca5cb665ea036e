using IdP.Http;
using IdP.Protocol.OAuth;

namespace IdP.Ui;

/// <summary>What the error page shows. It is the request's own, set by whoever refuses.</summary>
internal sealed record PageError(OAuthError Error);

/// <summary>
/// The page for a request that cannot be answered to a client: a person reads it, and the developer of the app, so it names what is
/// wrong. It never redirects.
/// </summary>
internal static class ErrorPage
{
    public static readonly OAuthError Expired = OAuthError.InvalidRequest("this sign-in has run out or was begun in another browser: go back to the app and start again");

    public static readonly OAuthError NotOurForm = OAuthError.InvalidRequest("this form was not made for this browser, or its cookies are gone: go back to the app and start again");

    public static readonly OAuthError NotFound = new("not_found", "there is nothing at this address", 404);

    /// <summary>Whether whoever asks is a person with a browser, who cannot read JSON: not at the addresses that programs talk to.</summary>
    public static bool IsWanted(HttpRequest request)
    {
        var path = request.Path;
        if (path.StartsWithSegments("/connect", StringComparison.OrdinalIgnoreCase, out var rest)) return (rest == "/authorize" || rest == "/logout") && AsksForHtml(request);
        return !path.StartsWithSegments("/.well-known", StringComparison.OrdinalIgnoreCase) && !path.StartsWithSegments("/health", StringComparison.OrdinalIgnoreCase) && path != PageAddresses.Style && path != PageAddresses.PasskeyScript && path != PageAddresses.WorkScript && AsksForHtml(request);
    }

    public static Task Show(HttpContext http, OAuthError error)
    {
        var facts = RequestFacts.Of(http);
        (facts.Outcome, facts.Detail) = (error.Code, error.Detail ?? error.Description);
        http.Features.Set(new PageError(error));
        http.Response.StatusCode = error.Status;
        if (error.RetryAfter is { } seconds) http.Response.Headers.RetryAfter = seconds.ToString();
        return Pages.Show(http, PageAddresses.Error);
    }

    private static bool AsksForHtml(HttpRequest request) => request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase);
}
