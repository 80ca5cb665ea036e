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

    public static Task Show(HttpContext http, OAuthError error)
    {
        var facts = RequestFacts.Of(http);
        (facts.Outcome, facts.Detail) = (error.Code, error.Detail ?? error.Description);
        http.Features.Set(new PageError(error));
        http.Response.StatusCode = error.Status;
        if (error.RetryAfter is { } seconds) http.Response.Headers.RetryAfter = seconds.ToString();
        return PageRunner.Run(http, PageAddresses.Error);
    }
}
