using IdP.Authorize;
using IdP.Http;
using IdP.Resources;
using IdP.Sessions;
using IdP.Ui;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace IdP.Consents;

/// <summary>The person says whether the app gets what it asks for. Returns to the authorization endpoint.</summary>
internal sealed class ConsentModel(
    PageRequests pages, BrowserSessions sessions, ConsentStatements consents, ResourceCatalog catalog) : PageModel
{
    public string Continue { get; private set; } = "";
    public AppOnPage? App { get; private set; }
    public string Account { get; private set; } = "";

    /// <summary>The session that the page was made for: somebody else's click on it counts for nothing.</summary>
    public string Session { get; private set; } = "";

    /// <summary>What the page showed of the app: a click counts for that and nothing else.</summary>
    public string Shown { get; private set; } = "";
    public List<string> Items { get; private set; } = [];

    /// <summary>Where the answer goes, so that somebody who is led astray can notice.</summary>
    public string Destination { get; private set; } = "";

    public async Task<IActionResult> OnGetAsync([FromQuery(Name = Interactions.Parameter)] string? sealedText, CancellationToken ct)
    {
        if (await Open(sealedText, ct) is not var (way, request)) return await Expired();
        if (await sessions.Find(HttpContext, ct) is not { } session) return Return(way);
        (Account, Session) = (session.DisplayName ?? session.UserName, Sessions.Session.Sid(session.SessionId));
        Shown = ConsentStatements.Appearance(request.Client);
        var asked = request.Scopes.Names.Concat(request.ConsentItems.Where(item => item.StartsWith(AuthorizationRequest.ClaimItem, StringComparison.Ordinal)));
        foreach (var item in asked) Items.Add(ConsentItem.Describe(item, Texts.Of(HttpContext), catalog));
        Destination = request.Target.RedirectUri.PolicySource;
        return Page();
    }

    public async Task<IActionResult> OnPostAsync([FromForm(Name = Interactions.Parameter)] string? sealedText, [FromForm(Name = "session")] string? shownTo, [FromForm] string? shown, CancellationToken ct)
    {
        if (await Open(sealedText, ct) is not var (way, request)) return await Expired();
        // Signed out meanwhile, or somebody else now: the authorization endpoint finds out what is due.
        if (await sessions.Find(HttpContext, ct) is not { } session || Sessions.Session.Sid(session.SessionId) != shownTo) return Return(way);
        // The app has changed since the page was made: the person sees it again, as it is now.
        if (shown != ConsentStatements.Appearance(request.Client)) return Return(way);
        await consents.Give(session.UserId, request, RequestFacts.Of(HttpContext).Address, CancellationToken.None);
        RequestFacts.Of(HttpContext).Outcome = "consented";
        return Return(way with { ConsentSession = session.SessionId });
    }

    public async Task<IActionResult> OnPostDenyAsync([FromForm(Name = Interactions.Parameter)] string? sealedText, CancellationToken ct) =>
        await Open(sealedText, ct) is var (way, _) ? Return(way with { IsRefused = true }) : await Expired();

    private async ValueTask<(Interaction Way, AuthorizationRequest Request)?> Open(string? sealedText, CancellationToken ct)
    {
        // A page of ours has nothing to consent to.
        if (await pages.Show(HttpContext, sealedText, ct) is not ({ } way, { } request)) return null;
        Continue = sealedText!;
        App = AppOnPage.Of(request.Client);
        return (way, request);
    }

    private SeeOther Return(Interaction way) => pages.Return(HttpContext, way);

    private Task<IActionResult> Expired() => PageRequests.Expired(HttpContext);
}
