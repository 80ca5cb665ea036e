using System.Diagnostics;
using IdP.Clients;
using IdP.Storage;
using IdP.Testing;
using IdP.Tests.Support;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace IdP.Tests.States;

/// <summary>A node that has not heard of the database for a while, and clocks that disagree.</summary>
public sealed class OutOfTouch
{
    // Longer than a node goes without a good poll.
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(3.2);

    [Fact]
    [Trait("Case", "STA-06")]
    public async Task A_client_that_was_disabled_meanwhile_gets_nothing_by_the_first_request_afterwards()
    {
        await using var server = await IdpServer.Start();
        Assert.Equal(200, (await server.ClientCredentials()).Status);
        await Poll(server).StopAsync(CancellationToken.None);
        await Task.Delay(Silence);
        var statements = server.App.Services.GetRequiredService<ClientStatements>();
        await server.Database.Write(db => statements.Disable(db, "service", "cli", CancellationToken.None), CancellationToken.None);

        await server.Refused(Invariants.Form("/connect/token", "service", ("grant_type", "client_credentials"), ("scope", "items:read")), 401, "invalid_client");
    }

    [Fact]
    public async Task Many_requests_wait_for_one_look_at_a_database_that_is_slow_to_fail()
    {
        await using var server = await IdpServer.Start();
        var poll = Poll(server);
        await poll.StopAsync(CancellationToken.None);
        var looks = 0;
        poll.Follow(async (_, ct) =>
        {
            Interlocked.Increment(ref looks);
            await Task.Delay(500, ct);
            throw new StorageException("The database does not answer.");
        });
        await server.Database.Write(db => ServerState.NextStamp(db, CancellationToken.None), CancellationToken.None);
        await Task.Delay(Silence);

        var since = Stopwatch.StartNew();
        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => server.ClientCredentials()));

        Assert.All(answers, answer => Assert.Equal(503, answer.Status));
        Assert.InRange(looks, 1, 5);
        Assert.True(since.Elapsed < TimeSpan.FromSeconds(5), $"{since.Elapsed}");
    }

    [Fact]
    public async Task A_database_that_hangs_keeps_nobody_waiting_for_long()
    {
        await using var server = await IdpServer.Start();
        var poll = Poll(server);
        await poll.StopAsync(CancellationToken.None);
        using var released = new CancellationTokenSource();
        poll.Follow((_, _) => Task.Delay(Timeout.Infinite, released.Token));
        await server.Database.Write(db => ServerState.NextStamp(db, CancellationToken.None), CancellationToken.None);
        await Task.Delay(Silence);

        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        var ready = await server.Http.GetAsync(new Uri("/health/ready", UriKind.Relative), patience.Token);

        Assert.Equal(503, (int)ready.StatusCode);
        await released.CancelAsync();
    }

    [Fact]
    public async Task Another_program_that_writes_for_long_does_not_stop_what_writes_nothing()
    {
        await using var server = await IdpServer.Start(options => options.Storage.BusyTimeoutSeconds = 20);
        using var other = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = server.Database.File, Pooling = false }.ToString());
        await other.OpenAsync();
        Execute(other, "BEGIN IMMEDIATE");
        // The highest time seen is due to be stored, which must wait.
        server.Clock.Advance(TimeSpan.FromMinutes(2));
        await Task.Delay(Silence + TimeSpan.FromSeconds(2));

        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        var answer = await server.Http.SendAsync(Invariants.Form("/connect/token", "service", ("grant_type", "client_credentials"), ("scope", "items:read")), patience.Token);

        Assert.Equal(200, (int)answer.StatusCode);
        Execute(other, "ROLLBACK");
    }

    [Theory]
    [InlineData(TokenKind.Client), InlineData(TokenKind.Person)]
    public async Task A_token_of_a_node_whose_clock_is_a_little_ahead_is_active_at_once(TokenKind kind)
    {
        // The same is true of one node whose clock is set back a little.
        var folder = Directory.CreateTempSubdirectory("idp-test-").FullName;
        try
        {
            await using var ahead = await IdpServer.StartEmpty(folder: folder);
            await ahead.Seed();
            await using var behind = await IdpServer.StartEmpty(options => options.Issuer = ahead.Issuer, folder);
            ahead.Clock.Advance(TimeSpan.FromSeconds(2));
            var token = kind == TokenKind.Client ? await ahead.ClientCredentials() : await ahead.PasswordGrant("alice", scope: "openid items:read");

            Assert.True((await behind.Introspect(token.AccessToken)).Active);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    public enum TokenKind
    {
        Client,
        Person,
    }

    private static ChangePoll Poll(IdpServer server) => server.App.Services.GetRequiredService<ChangePoll>();

    private static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
