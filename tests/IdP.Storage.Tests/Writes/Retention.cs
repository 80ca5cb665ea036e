using IdP.Accounts;
using IdP.Grants;
using IdP.Outbox;
using IdP.Retention;
using IdP.Sessions;
using IdP.Storage;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace IdP.Storage.Tests.Writes;

public sealed class RetentionOnSqlite(SqliteFixture fixture) : RetentionSuite(fixture), IClassFixture<SqliteFixture>;

public sealed class RetentionOnPostgres(PostgresFixture fixture) : RetentionSuite(fixture), IClassFixture<PostgresFixture>;

[Collection(IdP.Testing.SqlServerDatabase.Collection)]
public sealed class RetentionOnSqlServer(SqlServerFixture fixture) : RetentionSuite(fixture), IClassFixture<SqlServerFixture>;

public abstract class RetentionSuite(StorageFixture fixture)
{
    [StorageFact]
    public async Task What_has_expired_goes_and_what_has_not_stays()
    {
        var now = fixture.Clock.GetUtcNow();
        var (client, user) = (await fixture.AddClient("kept"), await fixture.AddUser("kept"));
        var (oldGrant, newGrant) = (fixture.NewGrant(client, user), fixture.NewGrant(client, user));
        (oldGrant.ExpiresAt, newGrant.ExpiresAt) = (now.AddHours(-1), now.AddHours(1));
        await fixture.Write(db =>
        {
            db.AddRange(Enumerable.Range(0, 700).Select(i => new RevokedToken { JwtId = $"old-{i}", ExpiresAt = now.AddHours(-1) }));
            db.AddRange(oldGrant, newGrant, new RevokedToken { JwtId = "new", ExpiresAt = now.AddHours(1) },
                new SignInAttempts { Key = [1], WindowEndsAt = now.AddHours(-1) }, new SignInAttempts { Key = [2], WindowEndsAt = now.AddHours(1) });
        });

        Assert.Equal(502, await RetentionFeature.SweepOnce(fixture.Database, now, CancellationToken.None));
        Assert.Equal(200, await RetentionFeature.SweepOnce(fixture.Database, now, CancellationToken.None));
        Assert.Equal(0, await RetentionFeature.SweepOnce(fixture.Database, now, CancellationToken.None));

        await using var read = fixture.Database.OpenForReading();
        Assert.Equal("new", (await read.Set<RevokedToken>().SingleAsync()).JwtId);
        Assert.Equal(newGrant.Id, (await read.Set<Grant>().SingleAsync(g => g.ClientKey == client.Id)).Id);
        Assert.Equal(new byte[] { 2 }, (await read.Set<SignInAttempts>().SingleAsync()).Key);
    }

    [StorageFact]
    public async Task A_node_whose_clock_is_not_the_databases_removes_nothing()
    {
        var now = fixture.Clock.GetUtcNow();
        var clock = new DatabaseClock(fixture.Clock);
        await fixture.Write(db => db.Add(new RevokedToken { JwtId = "soon", ExpiresAt = now.AddDays(1) }));
        using var sweep = new Sweep(fixture.Database, fixture.Options, clock, Microsoft.Extensions.Logging.Abstractions.NullLogger<Sweep>.Instance);
        async Task<bool> IsThere()
        {
            await using var read = fixture.Database.OpenForReading();
            return await read.Set<RevokedToken>().AnyAsync(t => t.JwtId == "soon");
        }

        clock.Follow(now.AddDays(400), TimeSpan.Zero);
        await sweep.Once(CancellationToken.None);
        Assert.True(await IsThere());

        // When both have gone on for so long it is time.
        await fixture.Write(db => db.Set<RevokedToken>().Single(t => t.JwtId == "soon").ExpiresAt = now.AddDays(-2));
        clock.Follow(now, TimeSpan.Zero);
        await sweep.Once(CancellationToken.None);
        Assert.False(await IsThere());
    }

    [StorageFact]
    public async Task Sessions_that_are_over_go_when_no_grant_names_them_and_those_that_ran_out_end_with_what_hangs_on_them()
    {
        var now = fixture.Clock.GetUtcNow();
        var (client, user) = (await fixture.AddClient("of-sessions"), await fixture.AddUser("of-sessions"));
        var (live, ended, kept, expired) = (NewSession(now.AddHours(1)), NewSession(now.AddHours(1), endedAt: now.AddHours(-1)), NewSession(now.AddHours(1), endedAt: now.AddHours(-1)), NewSession(now.AddSeconds(-1)));
        Grant Of(Session session, bool endsWithSession)
        {
            var grant = fixture.NewGrant(client, user);
            (grant.SessionId, grant.EndsWithSession) = (session.Id, endsWithSession);
            return grant;
        }
        var (bound, offline, later) = (Of(expired, endsWithSession: true), Of(expired, endsWithSession: false), Of(kept, endsWithSession: false));
        await fixture.Write(db =>
        {
            db.AddRange(live, ended, kept, expired);
            db.AddRange(bound, offline, later);
            db.AddRange(new[] { live, ended, kept, expired }.Select(session => new SessionClient { SessionId = session.Id, ClientKey = client.Id, FirstUsedAt = now }));
            db.AddRange(NewItem(now.AddDays(-8)), NewItem(now.AddDays(-6)));
        });

        while (await RetentionFeature.SweepOnce(fixture.Database, now, CancellationToken.None) > 0)
        {
        }

        await using var read = fixture.Database.OpenForReading();
        Assert.Equal(new[] { live.Id, kept.Id, expired.Id }.Order(), (await read.Set<Session>().Where(s => s.UserId == user.Id).Select(s => s.Id).ToListAsync()).Order());
        Assert.Equal(3, await read.Set<SessionClient>().CountAsync(s => s.ClientKey == client.Id));
        Assert.NotNull((await read.Set<Session>().SingleAsync(s => s.Id == expired.Id)).EndedAt);
        Assert.Equal((GrantState.Revoked, GrantState.Active, GrantState.Active), (await State(bound), await State(offline), await State(later)));
        // Nobody has signed out, so nobody is told.
        Assert.Equal(now.AddDays(-6).ToUnixTimeSeconds(), (await read.Set<OutboxItem>().SingleAsync()).CreatedAt.ToUnixTimeSeconds());

        async Task<GrantState> State(Grant grant) => (await read.Set<Grant>().SingleAsync(g => g.Id == grant.Id)).State;
        Session NewSession(DateTimeOffset idle, DateTimeOffset? endedAt = null) => new()
        {
            Id = Guid.CreateVersion7(now), UserId = user.Id, Seed = new byte[32], CreatedAt = now, AuthenticatedAt = now, Acr = "a", Amr = "pwd", LastUsedAt = now,
            IdleExpiresAt = idle, AbsoluteExpiresAt = now.AddDays(7), EndedAt = endedAt,
        };
        static OutboxItem NewItem(DateTimeOffset at) => new() { Id = Guid.CreateVersion7(at), Kind = "x", Target = "https://x.test/", Payload = "{}", DueAt = at, CreatedAt = at };
    }
}
