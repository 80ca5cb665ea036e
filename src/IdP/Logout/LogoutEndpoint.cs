using IdP.Authorize;
using IdP.Http;
using IdP.Protocol.OAuth;
using IdP.Sessions;
using IdP.Storage;
using IdP.Ui;

namespace IdP.Logout;

/// <summary>RP-Initiated Logout 1.0: an app sends the person here to sign out, by a redirect or by a form.</summary>
internal sealed class LogoutEndpoint(LogoutRequests requests, PostedRequests posted, BrowserSessions sessions, SignOut signOut, SignOutPages pages, ChangePoll poll)
{
    public const string Path = "/connect/logout";

    public async Task Handle(HttpContext http)
    {
        var ct = http.RequestAborted;

        // 1. Read: the address, or the form of a POST, or what was sealed when a POST became a GET.
        if ((await posted.Read(http, ct)).Failed(out var form, out var error)) { await ErrorPage.Show(http, error); return; }

        // 2. A node that has lost sight of the database may not know which addresses still count.
        if (await poll.Refusal(ct) is { } refusal) { await ErrorPage.Show(http, refusal); return; }

        // 3. Check: which app asks, where the person may go afterwards, whose sign-in the hint names.
        if ((await requests.Check(form, ct)).Failed(out var request, out error)) { await ErrorPage.Show(http, error); return; }
        RequestFacts.Of(http).ClientId = request.Client?.ClientId;

        // 4. A form that an app posted came without our cookies, which are for same-site requests and for redirects.
        if (HttpMethods.IsPost(http.Request.Method)) { await Bounce(http, form); return; }

        // 5. RP-Initiated Logout §4: the person is asked unless the hint is of this very sign-in.
        var session = await sessions.Find(http, ct);
        var isProven = session is not null && request.Hint is { } hint && hint.Is(session);
        if (session is not null && !isProven)
        {
            RequestFacts.Of(http).Outcome = PageAddresses.SignOut;
            await SeeOther.Send(http, pages.Address(http, Question(request, session)));
            return;
        }

        // 6. Sign out. With nobody signed in a hint that still counts leads on; anything less is offered as a link.
        if (session is not null) await signOut.End(http, session, request.Client?.ClientId);
        var destination = request.RedirectUri is { } address ? new Destination(request.Client!, address, request.State) : null;
        var leadsOn = isProven || request.Hint is { IsExpired: false };
        await SeeOther.Send(http, await signOut.Next(http, session?.SessionId, destination, leadsOn, request.Locales, ct));
    }

    private static SignOutQuestion Question(LogoutRequest request, SignedIn session) => new()
    {
        ClientId = request.Client?.ClientId,
        RedirectUri = request.RedirectUri?.Value,
        State = request.State,
        Locales = request.Locales,
        Session = session.SessionId,
    };

    private Task Bounce(HttpContext http, FormParameters form)
    {
        var parameters = form.Encode();
        return parameters.Length > AuthorizationRequestPipeline.LongestRequest
            ? ErrorPage.Show(http, OAuthError.TooLarge($"the request is larger than {AuthorizationRequestPipeline.LongestRequest} bytes"))
            : posted.ToGet(http, Path, parameters);
    }
}
