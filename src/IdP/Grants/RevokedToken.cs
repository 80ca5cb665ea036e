using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace IdP.Grants;

/// <summary>An access token that was revoked on its own. The entry lives as long as the token would have.</summary>
internal sealed class RevokedToken
{
    public required string JwtId { get; set; }
    public DateTimeOffset ExpiresAt { get; set; }

    internal sealed class Mapping : IEntityTypeConfiguration<RevokedToken>
    {
        public void Configure(EntityTypeBuilder<RevokedToken> builder)
        {
            builder.ToTable("RevokedTokens");
            builder.HasKey(t => t.JwtId);
            builder.Property(t => t.JwtId).HasMaxLength(64);
            builder.HasIndex(t => t.ExpiresAt);
        }
    }
}
