using IdP.Accounts;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace IdP.SecondFactors;

/// <summary>The app on somebody's phone that shows one-time passwords (RFC 6238). Each person has one at most.</summary>
internal sealed class Authenticator
{
    public Guid UserId { get; set; }

    /// <summary>Sealed for this person: of no use from a stolen database, nor in another row.</summary>
    public required string SealedSecret { get; set; }

    /// <summary>The last step whose password was taken. No step counts twice, nor one before it.</summary>
    public long LastStep { get; set; }
    public DateTimeOffset CreatedAt { get; set; }

    internal sealed class Mapping : IEntityTypeConfiguration<Authenticator>
    {
        public void Configure(EntityTypeBuilder<Authenticator> builder)
        {
            builder.ToTable("Authenticators");
            builder.HasKey(a => a.UserId);
            builder.Property(a => a.UserId).ValueGeneratedNever();
            builder.Property(a => a.SealedSecret).HasMaxLength(256);
            builder.HasOne<User>().WithOne().HasForeignKey<Authenticator>(a => a.UserId).OnDelete(DeleteBehavior.Cascade);
        }
    }
}

/// <summary>A code for the day on which the phone is lost: 120 random bits, kept as their hash, gone when used.</summary>
internal sealed class RecoveryCode
{
    public Guid UserId { get; set; }
    public required byte[] Hash { get; set; }

    internal sealed class Mapping : IEntityTypeConfiguration<RecoveryCode>
    {
        public void Configure(EntityTypeBuilder<RecoveryCode> builder)
        {
            builder.ToTable("RecoveryCodes");
            builder.HasKey(c => new { c.UserId, c.Hash });
            builder.Property(c => c.Hash).HasMaxLength(32);
            builder.HasOne<User>().WithMany().HasForeignKey(c => c.UserId).OnDelete(DeleteBehavior.Cascade);
        }
    }
}
