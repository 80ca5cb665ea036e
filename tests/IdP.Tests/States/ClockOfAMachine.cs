using IdP.Storage;
using IdP.Testing;
using IdP.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace IdP.Tests.States;

/// <summary>The time is the database server's; a machine whose own clock is far from it has something wrong with it, or the database has.</summary>
public sealed class ClockOfAMachine(PostgresServer fixture) : IClassFixture<PostgresServer>
{
    private readonly IdpServer _server = fixture.Server;

    [Theory]
    [InlineData(7, "ahead of"), InlineData(-7, "behind")]
    public async Task A_node_whose_clock_is_more_than_five_seconds_off_stops_issuing_and_recovers_by_itself(int seconds, string where)
    {
        _server.Clock.Step(TimeSpan.FromSeconds(seconds));
        try
        {
            await Until(503);
            foreach (var request in (HttpRequestMessage[])
                [
                    Invariants.Form("/connect/token", "service", ("grant_type", "client_credentials"), ("scope", "items:read")),
                    Invariants.Form("/connect/token", "app", ("grant_type", "password"), ("username", "alice"), ("password", IdpServer.Password), ("scope", "items:read")),
                    Invariants.Form("/connect/par", "web", ("response_type", "code")),
                    new HttpRequestMessage(HttpMethod.Get, "/connect/authorize?client_id=web"),
                    new HttpRequestMessage(HttpMethod.Get, "/health/ready"),
                ])
            {
                var refused = await _server.Send(request);
                Assert.True(refused.Status == 503, $"{request.RequestUri}: {refused.Status} {refused.Body}");
                Assert.True(refused.Response.Headers.RetryAfter?.Delta > TimeSpan.Zero, request.RequestUri!.ToString());
            }
            Assert.Equal($"the machine's clock is 7 s {where} the database's", await Body("/health/ready"));
            Assert.Equal("live", await Body("/health/live"));
            Assert.Contains(_server.Log.Lines, line => line.Contains($"This machine's clock is 7 s {where} the database's", StringComparison.Ordinal));
        }
        finally
        {
            _server.Clock.Step(TimeSpan.FromSeconds(-seconds));
        }
        await Until(200);
        Assert.Equal(200, (await _server.ClientCredentials()).Status);
    }

    [Fact]
    public async Task A_clock_that_is_less_off_is_none_of_anybodys_business()
    {
        _server.Clock.Step(TimeSpan.FromSeconds(4));
        try
        {
            await _server.App.Services.GetRequiredService<ChangePoll>().Ask(CancellationToken.None);
            var token = await _server.ClientCredentials();
            // The time in it is the database's.
            Assert.InRange(token.Claims["iat"]!.GetValue<long>(), DateTimeOffset.UtcNow.ToUnixTimeSeconds() - 2, DateTimeOffset.UtcNow.ToUnixTimeSeconds() + 1);
            Assert.True((await _server.Introspect(token.AccessToken)).Active);
        }
        finally
        {
            _server.Clock.Step(TimeSpan.FromSeconds(-4));
        }
    }

    [Fact]
    public void The_time_that_an_answer_takes_does_not_count()
    {
        var clock = new DatabaseClock(new TestClock());

        clock.Follow(DateTimeOffset.UtcNow.AddMilliseconds(-450), TimeSpan.FromMilliseconds(900));
        Assert.InRange(clock.Ahead.Duration(), TimeSpan.Zero, TimeSpan.FromMilliseconds(200));

        // An answer that was long on its way says little; the one before stays.
        clock.Follow(DateTimeOffset.UtcNow.AddSeconds(-30), TimeSpan.FromSeconds(30));
        Assert.InRange(clock.Ahead.Duration(), TimeSpan.Zero, TimeSpan.FromMilliseconds(200));
        Assert.False(clock.IsOff);
    }

    private async Task<string> Body(string path) => (await _server.Send(new HttpRequestMessage(HttpMethod.Get, path))).Body;

    private async Task Until(int status)
    {
        for (var i = 0; i < 100; i++)
        {
            using var ready = await _server.Http.GetAsync(new Uri("/health/ready", UriKind.Relative));
            if ((int)ready.StatusCode == status) return;
            await Task.Delay(100);
        }
        Assert.Fail($"/health/ready is not {status} after ten seconds");
    }
}
