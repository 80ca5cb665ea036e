using IdP.Accounts;
using IdP.Clients;
using IdP.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace IdP.Grants;

internal enum GrantState
{
    /// <summary>Tokens were issued; refresh tokens, if any, are at <see cref="Grant.Generation"/>.</summary>
    Active = 1,
    Revoked = 2,

    /// <summary>An authorization request that a client has pushed (RFC 9126); nobody has authorized anything yet.</summary>
    Pushed = 3,

    /// <summary>A code was issued and not redeemed yet.</summary>
    Code = 4,
}

/// <summary>What a person has authorized a client to do: one row for its whole life, however many tokens are issued under it.</summary>
internal sealed class Grant
{
    public const int LongestNonce = 2048;
    public const int LongestResources = 500;

    public Guid Id { get; set; }
    public GrantState State { get; set; } = GrantState.Active;

    /// <summary>The grant_type under which it began.</summary>
    public required string Origin { get; set; }
    public long ClientKey { get; set; }

    /// <summary>The person; null for a pushed request.</summary>
    public Guid? UserId { get; set; }
    public required string Scope { get; set; }

    /// <summary>The identifier of the API that the tokens are for, as the client named it; null when they are for the provider alone.</summary>
    public string? ResourceIdentifier { get; set; }

    /// <summary>What every handle of this grant is proved by: 32 random bytes.</summary>
    public required byte[] Seed { get; set; }

    /// <summary>The newest refresh token; 0 when there is none.</summary>
    public int Generation { get; set; }
    public DateTimeOffset? RotatedAt { get; set; }

    /// <summary>How often the newest refresh token was given again since.</summary>
    public int Retries { get; set; }

    /// <summary>When refresh tokens end if they are not used, and when they end in any case.</summary>
    public DateTimeOffset? IdleExpiresAt { get; set; }
    public DateTimeOffset? AbsoluteExpiresAt { get; set; }
    public DateTimeOffset CreatedAt { get; set; }
    public DateTimeOffset AuthenticatedAt { get; set; }

    /// <summary>The session in which it began, and whether it ends with it.</summary>
    public Guid? SessionId { get; set; }
    public bool EndsWithSession { get; set; }

    /// <summary>How the person had proved who they are.</summary>
    public string? Acr { get; set; }
    public string? Amr { get; set; }

    /// <summary>What the authorization request said and redemption is checked against.</summary>
    public string? RedirectUri { get; set; }
    public string? CodeChallenge { get; set; }
    public string? Nonce { get; set; }

    /// <summary>The parameter claims.</summary>
    public string? Claims { get; set; }

    /// <summary>When a code ends, or a pushed request that nobody has opened yet.</summary>
    public DateTimeOffset? HandleExpiresAt { get; set; }

    /// <summary>Failed redemptions of the code by its own client.</summary>
    public int WrongTries { get; set; }

    /// <summary>The parameters of a pushed request.</summary>
    public string? Request { get; set; }

    /// <summary>The latest expiry of anything issued under it; afterwards the row may be swept.</summary>
    public DateTimeOffset ExpiresAt { get; set; }
    public DateTimeOffset? RevokedAt { get; set; }

    private const string LivePersonSql = """SELECT 1 AS "Value" FROM "Users" {held} WHERE "Id" = {0} AND "DisabledAt" IS NULL AND "SecurityStamp" = {1} {share}""";
    private const string LiveClientSql = """SELECT 1 AS "Value" FROM "Clients" {held} WHERE "Id" = {0} AND "DisabledAt" IS NULL {share}""";

    /// <summary>Revokes in the caller's transaction: whatever takes rights away revokes the grants that it touches.</summary>
    public static Task<int> Revoke(IQueryable<Grant> grants, DateTimeOffset now, CancellationToken ct) =>
        grants.Where(g => g.State != GrantState.Revoked).ExecuteUpdateAsync(
            set => set.SetProperty(g => g.State, GrantState.Revoked).SetProperty(g => g.RevokedAt, now), ct);

    /// <summary>Whether the person is still as they were when they proved who they are. The row stays so until the commit.</summary>
    public static async Task<bool> IsLive(IdpDbContext db, Guid userId, string securityStamp, CancellationToken ct)
    {
        // A change that takes rights away waits for the lock, and then takes away what was given here too.
        return (await db.Database.SqlQueryRaw<int>(Dialect.Of(db.Engine, LivePersonSql), db.Key(userId), securityStamp).ToListAsync(ct)).Count > 0;
    }

    /// <summary>Inserts the grant if the person is still as they were when they proved who they are; false when not, or when the client is disabled.</summary>
    public static async Task<bool> Insert(IdpDbContext db, Grant grant, string securityStamp, CancellationToken ct)
    {
        if (!await IsLive(db, grant.UserId!.Value, securityStamp, ct)) return false;
        var enabled = await db.Database.SqlQueryRaw<int>(Dialect.Of(db.Engine, LiveClientSql), grant.ClientKey).ToListAsync(ct);
        if (enabled.Count == 0) return false;
        db.Add(grant);
        await db.SaveChangesAsync(ct);
        return true;
    }

    internal sealed class Mapping : IEntityTypeConfiguration<Grant>
    {
        public void Configure(EntityTypeBuilder<Grant> builder)
        {
            builder.ToTable("Grants");
            builder.Property(g => g.Id).ValueGeneratedNever();
            builder.Property(g => g.Origin).HasMaxLength(64);
            builder.Property(g => g.Scope).HasMaxLength(4000);
            builder.Property(g => g.ResourceIdentifier).HasMaxLength(LongestResources);
            builder.Property(g => g.Seed).HasMaxLength(32);
            builder.Property(g => g.Acr).HasMaxLength(128);
            builder.Property(g => g.Amr).HasMaxLength(128);
            builder.Property(g => g.RedirectUri).HasMaxLength(Protocol.OAuth.RedirectUri.Longest);
            builder.Property(g => g.CodeChallenge).HasMaxLength(43);
            builder.Property(g => g.Nonce).HasMaxLength(LongestNonce);
            builder.Property(g => g.Claims).HasMaxLength(Protocol.OpenId.ClaimsRequest.Longest);
            builder.HasIndex(g => g.SessionId);
            builder.HasIndex(g => g.UserId);
            builder.HasIndex(g => g.ClientKey);
            builder.HasIndex(g => g.ExpiresAt);
            builder.HasOne<Client>().WithMany().HasForeignKey(g => g.ClientKey).OnDelete(DeleteBehavior.Cascade);
            builder.HasOne<User>().WithMany().HasForeignKey(g => g.UserId).OnDelete(DeleteBehavior.Cascade);
        }
    }
}
