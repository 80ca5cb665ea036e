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

    /// <summary>Where authorization responses may go, each compared character by character.</summary>
    public List<string> RedirectUris { get; set; } = [];

    /// <summary>Where people may go after signing out.</summary>
    public List<string> PostLogoutRedirectUris { get; set; } = [];

    /// <summary>application_type native: an app on a device, which listens on whatever loopback port is free (RFC 8252).</summary>
    public bool IsNative { get; set; }

    /// <summary>Whether a confidential client may leave PKCE out.</summary>
    public bool AllowCodeWithoutPkce { get; set; }

    /// <summary>Whoever signs in to it proves a second factor.</summary>
    public bool RequiresSecondFactor { get; set; }

    /// <summary>Whoever signs in to it does so with a passkey: <c>amr</c> says <c>hwk</c> or <c>swk</c>.</summary>
    public bool RequiresPasskey { get; set; }

    /// <summary>require_pushed_authorization_requests (RFC 9126 §6).</summary>
    public bool RequiresPushedRequests { get; set; }

    /// <summary>The algorithm of its ID tokens.</summary>
    public string IdTokenAlgorithm { get; set; } = Protocol.Jose.SigningAlgorithms.RS256;

    /// <summary>The algorithm of its userinfo answers; null answers plain JSON.</summary>
    public string? UserInfoAlgorithm { get; set; }

    /// <summary>The sector of a client with pairwise subjects (OpenID Connect Core §8.1); null gives everybody's own.</summary>
    public string? Sector { get; set; }

    /// <summary>Whether it gets refresh tokens without offline_access; they end with the session.</summary>
    public bool SessionRefreshTokens { get; set; }
    public string? LogoUri { get; set; }
    public string? PolicyUri { get; set; }
    public string? TermsUri { get; set; }
    public string? BackChannelLogoutUri { get; set; }
    public string? FrontChannelLogoutUri { get; set; }

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
            builder.Property(c => c.IdTokenAlgorithm).HasMaxLength(16);
            builder.Property(c => c.UserInfoAlgorithm).HasMaxLength(16);
            builder.Property(c => c.Sector).HasMaxLength(256);
            foreach (var address in (string[])[nameof(LogoUri), nameof(PolicyUri), nameof(TermsUri), nameof(BackChannelLogoutUri), nameof(FrontChannelLogoutUri)])
                builder.Property(address).HasMaxLength(Protocol.OAuth.RedirectUri.Longest);
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
