using System.Security.Cryptography;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace IdP.Storage;

/// <summary>
/// Work that one node at a time does. A holder that dies is followed by another when its time is over; the statement locks the row until
/// the transaction ends, so that what is written with it has one writer even when a holder was slow.
/// </summary>
internal sealed class Lease
{
    public const string AuditSeal = "audit-seal";
    public const string Retention = "retention";

    /// <summary>Nobody takes a lease for longer.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromMinutes(5);

    /// <summary>This process, among those that want a lease.</summary>
    public static readonly Guid Me = new(RandomNumberGenerator.GetBytes(16));

    public required string Name { get; set; }
    public Guid Holder { get; set; }
    public DateTimeOffset ExpiresAt { get; set; }

    /// <summary>Takes the lease, or keeps it; false while another node has it.</summary>
    public static async Task<bool> Hold(IdpDbContext db, string name, Guid holder, DateTimeOffset now, TimeSpan duration, CancellationToken ct)
    {
        var until = now + duration;
        return await db.Set<Lease>().Where(l => l.Name == name && (l.Holder == holder || l.ExpiresAt <= now))
            .ExecuteUpdateAsync(set => set.SetProperty(l => l.Holder, holder).SetProperty(l => l.ExpiresAt, until), ct) == 1;
    }

    /// <summary>Whether another node does this. What is held for longer than anybody asks for was taken by a clock that was wrong, and nobody does it: doctor says so.</summary>
    public static Task<bool> IsHeldElsewhere(IdpDbContext db, string name, Guid holder, DateTimeOffset now, CancellationToken ct)
    {
        var longest = now + Longest;
        return db.Set<Lease>().AnyAsync(l => l.Name == name && l.Holder != holder && l.ExpiresAt > now && l.ExpiresAt <= longest, ct);
    }

    internal sealed class Mapping : IEntityTypeConfiguration<Lease>
    {
        public void Configure(EntityTypeBuilder<Lease> builder)
        {
            builder.ToTable("Leases");
            builder.HasKey(l => l.Name);
            builder.Property(l => l.Name).HasMaxLength(32);
            builder.HasData(
                new Lease { Name = AuditSeal, ExpiresAt = DateTimeOffset.UnixEpoch },
                new Lease { Name = Retention, ExpiresAt = DateTimeOffset.UnixEpoch });
        }
    }
}
