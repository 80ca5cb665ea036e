using IdP.Account;
using IdP.Accounts;
using IdP.Authorize;
using IdP.Http;
using IdP.Protocol;
using IdP.Protocol.OpenId;
using IdP.Sessions;
using IdP.Ui;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace IdP.Registration;

/// <summary>Where the link of the mail leads: the account is made, and its owner goes on to the app that they came from. To look at the page uses nothing up.</summary>
internal sealed class CompleteSignUpModel(PageRequests pages, MailLinks links, SignUps signUps, SignInSteps steps, PasswordRules rules, HashPool pool, Interactions interactions) : PageModel
{
    public AppOnPage? App { get; private set; }
    public string Link { get; private set; } = "";

    /// <summary>The confirmed address; null when the link is no good.</summary>
    public string? Email { get; private set; }
    public string? Name { get; private set; }
    public string? Problem { get; private set; }
    public bool IsOpen => signUps.IsOpen;

    public async Task<IActionResult> OnGetAsync([FromQuery(Name = MailLinks.Parameter)] string? secret, CancellationToken ct) =>
        await Open(secret, ct) is (null, _) ? Dead() : Page();

    public async Task<IActionResult> OnPostAsync([FromForm(Name = MailLinks.Parameter)] string? secret, [FromForm] string? name, [FromForm] string? password, CancellationToken ct)
    {
        if (await Open(secret, ct) is not ({ } link, var page)) return Dead();
        var texts = Texts.Of(HttpContext);
        Name = string.IsNullOrWhiteSpace(name) ? null : name.Trim();
        if (Name is not null && !PlainText.IsFine(Name, 256)) return Again(400, texts["SignUp.NameUnusable"]);
        var user = SignUps.NewUser(link, Name, texts);
        if (rules.Problem(password ?? "", user.UserName!, user.Email) is { } problem) return Again(400, texts[$"Password.{problem}"]);
        using var place = pool.TryEnter();
        if (place is null) return Again(503, texts["SignIn.Busy"]);
        if (await signUps.Complete(link, user, await HashedPassword.Make(pool, rules, password!, user)) is not { } added) return Dead();

        // The password is theirs from a moment ago: as good as typed in again.
        var way = page?.Way ?? interactions.Begin(AccountSection.Overview);
        var proved = await steps.Proved(HttpContext, way, new SignInProof(ProvenPerson.WithoutPassword(added), Acr.Password, Acr.PasswordMethod), ct);
        return pages.Return(HttpContext, proved.Next ?? way);
    }

    private async Task<(MailLink? Link, PageRequest? Page)> Open(string? secret, CancellationToken ct)
    {
        if (await links.Find(secret, ct, [.. signUps.Purposes]) is not ({ } link, _)) return (null, null);
        (Link, Email) = (secret!, link.Email);
        var page = await pages.Show(HttpContext, link.Continue, ct);
        App = page?.App;
        return (link, page);
    }

    private PageResult Dead()
    {
        (Email, RequestFacts.Of(HttpContext).Outcome) = (null, "link_refused");
        return this.PageWith(400);
    }

    private PageResult Again(int status, string problem)
    {
        Problem = problem;
        return this.PageWith(status);
    }
}
