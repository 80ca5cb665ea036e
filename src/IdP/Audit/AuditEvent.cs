using IdP.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace IdP.Audit;

/// <summary>What happened, who did it and to whom: written in the transaction of the change itself, never with a secret.</summary>
internal sealed class AuditEvent
{
    public Guid Id { get; set; }
    public DateTimeOffset At { get; set; }
    public required string Type { get; set; }

    /// <summary>Who acted: <c>cli</c>, <c>server</c>, <c>client:ID</c> or <c>user:SUB</c>.</summary>
    public required string Actor { get; set; }

    /// <summary>What was acted on, in the same form.</summary>
    public string? Target { get; set; }
    public string? Address { get; set; }
    public string? Details { get; set; }

    /// <summary>The person whom it is about, for their own list: whoever was acted on, else who acted.</summary>
    public Guid? UserId { get; set; }

    /// <summary>Its place in the chain, once it is sealed: see <see cref="AuditChain"/>.</summary>
    public long? Sequence { get; set; }
    public byte[]? Hash { get; set; }

    private const string InsertSql = """INSERT INTO "AuditEvents" ("Id", "At", "Type", "Actor", "Target", "Address", "Details", "UserId") VALUES (@p0, @p1, @p2, @p3, @p4, @p5, @p6, @p7)""";

    public static void Record(IdpDbContext db, DateTimeOffset now, Event what, string actor, string? target = null, string? address = null, Guid? person = null) =>
        db.Add(Of(now, what, actor, target, address, person));

    /// <summary>The same as a statement, about one person, for changes that are statements themselves.</summary>
    public static Statement Statement(DateTimeOffset now, Event what, string actor, Guid person, string address)
    {
        var one = Of(now, what, actor, $"user:{person:N}", address, person);
        return new Statement(InsertSql, [one.Id, now.ToUnixTimeMilliseconds(), one.Type, one.Actor, one.Target!, address, (object?)one.Details ?? DBNull.Value, person]);
    }

    private static AuditEvent Of(DateTimeOffset now, Event what, string actor, string? target, string? address, Guid? person) => new()
    {
        Id = Guid.CreateVersion7(now),
        At = now,
        Type = what.Type,
        Actor = actor,
        Target = target,
        Address = address,
        UserId = person ?? Person(target) ?? Person(actor),
        Details = what.Details(),
    };

    private static Guid? Person(string? subject) =>
        subject is not null && subject.StartsWith("user:", StringComparison.Ordinal) && Guid.TryParseExact(subject.AsSpan(5), "N", out var id) ? id : null;

    internal sealed class Mapping : IEntityTypeConfiguration<AuditEvent>
    {
        public void Configure(EntityTypeBuilder<AuditEvent> builder)
        {
            builder.ToTable("AuditEvents");
            builder.Property(e => e.Id).ValueGeneratedNever();
            builder.Property(e => e.Type).HasMaxLength(64);
            builder.Property(e => e.Actor).HasMaxLength(2100);
            builder.Property(e => e.Target).HasMaxLength(2100);
            builder.Property(e => e.Address).HasMaxLength(64);
            builder.Property(e => e.Hash).HasMaxLength(32);
            builder.HasIndex(e => e.At);
            // Newest first, a page at a time, however many there are of others.
            builder.HasIndex(e => new { e.UserId, e.Id });
            builder.HasIndex(e => e.Sequence).IsUnique();
        }
    }
}
