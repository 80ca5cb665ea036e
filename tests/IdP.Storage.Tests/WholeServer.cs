using System.Security.Cryptography;
using IdP.Keys;
using IdP.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace IdP.Storage.Tests;

public sealed class WholeServerOnPostgres : WholeServerSuite
{
    private PostgresDatabase? _database;

    protected override async Task<(string, string)> Take()
    {
        _database = await PostgresCluster.CreateDatabase();
        return ("postgres", _database.ConnectionString);
    }

    public override async Task DisposeAsync() => await _database!.DisposeAsync();
}

[Collection(SqlServerDatabase.Collection)]
public sealed class WholeServerOnSqlServer : WholeServerSuite
{
    private SqlServerDatabase? _database;

    protected override async Task<(string, string)> Take()
    {
        _database = await SqlServerDatabase.Take();
        return ("sqlserver", _database.ConnectionString);
    }

    public override Task DisposeAsync() => _database!.Clean();
}

/// <summary>The server itself on a database server that has nothing yet.</summary>
public abstract class WholeServerSuite : IAsyncLifetime
{
    private readonly string _masterKey = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));
    private string _provider = "", _connectionString = "";

    /// <summary>An empty database: its engine and the way to it.</summary>
    protected abstract Task<(string Provider, string ConnectionString)> Take();

    public async Task InitializeAsync() => (_provider, _connectionString) = await Take();

    public abstract Task DisposeAsync();

    [StorageFact]
    public async Task Three_nodes_that_start_at_once_on_an_empty_database_make_one_of_everything()
    {
        var issuer = "https://idp.test";
        var nodes = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => Task.Run(() => IdpServer.StartEmpty(options =>
        {
            Use(options);
            options.Issuer = issuer;
        }))));
        try
        {
            await using (var read = nodes[0].Database.OpenForReading())
            {
                Assert.Equal(read.Database.GetMigrations(), await read.Database.GetAppliedMigrationsAsync());
                Assert.Equal(1, await read.Set<ServerState>().CountAsync());
                var keys = await read.Set<StoredKey>().ToListAsync();
                Assert.NotEmpty(keys);
                Assert.Equal(keys.Count, keys.Select(k => (k.Purpose, k.Algorithm)).Distinct().Count());
            }

            await nodes[0].Seed();
            foreach (var node in nodes) Assert.True(await node.App.Services.GetRequiredService<ChangePoll>().Poll(CancellationToken.None));
            var sets = await Task.WhenAll(nodes.Select(node => node.Http.GetStringAsync("/.well-known/jwks.json")));
            Assert.Single(sets.Distinct(StringComparer.Ordinal));
            for (var i = 0; i < nodes.Length; i++)
            {
                var token = (await nodes[i].ClientCredentials()).AccessToken;
                foreach (var other in nodes) Assert.True((await other.Introspect(token)).Active);
            }
        }
        finally
        {
            foreach (var node in nodes) await node.DisposeAsync();
        }
    }

    [StorageFact]
    public async Task A_person_signs_in_and_the_app_gets_tokens_renews_them_and_loses_them()
    {
        await using var server = await IdpServer.Start(Use, https: true);
        using var browser = new Browser(server);
        var flow = new CodeFlow { Scope = "openid offline_access items:read" };
        var answer = await browser.Complete(flow.Parameters());
        Assert.True(answer.ResponseParameters().TryGetValue("code", out var code), $"{answer.Status} {answer.Location} {answer.Body}");

        var tokens = await flow.Redeem(server, code!);
        Assert.True(tokens.Status == 200, tokens.Body);
        Assert.Equal("invalid_grant", (await flow.Redeem(server, code!)).Error);

        // Somebody used the code twice, so all that came of it has ended; the next one is used once.
        flow = new CodeFlow { Scope = flow.Scope };
        tokens = await flow.Redeem(server, (await browser.Complete(flow.Parameters())).ResponseParameters()["code"]);
        var renewed = await Refresh(tokens);
        Assert.True(renewed.Status == 200, renewed.Body);
        Assert.True((await server.Introspect(renewed.AccessToken)).Active);
        Assert.Equal(200, (await server.Post("/connect/revoke", "web", ("token", RefreshToken(renewed)))).Status);
        Assert.False((await server.Introspect(renewed.AccessToken)).Active);
        Assert.Equal("invalid_grant", (await Refresh(renewed)).Error);

        Task<Answer> Refresh(Answer last) => server.Post("/connect/token", "web", ("grant_type", "refresh_token"), ("refresh_token", RefreshToken(last)));
        static string RefreshToken(Answer from) => from.Json["refresh_token"]!.GetValue<string>();
    }

    private void Use(IdpOptions options) =>
        (options.Storage.Provider, options.Storage.ConnectionString, options.Keys.MasterKey) = (_provider, _connectionString, _masterKey);
}
