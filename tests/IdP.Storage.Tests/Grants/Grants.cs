using IdP.Accounts;
using IdP.Clients;
using IdP.Grants;
using IdP.Keys;
using IdP.Tokens;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace IdP.Storage.Tests.Grants;

public sealed class GrantsOnSqlite(SqliteFixture fixture) : GrantSuite(fixture), IClassFixture<SqliteFixture>;

public sealed class GrantsOnPostgres(PostgresFixture fixture) : GrantSuite(fixture), IClassFixture<PostgresFixture>;

[Collection(IdP.Testing.SqlServerDatabase.Collection)]
public sealed class GrantsOnSqlServer(SqlServerFixture fixture) : GrantSuite(fixture), IClassFixture<SqlServerFixture>;

/// <summary>A grant exists only while its person and client may have it, and a token counts only while everything it hangs on does.</summary>
public abstract class GrantSuite(StorageFixture fixture)
{
    [StorageFact]
    public async Task A_grant_is_inserted_for_a_live_person_and_client()
    {
        var (client, user) = await Pair("live");
        Assert.True(await Insert(client, user));
    }

    [StorageFact]
    [Trait("Case", "STA-01")]
    public async Task A_disabled_person_gets_no_grant()
    {
        var (client, user) = await Pair("disabled-user");
        await fixture.Write(db => db.Users.Where(u => u.Id == user.Id).ExecuteUpdate(set => set.SetProperty(u => u.DisabledAt, fixture.Clock.GetUtcNow())));
        Assert.False(await Insert(client, user));
    }

    [StorageFact]
    [Trait("Case", "STA-03")]
    public async Task A_person_whose_password_changed_meanwhile_gets_no_grant()
    {
        var (client, user) = await Pair("changed-password");
        await fixture.Write(db => db.Users.Where(u => u.Id == user.Id).ExecuteUpdate(set => set.SetProperty(u => u.SecurityStamp, "another")));
        Assert.False(await Insert(client, user));
    }

    [StorageFact]
    [Trait("Case", "STA-06")]
    public async Task A_disabled_client_gets_no_grant()
    {
        var (client, user) = await Pair("disabled-client");
        await fixture.Write(db => db.Set<Client>().Where(c => c.Id == client.Id).ExecuteUpdate(set => set.SetProperty(c => c.DisabledAt, fixture.Clock.GetUtcNow())));
        Assert.False(await Insert(client, user));
    }

    [StorageFact]
    [Trait("Case", "STA-01")]
    public async Task A_grant_never_survives_the_disabling_that_it_raced()
    {
        var client = await fixture.AddClient("race");
        using var other = fixture.AnotherNode();
        for (var round = 0; round < 40; round++)
        {
            var user = await fixture.AddUser($"race-{round}");
            var insert = Enumerable.Range(0, 4).Select(_ => Insert(client, user)).ToList();
            var disable = other.Write(async db =>
            {
                await db.Users.Where(u => u.Id == user.Id).ExecuteUpdateAsync(set => set.SetProperty(u => u.DisabledAt, fixture.Clock.GetUtcNow()));
                await Grant.Revoke(db.Set<Grant>().Where(g => g.UserId == user.Id), fixture.Clock.GetUtcNow(), CancellationToken.None);
            }, CancellationToken.None);
            await Task.WhenAll(insert.Append(disable));
            await using var read = fixture.Database.OpenForReading();
            Assert.Equal(0, await read.Set<Grant>().CountAsync(g => g.UserId == user.Id && g.State == GrantState.Active));
        }
    }

