using IdP.Accounts;
using IdP.Http;
using IdP.Mail;
using IdP.Outbox;
using IdP.Sessions;
using IdP.Storage;
using IdP.Ui;
using Microsoft.AspNetCore.Mvc;

namespace IdP.Account;

/// <summary>All that is stored of the person, to take along, and the end of the account.</summary>
internal sealed class DataModel(AccountDoor door, ProfileOfPerson profile, PersonalData data, UserStatements users, Mailer mailer, BrowserSessions sessions, Database database, OutboxSender outbox) : AccountPage(door)
{
    // Whoever finds a browser open must not take everything along, or end the account.
    protected override TimeSpan? FreshWithin => AccountDoor.Fresh;

    public void OnGet() => RequestFacts.Of(HttpContext).Outcome = "shown";

    public async Task<IActionResult> OnPostDownloadAsync(CancellationToken ct)
    {
        if (await profile.Find(Person.UserId, ct) is not { } user) return new SeeOther(AccountSection.Overview);
        RequestFacts.Of(HttpContext).Outcome = "downloaded";
        return File(await data.Export(user, RequestFacts.Of(HttpContext).Address, ct), "application/json", $"account-{user.Subject}.json");
    }

    public async Task<IActionResult> OnPostDeleteAsync([FromForm] string? sure, CancellationToken ct)
    {
        var texts = Texts.Of(HttpContext);
        if (sure != "yes") return Again(texts["Account.Delete.NotSure"]);
        var (id, address, user) = (Person.UserId, RequestFacts.Of(HttpContext).Address, await profile.Find(Person.UserId, ct));
        await database.Write(async db =>
        {
            await users.Delete(db, id, $"user:{id:N}", CancellationToken.None, address);
            if (user is not null) mailer.Tell(db, user, MailKind.AccountDeleted, path: null, texts.Language);
            await db.SaveChangesAsync(CancellationToken.None);
        }, CancellationToken.None);
        sessions.Forget(HttpContext);
        outbox.Wake();
        return new SeeOther(DeletedModel.Address);
    }
}
