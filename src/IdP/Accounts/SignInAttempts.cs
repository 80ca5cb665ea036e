using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace IdP.Accounts;

/// <summary>Wrong passwords of one account, or of one name that no account has, so that both lock alike.</summary>
internal sealed class SignInAttempts
{
    public required byte[] Key { get; set; }
    public int Failures { get; set; }
    public DateTimeOffset WindowEndsAt { get; set; }

    internal sealed class Mapping : IEntityTypeConfiguration<SignInAttempts>
    {
        public void Configure(EntityTypeBuilder<SignInAttempts> builder)
        {
            builder.ToTable("SignInAttempts");
            builder.HasKey(a => a.Key);
            builder.Property(a => a.Key).HasMaxLength(32);
            builder.HasIndex(a => a.WindowEndsAt);
        }
    }
}
