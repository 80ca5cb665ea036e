using IdP.Accounts;
using Microsoft.AspNetCore.Identity.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;

namespace IdP.Storage;

/// <summary>The model, the same in every engine. Features reach their entities with <c>db.Set&lt;T&gt;()</c>.</summary>
internal abstract class IdpDbContext(DbContextOptions options) : IdentityUserContext<User, Guid>(options)
{
    /// <summary>Compares by code points: identifiers and credentials must not match by case or accent (UNI-07).</summary>
    protected abstract string BinaryCollation { get; }

    /// <summary>What a SELECT ends with so that the row cannot change before the transaction ends. Empty where there is one writer.</summary>
    public abstract string ShareLock { get; }

    /// <summary>An id as a parameter of raw SQL.</summary>
    public abstract object Key(Guid id);

    protected override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder)
    {
        configurationBuilder.Properties<string>().UseCollation(BinaryCollation);
        // EF on SQLite cannot compare DateTimeOffset: instants are Unix milliseconds in every engine.
        configurationBuilder.Properties<DateTimeOffset>().HaveConversion<UnixMilliseconds>();
    }

    protected override void OnModelCreating(ModelBuilder builder)
    {
        base.OnModelCreating(builder);
        builder.ApplyConfigurationsFromAssembly(typeof(IdpDbContext).Assembly);
    }

    internal sealed class UnixMilliseconds() : ValueConverter<DateTimeOffset, long>(
        instant => instant.ToUnixTimeMilliseconds(), value => DateTimeOffset.FromUnixTimeMilliseconds(value));
}

internal sealed class SqliteIdpDbContext(DbContextOptions<SqliteIdpDbContext> options) : IdpDbContext(options)
{
    protected override string BinaryCollation => "BINARY";

    public override string ShareLock => "";

    public override object Key(Guid id) => id.ToByteArray(bigEndian: true);

    protected override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder)
    {
        base.ConfigureConventions(configurationBuilder);
        configurationBuilder.Properties<Guid>().HaveConversion<BigEndianGuid>();
    }

    /// <summary>SQLite has no UUID type: 16 bytes in network order keep version-7 keys in the order of their time.</summary>
    internal sealed class BigEndianGuid() : ValueConverter<Guid, byte[]>(
        id => id.ToByteArray(bigEndian: true), bytes => new Guid(bytes, bigEndian: true));
}

internal sealed class PostgresIdpDbContext(DbContextOptions<PostgresIdpDbContext> options) : IdpDbContext(options)
{
    protected override string BinaryCollation => "C";

    public override string ShareLock => " FOR SHARE";

    public override object Key(Guid id) => id;
}
