using IdP.Accounts;
using IdP.Authorize;
using IdP.Http;
using IdP.Throttles;
using IdP.Ui;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.Filters;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace IdP.Registration;

/// <summary>Takes the address of whoever wants an account. The answer is the same, and as quick, whether somebody has it or not.</summary>
internal sealed class SignUpModel(PageRequests pages, SignUps signUps, AnswerFirst later, MailLinks links, ProofOfWork work) : PageModel
{
    public AppOnPage? App { get; private set; }

    /// <summary>The way that the person was on; null when it has run out.</summary>
    public string? Continue { get; private set; }
    public string? Email { get; private set; }
    public bool IsSent { get; private set; }
    public string? Problem { get; private set; }

    /// <summary>What the browser does before it sends the form, if that is asked for.</summary>
    public WorkToDo? Work { get; private set; }

    public override async Task OnPageHandlerExecutionAsync(PageHandlerExecutingContext context, PageHandlerExecutionDelegate next)
    {
        if (signUps.IsOpen)
        {
            await next();
            return;
        }
        await ErrorPage.Show(HttpContext, ErrorPage.NotFound);
        context.Result = new EmptyResult();
    }

    public async Task OnGetAsync([FromQuery(Name = Interactions.Parameter)] string? sealedText, CancellationToken ct)
    {
        Email = await Open(sealedText, ct) is { Demand.LoginHint: { } hint } ? EmailAddress.Canonical(hint) : null;
        Work = work.Ask(HttpContext, PageAddresses.SignUp);
    }

    public async Task<IActionResult> OnPostAsync([FromForm(Name = Interactions.Parameter)] string? sealedText, [FromForm] string? email,
        [FromForm(Name = ProofOfWork.ChallengeField)] string? challenge, [FromForm(Name = ProofOfWork.AnswerField)] string? answer, CancellationToken ct)
    {
        await Open(sealedText, ct);
        var sent = new SentWork(challenge, answer);
        Work = work.Ask(HttpContext, PageAddresses.SignUp, sent);
        var (facts, texts) = (RequestFacts.Of(HttpContext), Texts.Of(HttpContext));
        Email = email;
        if (EmailAddress.Canonical(email?.Trim() ?? "") is not { } address) return Again(400, texts["SignUp.NoAddress"]);
        if (!await work.IsDone(HttpContext, PageAddresses.SignUp, sent, mayWait: true)) return Again(400, texts["Work.Needed"]);
        if (!await links.MayAsk(facts.Address, ct)) return Again(429, texts["MailLink.TooMany"]);
        var way = Continue;
        if (!later.TryAdd(() => signUps.Send(address, texts, way))) return Again(503, texts["SignIn.Busy"]);
        (IsSent, facts.Outcome) = (true, "sign_up_requested");
        return Page();
    }

    public async Task<IActionResult> OnPostCancelAsync([FromForm(Name = Interactions.Parameter)] string? sealedText, CancellationToken ct) =>
        await Open(sealedText, ct) is { Way: var way } ? pages.Return(HttpContext, way with { IsRefused = true }) : await PageRequests.Expired(HttpContext);

    private async ValueTask<PageRequest?> Open(string? sealedText, CancellationToken ct)
    {
        if (await pages.Show(HttpContext, sealedText, ct) is not { } page) return null;
        (Continue, App) = (sealedText, page.App);
        return page;
    }

    private PageResult Again(int status, string problem)
    {
        Problem = problem;
        return this.PageWith(status);
    }
}
