using IdP.Clients;
using IdP.Http;
using IdP.Sessions;
using IdP.Ui;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace IdP.Logout;

/// <summary>Asks whether the person wants to sign out: because no hint proves that they do, or because they came here by themselves.</summary>
internal sealed class SignOutModel(BrowserSessions sessions, SignOut signOut, SignOutPages pages, LogoutRequests requests, ClientDirectory clients) : PageModel
{
    public string Continue { get; private set; } = "";
    public AppOnPage? App { get; private set; }
    public string Account { get; private set; } = "";
    public bool HasStayed { get; private set; }

    public async Task<IActionResult> OnGetAsync([FromQuery(Name = SignOutPages.Parameter)] string? sealedText, CancellationToken ct)
    {
        var (question, destination) = await Open(sealedText, ct);
        return await sessions.Find(HttpContext, ct) is { } session
            ? Ask(question, session)
            : new SeeOther(await signOut.Next(HttpContext, ended: null, destination, leadsOn: false, question.Locales, ct));
    }

    public async Task<IActionResult> OnPostAsync([FromForm(Name = SignOutPages.Parameter)] string? sealedText, CancellationToken ct)
    {
        var (question, destination) = await Open(sealedText, ct);
        var session = await sessions.Find(HttpContext, ct);
        // Somebody else is signed in by now, or the page is from long ago: they are asked, not signed out.
        if (session is not null && session.SessionId != question.Session) return Ask(question, session);
        if (session is not null) await signOut.End(HttpContext, session, question.ClientId);
        // Pressed twice, or ended in another tab: the session of the page is over either way.
        return new SeeOther(await signOut.Next(HttpContext, question.Session, destination, leadsOn: true, question.Locales, ct));
    }

    public async Task<IActionResult> OnPostStayAsync([FromForm(Name = SignOutPages.Parameter)] string? sealedText, CancellationToken ct)
    {
        await Open(sealedText, ct);
        RequestFacts.Of(HttpContext).Outcome = "stayed";
        HasStayed = true;
        return Page();
    }

    private PageResult Ask(SignOutQuestion question, SignedIn session)
    {
        Account = session.DisplayName ?? session.UserName;
        Continue = pages.Seal(HttpContext, question with { Session = session.SessionId });
        return Page();
    }

    // A question that has run out is asked anew, without the app: whoever wants to sign out must be able to.
    private async ValueTask<(SignOutQuestion Question, Destination? Destination)> Open(string? sealedText, CancellationToken ct)
    {
        var question = pages.OpenQuestion(HttpContext, sealedText) ?? new SignOutQuestion();
        var client = question.ClientId is { } id && await clients.Find(id, ct) is { IsDisabled: false } found ? found : null;
        var address = await requests.ProveAgain(client?.ClientId, question.RedirectUri, ct);
        RequestFacts.Of(HttpContext).ClientId = client?.ClientId;
        App = client is null ? null : AppOnPage.Of(client);
        Texts.Prefer(HttpContext, question.Locales);
        PageHeaders.Set(HttpContext, client, address);
        return (question, address is null ? null : new Destination(client!, address, question.State));
    }
}
