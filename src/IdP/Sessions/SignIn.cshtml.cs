using IdP.Account;
using IdP.Accounts;
using IdP.Authorize;
using IdP.Http;
using IdP.Passkeys;
using IdP.Protocol.OpenId;
using IdP.Registration;
using IdP.Throttles;
using IdP.Ui;
using IdP.Upstream;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace IdP.Sessions;

/// <summary>The person proves who they are, or chooses to go on with the account that is signed in.</summary>
internal sealed class SignInModel(PageRequests pages, BrowserSessions sessions, SignInSteps steps, PasswordCheck passwords, PasskeyOffer passkeyOffer, KnownDevices devices, UpstreamCatalog upstream,
    UpstreamFlow upstreamFlow, UpstreamAccounts upstreamAccounts, SignUps signUps, ProofOfWork work, ILogger<SignInModel> log) : PageModel
{
    public string Continue { get; private set; } = "";
    public bool HasSignUp => signUps.IsOpen;
    public AppOnPage? App { get; private set; }
    public string? UserName { get; private set; }
    public string? Problem { get; private set; }

    /// <summary>What the browser may do instead of waiting.</summary>
    public WorkToDo? Work { get; private set; }

    /// <summary>The account that is signed in, when the person is asked whether to go on with it.</summary>
    public string? Account { get; private set; }

    /// <summary>The other providers that the person may go to.</summary>
    public IReadOnlyList<UpstreamProvider> Upstream => Link is null ? upstream.Enabled : [];

    /// <summary>Somebody whom another provider has named, to be connected with the account that signs in now.</summary>
    public string? Link { get; private set; }
    public UpstreamProvider? LinkProvider { get; private set; }
    public string? LinkLabel { get; private set; }

    public async Task<IActionResult> OnGetAsync([FromQuery(Name = Interactions.Parameter)] string? sealedText, [FromQuery] string? link, [FromQuery] string? problem, CancellationToken ct)
    {
        if (await Open(sealedText, ct) is not { Demand: var demand }) return await Expired();
        ShowLink(link);
        if (problem is "refused" or "failed" or "passkey")
            Problem = Texts.Of(HttpContext)[problem switch { "refused" => "SignIn.UpstreamRefused", "failed" => "SignIn.UpstreamFailed", _ => "Passkeys.Failed" }];
        UserName = demand.LoginHint;
        var session = await sessions.Find(HttpContext, ct);
        if (session is not null && demand.MeantUsers is null && demand.Prompt.HasFlag(Protocol.OAuth.Prompt.SelectAccount)) Account = session.UserName;
        else if (session is not null && demand.MeantUsers?.Contains(session.UserId) != false) UserName ??= session.UserName;
        return Page();
    }

    public async Task<IActionResult> OnPostAsync([FromForm(Name = Interactions.Parameter)] string? sealedText, [FromForm] string? username, [FromForm] string? password, [FromForm] string? link, [FromForm] string? passkeys,
        [FromForm(Name = ProofOfWork.ChallengeField)] string? challenge, [FromForm(Name = ProofOfWork.AnswerField)] string? answer, CancellationToken ct)
    {
        if (await Open(sealedText, ct) is not { Way: var way }) return await Expired();
        var pending = ShowLink(link);
        UserName = username;
        var texts = Texts.Of(HttpContext);
        if (string.IsNullOrEmpty(username) || string.IsNullOrEmpty(password)) return Again(400, texts["SignIn.Missing"]);
        var hasWorked = work.IsOn && await work.IsDone(HttpContext, PageAddresses.SignIn, new SentWork(challenge, answer), mayWait: false);
        if ((await passwords.Check(username, password, RequestFacts.Of(HttpContext), ct, devices.Find(HttpContext), hasWorked)).Failed(out var person, out var error))
        {
            if (error.Status == 429 || hasWorked) Work = work.AskInstead(HttpContext, PageAddresses.SignIn);
            RequestFacts.Of(HttpContext).Detail = error.Detail;
            if (error.RetryAfter is not { } seconds) return Again(400, texts["SignIn.Wrong"]);
            Response.Headers.RetryAfter = seconds.ToString();
            return Again(error.Status, texts[error.Status == 429 ? "SignIn.TooMany" : "SignIn.Busy"]);
        }
        var proved = await steps.Proved(HttpContext, way, new SignInProof(person, Acr.Password, Acr.PasswordMethod), ct, pending);
        if (proved.Next is not { } next) return Again(400, texts[proved.Problem!]);
        return pages.Return(HttpContext, next with { OffersPasskey = await passkeyOffer.IsDue(HttpContext, person.User.Id, passkeys) });
    }

    public async Task<IActionResult> OnPostUpstreamAsync([FromForm(Name = Interactions.Parameter)] string? sealedText, [FromForm] string? provider, CancellationToken ct)
    {
        if (await Open(sealedText, ct) is not { Demand: var demand }) return await Expired();
        if (upstream.Find(provider) is not { } chosen) return Again(400, Texts.Of(HttpContext)["SignIn.UpstreamFailed"]);
        // Whoever is signed in and asked again has proved it too long ago for something here; a session there of the same age would lead them back here.
        var isAskedAgain = !demand.Prompt.HasFlag(Protocol.OAuth.Prompt.SelectAccount) && await sessions.Find(HttpContext, ct) is not null;
        try
        {
            return new SeeOther(await upstreamFlow.Begin(HttpContext, chosen, demand, sealedText!, isAskedAgain ? AccountDoor.Fresh : null, ct));
        }
        catch (UpstreamException failure)
        {
            log.LogWarning("The provider {Provider} cannot be used: {Problem}", chosen.Name, failure.Message);
            return Again(503, Texts.Of(HttpContext)["SignIn.UpstreamFailed"]);
        }
    }

    public async Task<IActionResult> OnPostContinueAsync([FromForm(Name = Interactions.Parameter)] string? sealedText, CancellationToken ct)
    {
        if (await Open(sealedText, ct) is not { Way: var way }) return await Expired();
        var session = await sessions.Find(HttpContext, ct);
        return pages.Return(HttpContext, session is null ? way : way with { ChosenSession = session.SessionId });
    }

    public async Task<IActionResult> OnPostCancelAsync([FromForm(Name = Interactions.Parameter)] string? sealedText, CancellationToken ct) =>
        await Open(sealedText, ct) is { Way: var way } ? pages.Return(HttpContext, way with { IsRefused = true }) : await Expired();

    private async ValueTask<PageRequest?> Open(string? sealedText, CancellationToken ct)
    {
        if (await pages.Show(HttpContext, sealedText, ct) is not { } page) return null;
        (Continue, App) = (sealedText!, page.App);
        return page;
    }

    // What has run out meanwhile is left out: signing in works all the same.
    private PendingLink? ShowLink(string? sealedLink)
    {
        if (upstreamAccounts.Pending(HttpContext, sealedLink) is not { } pending || upstream.Enabled.FirstOrDefault(p => p.Id == pending.ProviderId) is not { } provider) return null;
        (Link, LinkProvider, LinkLabel) = (sealedLink, provider, pending.Label);
        return pending;
    }

    private PageResult Again(int status, string problem)
    {
        RequestFacts.Of(HttpContext).Outcome = "sign_in_refused";
        Problem = problem;
        return this.PageWith(status);
    }

    private Task<IActionResult> Expired() => PageRequests.Expired(HttpContext);
}
