using IdP.Accounts;
using IdP.Audit;
using IdP.Clients;
using IdP.Grants;
using IdP.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace IdP.Consents;

/// <summary>What a person has let a client have, remembered until the request grows, the client changes or the person takes it back.</summary>
internal sealed class Consent
{
    public Guid UserId { get; set; }
    public long ClientKey { get; set; }

    /// <summary>The scopes, and claims asked for by name as <c>claim:NAME</c>, separated by spaces.</summary>
    public required string Items { get; set; }

    /// <summary>A digest of what the client showed of itself: another name or address asks again.</summary>
    public required byte[] ClientDigest { get; set; }
    public DateTimeOffset GivenAt { get; set; }

    /// <summary>Takes consent back, in the caller's transaction: it is asked for again, and every token of the client for this person ends. False when the client had nothing.</summary>
    public static async Task<bool> Withdraw(IdpDbContext db, Guid userId, Client client, string actor, DateTimeOffset now, CancellationToken ct, string? address = null)
    {
        await ServerState.TakeTurn(db, ct);
        var forgotten = await db.Set<Consent>().Where(c => c.UserId == userId && c.ClientKey == client.Id).ExecuteDeleteAsync(ct);
        // A client that people give their password to has grants without having asked for consent.
        var revoked = await Grant.Revoke(db.Set<Grant>().Where(g => g.UserId == userId && g.ClientKey == client.Id), now, ct);
        if (forgotten + revoked == 0) return false;
        AuditEvent.Record(db, now, new ConsentWithdrawn(Told.Of(client.ClientId)), actor, $"user:{userId:N}", address);
        await db.SaveChangesAsync(ct);
        return true;
    }

    internal sealed class Mapping : IEntityTypeConfiguration<Consent>
    {
        public void Configure(EntityTypeBuilder<Consent> builder)
        {
            builder.ToTable("Consents");
            builder.HasKey(c => new { c.UserId, c.ClientKey });
            builder.Property(c => c.Items).HasMaxLength(8000);
            builder.Property(c => c.ClientDigest).HasMaxLength(32);
            builder.HasOne<User>().WithMany().HasForeignKey(c => c.UserId).OnDelete(DeleteBehavior.Cascade);
            builder.HasOne<Client>().WithMany().HasForeignKey(c => c.ClientKey).OnDelete(DeleteBehavior.Cascade);
        }
    }
}
