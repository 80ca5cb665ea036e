using IdP.Authorize;
using IdP.Http;
using IdP.Protocol.OpenId;
using IdP.SecondFactors;
using IdP.Sessions;
using IdP.Ui;

namespace IdP.Account;

/// <summary>
/// Lets people in to pages of their own. Who is not signed in, or not freshly enough, goes through the same pages as for an app, and comes
/// back to <see cref="Path"/>, which decides by the same rules what is still missing.
/// </summary>
internal sealed class AccountDoor(BrowserSessions sessions, SecondFactorStatements factors, Interactions interactions, TimeProvider clock)
{
    public const string Path = "/account/enter";

    /// <summary>How old a sign-in may be at most where a factor, the password or an address changes (MFA-07).</summary>
    public static readonly TimeSpan Fresh = TimeSpan.FromMinutes(5);

    public static string Resume(string sealedInteraction) => $"{Path}?{Interactions.Parameter}={sealedInteraction}";

    /// <summary>Who is signed in, not longer ago than that; null when they have to go through <see cref="SignIn"/> first.</summary>
    public async ValueTask<SignedIn?> Require(HttpContext http, CancellationToken ct, TimeSpan? freshWithin = null) =>
        await sessions.Find(http, ct) is { } session && (freshWithin is not { } most || await IsFresh(session, most, ct)) ? session : null;

    // As strong as the account can prove it, too: a remembered browser is no second factor where factors are changed.
    private async ValueTask<bool> IsFresh(SignedIn session, TimeSpan most, CancellationToken ct) =>
        clock.GetUtcNow() - session.AuthenticatedAt <= most && (session.Acr == Acr.MultiFactor || !(await factors.Of(session.UserId, ct)).IsAsked);

    /// <summary>To the sign-in and back to this page; a form that was posted has to be filled in again.</summary>
    public SeeOther SignIn(HttpContext http, TimeSpan? freshWithin = null) => new(Resume(interactions.Seal(http,
        interactions.Begin($"{http.Request.Path}{(HttpMethods.IsPost(http.Request.Method) ? "" : http.Request.QueryString)}", freshWithin))));

    public async Task Handle(HttpContext http)
    {
        var query = http.Request.Query[Interactions.Parameter];
        if (interactions.Open(http, query) is not { ReturnTo: { } page } way) { await ErrorPage.Show(http, ErrorPage.Expired); return; }
        var session = await sessions.Find(http, http.RequestAborted);
        var account = await factors.Of(way, session, http.RequestAborted);
        var missing = NextSteps.ForSignIn(SignInDemand.OfOwnPage(way), way, session, account, clock.GetUtcNow());
        RequestFacts.Of(http).Outcome = missing is null ? "entered" : PageAddresses.Of(missing.Value);
        await SeeOther.Send(http, missing is { } step ? $"{PageAddresses.Of(step)}?{Interactions.Parameter}={interactions.Seal(http, way with { IsRefused = false })}" : page);
    }
}
