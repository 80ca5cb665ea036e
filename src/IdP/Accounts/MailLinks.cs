using System.Security.Cryptography;
using IdP.Grants;
using IdP.Protocol.Jose;
using IdP.Storage;
using Microsoft.EntityFrameworkCore;

namespace IdP.Accounts;

/// <summary>
/// Links in mails: 256 random bits of which only a hash is kept, for one purpose, one account or address, one use and a short time. To look
/// at one changes nothing, because programs that guard mailboxes open every link; only the form on its page uses it up.
/// </summary>
internal sealed class MailLinks(Database database, AttemptCounts counts, IdpOptions options, TimeProvider clock)
{
    /// <summary>The parameter of pages that carries the secret.</summary>
    public const string Parameter = "link";
    private const int SecretLength = 32;

    // Enough for a person who looks into the wrong folder, too few to bury anybody under mails.
    private const int MailsAnHour = 5;
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    /// <summary>Where the link of a mail leads.</summary>
    public static string Path(string page, string secret) => $"{page}?{Parameter}={secret}";

    public static TimeSpan Life(MailLinkPurpose purpose) => purpose switch
    {
        MailLinkPurpose.Invitation => TimeSpan.FromDays(7),
        MailLinkPurpose.ResetPassword => TimeSpan.FromMinutes(30),
        _ => TimeSpan.FromHours(2),
    };

    /// <summary>Counts what is asked for from an address; false when that was too much within an hour.</summary>
    public Task<bool> MayAsk(string address, CancellationToken ct) => counts.Take(counts.Key($"mails to be sent from {address}"), options.Limits.MailsPerAddress, Hour, ct);

    /// <summary>Counts a mail of one kind to one person; false when they have had enough within an hour.</summary>
    public Task<bool> MaySend(string kindAndPerson, CancellationToken ct) => counts.Take(counts.Key(kindAndPerson), MailsAnHour, Hour, ct);

    /// <summary>Makes a link, which ends those before it for the same; its secret goes into the mail and nowhere else.</summary>
    public async Task<string> Add(IdpDbContext db, MailLinkPurpose purpose, User? owner, string email, string? sealedInteraction, CancellationToken ct)
    {
        var before = db.Set<MailLink>().Where(l => l.Purpose == purpose);
        await (owner is null ? before.Where(l => l.Email == email) : before.Where(l => l.UserId == owner.Id)).ExecuteDeleteAsync(ct);
        var secret = RandomNumberGenerator.GetBytes(SecretLength);
        db.Add(new MailLink
        {
            Hash = SHA256.HashData(secret), Purpose = purpose, UserId = owner?.Id, SecurityStamp = owner?.SecurityStamp, Email = email, Continue = sealedInteraction,
            ExpiresAt = clock.GetUtcNow() + Life(purpose),
        });
        await db.SaveChangesAsync(ct);
        return CanonicalBase64Url.Encode(secret);
    }

    /// <summary>The link and its owner, as long as it is good; nothing changes.</summary>
    public async Task<(MailLink Link, User? Owner)?> Find(string? secret, CancellationToken ct, params IReadOnlyList<MailLinkPurpose> purposes)
    {
        if (secret is null || !CanonicalBase64Url.TryDecode(secret, out var bytes) || bytes.Length != SecretLength) return null;
        var (hash, now) = (SHA256.HashData(bytes), clock.GetUtcNow());
        await using var db = database.OpenForReading();
        if (await db.Set<MailLink>().SingleOrDefaultAsync(l => l.Hash == hash && purposes.Contains(l.Purpose) && l.ExpiresAt > now, ct) is not { } link) return null;
        if (link.UserId is not { } id) return (link, null);
        return await db.Users.SingleOrDefaultAsync(u => u.Id == id && u.DisabledAt == null && u.SecurityStamp == link.SecurityStamp, ct) is { } owner ? (link, owner) : null;
    }

    /// <summary>Uses the link up in the caller's transaction; false when it is used, or its account has changed, meanwhile. Of several at once one gets true.</summary>
    public async Task<bool> Take(IdpDbContext db, MailLink link, CancellationToken ct)
    {
        // Whoever takes rights away goes first or waits, and then ends what was done by the link too.
        await ServerState.TakeTurn(db, ct);
        var now = clock.GetUtcNow();
        if (await db.Set<MailLink>().Where(l => l.Hash == link.Hash && l.ExpiresAt > now).ExecuteDeleteAsync(ct) != 1) return false;
        return link.UserId is not { } id || await Grant.IsLive(db, id, link.SecurityStamp!, ct);
    }
}
