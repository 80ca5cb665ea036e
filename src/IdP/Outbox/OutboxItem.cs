using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace IdP.Outbox;

/// <summary>Something to be sent to somebody else, written in the transaction of the change that causes it, kept until it has arrived.</summary>
internal sealed class OutboxItem
{
    public const string BackChannelLogout = "backchannel_logout";
    public const string Mail = "mail";

    public Guid Id { get; set; }
    public required string Kind { get; set; }

    /// <summary>The address that it goes to, as far as that may be read here; few go to one target at once.</summary>
    public required string Target { get; set; }

    /// <summary>What it is made from when it is sent, as JSON; sealed where there is a secret in it.</summary>
    public required string Payload { get; set; }
    public int Attempts { get; set; }

    /// <summary>When it is due; whoever takes it moves this ahead first, so that of several nodes one sends it.</summary>
    public DateTimeOffset DueAt { get; set; }
    public DateTimeOffset CreatedAt { get; set; }

    internal sealed class Mapping : IEntityTypeConfiguration<OutboxItem>
    {
        public void Configure(EntityTypeBuilder<OutboxItem> builder)
        {
            builder.ToTable("Outbox");
            builder.Property(o => o.Id).ValueGeneratedNever();
            builder.Property(o => o.Kind).HasMaxLength(32);
            builder.Property(o => o.Target).HasMaxLength(2000);
            builder.Property(o => o.Payload).HasMaxLength(4000);
            builder.HasIndex(o => o.DueAt);
        }
    }
}
