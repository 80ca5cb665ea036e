using IdP.Accounts;
using IdP.Audit;
using IdP.Http;
using IdP.Mail;
using IdP.Outbox;
using IdP.Storage;
using IdP.Throttles;
using IdP.Ui;
using IdP.Upstream;
using Microsoft.EntityFrameworkCore;

namespace IdP.Recovery;

/// <summary>Sends the link, and sets the password that was chosen by it.</summary>
internal sealed class PasswordReset(
    Database database, PasswordCheck passwords, AttemptCounts counts, MailLinks links, UserStatements users, Mailer mailer, OutboxSender outbox, IdpOptions options, TimeProvider clock)
{
    /// <summary>Sends a link to the owner of the account with that name or address, if there is one whose address is confirmed.</summary>
    public async Task Send(string name, string address, Texts texts, string? sealedInteraction)
    {
        var ct = CancellationToken.None;
        if (await passwords.Find(name, ct) is not { DisabledAt: null, EmailConfirmed: true, Email: { } email } user || await IsOfAnotherProvider(user, ct)) return;
        if (!await links.MaySend($"recovery:{user.Subject}", ct)) return;
        await database.Write(async db =>
        {
            var secret = await links.Add(db, MailLinkPurpose.ResetPassword, user, email, sealedInteraction, ct);
            mailer.Add(db, new MailMessage(MailKind.ResetPassword, email, texts.Language, MailLinks.Path(PageAddresses.NewPassword, secret), user.Subject));
            AuditEvent.Record(db, clock.GetUtcNow(), new RecoveryRequested(), "server", $"user:{user.Subject}", address);
            await db.SaveChangesAsync(ct);
        }, ct);
        outbox.Wake();
    }

    /// <summary>Sets the password and ends everything under the account; false when the link was used, or the account changed, meanwhile.</summary>
    public async Task<bool> Complete(MailLink link, User owner, HashedPassword password, RequestFacts facts, Texts texts)
    {
        var ct = CancellationToken.None;
        var done = await database.Write(async db =>
        {
            if (!await links.Take(db, link, ct)) return false;
            await users.ChangePassword(db, owner.UserName!, password, $"user:{owner.Subject}", ct);
            // Whoever guessed wrong before them must not keep the owner waiting.
            foreach (var strangers in (byte[][])[counts.Key(PasswordCheck.ByStrangers(owner)), counts.Key(Guesses.ByStrangers(PasswordCheck.ByStrangers(owner), options).Of)])
                await db.Set<SignInAttempts>().Where(a => a.Key == strangers).ExecuteDeleteAsync(ct);
            AuditEvent.Record(db, clock.GetUtcNow(), new RecoveryCompleted(), $"user:{owner.Subject}", $"user:{owner.Subject}", facts.Address);
            mailer.Add(db, new MailMessage(MailKind.PasswordChanged, link.Email, texts.Language, PageAddresses.Recovery, owner.Subject));
            await db.SaveChangesAsync(ct);
            return true;
        }, ct);
        outbox.Wake();
        return done;
    }

    // Who signs in elsewhere has no password here that could be forgotten, and whoever reads their mail must not be able to make one.
    private async Task<bool> IsOfAnotherProvider(User user, CancellationToken ct)
    {
        if (user.PasswordHash is not null) return false;
        await using var db = database.OpenForReading();
        return await db.Set<UpstreamLogin>().AnyAsync(l => l.UserId == user.Id, ct);
    }
}
