using IdP.Resources;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace IdP.Clients;

/// <summary>An application that asks for tokens, or a resource server that asks about them. Read from <see cref="ClientDirectory"/>, never changed there.</summary>
internal sealed class Client
{
    public long Id { get; set; }
    public required string ClientId { get; set; }
    public string? Name { get; set; }
    public bool IsPublic { get; set; }
    public List<string> AuthenticationMethods { get; set; } = [];
    public List<string> GrantTypes { get; set; } = [];
    public List<string> Scopes { get; set; } = [];
    public List<string> DefaultScopes { get; set; } = [];
    public List<string> Origins { get; set; } = [];
    public bool AllowPublicPasswordGrant { get; set; }
    public int? AccessTokenLifetimeSeconds { get; set; }

    /// <summary>Whether each use of a refresh token replaces it. Null: public clients rotate, confidential ones do not (RFC 9700 §4.14.2).</summary>
    public bool? RotatesRefreshTokens { get; set; }

    /// <summary>The resource for which this client may introspect.</summary>
    public long? ResourceId { get; set; }
    public Resource? Resource { get; set; }

    /// <summary>Tokens of client_credentials carry it; a new number ends them all.</summary>
    public long Generation { get; set; } = 1;
    public DateTimeOffset CreatedAt { get; set; }
    public DateTimeOffset? DisabledAt { get; set; }
    public long Version { get; set; }
    public List<ClientSecret> Secrets { get; set; } = [];

    public bool MayUse(string grantType) => GrantTypes.Contains(grantType);

    public bool Rotates => RotatesRefreshTokens ?? IsPublic;

    public bool IsDisabled => DisabledAt is not null;

    internal sealed class Mapping : IEntityTypeConfiguration<Client>
    {
        public void Configure(EntityTypeBuilder<Client> builder)
        {
            builder.ToTable("Clients");
            builder.Ignore(c => c.IsDisabled);
            builder.Ignore(c => c.Rotates);
            builder.Property(c => c.ClientId).HasMaxLength(Protocol.OAuth.ClientIdentifier.Longest);
            builder.Property(c => c.Name).HasMaxLength(256);
            builder.HasIndex(c => c.ClientId).IsUnique();
            builder.HasIndex(c => c.Version);
            builder.HasOne(c => c.Resource).WithMany().HasForeignKey(c => c.ResourceId).OnDelete(DeleteBehavior.Restrict);
            builder.HasMany(c => c.Secrets).WithOne().HasForeignKey(s => s.ClientKey).OnDelete(DeleteBehavior.Cascade);
        }
    }
}

/// <summary>The keyed hash of a client's secret. A client may have several while one replaces another.</summary>
internal sealed class ClientSecret
{
    public long Id { get; set; }
    public long ClientKey { get; set; }

    /// <summary>HMAC-SHA256 of the secret under the sealed key <see cref="KeyId"/>: fast to check, useless from a stolen database.</summary>
    public required byte[] Hash { get; set; }
    public required string KeyId { get; set; }
    public DateTimeOffset CreatedAt { get; set; }
    public DateTimeOffset? ExpiresAt { get; set; }

    internal sealed class Mapping : IEntityTypeConfiguration<ClientSecret>
    {
        public void Configure(EntityTypeBuilder<ClientSecret> builder)
        {
            builder.ToTable("ClientSecrets");
            builder.Property(s => s.Hash).HasMaxLength(32);
            builder.Property(s => s.KeyId).HasMaxLength(64);
        }
    }
}
