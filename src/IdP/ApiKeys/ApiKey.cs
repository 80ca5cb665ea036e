using IdP.Accounts;
using IdP.Clients;
using IdP.Resources;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace IdP.ApiKeys;

/// <summary>A long-lived credential of a person or a service client for one API. The key itself is nowhere, only its keyed hash.</summary>
internal sealed class ApiKey
{
    public const int LongestName = 100;

    public Guid Id { get; set; }

    /// <summary>The public part of the key, by which it is found and named.</summary>
    public required string KeyId { get; set; }
    public required string Name { get; set; }

    /// <summary>The owner: a person or a client, never both.</summary>
    public Guid? UserId { get; set; }
    public long? ClientKey { get; set; }
    public long ResourceId { get; set; }
    public Resource? Resource { get; set; }
    public List<ApiKeyScope> Scopes { get; set; } = [];

    /// <summary>HMAC-SHA256 of the whole key under the sealed key <see cref="HashKeyId"/>.</summary>
    public required byte[] Hash { get; set; }
    public required string HashKeyId { get; set; }

    /// <summary>The hash before the last rotation, which counts until <see cref="PreviousEndsAt"/>.</summary>
    public byte[]? PreviousHash { get; set; }
    public string? PreviousHashKeyId { get; set; }
    public DateTimeOffset? PreviousEndsAt { get; set; }
    public DateTimeOffset CreatedAt { get; set; }

    /// <summary>When it ends; for a revoked key the moment of its revocation at the latest, so that one index tells what has ended.</summary>
    public DateTimeOffset ExpiresAt { get; set; }

    /// <summary>The last use, to the minute or so; see <see cref="LastUses"/>.</summary>
    public DateTimeOffset? LastUsedAt { get; set; }
    public DateTimeOffset? RevokedAt { get; set; }

    /// <summary>What lists and people call it.</summary>
    public string Prefix => Protocol.ApiKeyText.Prefix + KeyId;

    public IEnumerable<string> ScopeNames => Scopes.Select(s => s.Scope!.Name).Order(StringComparer.Ordinal);

    public bool IsLive(DateTimeOffset now) => RevokedAt is null && ExpiresAt > now;

    internal sealed class Mapping : IEntityTypeConfiguration<ApiKey>
    {
        public void Configure(EntityTypeBuilder<ApiKey> builder)
        {
            builder.ToTable("ApiKeys");
            builder.Ignore(k => k.Prefix);
            builder.Ignore(k => k.ScopeNames);
            builder.Property(k => k.Id).ValueGeneratedNever();
            builder.Property(k => k.KeyId).HasMaxLength(12);
            builder.Property(k => k.Name).HasMaxLength(LongestName);
            builder.Property(k => k.Hash).HasMaxLength(32);
            builder.Property(k => k.HashKeyId).HasMaxLength(64);
            builder.Property(k => k.PreviousHash).HasMaxLength(32);
            builder.Property(k => k.PreviousHashKeyId).HasMaxLength(64);
            builder.HasIndex(k => k.KeyId).IsUnique();
            builder.HasIndex(k => k.UserId);
            builder.HasIndex(k => k.ClientKey);
            builder.HasIndex(k => k.ExpiresAt);
            // With its owner goes the key.
            builder.HasOne<User>().WithMany().HasForeignKey(k => k.UserId).OnDelete(DeleteBehavior.Cascade);
            builder.HasOne<Client>().WithMany().HasForeignKey(k => k.ClientKey).OnDelete(DeleteBehavior.Cascade);
            builder.HasOne(k => k.Resource).WithMany().HasForeignKey(k => k.ResourceId).OnDelete(DeleteBehavior.Cascade);
            builder.HasMany(k => k.Scopes).WithOne().HasForeignKey(s => s.ApiKeyId).OnDelete(DeleteBehavior.Cascade);
        }
    }
}

/// <summary>A scope of a key. A row and no text: a scope that is removed is gone from every key, and one that is made anew under its name is another.</summary>
internal sealed class ApiKeyScope
{
    public Guid ApiKeyId { get; set; }
    public long ScopeId { get; set; }
    public Scope? Scope { get; set; }

    internal sealed class Mapping : IEntityTypeConfiguration<ApiKeyScope>
    {
        public void Configure(EntityTypeBuilder<ApiKeyScope> builder)
        {
            builder.ToTable("ApiKeyScopes");
            builder.HasKey(s => new { s.ApiKeyId, s.ScopeId });
            builder.HasOne(s => s.Scope).WithMany().HasForeignKey(s => s.ScopeId).OnDelete(DeleteBehavior.Cascade);
        }
    }
}
