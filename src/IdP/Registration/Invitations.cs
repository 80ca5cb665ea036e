using IdP.Accounts;
using IdP.Audit;
using IdP.Mail;
using IdP.Protocol;
using IdP.Storage;
using IdP.Ui;

namespace IdP.Registration;

/// <summary>Invites somebody to make an account, in its caller's transaction.</summary>
internal sealed class Invitations(MailLinks links, Mailer mailer, IdpOptions options, TimeProvider clock)
{
    public async Task<string> Send(IdpDbContext db, string address, string? language, string actor, CancellationToken ct)
    {
        if (options.Mode() == RegistrationMode.Off) throw ChangeRefusedException.Invalid("Registration:Mode is off, so that no invitation can be used: set it to invitation or open.");
        if (language is not null && !Texts.Languages.Contains(language)) throw ChangeRefusedException.Invalid($"There is no language {PlainText.Quoted(language)}: use {string.Join(" or ", Texts.Languages)}.");
        var email = EmailAddress.Canonical(address) ?? throw ChangeRefusedException.Invalid($"{PlainText.Quoted(address)} is not an e-mail address: it looks like name@example.com.");
        await ServerState.TakeTurn(db, ct);
        if (await UserStatements.IsTaken(db, email, ct)) throw ChangeRefusedException.Conflict($"Somebody has the e-mail address or user name {PlainText.Quoted(email)} already: they need no invitation.");
        var secret = await links.Add(db, MailLinkPurpose.Invitation, owner: null, email, sealedInteraction: null, ct);
        mailer.Add(db, new MailMessage(MailKind.Invitation, email, language, MailLinks.Path(PageAddresses.CompleteSignUp, secret)));
        AuditEvent.Record(db, clock.GetUtcNow(), new UserInvited(Told.Of(email)), actor);
        await db.SaveChangesAsync(ct);
        return email;
    }
}
