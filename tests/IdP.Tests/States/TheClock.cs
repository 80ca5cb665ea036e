using IdP.Storage;
using IdP.Testing;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace IdP.Tests.States;

public sealed class TheClock
{
    [Fact]
    public async Task A_time_that_the_database_has_seen_and_the_machine_has_not_is_said_at_the_start()
    {
        var folder = Directory.CreateTempSubdirectory("idp-test-").FullName;
        try
        {
            await ChildProcess.Run([.. ChildProcess.Provider, "migrate", "--data", folder]);
            foreach (var (ahead, isSaid) in ((TimeSpan, bool)[])[(TimeSpan.FromHours(1), true), (TimeSpan.FromSeconds(30), false)])
            {
                using (var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = Path.Combine(folder, "idp.db"), Pooling = false }.ToString()))
                {
                    await connection.OpenAsync();
                    using var command = connection.CreateCommand();
                    command.CommandText = "UPDATE ServerState SET ClockHighWater = " + (DateTimeOffset.UtcNow + ahead).ToUnixTimeMilliseconds();
                    await command.ExecuteNonQueryAsync();
                }
                var url = $"http://localhost:{ChildProcess.FreePort()}";
                var server = await ChildProcess.Serve(new Uri($"{url}/health/ready"), [.. ChildProcess.Provider, "serve", "--data", folder, "--urls", url]);
                await server.DisposeAsync();
                Assert.Equal(isSaid, server.Output.Contains("time stands still until then, and nothing expires", StringComparison.Ordinal));
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    [Trait("Case", "REF-11")]
    public async Task A_clock_that_was_set_back_does_not_revive_what_has_expired()
    {
        var folder = Directory.CreateTempSubdirectory("idp-test-").FullName;
        string token;
        await using (var server = await IdpServer.StartEmpty(options => options.Issuer = "https://login.example", folder))
        {
            await server.Seed();
            token = (await server.ClientCredentials()).AccessToken;
            server.Clock.Advance(TimeSpan.FromHours(2));
            await server.App.Services.GetRequiredService<ChangePoll>().Ask(CancellationToken.None);
            Assert.False((await server.Introspect(token)).Active);
            // Two hours back, in a running server: time stands still instead.
            server.Clock.Advance(TimeSpan.FromHours(-2));
            await server.App.Services.GetRequiredService<ChangePoll>().Ask(CancellationToken.None);
            Assert.False((await server.Introspect(token)).Active);
            Assert.True((await server.Introspect((await server.ClientCredentials()).AccessToken)).Active);
        }

        await using (var restarted = await IdpServer.StartEmpty(options => options.Issuer = "https://login.example", folder))
        {
            Assert.False((await restarted.Introspect(token)).Active);
            Assert.True((await restarted.Introspect((await restarted.ClientCredentials()).AccessToken)).Active);
        }
        Directory.Delete(folder, recursive: true);
    }

    [Theory]
    [Trait("Case", "REF-11")]
    [InlineData(1), InlineData(-1)]
    public async Task A_step_of_a_node_s_own_clock_moves_nothing_where_the_time_is_the_database_s(int hours)
    {
        await using var database = await PostgresCluster.CreateDatabase();
        await using var server = await IdpServer.Start(options =>
            (options.Storage.Provider, options.Storage.ConnectionString, options.Keys.MasterKey) = ("postgres", database.ConnectionString, Convert.ToBase64String(new byte[32])));
        // Between two polls.
        await server.App.Services.GetRequiredService<ChangePoll>().StopAsync(CancellationToken.None);
        var token = await server.ClientCredentials();
        server.Clock.Step(TimeSpan.FromHours(hours));

        var later = await server.ClientCredentials();

        Assert.InRange(later.Claims["iat"]!.GetValue<long>() - token.Claims["iat"]!.GetValue<long>(), 0, 3);
        Assert.True((await server.Introspect(token.AccessToken)).Active);
        // One that had not expired is not taken for one that had: acknowledged, it is revoked.
        Assert.Equal(200, (await server.Post("/connect/revoke", "service", ("token", token.AccessToken))).Status);
        server.Clock.Step(TimeSpan.FromHours(-hours));
        Assert.False((await server.Introspect(token.AccessToken)).Active);
    }
}

/// <summary>Three nodes on one database, each on a machine of its own.</summary>
public sealed class TheClockOnNodes
{
    [Theory]
    [Trait("Case", "REF-11")]
    [InlineData(-1), InlineData(1)]
    public async Task A_machine_whose_clock_is_set_wrong_revives_nothing_and_ends_nothing(int hours)
    {
        await using var database = await PostgresCluster.CreateDatabase();
        void Configure(IdpOptions options)
        {
            (options.Storage.Provider, options.Storage.ConnectionString, options.Keys.MasterKey) = ("postgres", database.ConnectionString, Convert.ToBase64String(new byte[32]));
            options.Tokens.RefreshIdleDays = 1;
        }
        await using var first = await IdpServer.Start(Configure);
        await first.AddClient("native", "password refresh_token", "offline_access items:read");
        Task<IdpServer> Another() => IdpServer.StartEmpty(options => { Configure(options); options.Issuer = first.Issuer; }, clock: new TestClock());
        await using var wrong = await Another();
        await using var third = await Another();
        var nodes = (IdpServer[])[first, wrong, third];
        void Advance(TimeSpan time) => Array.ForEach(nodes, node => node.Clock.Advance(time));

        var dead = Refreshing(await SignIn(first));
        Advance(TimeSpan.FromHours(23));
        var expired = await SignIn(first);
        Advance(TimeSpan.FromMinutes(65));
        var alive = await SignIn(first);

        async Task Holds()
        {
            foreach (var node in nodes)
            {
                Assert.False((await node.Introspect(expired.AccessToken)).Active);
                Assert.True((await node.Introspect(alive.AccessToken)).Active);
            }
        }
        await Holds();
        // Between two polls, then noticed, then mended.
        var poll = wrong.App.Services.GetRequiredService<ChangePoll>();
        await poll.StopAsync(CancellationToken.None);
        await poll.Poll(CancellationToken.None);
        wrong.Clock.Step(TimeSpan.FromHours(hours));
        await Holds();
        Assert.Equal((400, "invalid_grant"), Outcome(await wrong.Post("/connect/token", "native", dead)));
        var refreshed = await wrong.Post("/connect/token", "native", Refreshing(alive));
        Assert.Equal(200, refreshed.Status);
        Assert.InRange(refreshed.Claims["iat"]!.GetValue<long>() - alive.Claims["iat"]!.GetValue<long>(), 0, 30);

        await poll.Poll(CancellationToken.None);
        await Holds();
        foreach (var form in ((string, string)[][])[dead, Refreshing(alive)])
            Assert.Equal((503, "temporarily_unavailable"), Outcome(await wrong.Post("/connect/token", "native", form)));

        wrong.Clock.Step(TimeSpan.FromHours(-hours));
        await poll.Poll(CancellationToken.None);
        await Holds();
        foreach (var node in nodes)
        {
            Assert.Equal((400, "invalid_grant"), Outcome(await node.Post("/connect/token", "native", dead)));
            Assert.Equal(200, (await node.Post("/connect/token", "native", Refreshing(alive))).Status);
        }
    }

    private static async Task<Answer> SignIn(IdpServer server)
    {
        var answer = await server.PasswordGrant("alice", clientId: "native", scope: "offline_access items:read");
        Assert.True(answer.Status == 200, answer.Body);
        return answer;
    }

    private static (string, string)[] Refreshing(Answer tokens) => [("grant_type", "refresh_token"), ("refresh_token", tokens.Json["refresh_token"]!.GetValue<string>())];

    private static (int, string?) Outcome(Answer answer) => (answer.Status, answer.Error);
}
