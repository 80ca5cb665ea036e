using IdP.Accounts;
using IdP.Authorize;
using IdP.Http;
using IdP.Sessions;
using IdP.Ui;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace IdP.SecondFactors;

/// <summary>The person proves a second factor, after the first one or because more is asked for than the session has.</summary>
internal sealed class SecondFactorModel(PageRequests pages, SignInSteps steps, SecondFactorCheck check, SecondFactorStatements factors, KnownDevices devices, IdpOptions options) : PageModel
{
    public string Continue { get; private set; } = "";
    public AppOnPage? App { get; private set; }
    public string Account { get; private set; } = "";
    public AccountFactors Factors { get; private set; } = AccountFactors.None;

    /// <summary>Whether a code of the app, or a recovery code, will do.</summary>
    public bool TakesCode { get; private set; }
    public string? Problem { get; private set; }

    /// <summary>How long this browser may be trusted; 0 when that is not offered.</summary>
    public int RememberDays => options.SecondFactors.RememberDays;

    public async Task<IActionResult> OnGetAsync([FromQuery(Name = Interactions.Parameter)] string? sealedText, CancellationToken ct)
    {
        if (await pages.Show(HttpContext, sealedText, ct) is not { } page) return await PageRequests.Expired(HttpContext);
        return await Open(page, sealedText!, ct) is null ? Anew(page.Way) : Page();
    }

    public async Task<IActionResult> OnPostAsync([FromForm(Name = Interactions.Parameter)] string? sealedText, [FromForm] string? code, [FromForm] bool remember, CancellationToken ct)
    {
        if (await pages.Show(HttpContext, sealedText, ct) is not { } page) return await PageRequests.Expired(HttpContext);
        if (await Open(page, sealedText!, ct) is not { } known) return Anew(page.Way);
        if (!TakesCode) return Again("SecondFactor.Wrong");
        if (await check.Prove(known.User, code, RequestFacts.Of(HttpContext), devices.Find(HttpContext)) is not { } methods) return Again("SecondFactor.Wrong");
        var proved = await steps.ProvedSecond(HttpContext, page.Way, known, methods, remember && RememberDays > 0, ct);
        return proved.Next is { } next ? pages.Return(HttpContext, next) : Again(proved.Problem!);
    }

    public async Task<IActionResult> OnPostOtherAsync([FromForm(Name = Interactions.Parameter)] string? sealedText, CancellationToken ct)
    {
        if (await pages.Show(HttpContext, sealedText, ct) is not { Way: var way }) return await PageRequests.Expired(HttpContext);
        var onward = pages.Seal(HttpContext, way with { FirstFactor = null });
        return new SeeOther($"{PageAddresses.SignIn}?{Interactions.Parameter}={onward}");
    }

    private async Task<(User User, SignedIn? Session)?> Open(PageRequest page, string sealedText, CancellationToken ct)
    {
        if (await steps.Known(HttpContext, page.Way, ct) is not { } known) return null;
        (Continue, App, Account, Factors) = (sealedText, page.App, known.User.UserName!, await factors.Of(known.User.Id, ct));
        // Where a passkey is demanded and there is one, a code would only lead back here.
        TakesCode = Factors.HasAuthenticator && !(Factors.HasPasskey && NextSteps.NeedsPasskey(page.Demand, Factors));
        return known;
    }

    // The first factor has run out, or the account has changed since: from the beginning.
    private SeeOther Anew(Interaction way) => pages.Return(HttpContext, way with { FirstFactor = null });

    private PageResult Again(string problem)
    {
        RequestFacts.Of(HttpContext).Outcome = "second_factor_refused";
        Problem = Texts.Of(HttpContext)[problem];
        return this.PageWith(400);
    }
}
