using IdP.Accounts;
using IdP.Mail;
using IdP.Outbox;
using IdP.Storage;
using IdP.Ui;

namespace IdP.Registration;

/// <summary>Sends the link to an address that wants an account, and makes the account of whoever followed it.</summary>
internal sealed class SignUps(Database database, MailLinks links, UserStatements users, Mailer mailer, OutboxSender outbox, IdpOptions options)
{
    /// <summary>Which links make accounts at present.</summary>
    public IReadOnlyList<MailLinkPurpose> Purposes => options.Mode() switch
    {
        RegistrationMode.Open => [MailLinkPurpose.SignUp, MailLinkPurpose.Invitation],
        RegistrationMode.Invitation => [MailLinkPurpose.Invitation],
        _ => [],
    };

    public bool IsOpen => options.Mode() == RegistrationMode.Open;

    /// <summary>Sends the link. Whoever has an account already is told so by the mail, and by nothing else.</summary>
    public async Task Send(string email, Texts texts, string? sealedInteraction)
    {
        var ct = CancellationToken.None;
        if (!await links.MaySend($"sign-up:{UserStatements.Normalized(email)}", ct)) return;
        await database.Write(async db =>
        {
            mailer.Add(db, await UserStatements.IsTaken(db, email, ct)
                ? new MailMessage(MailKind.HasAccount, email, texts.Language, PageAddresses.Recovery)
                : new MailMessage(MailKind.SignUp, email, texts.Language, MailLinks.Path(PageAddresses.CompleteSignUp, await links.Add(db, MailLinkPurpose.SignUp, owner: null, email, sealedInteraction, ct))));
            await db.SaveChangesAsync(ct);
        }, ct);
        outbox.Wake();
    }

    /// <summary>The account to be made by a link: people sign in by their address, which no form tells whether somebody has.</summary>
    public static User NewUser(MailLink link, string? name, Texts texts) =>
        new() { UserName = link.Email, Email = link.Email, EmailConfirmed = true, Name = name, Locale = texts.Language };

    /// <summary>Makes the account; null when the link was used, or the address taken, meanwhile.</summary>
    public async Task<User?> Complete(MailLink link, User user, HashedPassword password)
    {
        var ct = CancellationToken.None;
        try
        {
            return await database.Write(async db => await links.Take(db, link, ct)
                ? await users.Add(db, user, password, link.Purpose == MailLinkPurpose.Invitation ? "invitation" : "sign-up", ct)
                : null, ct);
        }
        catch (ChangeRefusedException refused) when (refused.Reason == RefusalReason.Conflict)
        {
            return null;
        }
    }
}
