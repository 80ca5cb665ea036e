using IdP.ApiKeys;
using IdP.Protocol;
using IdP.Retention;
using IdP.Storage;
using IdP.Testing;
using IdP.Tests.Support;
using Xunit;

namespace IdP.Tests.ApiKeys;

/// <summary>Texts that are no live key: one answer for all of them, at one price, and not for ever.</summary>
public sealed class Guesses(SqliteServer fixture) : IClassFixture<SqliteServer>
{
    private const string Inactive = """{"active":false}""";
    private readonly IdpServer _server = fixture.Server;

    [Fact]
    [Trait("Case", "KEY-03")]
    [Trait("Case", "KEY-07")]
    public async Task Everything_that_is_almost_a_key_gets_the_answer_of_garbage_byte_for_byte()
    {
        var key = await _server.ApiKeyOfUser("alice");
        Assert.True(ApiKeyText.TryParse(key, out var text));
        var expected = await _server.Introspect("garbage");
        foreach (var wrong in (string[])
            [
                text.Renewed().ToString(), ApiKeyText.Create().ToString(), key[..^1], key + "x", key[..^1] + (key[^1] == 'a' ? 'b' : 'a'), " " + key, key + " ", key + "\n", key.ToLowerInvariant(), key.ToUpperInvariant(),
                "Idp_" + key[4..], "abc_" + key[4..], key[4..], text.Secret, text.KeyId, key.Replace('_', '-'), key + key, new string('i', 10_000), key + new string('0', 9_934), "idp_", "idp__",
                key[..20] + "é" + key[21..], key[..20] + "\u0661" + key[21..], key[..20] + "\0" + key[21..], key.Insert(16, "\u200b"), "idp_" + new string('0', 12) + "_" + new string('0', 49),
            ])
        {
            var answer = await _server.Introspect(wrong);
            Assert.Equal((200, Inactive), (answer.Status, answer.Body));
            Assert.Equal(Headers(expected), Headers(answer));
        }
        Assert.True((await _server.Introspect(key)).Active);
    }

    [Fact]
    [Trait("Case", "KEY-03")]
    public async Task A_key_is_found_by_indexes_alone()
    {
        await using var connection = _server.Database.OpenConnection();
        await using var command = connection.CreateCommand();
        command.CommandText = "EXPLAIN QUERY PLAN " + ApiKeyLookup.Statement.Replace("@p0", "'AbCdEf012345'", StringComparison.Ordinal);
        await using var rows = await command.ExecuteReaderAsync();
        var steps = new List<string>();
        while (await rows.ReadAsync()) steps.Add(rows.GetString(3));

        Assert.Equal(5, steps.Count);
        Assert.All(steps, step => Assert.StartsWith("SEARCH", step, StringComparison.Ordinal));
        Assert.Contains(steps, step => step.Contains("IX_ApiKeys_KeyId", StringComparison.Ordinal));
    }

    [Fact]
    [Trait("Case", "KEY-08")]
    public async Task Guessing_is_bounded_for_the_API_where_it_happens_and_live_keys_still_count()
    {
        await using var server = await IdpServer.Start(options => options.Limits.UnknownTokensPerCaller = 20);
        var key = await server.ApiKeyOfUser("alice");
        var other = await server.AddResource("urn:test:guessed", ["guessed:read"]);
        await server.AddClient("guessed-api", "", "", c => c.ResourceId = other);
        Assert.True(ApiKeyText.TryParse(key, out var text));

        for (var i = 0; i < 19; i++) Assert.Equal(200, (await server.Introspect((i % 2 == 0 ? text.Renewed() : ApiKeyText.Create()).ToString())).Status);
        var refused = await server.Introspect(ApiKeyText.Create().ToString());
        Assert.Equal(429, refused.Status);
        Assert.True(int.Parse(refused.Header("Retry-After")) is > 0 and <= 60);
        Assert.Equal(429, (await server.Introspect("idp_malformed")).Status);

        Assert.True((await server.Introspect(key)).Active);
        Assert.Equal(200, (await server.Introspect(ApiKeyText.Create().ToString(), "guessed-api")).Status);
        server.Clock.Advance(TimeSpan.FromSeconds(61));
        Assert.Equal(200, (await server.Introspect(ApiKeyText.Create().ToString())).Status);
    }

    [Fact]
    [Trait("Case", "KEY-02")]
    public async Task A_key_ends_at_its_time_and_its_row_goes_a_month_later()
    {
        await using var server = await IdpServer.Start();
        var (day, week, revoked) = (await server.ApiKeyOfUser("alice", days: 1), await server.ApiKeyOfUser("alice", days: 7), await server.ApiKeyOfUser("alice", days: 7));
        await server.Revoke(revoked);

        server.Clock.Advance(TimeSpan.FromDays(1) - TimeSpan.FromMinutes(1));
        Assert.True((await server.Introspect(day)).Active);
        server.Clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(Inactive, (await server.Introspect(day)).Body);
        Assert.True((await server.Introspect(week)).Active);

        server.Clock.Advance(TimeSpan.FromDays(30));
        while (await RetentionFeature.SweepOnce(server.Database, server.Clock.GetUtcNow(), CancellationToken.None) > 0)
        {
            // A batch at a time.
        }
        Assert.Equal(1, (await server.Count())["ApiKeys"]);
        Assert.Equal(1, (await server.Count())["ApiKeyScopes"]);
    }

    [Fact]
    public async Task An_owner_has_a_bounded_number_of_keys_that_count()
    {
        await using var server = await IdpServer.Start(options => options.ApiKeys.PerOwner = 3);
        var keys = new List<string>();
        for (var i = 0; i < 3; i++) keys.Add(await server.ApiKeyOfUser("alice"));

        Assert.Equal(RefusalReason.Conflict, (await Assert.ThrowsAsync<ChangeRefusedException>(() => server.ApiKeyOfUser("alice"))).Reason);
        await server.ApiKeyOfUser("bob");
        await server.Revoke(keys[0]);
        await server.ApiKeyOfUser("alice");
    }

    [Fact]
    public async Task The_last_use_is_written_down_once_a_minute()
    {
        await using var server = await IdpServer.Start();
        var key = await server.ApiKeyOfUser("alice");
        await server.Introspect(key);
        var first = await server.LastUse(key);
        server.Clock.Advance(TimeSpan.FromSeconds(30));
        await server.Introspect(key);
        Assert.Equal(first, await server.LastUse(key));
        server.Clock.Advance(TimeSpan.FromSeconds(40));
        await server.Introspect(key);
        Assert.True(await server.LastUse(key) >= first + TimeSpan.FromSeconds(70));
    }

    [Fact]
    public async Task The_secret_before_a_rotation_ends_with_the_overlap()
    {
        await using var server = await IdpServer.Start();
        var first = await server.ApiKeyOfUser("alice");
        var second = await server.Rotate(first, overlapSeconds: 60);
        server.Clock.Advance(TimeSpan.FromSeconds(58));
        Assert.True((await server.Introspect(first)).Active);
        server.Clock.Advance(TimeSpan.FromSeconds(3));
        Assert.Equal(Inactive, (await server.Introspect(first)).Body);
        Assert.True((await server.Introspect(second)).Active);
    }

    private static IEnumerable<string> Headers(Answer answer) =>
        answer.Response.Headers.Concat(answer.Response.Content.Headers).Where(h => h.Key != "Date").Select(h => $"{h.Key}: {string.Join(",", h.Value)}").Order(StringComparer.Ordinal);
}
