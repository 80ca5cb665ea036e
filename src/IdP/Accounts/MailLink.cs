using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace IdP.Accounts;

/// <summary>What a link in a mail is good for, and nothing else.</summary>
internal enum MailLinkPurpose
{
    ResetPassword = 1,

    /// <summary>Makes an account with the address: asked for by whoever reads mail there.</summary>
    SignUp = 2,

    /// <summary>The same, because an operator invited them.</summary>
    Invitation = 3,

    /// <summary>Shows that the owner of an account reads mail at an address, which becomes the account's.</summary>
    ConfirmEmail = 4,
}

/// <summary>A link in a mail that has not been used. The mail has its secret, this row a hash of it.</summary>
internal sealed class MailLink
{
    public required byte[] Hash { get; set; }
    public MailLinkPurpose Purpose { get; set; }

    /// <summary>Whose it is; null where there is no account yet.</summary>
    public Guid? UserId { get; set; }

    /// <summary>The account's stamp when it was made: a new password or address, or whatever else takes rights away, ends the link.</summary>
    public string? SecurityStamp { get; set; }

    /// <summary>The address that it was sent to.</summary>
    public required string Email { get; set; }

    /// <summary>What the person was about to do, sealed for their browser.</summary>
    public string? Continue { get; set; }
    public DateTimeOffset ExpiresAt { get; set; }

    internal sealed class Mapping : IEntityTypeConfiguration<MailLink>
    {
        public void Configure(EntityTypeBuilder<MailLink> builder)
        {
            builder.ToTable("MailLinks");
            builder.HasKey(l => l.Hash);
            builder.Property(l => l.Hash).HasMaxLength(32);
            builder.Property(l => l.SecurityStamp).HasMaxLength(512);
            builder.Property(l => l.Email).HasMaxLength(256);
            builder.HasIndex(l => l.UserId);
            builder.HasIndex(l => l.Email);
            builder.HasIndex(l => l.ExpiresAt);
            builder.HasOne<User>().WithMany().HasForeignKey(l => l.UserId).OnDelete(DeleteBehavior.Cascade);
        }
    }
}