    [StorageFact]
    public async Task A_token_of_a_grant_lives_as_long_as_everything_it_hangs_on()
    {
        using var statements = new PreparedStatements(fixture.Database);
        var liveness = new Liveness(statements);
        var (client, user) = await Pair("token");
        var grant = fixture.NewGrant(client, user);
        await fixture.Database.Write(db => Grant.Insert(db, grant, user.SecurityStamp!, CancellationToken.None), CancellationToken.None);
        var token = Token(client, "jti-grant") with { GrantId = grant.Id };
        Assert.True(await liveness.IsAlive(token, CancellationToken.None));

        var now = fixture.Clock.GetUtcNow();
        await Dies(liveness, token, db => db.Users.Where(u => u.Id == user.Id).ExecuteUpdateAsync(set => set.SetProperty(u => u.DisabledAt, now)),
            db => db.Users.Where(u => u.Id == user.Id).ExecuteUpdateAsync(set => set.SetProperty(u => u.DisabledAt, (DateTimeOffset?)null)));
        await Dies(liveness, token, db => db.Set<Client>().Where(c => c.Id == client.Id).ExecuteUpdateAsync(set => set.SetProperty(c => c.DisabledAt, now)),
            db => db.Set<Client>().Where(c => c.Id == client.Id).ExecuteUpdateAsync(set => set.SetProperty(c => c.DisabledAt, (DateTimeOffset?)null)));
        await Dies(liveness, token, async db => { db.Add(new RevokedToken { JwtId = token.JwtId, ExpiresAt = now }); return await db.SaveChangesAsync(); },
            db => db.Set<RevokedToken>().Where(t => t.JwtId == token.JwtId).ExecuteDeleteAsync());
        await Dies(liveness, token, db => Grant.Revoke(db.Set<Grant>().Where(g => g.Id == grant.Id), now, CancellationToken.None), undo: null);
    }

    [StorageFact]
    public async Task A_token_of_a_client_lives_as_long_as_its_generation()
    {
        using var statements = new PreparedStatements(fixture.Database);
        var liveness = new Liveness(statements);
        var client = await fixture.AddClient("machine");
        var token = Token(client, "jti-client") with { Generation = 1 };
        Assert.True(await liveness.IsAlive(token, CancellationToken.None));
        Assert.False(await liveness.IsAlive(token with { ClientId = "nobody" }, CancellationToken.None));
        await Dies(liveness, token, db => db.Set<Client>().Where(c => c.Id == client.Id).ExecuteUpdateAsync(set => set.SetProperty(c => c.Generation, 2)), undo: null);
    }

    [StorageFact]
    [Trait("Case", "STA-11")]
    public async Task A_token_dies_with_its_key()
    {
        using var statements = new PreparedStatements(fixture.Database);
        var liveness = new Liveness(statements);
        var (client, now) = (await fixture.AddClient("keyed"), fixture.Clock.GetUtcNow());
        var token = Token(client, "jti-key") with { Generation = 1, KeyId = "doomed" };
        await fixture.Write(db => db.Add(new StoredKey { KeyId = "doomed", Algorithm = "Y", Sealed = [1], MasterKeyId = "m", CreatedAt = now, ActiveFrom = now }));
        Assert.True(await liveness.IsAlive(token, CancellationToken.None));
        await Dies(liveness, token, db => db.Set<StoredKey>().Where(k => k.KeyId == "doomed").ExecuteUpdateAsync(set => set.SetProperty(k => k.RevokedAt, now)),
            db => db.Set<StoredKey>().Where(k => k.KeyId == "doomed").ExecuteDeleteAsync());
    }

    private async Task Dies(Liveness liveness, AccessTokenClaims token, Func<IdpDbContext, Task<int>> kill, Func<IdpDbContext, Task<int>>? undo)
    {
        Assert.InRange(await fixture.Database.Write(kill, CancellationToken.None), 1, int.MaxValue);
        Assert.False(await liveness.IsAlive(token, CancellationToken.None));
        if (undo is null) return;
        await fixture.Database.Write(undo, CancellationToken.None);
        Assert.True(await liveness.IsAlive(token, CancellationToken.None));
    }

    private async Task<(Client Client, User User)> Pair(string name) => (await fixture.AddClient(name), await fixture.AddUser(name));

    private Task<bool> Insert(Client client, User user) => fixture.Database.Write(
        db => Grant.Insert(db, fixture.NewGrant(client, user), user.SecurityStamp!, CancellationToken.None), CancellationToken.None);

    private static AccessTokenClaims Token(Client client, string jwtId) => new()
    {
        Issuer = "https://issuer.test", Subject = "s", Audience = ["a"], ClientId = client.ClientId, Scope = "", IssuedAt = 0, ExpiresAt = long.MaxValue,
        JwtId = jwtId, KeyId = "k",
    };
}
