using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace IdP.Keys;

internal enum KeyPurpose
{
    /// <summary>Signs tokens; its public part is in the JWKS.</summary>
    Sign = 1,

    /// <summary>Seals opaque access tokens.</summary>
    SealToken = 2,

    /// <summary>Keys the hashes of client secrets and of names in counters.</summary>
    Hash = 3,

    /// <summary>Makes handles: codes, refresh tokens, pushed requests, session cookies.</summary>
    Handle = 4,

    /// <summary>Seals what a browser carries for us between two pages.</summary>
    SealPage = 5,

    /// <summary>Encrypts the ids of people into pairwise subjects; it never changes, or everybody would be somebody else.</summary>
    Pairwise = 6,

    /// <summary>Seals what stands in the database for long, such as the secrets of this provider at others; every one of them is kept.</summary>
    SealStored = 7,
}

/// <summary>A key at rest: its private part is sealed under a master key.</summary>
internal sealed class StoredKey
{
    public required string KeyId { get; set; }
    public KeyPurpose Purpose { get; set; }
    public required string Algorithm { get; set; }

    /// <summary>1, 2, 3 ... for each purpose and algorithm; unique, so that of two nodes that rotate at once one wins.</summary>
    public int Number { get; set; }
    public required byte[] Sealed { get; set; }
    public required string MasterKeyId { get; set; }
    public DateTimeOffset CreatedAt { get; set; }
    public DateTimeOffset ActiveFrom { get; set; }

    /// <summary>When the next key takes over; null while there is none.</summary>
    public DateTimeOffset? ActiveUntil { get; set; }
    public DateTimeOffset? RevokedAt { get; set; }
    public long Version { get; set; }

    internal sealed class Mapping : IEntityTypeConfiguration<StoredKey>
    {
        public void Configure(EntityTypeBuilder<StoredKey> builder)
        {
            builder.ToTable("Keys");
            builder.HasKey(k => k.KeyId);
            builder.Property(k => k.KeyId).HasMaxLength(64);
            builder.Property(k => k.Algorithm).HasMaxLength(16);
            builder.Property(k => k.MasterKeyId).HasMaxLength(32);
            builder.HasIndex(k => new { k.Purpose, k.Algorithm, k.Number }).IsUnique();
            builder.HasIndex(k => k.Version);
        }
    }
}
