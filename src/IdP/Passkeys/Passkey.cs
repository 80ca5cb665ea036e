using IdP.Accounts;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace IdP.Passkeys;

/// <summary>A public key whose private half is on a device of the person's, or in what keeps their devices in step.</summary>
internal sealed class Passkey
{
    public const int LongestCredentialId = 1023;
    public const int LongestName = 64;

    public Guid Id { get; set; }
    public Guid UserId { get; set; }

    /// <summary>What the authenticator calls it: nobody else's may be called the same.</summary>
    public required byte[] CredentialId { get; set; }

    /// <summary>What its owner calls it.</summary>
    public required string Name { get; set; }

    /// <summary>The key as COSE has it (RFC 9052 §7).</summary>
    public required byte[] PublicKey { get; set; }

    /// <summary>How often it has signed, as far as it counts; 0 when it does not.</summary>
    public long SignCount { get; set; }

    /// <summary>How browsers reach it, in the order in which they said so.</summary>
    public List<string> Transports { get; set; } = [];

    /// <summary>Whether it may be copied to other devices, and whether it has been.</summary>
    public bool IsBackupEligible { get; set; }
    public bool IsBackedUp { get; set; }
    public DateTimeOffset CreatedAt { get; set; }
    public DateTimeOffset? LastUsedAt { get; set; }

    internal sealed class Mapping : IEntityTypeConfiguration<Passkey>
    {
        public void Configure(EntityTypeBuilder<Passkey> builder)
        {
            builder.ToTable("Passkeys");
            builder.Property(p => p.Id).ValueGeneratedNever();
            builder.Property(p => p.CredentialId).HasMaxLength(LongestCredentialId);
            builder.Property(p => p.Name).HasMaxLength(LongestName);
            builder.Property(p => p.PublicKey).HasMaxLength(1024);
            builder.HasIndex(p => p.CredentialId).IsUnique();
            builder.HasIndex(p => p.UserId);
            builder.HasOne<User>().WithMany().HasForeignKey(p => p.UserId).OnDelete(DeleteBehavior.Cascade);
        }
    }
}

/// <summary>A question that a passkey is to answer: its one DELETE is the single use of the answer.</summary>
internal sealed class PasskeyChallenge
{
    /// <summary>SHA-256 of the challenge.</summary>
    public required byte[] Hash { get; set; }

    /// <summary>What the answer is checked by, sealed for the browser, the purpose and the person.</summary>
    public required string Sealed { get; set; }
    public DateTimeOffset ExpiresAt { get; set; }

    internal sealed class Mapping : IEntityTypeConfiguration<PasskeyChallenge>
    {
        public void Configure(EntityTypeBuilder<PasskeyChallenge> builder)
        {
            builder.ToTable("PasskeyChallenges");
            builder.HasKey(c => c.Hash);
            builder.Property(c => c.Hash).HasMaxLength(32);
            builder.HasIndex(c => c.ExpiresAt);
        }
    }
}
