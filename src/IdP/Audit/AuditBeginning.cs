using System.Security.Cryptography;
using IdP.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace IdP.Audit;

/// <summary>The one row that says where the chain begins: number and hash of the last event that was removed because it was old. It moves in the transaction of each removal.</summary>
internal sealed class AuditBeginning
{
    public const int OnlyId = 1;

    public int Id { get; set; } = OnlyId;

    /// <summary>0 while nothing has been removed.</summary>
    public long Sequence { get; set; }
    public byte[] Hash { get; set; } = new byte[SHA256.HashSizeInBytes];

    /// <summary>When an event last told of removals.</summary>
    public DateTimeOffset ToldAt { get; set; }

    /// <summary>Where the chain begins now. Whoever takes the row away has every removed event missing.</summary>
    public static async Task<AuditBeginning> Of(IdpDbContext db, CancellationToken ct) =>
        await db.Set<AuditBeginning>().AsNoTracking().SingleOrDefaultAsync(b => b.Id == OnlyId, ct) ?? new AuditBeginning();

    internal sealed class Mapping : IEntityTypeConfiguration<AuditBeginning>
    {
        public void Configure(EntityTypeBuilder<AuditBeginning> builder)
        {
            builder.ToTable("AuditBeginning");
            builder.Property(b => b.Id).ValueGeneratedNever();
            builder.Property(b => b.Hash).HasMaxLength(SHA256.HashSizeInBytes);
            builder.HasData(new AuditBeginning { ToldAt = DateTimeOffset.UnixEpoch });
        }
    }
}
