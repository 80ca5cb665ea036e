using System.Security.Cryptography;
using IdP.Mail;
using IdP.Testing;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace IdP.Tests.Support;

/// <summary>One server for the tests of a class, with the usual API, clients and people. Classes that need other settings start their own.</summary>
public abstract class ServerFixture : IAsyncLifetime
{
    internal IdpServer Server { get; private set; } = null!;

    /// <summary>Another server on the same data, such as a second node.</summary>
    internal abstract Task<IdpServer> StartAnother();

    internal abstract Task<IdpServer> StartFirst();

    protected abstract Task Remove();

    public async Task InitializeAsync() => Server = await StartFirst();

    public async Task DisposeAsync()
    {
        await Server.DisposeAsync();
        await Remove();
    }
}

public sealed class SqliteServer : ServerFixture
{
    private readonly string _folder = Directory.CreateTempSubdirectory("idp-test-").FullName;

    internal override async Task<IdpServer> StartFirst()
    {
        var server = await IdpServer.StartEmpty(folder: _folder);
        await server.Seed();
        return server;
    }

    internal override Task<IdpServer> StartAnother() => IdpServer.StartEmpty(options => options.Issuer = Server.Issuer, _folder, Server.Clock);

    protected override Task Remove()
    {
        Directory.Delete(_folder, recursive: true);
        return Task.CompletedTask;
    }
}

public class PostgresServer : ServerFixture
{
    private readonly string _masterKey = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));
    private PostgresDatabase _database = null!;

    internal override async Task<IdpServer> StartFirst()
    {
        _database = await PostgresCluster.CreateDatabase();
        return await IdpServer.Start(UseDatabase);
    }

    internal override Task<IdpServer> StartAnother() => StartBeside(Server, log: null);

    protected override async Task Remove() => await _database.DisposeAsync();

    private protected Task<IdpServer> StartBeside(IdpServer first, LogRecords? log) => IdpServer.StartEmpty(options =>
    {
        UseDatabase(options);
        options.Issuer = first.Issuer;
        // Whichever of them sends a mail.
        options.Mail.PickupFolder = MailSender.FolderOf(first.App.Services.GetRequiredService<IdpOptions>());
    }, clock: first.Clock, log: log);

    private void UseDatabase(IdpOptions options)
    {
        (options.Storage.Provider, options.Storage.ConnectionString, options.Keys.MasterKey) = ("postgres", _database.ConnectionString, _masterKey);
    }
}

/// <summary>Three servers on one PostgreSQL. Tests know the first; each request goes to the next of the three.</summary>
public sealed class PostgresNodes : PostgresServer
{
    internal override async Task<IdpServer> StartFirst()
    {
        var first = await base.StartFirst();
        for (var i = 1; i < 3; i++) first.Join(await StartBeside(first, first.Log));
        return first;
    }
}
