using IdP.Accounts;
using IdP.Authorize;
using IdP.Http;
using IdP.Protocol.OpenId;
using IdP.Sessions;
using IdP.Ui;
using IdP.Upstream;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace IdP.Passkeys;

/// <summary>What the sign-in page's script asks and posts. A passkey alone is a whole sign-in, because it is asked to make sure who holds it.</summary>
internal sealed class SignInByPasskeyModel(PageRequests pages, SignInSteps steps, PasskeyCeremony ceremony, RelyingParty party, FailureLimiter limiter, UpstreamAccounts upstreamAccounts) : PageModel
{
    /// <summary>Questions a minute from one address: each is a row for five minutes. A whole office behind one address gets through.</summary>
    private const int Questions = 600;

    public async Task<IActionResult> OnPostOptionsAsync([FromForm(Name = Interactions.Parameter)] string? sealedText, CancellationToken ct)
    {
        if (!party.IsPossible || await pages.Show(HttpContext, sealedText, ct) is null) return await PageRequests.Expired(HttpContext);
        if (limiter.CountAgainst("passkey-question", RequestFacts.Of(HttpContext).Address, Questions) is { } seconds)
        {
            Response.Headers.RetryAfter = seconds.ToString();
            return StatusCode(429);
        }
        // The same for everybody: no name is asked, so no list of anybody's passkeys is told.
        return Content(await ceremony.Begin(HttpContext, PasskeyPurpose.SignIn, user: null, ct), "application/json");
    }

    public async Task<IActionResult> OnPostAsync([FromForm(Name = Interactions.Parameter)] string? sealedText, [FromForm] string? credential, [FromForm] string? link, CancellationToken ct)
    {
        if (!party.IsPossible || await pages.Show(HttpContext, sealedText, ct) is not { Way: var way }) return await PageRequests.Expired(HttpContext);
        var facts = RequestFacts.Of(HttpContext);
        if ((await ceremony.Prove(HttpContext, credential, ct)).Failed(out var proof, out var error))
        {
            (facts.Outcome, facts.Detail) = ("sign_in_refused", error.Detail);
            return ToSignIn(sealedText!, link);
        }
        var proved = await steps.Proved(HttpContext, way, new SignInProof(ProvenPerson.WithoutPassword(proof.User), Acr.MultiFactor, proof.Methods), ct, upstreamAccounts.Pending(HttpContext, link));
        return proved.Next is { } next ? pages.Return(HttpContext, next) : ToSignIn(sealedText!, link);
    }

    private static SeeOther ToSignIn(string sealedText, string? link) =>
        new($"{PageAddresses.SignIn}?{Interactions.Parameter}={sealedText}&problem=passkey{(link is null ? "" : $"&link={Uri.EscapeDataString(link)}")}");
}
