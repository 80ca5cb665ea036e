using IdP.Account;
using IdP.Accounts;
using IdP.Http;
using IdP.Storage;
using IdP.Ui;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;

namespace IdP.Registration;

/// <summary>The address of one's account, and asking for another. Whether somebody else has that one, the page does not tell.</summary>
internal sealed class EmailModel(AccountDoor door, Database database, EmailChanges changes, AnswerFirst later) : AccountPage(door)
{
    public string? Current { get; private set; }
    public bool IsConfirmed { get; private set; }
    public string? Wanted { get; private set; }

    // An open browser must not be enough to take an account away for good.
    protected override TimeSpan? FreshWithin => AccountDoor.Fresh;

    public Task OnGetAsync(CancellationToken ct) => Load(ct);

    public async Task<IActionResult> OnPostAsync([FromForm] string? email, CancellationToken ct)
    {
        await Load(ct);
        var (facts, texts, person) = (RequestFacts.Of(HttpContext), Texts.Of(HttpContext), Person.UserId);
        Wanted = email;
        if (EmailAddress.Canonical(email?.Trim() ?? "") is not { } address) return Again(texts["SignUp.NoAddress"]);
        if (IsConfirmed && address == Current) return Again(texts["Email.Same"]);
        if (!await changes.MaySend(person, ct)) return Again(texts["MailLink.TooMany"], 429);
        return later.TryAdd(() => changes.Send(person, address, facts, texts)) ? Done(PageAddresses.Email, "email_asked") : Again(texts["SignIn.Busy"], 503);
    }

    private async Task Load(CancellationToken ct)
    {
        await using var db = database.OpenForReading();
        var stored = await db.Users.Where(u => u.Id == Person.UserId).Select(u => new { u.Email, u.EmailConfirmed }).SingleAsync(ct);
        (Current, IsConfirmed) = (stored.Email, stored.EmailConfirmed);
    }
}
