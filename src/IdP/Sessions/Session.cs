using IdP.Accounts;
using IdP.Clients;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace IdP.Sessions;

/// <summary>One sign-in of a person in one browser. The cookie holds a handle of it; the id is public and is the <c>sid</c> of tokens.</summary>
internal sealed class Session
{
    public Guid Id { get; set; }
    public Guid UserId { get; set; }

    /// <summary>What the cookie is proved by: 32 random bytes.</summary>
    public required byte[] Seed { get; set; }

    /// <summary>The newest cookie: signing in again makes another.</summary>
    public int Generation { get; set; } = 1;
    public DateTimeOffset CreatedAt { get; set; }

    /// <summary>When the person last proved who they are, and how.</summary>
    public DateTimeOffset AuthenticatedAt { get; set; }
    public required string Acr { get; set; }
    public required string Amr { get; set; }

    /// <summary>The other provider that the person last proved it at; null when it was here.</summary>
    public long? UpstreamProviderId { get; set; }
    public DateTimeOffset LastUsedAt { get; set; }

    /// <summary>When it ends without use, and when in any case.</summary>
    public DateTimeOffset IdleExpiresAt { get; set; }
    public DateTimeOffset AbsoluteExpiresAt { get; set; }
    public DateTimeOffset? EndedAt { get; set; }

    /// <summary>Where the sign-in came from, for its owner to recognize.</summary>
    public string? Address { get; set; }
    public string? Browser { get; set; }

    public static string Sid(Guid id) => id.ToString("N");

    internal sealed class Mapping : IEntityTypeConfiguration<Session>
    {
        public void Configure(EntityTypeBuilder<Session> builder)
        {
            builder.ToTable("Sessions");
            builder.Property(s => s.Id).ValueGeneratedNever();
            builder.Property(s => s.Seed).HasMaxLength(32);
            builder.Property(s => s.Acr).HasMaxLength(128);
            builder.Property(s => s.Amr).HasMaxLength(128);
            builder.Property(s => s.Address).HasMaxLength(64);
            builder.Property(s => s.Browser).HasMaxLength(256);
            // With what the index below has: SQLite would take that one for a person's open sessions, and go through everybody's.
            builder.HasIndex(s => new { s.UserId, s.EndedAt, s.IdleExpiresAt });
            builder.HasIndex(s => s.UpstreamProviderId);
            // Those that have not ended by when they will, and those that have by when they did.
            builder.HasIndex(s => new { s.EndedAt, s.IdleExpiresAt });
            builder.HasOne<User>().WithMany().HasForeignKey(s => s.UserId).OnDelete(DeleteBehavior.Cascade);
        }
    }
}

/// <summary>A client that got a code in a session: it is told when the session ends.</summary>
internal sealed class SessionClient
{
    public Guid SessionId { get; set; }
    public long ClientKey { get; set; }
    public DateTimeOffset FirstUsedAt { get; set; }

    internal sealed class Mapping : IEntityTypeConfiguration<SessionClient>
    {
        public void Configure(EntityTypeBuilder<SessionClient> builder)
        {
            builder.ToTable("SessionClients");
            builder.HasKey(s => new { s.SessionId, s.ClientKey });
            builder.HasOne<Session>().WithMany().HasForeignKey(s => s.SessionId).OnDelete(DeleteBehavior.Cascade);
            builder.HasOne<Client>().WithMany().HasForeignKey(s => s.ClientKey).OnDelete(DeleteBehavior.Cascade);
        }
    }
}
