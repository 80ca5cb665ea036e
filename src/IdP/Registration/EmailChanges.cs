using IdP.Account;
using IdP.Accounts;
using IdP.Audit;
using IdP.Http;
using IdP.Mail;
using IdP.Outbox;
using IdP.Storage;
using IdP.Ui;
using Microsoft.EntityFrameworkCore;

namespace IdP.Registration;

/// <summary>Confirms the address of an account, or another that is to take its place. The old one is told of the wish and of the change.</summary>
internal sealed class EmailChanges(Database database, MailLinks links, UserStatements users, Mailer mailer, OutboxSender outbox, TimeProvider clock)
{
    /// <summary>Sends the link to the address, unless it is somebody else's: which the page does not tell.</summary>
    public async Task Send(Guid userId, string email, RequestFacts facts, Texts texts)
    {
        var ct = CancellationToken.None;
        await database.Write(async db =>
        {
            if (await db.Users.SingleOrDefaultAsync(u => u.Id == userId && u.DisabledAt == null, ct) is not { } user || !await UserStatements.MayHave(db, user, email, ct)) return;
            var secret = await links.Add(db, MailLinkPurpose.ConfirmEmail, user, email, sealedInteraction: null, ct);
            mailer.Add(db, new MailMessage(MailKind.ConfirmEmail, email, texts.Language, MailLinks.Path(PageAddresses.ConfirmEmail, secret), user.Subject));
            if (user is { EmailConfirmed: true, Email: { } old } && old != email) mailer.Add(db, new MailMessage(MailKind.EmailChangeAsked, old, texts.Language, AccountSection.Overview, user.Subject));
            AuditEvent.Record(db, clock.GetUtcNow(), new EmailChangeRequested(), $"user:{user.Subject}", $"user:{user.Subject}", facts.Address);
            await db.SaveChangesAsync(ct);
        }, ct);
        outbox.Wake();
    }

    /// <summary>False when this account has had enough mails for an hour.</summary>
    public Task<bool> MaySend(Guid userId, CancellationToken ct) => links.MaySend($"e-mail change:{userId:N}", ct);

    /// <summary>Makes the address the account's; false when the link was used, or the address taken, meanwhile.</summary>
    public async Task<bool> Complete(MailLink link, User owner, RequestFacts facts, Texts texts)
    {
        var ct = CancellationToken.None;
        var done = await database.Write(async db =>
        {
            if (!await links.Take(db, link, ct) || !await UserStatements.MayHave(db, owner, link.Email, ct)) return false;
            await users.ChangeEmail(db, owner.UserName!, link.Email, $"user:{owner.Subject}", facts.Address, ct);
            if (owner is { EmailConfirmed: true, Email: { } old } && old != link.Email) mailer.Add(db, new MailMessage(MailKind.EmailChanged, old, texts.Language, Subject: owner.Subject));
            await db.SaveChangesAsync(ct);
            return true;
        }, ct);
        outbox.Wake();
        return done;
    }
}
