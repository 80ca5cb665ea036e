using IdP.Accounts;
using IdP.Authorize;
using IdP.Http;
using IdP.Protocol.OpenId;
using IdP.Sessions;
using IdP.Ui;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace IdP.SecondFactors;

/// <summary>Somebody who must have a second factor and has none sets one up on the way: what they prove by it is their second factor for this sign-in.</summary>
internal sealed class SetUpFactorModel(PageRequests pages, SignInSteps steps, SecondFactorCheck check, SecondFactorStatements factors, AuthenticatorSetUp setUp, TimeProvider clock) : PageModel
{
    private bool _isOver;

    public string Continue { get; private set; } = "";
    public AppOnPage? App { get; private set; }
    public string? Problem { get; private set; }
    public SetUpView SetUp { get; private set; } = null!;

    /// <summary>The recovery codes, once it is done, and where the person goes on.</summary>
    public List<string>? Codes { get; private set; }
    public string? Next { get; private set; }

    public async Task<IActionResult> OnGetAsync([FromQuery(Name = Interactions.Parameter)] string? sealedText, CancellationToken ct)
    {
        if (await pages.Show(HttpContext, sealedText, ct) is not { } page) return await PageRequests.Expired(HttpContext);
        if (await Open(page, sealedText!, ct) is not { } known) return Anew(page.Way);
        SetUp = setUp.Offer(HttpContext, known.User);
        return Page();
    }

    public async Task<IActionResult> OnPostAsync([FromForm(Name = Interactions.Parameter)] string? sealedText, [FromForm] string? authenticator, [FromForm] string? code, CancellationToken ct)
    {
        if (await pages.Show(HttpContext, sealedText, ct) is not { } page) return await PageRequests.Expired(HttpContext);
        if (await Open(page, sealedText!, ct) is not { } known || setUp.Open(HttpContext, known.User, authenticator) is not { } offered) return Anew(page.Way);
        if (await check.Add(known.User, offered, code, RequestFacts.Of(HttpContext)) is not { } codes)
        {
            RequestFacts.Of(HttpContext).Outcome = "set_up_refused";
            (Problem, SetUp) = (Texts.Of(HttpContext)["SetUpFactor.Wrong"], setUp.View(HttpContext, known.User, offered));
            return this.PageWith(400);
        }
        var proved = await steps.ProvedSecond(HttpContext, page.Way, known, $"{Acr.OneTimePasswordMethod} {Acr.MultiFactorMethod}", remember: false, ct);
        (Codes, Next) = (codes, pages.Onward(HttpContext, proved.Next ?? page.Way with { FirstFactor = null }));
        return Page();
    }

    // Not for somebody who has a second factor: it would be replaced without being proved.
    private async Task<(User User, SignedIn? Session)?> Open(PageRequest page, string sealedText, CancellationToken ct)
    {
        if (await steps.Known(HttpContext, page.Way, ct) is not { } known)
        {
            _isOver = true;
            return null;
        }
        if ((await factors.Of(known.User.Id, ct)).HasAny) return null;
        if (known.Session is { } session && !NextSteps.MaySetUp(page.Way, session, clock.GetUtcNow())) return null;
        (Continue, App) = (sealedText, page.App);
        return known;
    }

    // A first factor that has run out, or that a change of the account has ended, would lead back here.
    private SeeOther Anew(Interaction way) => pages.Return(HttpContext, _isOver ? way with { FirstFactor = null } : way);
}
