using System.Net;
using IdP.Http;
using IdP.Testing;
using IdP.Tests.Support;
using Xunit;

namespace IdP.Tests.Http;

/// <summary>Only failures count: for a caller at an address, and for an address; who has succeeded there is not blocked by others.</summary>
public sealed class TooManyFailures
{
    private const string Token = "/connect/token";
    private static readonly (string, string)[] Credentials = [("grant_type", "client_credentials"), ("scope", "items:read")];

    [Fact]
    public async Task A_caller_that_fails_too_often_is_told_when_to_come_back_and_may_then()
    {
        await using var server = await Start(caller: 5, address: 1000);
        for (var i = 0; i < 5; i++) await server.Refused(Invariants.Form(Token, "service", "wrong", Credentials), 401, "invalid_client");

        var blocked = await server.Refused(Invariants.Form(Token, "service", "wrong", Credentials), 429, "temporarily_unavailable");
        Assert.InRange(blocked.Response.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 60);
        // The right secret is not looked at either: otherwise guessing could go on.
        await server.Refused(Invariants.Form(Token, "service", IdpServer.Secret, Credentials), 429, "temporarily_unavailable");
        await server.Refused(Invariants.Form("/connect/introspect", "service", ("token", "t")), 429, "temporarily_unavailable");
        await server.Refused(Invariants.Form("/connect/revoke", "service", ("token", "t")), 429, "temporarily_unavailable");
        // Others are not concerned.
        Assert.Equal(200, (await server.Sent(Invariants.Form("/connect/introspect", "api", ("token", "t")))).Status);

        server.Clock.Advance(blocked.Response.Headers.RetryAfter!.Delta!.Value);
        Assert.Equal(200, (await server.Sent(Invariants.Form(Token, "service", Credentials))).Status);
    }

    [Fact]
    public async Task An_address_that_fails_too_often_is_blocked_but_for_callers_that_succeeded_there()
    {
        await using var server = await Start(caller: 1000, address: 10);
        Assert.Equal(200, (await server.ClientCredentials()).Status);
        for (var i = 0; i < 10; i++) await server.Refused(Invariants.Form(Token, "guess-" + i, "wrong", Credentials), 401, "invalid_client");

        await server.Refused(Invariants.Form(Token, "guess-11", "wrong", Credentials), 429, "temporarily_unavailable");
        await server.Refused(Invariants.Form("/connect/introspect", "api", ("token", "t")), 429, "temporarily_unavailable");
        Assert.Equal(200, (await server.Sent(Invariants.Form(Token, "service", Credentials))).Status);
        server.Clock.Advance(TimeSpan.FromSeconds(61));
        Assert.Equal(200, (await server.Sent(Invariants.Form("/connect/introspect", "api", ("token", "t")))).Status);
    }

    [Fact]
    public async Task Successes_are_free_and_so_are_mistakes_that_are_no_guesses()
    {
        await using var server = await Start(caller: 3, address: 3);
        for (var i = 0; i < 20; i++)
        {
            Assert.Equal(200, (await server.ClientCredentials()).Status);
            Assert.Equal(400, (await server.ClientCredentials(scope: "nonsense")).Status);
        }
        Assert.Equal(200, (await server.ClientCredentials()).Status);
    }

    [Fact]
    [Trait("Case", "LGN-08")]
    public async Task Guesses_of_user_names_count_for_the_address_and_not_for_the_client()
    {
        await using var server = await Start(caller: 1000, address: 10);
        Assert.Equal(200, (await server.PasswordGrant("bob")).Status);
        for (var i = 0; i < 10; i++) Assert.Equal(400, (await server.PasswordGrant("guess-" + i, "spring2026")).Status);

        await server.Refused(429, "temporarily_unavailable", Token, "app", ("grant_type", "password"), ("username", "alice"), ("password", IdpServer.Password), ("scope", "items:read"));
        // Bob has signed in from here before, and the client has done nothing wrong.
        Assert.Equal(200, (await server.PasswordGrant("bob")).Status);
        Assert.Equal(200, (await server.ClientCredentials()).Status);
    }

