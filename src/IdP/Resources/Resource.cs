using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace IdP.Resources;

internal enum TokenFormat
{
    Jwt,
    Opaque,
}

/// <summary>An API for which access tokens are issued. It owns scopes and is known by one or more identifiers, the first of them in <c>aud</c>.</summary>
internal sealed class Resource
{
    public long Id { get; set; }
    public List<ResourceIdentifier> Identifiers { get; set; } = [];
    public TokenFormat TokenFormat { get; set; }
    public required string Algorithm { get; set; }
    public int? AccessTokenLifetimeSeconds { get; set; }

    /// <summary>The shared secret of an API that insists on HS256, sealed, and the <c>kid</c> of its tokens; null for every other API.</summary>
    public string? SealedSecret { get; set; }
    public string? SecretId { get; set; }
    public DateTimeOffset CreatedAt { get; set; }
    public long Version { get; set; }

    public bool SharesSecret => Algorithm == Protocol.Jose.SharedSecretKey.Algorithm;

    public string Identifier => Identifiers.Count == 0 ? "" : Identifiers.MinBy(i => i.Position)!.Value;

    internal sealed class Mapping : IEntityTypeConfiguration<Resource>
    {
        public void Configure(EntityTypeBuilder<Resource> builder)
        {
            builder.ToTable("Resources");
            builder.Ignore(r => r.Identifier);
            builder.Ignore(r => r.SharesSecret);
            builder.Property(r => r.SealedSecret).HasMaxLength(512);
            builder.Property(r => r.SecretId).HasMaxLength(64);
            builder.Property(r => r.Algorithm).HasMaxLength(16);
            builder.HasMany(r => r.Identifiers).WithOne().HasForeignKey(i => i.ResourceId).OnDelete(DeleteBehavior.Cascade);
        }
    }
}

internal sealed class ResourceIdentifier
{
    public long Id { get; set; }
    public long ResourceId { get; set; }
    public required string Value { get; set; }
    public int Position { get; set; }

    internal sealed class Mapping : IEntityTypeConfiguration<ResourceIdentifier>
    {
        public void Configure(EntityTypeBuilder<ResourceIdentifier> builder)
        {
            builder.ToTable("ResourceIdentifiers");
            builder.Property(i => i.Value).HasMaxLength(500);
            builder.HasIndex(i => i.Value).IsUnique();
        }
    }
}

/// <summary>A right that a client may be given on one resource.</summary>
internal sealed class Scope
{
    public long Id { get; set; }
    public required string Name { get; set; }
    public long ResourceId { get; set; }
    public string? Description { get; set; }
    public long Version { get; set; }

    internal sealed class Mapping : IEntityTypeConfiguration<Scope>
    {
        public void Configure(EntityTypeBuilder<Scope> builder)
        {
            builder.ToTable("Scopes");
            builder.Property(s => s.Name).HasMaxLength(200);
            builder.Property(s => s.Description).HasMaxLength(1000);
            builder.HasIndex(s => s.Name).IsUnique();
            builder.HasOne<Resource>().WithMany().HasForeignKey(s => s.ResourceId).OnDelete(DeleteBehavior.Restrict);
        }
    }
}
