using System.Collections.Concurrent;
using IdP.Accounts;
using IdP.Clients;
using IdP.Testing;
using IdP.Tests.Support;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Xunit;
using Xunit.Abstractions;

namespace IdP.Tests.States;

/// <summary>Two things at once, one of which takes something away: after it has been acknowledged, nothing that the other made is worth anything.</summary>
public abstract class Races(ServerFixture fixture, ITestOutputHelper output)
{
    private readonly IdpServer _server = fixture.Server;

    [Fact]
    [Trait("Case", "REV-05")]
    public async Task A_token_that_is_revoked_while_it_is_looked_at_is_never_active_afterwards()
    {
        await using var other = await fixture.StartAnother();
        for (var round = Volume.Of(output, full: 1000, part: 30); round > 0; round--)
        {
            var token = (await _server.ClientCredentials()).AccessToken;
            using var acknowledged = new CancellationTokenSource();
            var lookers = Enumerable.Range(0, 4).Select(async i =>
            {
                var server = i % 2 == 0 ? _server : other;
                while (true)
                {
                    var mustBeDead = acknowledged.IsCancellationRequested;
                    var isActive = (await server.Introspect(token)).Active;
                    Assert.False(mustBeDead && isActive, "active after the revocation was acknowledged");
                    if (mustBeDead) return;
                }
            }).ToList();
            var answers = await Task.WhenAll(Enumerable.Range(0, 3).Select(i => (i % 2 == 0 ? other : _server).Post("/connect/revoke", "service", ("token", token))));
            await acknowledged.CancelAsync();

            Assert.All(answers, answer => Assert.Equal(200, answer.Status));
            await Task.WhenAll(lookers);
        }
    }

    [Fact]
    [Trait("Case", "LGN-24")]
    public async Task Everybody_of_a_crowd_gets_a_token_of_their_own()
    {
        await using var other = await fixture.StartAnother();
        var subjects = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var i = Volume.Of(output, full: 10_000, part: 60); i > 0; i--) subjects["person-" + i] = (await _server.AddUser("person-" + i)).Subject;

        await Parallel.ForEachAsync(subjects, new ParallelOptions { MaxDegreeOfParallelism = 32 }, async (person, _) =>
        {
            Answer answer;
            while ((answer = await (person.Value[^1] % 2 == 0 ? _server : other).PasswordGrant(person.Key)).Status == 503) await Task.Delay(20, CancellationToken.None);
            Assert.Equal(200, answer.Status);
            Assert.Equal(person.Value, answer.Claims["sub"]!.GetValue<string>());
            Assert.Equal(person.Value, (await other.Introspect(answer.AccessToken)).Json["sub"]!.GetValue<string>());
        });
    }

    [Fact]
    public async Task One_token_revoked_many_times_at_once_is_revoked_once()
    {
        var token = (await _server.ClientCredentials()).AccessToken;
        var before = await _server.Count("RevokedTokens");

        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => _server.Post("/connect/revoke", "service", ("token", token))));

        Assert.All(answers, answer => Assert.Equal((200, ""), (answer.Status, answer.Body)));
        Assert.Equal(before + 1, await _server.Count("RevokedTokens"));
    }

    [Theory]
    [Trait("Case", "STA-01")]
    [Trait("Case", "STA-03")]
    [InlineData("disable"), InlineData("password")]
    public async Task Who_is_disabled_or_gets_a_new_password_while_signing_in_keeps_no_token(string change)
    {
        var hash = await _server.NewPassword("another-Password-1", "racer");
        var statements = _server.App.Services.GetRequiredService<UserStatements>();
        for (var round = Volume.Of(output, full: 300, part: 12); round > 0; round--)
        {
            var name = $"racer-{change}-{round}";
            await _server.AddUser(name);
            var signIns = Enumerable.Range(0, 4).Select(_ => _server.PasswordGrant(name)).ToList();
            if (round % 3 != 0) await Task.WhenAny(signIns);
            await _server.Database.Write(
                db => change == "disable" ? (Task)statements.Disable(db, name, "cli", CancellationToken.None) : statements.ChangePassword(db, name, hash, "cli", CancellationToken.None),
                CancellationToken.None);

            foreach (var answer in await Task.WhenAll(signIns))
            {
                Assert.True(answer.Status is 200 or 400 or 503, answer.Body);
                if (answer.Status == 200) Assert.False((await _server.Introspect(answer.AccessToken)).Active);
            }
            await using var db = _server.Database.OpenForReading();
            var user = await db.Users.SingleAsync(u => u.UserName == name);
            Assert.False(await db.Set<Grants.Grant>().AnyAsync(g => g.UserId == user.Id && g.State == Grants.GrantState.Active));
        }
    }

    [Fact]
    [Trait("Case", "STA-06")]
    public async Task A_client_that_is_disabled_while_it_asks_keeps_no_token()
    {
        var statements = _server.App.Services.GetRequiredService<ClientStatements>();
        for (var round = Volume.Of(output, full: 200, part: 6); round > 0; round--)
        {
            var id = "racing-client-" + round;
            await _server.AddClient(id, "client_credentials password", "items:read");
            var issued = new ConcurrentQueue<string>();
            using var stop = new CancellationTokenSource();
            var askers = Enumerable.Range(0, 4).Select(async i =>
            {
                while (!stop.IsCancellationRequested)
                {
                    var answer = i == 0 ? await _server.PasswordGrant("alice", clientId: id) : await _server.ClientCredentials(id);
                    if (answer.Status == 200) issued.Enqueue(answer.AccessToken);
                }
            }).ToList();
            while (issued.Count < 10) await Task.Delay(1);
            await _server.Database.Write(db => statements.Disable(db, id, "cli", CancellationToken.None), CancellationToken.None);
            await Task.Delay(5);
            await stop.CancelAsync();
            await Task.WhenAll(askers);

            // A server that has not heard of it may still issue, but nothing that it issues is worth anything.
            foreach (var token in issued.TakeLast(50)) Assert.False((await _server.Introspect(token)).Active);
        }
    }
}

public sealed class RacesOnSqlite(SqliteServer fixture, ITestOutputHelper output) : Races(fixture, output), IClassFixture<SqliteServer>;

public sealed class RacesOnPostgres(PostgresServer fixture, ITestOutputHelper output) : Races(fixture, output), IClassFixture<PostgresServer>;

public sealed class RacesOnNodes(PostgresNodes fixture, ITestOutputHelper output) : Races(fixture, output), IClassFixture<PostgresNodes>;
