using System.Security.Cryptography;
using IdP.Testing;
using Xunit;

namespace IdP.Tests.Support;

/// <summary>One server over TLS for the tests of a class that walk through pages.</summary>
public class PageServer : IAsyncLifetime
{
    internal IdpServer Server { get; private set; } = null!;

    public virtual async Task InitializeAsync() => Server = await IdpServer.Start(Configure, https: true);

    public virtual async Task DisposeAsync() => await Server.DisposeAsync();

    private protected virtual void Configure(IdpOptions options)
    {
    }
}

/// <summary>The same on PostgreSQL.</summary>
public class PostgresPageServer : PageServer
{
    private readonly string _masterKey = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));
    private PostgresDatabase _database = null!;

    public override async Task InitializeAsync()
    {
        _database = await PostgresCluster.CreateDatabase();
        await base.InitializeAsync();
    }

    public override async Task DisposeAsync()
    {
        await base.DisposeAsync();
        await _database.DisposeAsync();
    }

    private protected override void Configure(IdpOptions options) =>
        (options.Storage.Provider, options.Storage.ConnectionString, options.Keys.MasterKey) = ("postgres", _database.ConnectionString, _masterKey);
}
