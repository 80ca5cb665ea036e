using System.Text.Json.Nodes;
using IdP.Keys;
using IdP.Protocol.Jose;
using IdP.Storage;
using IdP.Testing;
using IdP.Tests.Support;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace IdP.Tests.Keys;

/// <summary>A year of a server's life with the clock moved: what is published, what signs, and what still verifies.</summary>
public sealed class Rotation : IAsyncLifetime
{
    private static readonly TimeSpan Step = TimeSpan.FromHours(6);
    private IdpServer _server = null!;

    public async Task InitializeAsync() => _server = await IdpServer.Start(options => (options.Keys.LifetimeDays, options.Keys.PublishDays) = (30, 7));

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Fact]
    [Trait("Case", "DIS-04")]
    public async Task The_next_key_is_published_at_least_a_day_before_its_first_use_and_the_old_one_until_its_last_token_has_expired()
    {
        var seen = new Dictionary<string, DateTimeOffset>(StringComparer.Ordinal);
        var used = new List<string>();
        for (var day = 0; day < 100 * 4; day++)
        {
            var published = await Published();
            foreach (var kid in published) seen.TryAdd(kid, _server.Clock.GetUtcNow());
            Assert.True(published.Count is 1 or 2, $"{published.Count} keys are published");

            var signer = _server.Keys.Signer(SigningAlgorithms.ES256).KeyId;
            Assert.Contains(signer, published);
            if (used.Count == 0 || used[^1] != signer)
            {
                if (used.Count > 0) Assert.True(_server.Clock.GetUtcNow() - seen[signer] >= TimeSpan.FromDays(1), "a key signs that caches may not have yet");
                used.Add(signer);
            }
            if (day % 4 == 0)
            {
                var token = (await _server.ClientCredentials()).AccessToken;
                _server.Clock.Advance(TimeSpan.FromMinutes(59));
                await Maintain();
                // Whatever happened meanwhile, the token's key is there until the token's end.
                Assert.True((await _server.Introspect(token)).Active);
                Assert.Contains(new Microsoft.IdentityModel.JsonWebTokens.JsonWebToken(token).Kid, await Published());
            }
            _server.Clock.Advance(Step);
            await Maintain();
        }

        Assert.Equal(4, used.Count);
        Assert.Equal(used.Count, used.Distinct(StringComparer.Ordinal).Count());
        // A key that is over leaves the database too, a day after its last token.
        await using var db = _server.Database.OpenForReading();
        var kinds = await db.Set<StoredKey>().GroupBy(key => new { key.Purpose, key.Algorithm }).Select(kind => kind.Count()).ToListAsync();
        Assert.All(kinds, count => Assert.InRange(count, 1, 2));
    }

    [Fact]
    public async Task A_key_hands_over_on_time_even_if_nothing_but_the_clock_moves()
    {
        var first = _server.Keys.Signer(SigningAlgorithms.ES256).KeyId;
        await Advance(TimeSpan.FromDays(23) + TimeSpan.FromMinutes(1));
        var next = Assert.Single(await Published(), kid => kid != first);
        Assert.Equal(first, _server.Keys.Signer(SigningAlgorithms.ES256).KeyId);

        // No maintenance, no poll: the moment was fixed when the key was made.
        _server.Clock.Advance(TimeSpan.FromDays(7));

        Assert.Equal(next, _server.Keys.Signer(SigningAlgorithms.ES256).KeyId);
        Assert.Equal([first, next], (await Published()).OrderBy(kid => kid != first));
        _server.Clock.Advance(TimeSpan.FromDays(1) + TimeSpan.FromMinutes(2));
        Assert.Equal([next], await Published());
    }

    [Fact]
    public async Task A_server_that_slept_through_its_rotation_goes_on_with_the_old_key_for_the_day_that_the_next_needs()
    {
        var old = _server.Keys.Signer(SigningAlgorithms.ES256).KeyId;
        _server.Clock.Advance(TimeSpan.FromDays(400));
        Assert.Equal(200, (await _server.ClientCredentials()).Status);

        await Maintain();
        Assert.Equal(2, (await Published()).Count);
        Assert.Equal(old, _server.Keys.Signer(SigningAlgorithms.ES256).KeyId);
        _server.Clock.Advance(TimeSpan.FromHours(23));
        Assert.Equal(old, _server.Keys.Signer(SigningAlgorithms.ES256).KeyId);
        _server.Clock.Advance(TimeSpan.FromHours(1));
        Assert.NotEqual(old, _server.Keys.Signer(SigningAlgorithms.ES256).KeyId);
    }

    [Fact]
    [Trait("Case", "JWT-19")]
    public async Task Tokens_of_the_active_and_of_the_retiring_key_are_active_and_those_of_a_removed_one_are_not()
    {
        // A resource may let its tokens live as long as the longest; that is what keeps a key.
        await _server.AddResource("urn:test:long", ["long"], r => r.AccessTokenLifetimeSeconds = (int)KeyStatements.LongestToken.TotalSeconds);
        await _server.AddClient("long", "client_credentials", "long");
        await Advance(TimeSpan.FromDays(24));
        await Advance(TimeSpan.FromDays(6) - TimeSpan.FromMinutes(1));
        var old = _server.Keys.Signer(SigningAlgorithms.ES256);
        var token = (await _server.ClientCredentials("long", "long")).AccessToken;
        Assert.True((await _server.Introspect(token, "long")).Active);

        await Advance(TimeSpan.FromHours(23));
        Assert.NotEqual(old.KeyId, _server.Keys.Signer(SigningAlgorithms.ES256).KeyId);
        Assert.True((await _server.Introspect(token, "long")).Active);
        await Advance(TimeSpan.FromHours(3));
        Assert.False((await _server.Introspect(token, "long")).Active);
        // Not even with an expiry that somebody who has the key could write.
        var claims = (await _server.ClientCredentials("long", "long")).Claims;
        Assert.False((await _server.Introspect(ForgedJwt.Sign(old, claims), "long")).Active);
        Assert.True((await _server.Introspect(ForgedJwt.Sign(_server.Keys.Signer(SigningAlgorithms.ES256), claims), "long")).Active);
    }

    [Theory]
    [InlineData("the one in use"), InlineData("the next one"), InlineData("the next one, then the one in use"), InlineData("the one in use, then its successor")]
    public async Task Revoking_never_leaves_a_server_without_a_key_nor_with_one_that_stays_for_ever(string which)
    {
        await Advance(TimeSpan.FromDays(10));
        await Write((db, keys, now) => KeyStatements.Rotate(db, keys.Masters, KeyPurpose.Sign, SigningAlgorithms.ES256, now, CancellationToken.None));
        var inUse = _server.Keys.Signer(SigningAlgorithms.ES256).KeyId;
        var next = (await Published()).Single(kid => kid != inUse);
        foreach (var step in which.Split(", then "))
        {
            var revoked = step switch { "the one in use" => inUse, "the next one" => next, _ => _server.Keys.Signer(SigningAlgorithms.ES256).KeyId };
            await Revoke(revoked);
            Assert.Equal(200, (await _server.ClientCredentials()).Status);
            Assert.DoesNotContain(revoked, await Published());
        }

        var ever = new HashSet<string>(StringComparer.Ordinal);
        for (var week = 0; week < 30; week++)
        {
            await Advance(TimeSpan.FromDays(3.5));
            Assert.Equal(200, (await _server.ClientCredentials()).Status);
            var published = await Published();
            ever.UnionWith(published);
            Assert.True(published.Count is 1 or 2, $"{published.Count} keys after {week} weeks");
        }
        Assert.True(ever.Count >= 4, "no rotation any more");
    }

    private Task Advance(TimeSpan time)
    {
        _server.Clock.Advance(time);
        return Maintain();
    }

    private async Task Maintain()
    {
        await _server.Keys.Maintain(CancellationToken.None);
        await _server.App.Services.GetRequiredService<ChangePoll>().Poll(CancellationToken.None);
    }

    private Task Revoke(string kid) => Write(async (db, keys, now) =>
        await KeyStatements.Revoke(db, keys.Masters, await db.Set<StoredKey>().AsTracking().SingleAsync(k => k.KeyId == kid), now, CancellationToken.None));

    private async Task Write(Func<IdpDbContext, KeyRing, DateTimeOffset, Task> change)
    {
        await _server.Database.Write(db => change(db, _server.Keys, _server.Clock.GetUtcNow()), CancellationToken.None);
        await _server.App.Services.GetRequiredService<ChangePoll>().Poll(CancellationToken.None);
    }

    /// <summary>The keys of access tokens; those of ID tokens are beside them.</summary>
    private async Task<List<string>> Published() =>
        [.. JsonNode.Parse(await _server.Http.GetStringAsync(new Uri("/.well-known/jwks.json", UriKind.Relative)))!["keys"]!.AsArray()
            .Where(key => key!["alg"]!.GetValue<string>() == SigningAlgorithms.ES256).Select(key => key!["kid"]!.GetValue<string>())];
}
