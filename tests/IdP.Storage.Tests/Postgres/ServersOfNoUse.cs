using System.Net;
using System.Net.Sockets;
using IdP.Storage;
using IdP.Testing;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Xunit;

namespace IdP.Storage.Tests.Postgres;

/// <summary>A database server that answers and is the wrong one, or that has stopped to answer some who are connected to it.</summary>
public sealed class ServersOfNoUse : IAsyncLifetime
{
    private PostgresDatabase _database = null!;

    public async Task InitializeAsync() => _database = await PostgresCluster.CreateDatabase();

    public async Task DisposeAsync() => await _database.DisposeAsync();

    [Fact]
    public async Task A_node_on_a_server_that_only_follows_another_issues_nothing_and_believes_nothing()
    {
        await using var node = await IdpServer.Start(Use(_database.ConnectionString));
        var token = (await node.ClientCredentials()).AccessToken;

        // What a standby says of itself.
        await Change("ALTER DATABASE {0} SET default_transaction_read_only = on");

        await Eventually(async () => await Ready(node) == 503);
        Assert.Equal(503, (await node.ClientCredentials()).Status);
        Assert.Equal(503, (await node.Introspect(token)).Status);

        await Change("ALTER DATABASE {0} RESET default_transaction_read_only");

        await Eventually(async () => await Ready(node) == 200);
        Assert.True((await node.Introspect(token)).Active);
    }

    [Fact]
    public async Task Of_several_servers_the_one_is_taken_that_can_be_written()
    {
        // Nobody listens at the first; Npgsql tells which ones follow another by what they say when a connection begins.
        var given = new NpgsqlConnectionStringBuilder(_database.ConnectionString);
        given.Host = $"127.0.0.1:{ChildProcess.FreePort()},{given.Host}:{given.Port}";
        given.TargetSessionAttributes = "any";
        await using var node = await IdpServer.Start(Use(given.ConnectionString));

        Assert.Equal(200, (await node.ClientCredentials()).Status);
    }

    [Fact]
    public async Task Connections_that_hang_are_given_up_while_new_ones_can_be_had()
    {
        using var relay = new Relay(_database.ConnectionString);
        await using var node = await IdpServer.Start(Use(relay.ConnectionString));
        Assert.Equal(200, (await node.ClientCredentials()).Status);

        relay.FreezeWhatIsOpen();

        // No sooner than the database is asked again, and no later than one question has gone without an answer.
        await Task.Delay(TimeSpan.FromSeconds(2));
        await Eventually(async () => (await node.ClientCredentials()).Status == 200, seconds: 12);
        Assert.True(await node.App.Services.GetRequiredService<ChangePoll>().Poll(CancellationToken.None));
    }

    private static Action<IdpOptions> Use(string connectionString) => options =>
        (options.Storage.Provider, options.Storage.ConnectionString, options.Keys.MasterKey) = ("postgres", connectionString, Convert.ToBase64String(new byte[32]));

    private async Task Change(string sql)
    {
        var name = new NpgsqlConnectionStringBuilder(_database.ConnectionString).Database!;
        await PostgresCluster.Execute(_database.ConnectionString, $"SET transaction_read_only = off; {string.Format(sql, name)}");
        await PostgresCluster.Execute(_database.ConnectionString, $"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}' AND pid <> pg_backend_pid()");
    }

    private static async Task<int> Ready(IdpServer node) => (int)(await node.Http.GetAsync(new Uri("/health/ready", UriKind.Relative))).StatusCode;

    private static async Task Eventually(Func<Task<bool>> holds, int seconds = 15)
    {
        for (var i = 0; i < seconds * 10; i++)
        {
            if (await holds()) return;
            await Task.Delay(100);
        }
        Assert.Fail($"It did not come true within {seconds} seconds.");
    }

    /// <summary>A way to the server on which what goes over an open connection can get lost without a word.</summary>
    private sealed class Relay : IDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly List<TcpClient> _open = [];
        private readonly NpgsqlConnectionStringBuilder _server;
        private int _frozen;

        public Relay(string connectionString)
        {
            _server = new NpgsqlConnectionStringBuilder(connectionString);
            _listener.Start();
            _ = Accept();
        }

        public string ConnectionString => new NpgsqlConnectionStringBuilder(_server.ConnectionString) { Host = "127.0.0.1", Port = ((IPEndPoint)_listener.LocalEndpoint).Port }.ConnectionString;

        public void FreezeWhatIsOpen()
        {
            lock (_open) _frozen = _open.Count;
        }

        public void Dispose()
        {
            _listener.Dispose();
            lock (_open)
                foreach (var one in _open) one.Dispose();
        }

        private async Task Accept()
        {
            try
            {
                while (true)
                {
                    var here = await _listener.AcceptTcpClientAsync();
                    var there = new TcpClient();
                    await there.ConnectAsync(_server.Host!, _server.Port);
                    int number;
                    lock (_open)
                    {
                        number = _open.Count;
                        _open.AddRange([here, there]);
                    }
                    _ = Pass(here, there, number);
                    _ = Pass(there, here, number);
                }
            }
            catch (Exception ended) when (ended is ObjectDisposedException or SocketException)
            {
                // The test is over.
            }
        }

        private async Task Pass(TcpClient from, TcpClient to, int number)
        {
            var buffer = new byte[16 * 1024];
            try
            {
                while (await from.GetStream().ReadAsync(buffer) is var read and > 0)
                {
                    if (number < _frozen) continue;
                    await to.GetStream().WriteAsync(buffer.AsMemory(0, read));
                }
                if (number >= _frozen) to.Dispose();
            }
            catch (Exception ended) when (ended is IOException or ObjectDisposedException or InvalidOperationException)
            {
                // One end is closed, or the test is over.
            }
        }
    }
}
