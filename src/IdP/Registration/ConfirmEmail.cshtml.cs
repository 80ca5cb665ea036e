using IdP.Account;
using IdP.Accounts;
using IdP.Http;
using IdP.Ui;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace IdP.Registration;

/// <summary>
/// Where the link of the mail leads: the address becomes the account's. Only for whoever is signed in to that account: a stranger's link, opened by
/// somebody who reads mail at the address, must not put it on the stranger's account.
/// </summary>
internal sealed class ConfirmEmailModel(AccountDoor door, MailLinks links, EmailChanges changes) : AccountPage(door)
{
    public string Link { get; private set; } = "";

    /// <summary>The address that is confirmed; null when the link is no good.</summary>
    public string? Email { get; private set; }

    public async Task<IActionResult> OnGetAsync([FromQuery(Name = MailLinks.Parameter)] string? secret, CancellationToken ct) =>
        await Open(secret, ct) is null ? Dead() : Page();

    public async Task<IActionResult> OnPostAsync([FromForm(Name = MailLinks.Parameter)] string? secret, CancellationToken ct)
    {
        if (await Open(secret, ct) is not { Link: var link, Owner: { } owner }) return Dead();
        return await changes.Complete(link, owner, RequestFacts.Of(HttpContext), Texts.Of(HttpContext)) ? Done(PageAddresses.Email, "email_changed") : Dead();
    }

    private async Task<(MailLink Link, User? Owner)?> Open(string? secret, CancellationToken ct)
    {
        if (await links.Find(secret, ct, MailLinkPurpose.ConfirmEmail) is not { Owner: { } owner } found || owner.Id != Person.UserId) return null;
        (Link, Email) = (secret!, found.Link.Email);
        return found;
    }

    private PageResult Dead()
    {
        (Email, RequestFacts.Of(HttpContext).Outcome) = (null, "link_refused");
        return this.PageWith(400);
    }
}
