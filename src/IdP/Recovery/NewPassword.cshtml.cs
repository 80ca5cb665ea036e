using IdP.Account;
using IdP.Accounts;
using IdP.Authorize;
using IdP.Http;
using IdP.Ui;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace IdP.Recovery;

/// <summary>Where the link of the mail leads: another password. To look at the page uses nothing up.</summary>
internal sealed class NewPasswordModel(PageRequests pages, MailLinks links, PasswordReset reset, PasswordRules rules, HashPool pool) : PageModel
{
    public AppOnPage? App { get; private set; }
    public string Link { get; private set; } = "";

    /// <summary>Whose password it is; null when the link is no good.</summary>
    public string? Account { get; private set; }
    public string? Problem { get; private set; }
    public bool IsDone { get; private set; }

    /// <summary>The sign-in of the app that the person came from, if it is still this browser and half an hour; otherwise of their own pages.</summary>
    public string SignInAddress { get; private set; } = AccountSection.Overview;

    public async Task<IActionResult> OnGetAsync([FromQuery(Name = MailLinks.Parameter)] string? secret, CancellationToken ct) =>
        await Open(secret, ct) is null ? Dead() : Page();

    public async Task<IActionResult> OnPostAsync([FromForm(Name = MailLinks.Parameter)] string? secret, [FromForm] string? password, CancellationToken ct)
    {
        if (await Open(secret, ct) is not { Link: var link, Owner: { } owner }) return Dead();
        var texts = Texts.Of(HttpContext);
        if (rules.Problem(password ?? "", owner.UserName!, owner.Email) is { } problem) return Again(400, texts[$"Password.{problem}"]);
        using var place = pool.TryEnter();
        if (place is null) return Again(503, texts["SignIn.Busy"]);
        var hashed = await HashedPassword.Make(pool, rules, password!, owner);
        if (!await reset.Complete(link, owner, hashed, RequestFacts.Of(HttpContext), texts)) return Dead();
        (IsDone, RequestFacts.Of(HttpContext).Outcome) = (true, "password_reset");
        return Page();
    }

    private async Task<(MailLink Link, User? Owner)?> Open(string? secret, CancellationToken ct)
    {
        if (await links.Find(secret, ct, MailLinkPurpose.ResetPassword) is not { Owner: { } owner } found) return null;
        (Link, Account) = (secret!, owner.UserName);
        if (await pages.Show(HttpContext, found.Link.Continue, ct) is { } page) (App, SignInAddress) = (page.App, $"{PageAddresses.SignIn}?{Interactions.Parameter}={found.Link.Continue}");
        return found;
    }

    private PageResult Dead()
    {
        (Account, RequestFacts.Of(HttpContext).Outcome) = (null, "link_refused");
        return this.PageWith(400);
    }

    private PageResult Again(int status, string problem)
    {
        Problem = problem;
        return this.PageWith(status);
    }
}
