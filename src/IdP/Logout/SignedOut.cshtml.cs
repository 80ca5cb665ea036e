using System.Security.Cryptography;
using IdP.Clients;
using IdP.Http;
using IdP.Protocol.OAuth;
using IdP.Sessions;
using IdP.Ui;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace IdP.Logout;

/// <summary>Says that the person is signed out, has the apps that are told through the browser told, and leads on.</summary>
internal sealed class SignedOutModel(BrowserSessions sessions, SignOut signOut, SignOutPages pages, LogoutRequests requests, ClientDirectory clients, Issuer issuer) : PageModel
{
    public string? Destination { get; private set; }
    public bool LeadsOn { get; private set; }
    public List<string> Frames { get; private set; } = [];
    public string Nonce { get; } = Convert.ToBase64String(RandomNumberGenerator.GetBytes(16));

    public async Task<IActionResult> OnGetAsync([FromQuery(Name = SignOutPages.Parameter)] string? sealedText, CancellationToken ct)
    {
        if (pages.OpenDone(HttpContext, sealedText) is not { } done)
        {
            // Somebody came here by themselves: the page must not say what is not so.
            if (await sessions.Find(HttpContext, ct) is not null) return new SeeOther(PageAddresses.SignOut);
            done = new SignOutDone();
        }
        Texts.Prefer(HttpContext, done.Locales);
        if (await requests.ProveAgain(done.ClientId, done.RedirectUri, ct) is { } address && await clients.Find(done.ClientId!, ct) is { } client)
            (Destination, LeadsOn) = (new Destination(client, address, done.State).Address, done.LeadsOn);
        if (done.Session is { } session) Frames = (await signOut.FrontChannelAddresses(session, ct)).ConvertAll(registered => WithSession(registered, session));
        var frames = Frames.Count == 0 ? "" : $"; frame-src {string.Join(' ', Frames.Select(frame => WebOrigin.Of(frame)).Distinct(StringComparer.Ordinal))}";
        var script = LeadsOn ? $"; script-src 'nonce-{Nonce}'" : "";
        PageHeaders.Set(HttpContext, $"default-src 'none'; style-src 'self'{script}{frames}; form-action 'none'; base-uri 'none'; frame-ancestors 'none'");
        return Page();
    }

    // Front-Channel Logout §3: both, so that the app can tell whose sign-in ends.
    private string WithSession(string registered, Guid session) =>
        $"{registered}{(registered.Contains('?', StringComparison.Ordinal) ? '&' : '?')}iss={Uri.EscapeDataString(issuer.Value)}&sid={Session.Sid(session)}";
}
