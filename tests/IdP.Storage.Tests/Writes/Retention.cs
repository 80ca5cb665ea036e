using IdP.Accounts;
using IdP.Grants;
using IdP.Retention;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace IdP.Storage.Tests.Writes;

public sealed class RetentionOnSqlite(SqliteFixture fixture) : RetentionSuite(fixture), IClassFixture<SqliteFixture>;

public sealed class RetentionOnPostgres(PostgresFixture fixture) : RetentionSuite(fixture), IClassFixture<PostgresFixture>;

public abstract class RetentionSuite(StorageFixture fixture)
{
    [Fact]
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
        Assert.Equal(newGrant.Id, (await read.Set<Grant>().SingleAsync()).Id);
        Assert.Equal(new byte[] { 2 }, (await read.Set<SignInAttempts>().SingleAsync()).Key);
    }
}
