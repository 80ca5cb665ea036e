using IdP.Accounts;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace IdP.Upstream;

/// <summary>Another OpenID Connect provider at which people may prove who they are. Read from <see cref="UpstreamCatalog"/>, never changed there.</summary>
internal sealed class UpstreamProvider
{
    public long Id { get; set; }

    /// <summary>Its name in addresses and commands: small letters, digits, hyphens.</summary>
    public required string Name { get; set; }

    /// <summary>What people read on the button.</summary>
    public required string DisplayName { get; set; }
    public required string Issuer { get; set; }

    /// <summary>Who this provider is there.</summary>
    public required string ClientId { get; set; }

    /// <summary>The secret there, sealed; null for a client that has none.</summary>
    public string? SealedSecret { get; set; }
    public List<string> Scopes { get; set; } = [];

    /// <summary>Whose claims are called otherwise there: <c>name=display_name</c>, ours first.</summary>
    public List<string> ClaimNames { get; set; } = [];

    /// <summary>Whether somebody whom nobody here knows gets an account.</summary>
    public bool CreatesAccounts { get; set; }
    public DateTimeOffset CreatedAt { get; set; }
    public DateTimeOffset? DisabledAt { get; set; }
    public long Version { get; set; }

    internal sealed class Mapping : IEntityTypeConfiguration<UpstreamProvider>
    {
        public void Configure(EntityTypeBuilder<UpstreamProvider> builder)
        {
            builder.ToTable("UpstreamProviders");
            builder.Property(p => p.Name).HasMaxLength(32);
            builder.Property(p => p.DisplayName).HasMaxLength(64);
            builder.Property(p => p.Issuer).HasMaxLength(500);
            builder.Property(p => p.ClientId).HasMaxLength(500);
            builder.Property(p => p.SealedSecret).HasMaxLength(2000);
            builder.HasIndex(p => p.Name).IsUnique();
        }
    }
}

/// <summary>An account and what a provider knows its owner by. The pair of provider and subject is the key: never an e-mail address.</summary>
internal sealed class UpstreamLogin
{
    public Guid Id { get; set; }
    public long ProviderId { get; set; }

    /// <summary>The <c>sub</c> there.</summary>
    public required string Subject { get; set; }
    public Guid UserId { get; set; }

    /// <summary>What the person recognizes the account there by, if it told us.</summary>
    public string? Label { get; set; }
    public DateTimeOffset CreatedAt { get; set; }
    public DateTimeOffset LastUsedAt { get; set; }

    internal sealed class Mapping : IEntityTypeConfiguration<UpstreamLogin>
    {
        public void Configure(EntityTypeBuilder<UpstreamLogin> builder)
        {
            builder.ToTable("UpstreamLogins");
            builder.Property(l => l.Id).ValueGeneratedNever();
            builder.Property(l => l.Subject).HasMaxLength(Protocol.OpenId.IdTokenRules.LongestSubject);
            builder.Property(l => l.Label).HasMaxLength(256);
            builder.HasIndex(l => new { l.ProviderId, l.Subject }).IsUnique();
            builder.HasIndex(l => l.UserId);
            builder.HasOne<UpstreamProvider>().WithMany().HasForeignKey(l => l.ProviderId).OnDelete(DeleteBehavior.Cascade);
            builder.HasOne<User>().WithMany().HasForeignKey(l => l.UserId).OnDelete(DeleteBehavior.Cascade);
        }
    }
}

/// <summary>A person on the way to a provider and back: its one DELETE is the single use of the answer.</summary>
internal sealed class UpstreamRequest
{
    /// <summary>SHA-256 of the <c>state</c>.</summary>
    public required byte[] StateHash { get; set; }

    /// <summary>What the answer is checked by and where the person goes on, sealed for the browser.</summary>
    public required string Sealed { get; set; }
    public DateTimeOffset ExpiresAt { get; set; }

    internal sealed class Mapping : IEntityTypeConfiguration<UpstreamRequest>
    {
        public void Configure(EntityTypeBuilder<UpstreamRequest> builder)
        {
            builder.ToTable("UpstreamRequests");
            builder.HasKey(r => r.StateHash);
            builder.Property(r => r.StateHash).HasMaxLength(32);
            builder.HasIndex(r => r.ExpiresAt);
        }
    }
}
