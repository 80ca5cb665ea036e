using IdP.Audit;
using IdP.Testing;
using IdP.Tests.Support;
using IdP.Throttles;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace IdP.Tests.Throttles;

/// <summary>One password for very many names, slowly enough for the limits of a minute: the network is slowed down, its known people are not.</summary>
public sealed class GuessesFromOneNetwork
{
    private const int Limit = 4;

    [Fact]
    [Trait("Case", "LGN-08")]
    public async Task Strangers_wait_longer_and_longer_and_the_owner_s_browser_does_not()
    {
        await using var server = await IdpServer.Start(options => options.Limits.WrongPasswordsPerNetwork = Limit, https: true);
        using var own = new Browser(server);
        Assert.Equal(303, (await own.Complete(new CodeFlow().Parameters(), "alice")).Status);

        using var stranger = new Browser(server);
        var page = await stranger.Authorize(new CodeFlow().Parameters());
        for (var i = 0; i < Limit; i++) page = await Guess(stranger, page, $"nobody-{i}", 400);

        foreach (var seconds in (int[])[1, 2, 4, 8])
        {
            page = await Guess(stranger, page, "bob", 429, IdpServer.Password);
            Assert.Equal($"{seconds}", page.Header("Retry-After"));
            Assert.Contains("id=\"problem\"", page.Body, StringComparison.Ordinal);
            server.Clock.Advance(TimeSpan.FromSeconds(seconds));
            page = await Guess(stranger, page, $"nobody-else-{seconds}", 400);
        }
        await Guess(stranger, page, "bob", 429, IdpServer.Password);
        var again = await own.Authorize(new CodeFlow { With = { ["prompt"] = "login" } }.Parameters());
        Assert.Equal(303, (await own.SignIn(again, "alice")).Status);
        // All people of a server come from its address: there the account counts, not the address.
        Assert.Equal(200, (await server.PasswordGrant("bob")).Status);

        await using (var db = server.Database.OpenForReading())
            Assert.Equal("server", (await db.Set<AuditEvent>().SingleAsync(e => e.Type == "sign_in.network_throttled")).Actor);
        server.Clock.Advance(TimeSpan.FromHours(1) + TimeSpan.FromSeconds(17));
        page = await stranger.Authorize(new CodeFlow().Parameters());
        page = await Guess(stranger, page, "nobody-at-all", 400);
        Assert.NotEqual(429, (await stranger.SignIn(page, "bob")).Status);
    }

    [Fact]
    [Trait("Case", "LGN-08")]
    public async Task Guesses_at_once_are_all_counted_and_one_of_them_reaches_the_limit()
    {
        await using var server = await IdpServer.Start(options => options.Limits.WrongPasswordsPerNetwork = 50);
        var throttle = server.App.Services.GetRequiredService<NetworkThrottle>();

        var reached = await Task.WhenAll(Enumerable.Range(0, 50).Select(i => Task.Run(() => throttle.Failed($"2001:db8:1:2::{i:x}", CancellationToken.None))));

        Assert.Single(reached, one => one);
        Assert.Equal(1, await throttle.Blocked("2001:db8:1:2:ffff::1", CancellationToken.None));
        Assert.Null(await throttle.Blocked("2001:db8:1:3::1", CancellationToken.None));
    }

    [Theory]
    [InlineData("192.0.2.7", "192.0.2.7")]
    [InlineData("::ffff:192.0.2.7", "192.0.2.7")]
    [InlineData("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64")]
    [InlineData("unknown", "unknown")]
    public void A_network_is_what_one_customer_gets(string address, string network) => Assert.Equal(network, NetworkThrottle.Network(address));

    [Theory]
    [InlineData(9, 0)]
    [InlineData(10, 1)]
    [InlineData(13, 8)]
    [InlineData(19, 512)]
    [InlineData(20, 600)]
    [InlineData(int.MaxValue, 600)]
    public void The_wait_doubles_up_to_ten_minutes(int failures, int seconds) => Assert.Equal(TimeSpan.FromSeconds(seconds), NetworkThrottle.Delay(failures, 10));

    private static async Task<PageAnswer> Guess(Browser browser, PageAnswer page, string name, int status, string password = "spring2026")
    {
        var answer = await browser.SignIn(page, name, password);
        Assert.True(status == answer.Status, $"{name}: expected {status}, got {answer.Status} {answer.Location}");
        return answer;
    }
}
