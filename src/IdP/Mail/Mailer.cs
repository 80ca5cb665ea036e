using System.Text;
using System.Text.Json;
using IdP.Accounts;
using IdP.Keys;
using IdP.Outbox;
using IdP.Storage;

namespace IdP.Mail;

/// <summary>Puts mails into the outbox and takes them out. The outbox is a table, and a mail may have a secret in its link: it lies there sealed.</summary>
internal sealed class Mailer(Sealer sealer, TimeProvider clock)
{
    private const string Use = "idp mail";

    /// <summary>The target of every mail in the outbox: an address would tell who is written to, and one server takes them all.</summary>
    public const string Target = "mail";

    /// <summary>Adds the mail to what the caller saves; nothing is sent unless the caller's transaction is committed.</summary>
    public void Add(IdpDbContext db, MailMessage message)
    {
        // Bugs of ours, not of whoever typed the address: they must not become a header or a link to elsewhere.
        if (EmailAddress.Canonical(message.To) is null) throw new ArgumentException("The mail's address is not one.", nameof(message));
        if (message.Path is { } path && (!path.StartsWith('/') || path.StartsWith("//", StringComparison.Ordinal) || path.Any(c => c is <= ' ' or > '~' or '\\' or '"' or '<')))
            throw new ArgumentException("The mail's link is not a path of ours.", nameof(message));
        var (now, id) = (clock.GetUtcNow(), Guid.CreateVersion7(clock.GetUtcNow()));
        db.Add(new OutboxItem
        {
            Id = id,
            Kind = OutboxItem.Mail,
            Target = Target,
            Payload = sealer.Seal(KeyPurpose.SealStored, Use, JsonSerializer.SerializeToUtf8Bytes(message), BoundTo(id)),
            DueAt = now,
            CreatedAt = now,
        });
    }

    /// <summary>Tells the owner of an account, if there is an address that is known to be theirs: anybody may have typed another.</summary>
    /// <param name="db">The caller's transaction.</param>
    /// <param name="owner">Whose account it is about.</param>
    /// <param name="kind">What has happened.</param>
    /// <param name="path">Where its link leads.</param>
    /// <param name="language">The language of the page on which it happened; null takes the account's.</param>
    public void Tell(IdpDbContext db, User owner, MailKind kind, string? path, string? language = null)
    {
        if (owner is { EmailConfirmed: true, Email: { } address }) Add(db, new MailMessage(kind, address, language ?? owner.Locale, path, owner.Subject));
    }

    /// <summary>The mail of an item; null when the key that sealed it is gone or somebody has touched it.</summary>
    public MailMessage? Read(OutboxItem item) =>
        sealer.Open(KeyPurpose.SealStored, Use, item.Payload, BoundTo(item.Id)) is { } opened ? JsonSerializer.Deserialize<MailMessage>(opened.Content) : null;

    private static byte[] BoundTo(Guid id) => Encoding.ASCII.GetBytes(id.ToString("N"));
}
