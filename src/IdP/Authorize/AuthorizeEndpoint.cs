using System.Text;
using IdP.Consents;
using IdP.Http;
using IdP.Protocol.OAuth;
using IdP.SecondFactors;
using IdP.Sessions;
using IdP.Storage;
using IdP.Ui;

namespace IdP.Authorize;

/// <summary>
/// RFC 6749 §4.1.1, OpenID Connect Core §3.1.2. Every page of a request returns here, with the request sealed in the parameter
/// <c>continue</c>, and this decides what comes next.
/// </summary>
internal sealed class AuthorizeEndpoint(
    AuthorizationRequestPipeline pipeline, PostedRequests posted, Interactions interactions, BrowserSessions sessions, SecondFactorStatements factors, ConsentStatements consents, Codes codes, AuthorizationResponse response, ChangePoll poll, TimeProvider clock)
{
    public const string Path = "/connect/authorize";

    /// <summary>Sends the browser back here with an interaction that a page has brought one step further.</summary>
    public static string Resume(string sealedInteraction) => $"{Path}?{Interactions.Parameter}={sealedInteraction}";

    public async Task Handle(HttpContext http)
    {
        var ct = http.RequestAborted;

        // 1. Read: the address, or the form of a POST, or what was sealed on the way to a page.
        if ((await posted.Read(http, ct)).Failed(out var form, out var error)) { await ErrorPage.Show(http, error); return; }
        Interaction? way = null;
        if (form[Interactions.Parameter] is { } sealedText && (way = interactions.Open(http, sealedText)) is not { ReturnTo: null }) { await ErrorPage.Show(http, ErrorPage.Expired); return; }

        // 2. A node that has lost sight of the database may not know what was taken away.
        if (await poll.Refusal(ct) is { } refusal) { await ErrorPage.Show(http, refusal); return; }

        // 3. Check: who asks, where the answer goes, what is asked for. The same on the way back from a page, because rights may be gone.
        var (request, refused) = way is null ? await pipeline.Check(form, ct) : await Recheck(way, ct);
        if (refused is not null) { await Refuse(http, refused); return; }
        RequestFacts.Of(http).ClientId = request!.Client.ClientId;

        // 4. A form that another site posted came without our cookies, which are for same-site requests and for redirects.
        if (HttpMethods.IsPost(http.Request.Method)) { await Bounce(http, request, form); return; }

        // 5. Who is signed in, and what does the request still need?
        var session = await sessions.Find(http, ct);
        var isConsented = session is not null && await consents.Covers(session.UserId, request, ct);
        way ??= interactions.Begin(request);
        var account = await factors.Of(way, session, ct);
        var next = NextSteps.Decide(request, way, session, account, isConsented, clock.GetUtcNow());
        if (next == NextStep.Refused) { await response.Error(http, request.Target, new OAuthError("access_denied", "the person did not agree")); return; }
        if (next != NextStep.Complete)
        {
            if (request.Prompt == Prompt.None) await response.Error(http, request.Target, NextSteps.WithoutPage(next));
            else await ToPage(http, request, way, next);
            return;
        }

        // 6. Issue the code: nothing comes of it if session, person or client have ended meanwhile.
        if (await codes.Issue(request, session!, ct) is { } code) await response.Code(http, request.Target, code);
        else await response.Error(http, request.Target, new OAuthError("access_denied", "the session has ended or the request was used meanwhile"));
    }

    /// <summary>The request of an interaction, checked once more: rights may be gone since.</summary>
    public async ValueTask<(AuthorizationRequest? Request, RefusedRequest? Refused)> Recheck(Interaction way, CancellationToken ct)
    {
        if (way.PushedId is { } pushed) return await pipeline.Resume(pushed, ct);
        return FormParameters.ParseLeniently(Encoding.UTF8.GetBytes(way.Parameters ?? "")).Failed(out var kept, out var error)
            ? (null, new RefusedRequest(error, Target: null))
            : await pipeline.Check(kept, ct);
    }

    private Task Refuse(HttpContext http, RefusedRequest refused) =>
        refused.Target is { } target ? response.Error(http, target, refused.Error) : ErrorPage.Show(http, refused.Error);

    private Task Bounce(HttpContext http, AuthorizationRequest request, FormParameters form)
    {
        var parameters = form.Encode();
        return TooLarge(parameters) is { } error
            ? response.Error(http, request.Target, error)
            : posted.ToGet(http, Path, parameters);
    }

    private Task ToPage(HttpContext http, AuthorizationRequest request, Interaction way, NextStep next)
    {
        if (TooLarge(way.Parameters) is { } error) return response.Error(http, request.Target, error);
        var page = PageAddresses.Of(next);
        RequestFacts.Of(http).Outcome = page;
        return SeeOther.Send(http, $"{page}?{Interactions.Parameter}={interactions.Seal(http, way)}");
    }

    private static OAuthError? TooLarge(string? parameters) => parameters?.Length > AuthorizationRequestPipeline.LongestRequest
        ? OAuthError.InvalidRequest($"the request is larger than {AuthorizationRequestPipeline.LongestRequest} bytes: push it to /connect/par")
        : null;
}
