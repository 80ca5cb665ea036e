using IdP.Accounts;
using IdP.Clients;
using IdP.Grants;
using IdP.Keys;
using IdP.Storage;
using IdP.Testing;
using Xunit;

namespace IdP.Storage.Tests;

/// <summary>A migrated database of one engine, with one client and one person in it.</summary>
public abstract class StorageFixture : IAsyncLifetime
{
    internal IdpOptions Options { get; } = new();
    internal Database Database { get; private set; } = null!;
    internal MasterKeys Masters { get; private set; } = null!;
    internal TestClock Clock { get; } = new();

    protected abstract Task Prepare(IdpOptions options);

    public virtual async Task InitializeAsync()
    {
        await Prepare(Options);
        Database = new Database(Options);
        await Migrator.Migrate(Database, CancellationToken.None);
        Options.Keys.MasterKey = Convert.ToBase64String(new byte[32]);
        Masters = MasterKeys.Load(Options, []);
    }

    public virtual Task DisposeAsync()
    {
        Database.Dispose();
        return Task.CompletedTask;
    }

    /// <summary>A second way to the same database, as another node has it.</summary>
    internal Database AnotherNode() => new(Options);

    internal async Task<Client> AddClient(string clientId)
    {
        var client = new Client { ClientId = clientId, AuthenticationMethods = ["none"], GrantTypes = ["password"], CreatedAt = Clock.GetUtcNow() };
        await Write(db => db.Add(client));
        return client;
    }

    internal async Task<User> AddUser(string name)
    {
        var user = new User
        {
            Id = Guid.CreateVersion7(Clock.GetUtcNow()), UserName = name, NormalizedUserName = name.ToUpperInvariant(),
            SecurityStamp = Guid.NewGuid().ToString("N"), CreatedAt = Clock.GetUtcNow(), UpdatedAt = Clock.GetUtcNow(),
        };
        await Write(db => db.Add(user));
        return user;
    }

    internal Grant NewGrant(Client client, User user) => new()
    {
        Id = Guid.CreateVersion7(Clock.GetUtcNow()), Origin = "password", ClientKey = client.Id, UserId = user.Id, Scope = "openid", Seed = new byte[32],
        CreatedAt = Clock.GetUtcNow(), AuthenticatedAt = Clock.GetUtcNow(), ExpiresAt = Clock.GetUtcNow().AddHours(1),
    };

    internal Task Write(Action<IdpDbContext> change) => Database.Write(async db =>
    {
        change(db);
        await db.SaveChangesAsync();
    }, CancellationToken.None);
}

public sealed class SqliteFixture : StorageFixture
{
    private readonly string _folder = Directory.CreateTempSubdirectory("idp-storage-").FullName;

    protected override Task Prepare(IdpOptions options)
    {
        options.Storage.DataDirectory = _folder;
        return Task.CompletedTask;
    }

    public override async Task DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}

public sealed class PostgresFixture : StorageFixture
{
    private PostgresDatabase? _database;

    protected override async Task Prepare(IdpOptions options)
    {
        _database = await PostgresCluster.CreateDatabase();
        options.Storage.Provider = "postgres";
        options.Storage.ConnectionString = _database.ConnectionString;
    }

    public override async Task DisposeAsync()
    {
        await base.DisposeAsync();
        if (_database is not null) await _database.DisposeAsync();
    }
}

/// <summary>The database that IDP_TEST_SQLSERVER names; without it nothing happens, since every test is skipped.</summary>
public sealed class SqlServerFixture : StorageFixture
{
    private SqlServerDatabase? _database;

    public override Task InitializeAsync() => SqlServerDatabase.Missing is null ? base.InitializeAsync() : Task.CompletedTask;

    protected override async Task Prepare(IdpOptions options)
    {
        _database = await SqlServerDatabase.Take();
        options.Storage.Provider = "sqlserver";
        options.Storage.ConnectionString = _database.ConnectionString;
    }

    public override async Task DisposeAsync()
    {
        if (_database is null) return;
        await base.DisposeAsync();
        await _database.Clean();
    }
}
