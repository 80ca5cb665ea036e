using IdP.Storage;
using IdP.Testing;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace IdP.Tests.States;

public sealed class TheClock
{
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
