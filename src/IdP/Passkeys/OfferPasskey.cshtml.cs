using IdP.Account;
using IdP.Authorize;
using IdP.Http;
using IdP.Sessions;
using IdP.Ui;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace IdP.Passkeys;

/// <summary>
/// After a sign-in by password: would the person rather have a passkey the next time? Or, where one is demanded: the person makes the first.
/// Returns to where it is decided what comes next.
/// </summary>
internal sealed class OfferPasskeyModel(PageRequests pages, AccountDoor door, PasskeyCeremony ceremony, PasskeyStatements statements, PasskeyOffer offer) : PageModel
{
    public string Continue { get; private set; } = "";
    public AppOnPage? App { get; private set; }

    /// <summary>Whether it can be put off: it is an offer, and no demand.</summary>
    public bool IsOffer { get; private set; }
    public string? Problem { get; private set; }

    public async Task<IActionResult> OnGetAsync([FromQuery(Name = Interactions.Parameter)] string? sealedText, CancellationToken ct)
    {
        if (await Open(sealedText, ct) is not { Way: var way }) return await PageRequests.Expired(HttpContext);
        // Signed out meanwhile, or slow: nothing is offered that could not be taken.
        return await door.Require(HttpContext, ct, AccountDoor.Fresh) is null ? Onward(way) : Page();
    }

    public async Task<IActionResult> OnPostAsync([FromForm(Name = Interactions.Parameter)] string? sealedText, [FromForm] string? credential, CancellationToken ct)
    {
        if (await Open(sealedText, ct) is not { Way: var way }) return await PageRequests.Expired(HttpContext);
        if (await door.Require(HttpContext, ct, AccountDoor.Fresh) is not { } session) return Onward(way);
        var texts = Texts.Of(HttpContext);
        if (await PasskeysModel.Register(ceremony, statements, HttpContext, session, texts["Passkeys.DefaultName"], credential, ct))
        {
            RequestFacts.Of(HttpContext).Outcome = "passkey-added";
            return Onward(way);
        }
        RequestFacts.Of(HttpContext).Outcome = "refused";
        Problem = texts["Passkeys.NotAdded"];
        return this.PageWith(400);
    }

    public async Task<IActionResult> OnPostLaterAsync([FromForm(Name = Interactions.Parameter)] string? sealedText, CancellationToken ct)
    {
        if (await Open(sealedText, ct) is not { Way: var way }) return await PageRequests.Expired(HttpContext);
        offer.Declined(HttpContext);
        RequestFacts.Of(HttpContext).Outcome = "passkey_declined";
        return Onward(way);
    }

    private SeeOther Onward(Interaction way) => pages.Return(HttpContext, way with { OffersPasskey = false });

    private async ValueTask<PageRequest?> Open(string? sealedText, CancellationToken ct)
    {
        if (await pages.Show(HttpContext, sealedText, ct) is not { } page) return null;
        (Continue, App, IsOffer) = (sealedText!, page.App, page.Way.OffersPasskey);
        return page;
    }
}
