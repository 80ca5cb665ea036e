using IdP.Accounts;
using IdP.Authorize;
using IdP.Http;
using IdP.Throttles;
using IdP.Ui;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace IdP.Recovery;

/// <summary>Takes the name of whoever has forgotten their password. The answer is the same, and as quick, whoever that is.</summary>
internal sealed class ForgottenPasswordModel(PageRequests pages, PasswordReset reset, AnswerFirst later, MailLinks links, ProofOfWork work) : PageModel
{
    public AppOnPage? App { get; private set; }

    /// <summary>The way that the person was on; null when it has run out.</summary>
    public string? Continue { get; private set; }
    public bool IsSent { get; private set; }
    public string? Problem { get; private set; }

    /// <summary>What the browser does before it sends the form, if that is asked for.</summary>
    public WorkToDo? Work { get; private set; }

    public async Task OnGetAsync([FromQuery(Name = Interactions.Parameter)] string? sealedText, CancellationToken ct)
    {
        await Open(sealedText, ct);
        Work = work.Ask(HttpContext, PageAddresses.Recovery);
    }

    public async Task<IActionResult> OnPostAsync([FromForm(Name = Interactions.Parameter)] string? sealedText, [FromForm] string? username,
        [FromForm(Name = ProofOfWork.ChallengeField)] string? challenge, [FromForm(Name = ProofOfWork.AnswerField)] string? answer, CancellationToken ct)
    {
        await Open(sealedText, ct);
        var sent = new SentWork(challenge, answer);
        Work = work.Ask(HttpContext, PageAddresses.Recovery, sent);
        var (facts, texts) = (RequestFacts.Of(HttpContext), Texts.Of(HttpContext));
        if (string.IsNullOrWhiteSpace(username) || username.Length > 256 || username.Contains('\0')) return Again(400, texts["Recovery.Missing"]);
        if (!await work.IsDone(HttpContext, PageAddresses.Recovery, sent, mayWait: true)) return Again(400, texts["Work.Needed"]);
        if (!await links.MayAsk(facts.Address, ct)) return Again(429, texts["MailLink.TooMany"]);
        var (address, way) = (facts.Address, Continue);
        if (!later.TryAdd(() => reset.Send(username, address, texts, way))) return Again(503, texts["SignIn.Busy"]);
        (IsSent, facts.Outcome) = (true, "recovery_requested");
        return Page();
    }

    private async ValueTask Open(string? sealedText, CancellationToken ct)
    {
        if (await pages.Show(HttpContext, sealedText, ct) is { } page) (Continue, App) = (sealedText, page.App);
    }

    private PageResult Again(int status, string problem)
    {
        Problem = problem;
        return this.PageWith(status);
    }
}