    [Fact]
    [Trait("Case", "INT-04")]
    public async Task Who_asks_about_too_many_tokens_that_are_none_is_slowed_down_and_still_served_for_those_that_are()
    {
        await using var server = await IdpServer.Start(options => options.Limits.UnknownTokensPerCaller = 20);
        var token = (await server.ClientCredentials()).AccessToken;
        for (var i = 0; i < 19; i++) Assert.False((await server.Introspect("random-" + i)).Active);

        await server.Refused(Invariants.Form("/connect/introspect", "api", ("token", "random-20")), 429, "temporarily_unavailable");
        await server.Refused(Invariants.Form("/connect/introspect", "api", ("token", "random-21")), 429, "temporarily_unavailable");
        // Otherwise whoever sends garbage to an API would lock out everybody who uses it.
        Assert.True((await server.Introspect(token)).Active);
        Assert.False((await server.Introspect("random-22", "service")).Active);
        server.Clock.Advance(TimeSpan.FromSeconds(61));
        Assert.False((await server.Introspect("random-23")).Active);
    }

    [Fact]
    [Trait("Case", "LOG-04")]
    public void Names_and_addresses_without_end_need_no_memory_without_end()
    {
        var options = new IdpOptions();
        var clock = new TestClock();
        var limiter = new FailureLimiter(options, clock);

        // Names at one address, addresses of a botnet, callers that all succeed: each would be more than the bound.
        const int many = 101_000;
        for (var i = 0; i < many; i++) limiter.Failed("client", (i % 100 == 0 ? new string('n', 2000) : "name-") + i, "192.0.2.1");
        Assert.InRange(limiter.Entries, 1, 100_001);
        for (var i = 0; i < many; i++) limiter.Failed("client", "name-" + i, new IPAddress(i).ToString());
        Assert.InRange(limiter.Entries, 1, 100_001);
        for (var i = 0; i < many; i++) limiter.Succeeded("client", "name-" + i, "192.0.2.2");
        Assert.InRange(limiter.Entries, 1, 200_001);
        // It still counts afterwards.
        for (var i = 0; i < options.Limits.FailuresPerCaller; i++) limiter.Failed("client", "mallory", "192.0.2.3");
        Assert.NotNull(limiter.Blocked("client", "mallory", "192.0.2.3"));
    }

    [Fact]
    [Trait("Case", "NET-08")]
    public async Task A_forwarded_address_counts_only_from_a_trusted_proxy_and_only_its_last_hop()
    {
        await using (var untrusted = await Start(caller: 1000, address: 5))
        {
            for (var i = 0; i < 5; i++) Assert.Equal(401, await Fail(untrusted, $"X-Forwarded-For: 203.0.113.{i}"));
            Assert.Equal(429, await Fail(untrusted, "X-Forwarded-For: 203.0.113.99"));
        }

        await using var trusted = await IdpServer.Start(options =>
        {
            options.Limits.FailuresPerAddress = 5;
            options.Http.TrustedProxies = "127.0.0.1 ::1";
        });
        for (var i = 0; i < 5; i++) Assert.Equal(401, await Fail(trusted, $"X-Forwarded-For: 198.51.100.{i}, 203.0.113.1"));
        Assert.Equal(429, await Fail(trusted, "X-Forwarded-For: 198.51.100.77, 203.0.113.1"));
        Assert.Equal(401, await Fail(trusted, "X-Forwarded-For: 203.0.113.2"));
        // An IPv6 caller has a /64 to itself.
        for (var i = 0; i < 5; i++) Assert.Equal(401, await Fail(trusted, $"X-Forwarded-For: 2001:db8:1:2::{i}"));
        Assert.Equal(429, await Fail(trusted, "X-Forwarded-For: 2001:db8:1:2:ffff::1"));
        Assert.Equal(401, await Fail(trusted, "X-Forwarded-For: 2001:db8:1:3::1"));
        // What is repeated, underscored or no address says nothing; the proxy itself is the caller then.
        for (var i = 0; i < 5; i++) Assert.Equal(401, await Fail(trusted, "X_Forwarded_For: 203.0.113.5", "X-Forwarded-For: 203.0.113.6", "X-Forwarded-For: 203.0.113.7"));
        Assert.Equal(429, await Fail(trusted, "X-Forwarded-For: unknown"));
    }

    private static async Task<int> Fail(IdpServer server, params string[] headers) =>
        RawHttp.Status(await RawHttp.Post(server.Url, Token, $"grant_type=client_credentials&client_id={Guid.NewGuid():N}x&client_secret=wrong", headers));

    private static Task<IdpServer> Start(int caller, int address) =>
        IdpServer.Start(options => (options.Limits.FailuresPerCaller, options.Limits.FailuresPerAddress) = (caller, address));
}
