using System.Security.Cryptography;
using System.Text;
using IdP.Accounts;
using IdP.Clients;
using Microsoft.AspNetCore.Identity;
using Microsoft.AspNetCore.Identity.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;

namespace IdP.Storage;

/// <summary>The model, the same in every engine. Features reach their entities with <c>db.Set&lt;T&gt;()</c>.</summary>
internal abstract class IdpDbContext(DbContextOptions options) : IdentityUserContext<User, Guid>(options)
{
    /// <summary>Compares by code points: identifiers and credentials must not match by case or accent (UNI-07).</summary>
    protected abstract string BinaryCollation { get; }

    public abstract Engine Engine { get; }

    /// <summary>An id as a parameter of raw SQL.</summary>
    public abstract object Key(Guid id);

    /// <summary>The client of this id, by an index whatever the engine.</summary>
    public virtual IQueryable<Client> ClientNamed(string clientId) => Set<Client>().Where(c => c.ClientId == clientId);

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

    /// <summary>16 bytes in network order, which keep version-7 keys in the order of their time: SQLite has no UUID type, and SQL Server sorts its own by the last bytes first.</summary>
    internal sealed class BigEndianGuid() : ValueConverter<Guid, byte[]>(
        id => id.ToByteArray(bigEndian: true), bytes => new Guid(bytes, bigEndian: true));
}

internal sealed class SqliteIdpDbContext(DbContextOptions<SqliteIdpDbContext> options) : IdpDbContext(options)
{
    protected override string BinaryCollation => "BINARY";

    public override Engine Engine => Engine.Sqlite;

    public override object Key(Guid id) => id.ToByteArray(bigEndian: true);

    protected override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder)
    {
        base.ConfigureConventions(configurationBuilder);
        configurationBuilder.Properties<Guid>().HaveConversion<BigEndianGuid>();
    }
}

internal sealed class PostgresIdpDbContext(DbContextOptions<PostgresIdpDbContext> options) : IdpDbContext(options)
{
    protected override string BinaryCollation => "C";

    public override Engine Engine => Engine.Postgres;

    public override object Key(Guid id) => id;
}

internal sealed class SqlServerIdpDbContext(DbContextOptions<SqlServerIdpDbContext> options) : IdpDbContext(options)
{
    private const string ClientIdHash = "ClientIdHash";

    protected override string BinaryCollation => "Latin1_General_100_BIN2";

    public override Engine Engine => Engine.SqlServer;

    public override object Key(Guid id) => id.ToByteArray(bigEndian: true);

    public override IQueryable<Client> ClientNamed(string clientId)
    {
        var hash = SHA256.HashData(Encoding.Unicode.GetBytes(clientId));
        return Set<Client>().Where(c => EF.Property<byte[]>(c, ClientIdHash) == hash);
    }

    protected override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder)
    {
        base.ConfigureConventions(configurationBuilder);
        configurationBuilder.Properties<Guid>().HaveConversion<BigEndianGuid>().HaveColumnType("binary(16)");
    }

    protected override void OnModelCreating(ModelBuilder builder)
    {
        base.OnModelCreating(builder);
        // Lists are kept as JSON, which the convention for texts does not see.
        foreach (var list in builder.Model.GetEntityTypes().SelectMany(type => type.GetProperties()).Where(property => property.ClrType == typeof(List<string>)))
            list.SetCollation(BinaryCollation);
        // An index of SQL Server takes 1,700 bytes, and a client_id has up to 2,048 characters: its hash, which the engine keeps, is unique in its place.
        builder.Entity<Client>(client =>
        {
            client.Metadata.RemoveIndex(client.Metadata.FindIndex(client.Metadata.FindProperty(nameof(Client.ClientId))!)!);
            client.Property<byte[]>(ClientIdHash).HasColumnType("binary(32)").IsRequired()
                .HasComputedColumnSql("CAST(HASHBYTES('SHA2_256', [ClientId]) AS binary(32))", stored: true);
            client.HasIndex(ClientIdHash).IsUnique();
        });
        // Tables of Identity that nothing writes; their keys would be longer than an index takes.
        builder.Entity<IdentityUserLogin<Guid>>(login =>
        {
            login.Property(l => l.LoginProvider).HasMaxLength(128);
            login.Property(l => l.ProviderKey).HasMaxLength(128);
        });
        builder.Entity<IdentityUserToken<Guid>>(token =>
        {
            token.Property(t => t.LoginProvider).HasMaxLength(128);
            token.Property(t => t.Name).HasMaxLength(128);
        });
    }
}
