using IdP.Accounts;
using IdP.Testing;
using IdP.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace IdP.Tests.Passwords;

/// <summary>Hashing has a few threads and a short queue: who finds it full is told when to come back, and nobody else notices.</summary>
public sealed class TooManyAtOnce : IAsyncLifetime
{
    private IdpServer _server = null!;

    public async Task InitializeAsync() => _server = await IdpServer.Start(options => (options.Passwords.HashThreads, options.Passwords.QueuePerThread) = (1, 2));

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Fact]
    [Trait("Case", "NET-12")]
    public async Task When_it_is_full_the_answer_is_503_with_a_time_to_wait_and_no_attempt_is_counted()
    {
        var pool = _server.App.Services.GetRequiredService<HashPool>();
        var token = (await _server.PasswordGrant("bob")).AccessToken;
        var attempts = await _server.Count("SignInAttempts");
        var places = new List<HashPool.Place>();
        while (pool.TryEnter() is { } place) places.Add(place);
        Assert.Equal(3, places.Count);

        foreach (var (name, password) in ((string, string)[])[("alice", IdpServer.Password), ("alice", "wrong"), ("nobody", "wrong"), ("mallory", IdpServer.Password)])
        {
            var answer = await _server.Refused(503, "temporarily_unavailable", "/connect/token", "app", ("grant_type", "password"), ("username", name), ("password", password), ("scope", "items:read"));
            Assert.InRange(answer.Response.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 60);
        }
        Assert.Equal(attempts, await _server.Count("SignInAttempts"));
        // Everything that needs no hash goes on.
        Assert.Equal(200, (await _server.ClientCredentials()).Status);
        Assert.True((await _server.Introspect(token)).Active);
        Assert.Equal(200, (await _server.Post("/connect/revoke", "app", ("token", token))).Status);

        foreach (var place in places) place.Dispose();
        Assert.Equal(200, (await _server.PasswordGrant("alice")).Status);
    }

    [Fact]
    [Trait("Case", "NET-12")]
    public async Task Of_a_crowd_as_many_as_fit_are_served_and_the_rest_is_sent_away_at_once()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 60).Select(i => _server.PasswordGrant("guess-" + i, "wrong")));

        Assert.All(answers, answer => Assert.True(answer.Status is 400 or 503, answer.Body));
        Assert.Contains(answers, answer => answer.Status == 400);
        Assert.Contains(answers, answer => answer.Status == 503);
        Assert.Equal(200, (await _server.PasswordGrant("alice")).Status);
    }
}
