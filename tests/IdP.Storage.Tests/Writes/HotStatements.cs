using IdP.Accounts;
using IdP.Clients;
using IdP.Consents;
using IdP.Grants;
using IdP.Keys;
using IdP.Passkeys;
using IdP.Sessions;
using IdP.Testing;
using IdP.Tokens;
using IdP.Upstream;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace IdP.Storage.Tests.Writes;

public sealed class HotStatementsOnSqlite(SqliteFixture fixture) : HotStatementSuite(fixture), IClassFixture<SqliteFixture>;

public sealed class HotStatementsOnPostgres(PostgresFixture fixture) : HotStatementSuite(fixture), IClassFixture<PostgresFixture>;

[Collection(SqlServerDatabase.Collection)]
public sealed class HotStatementsOnSqlServer(SqlServerFixture fixture) : HotStatementSuite(fixture), IClassFixture<SqlServerFixture>;

/// <summary>The statements that are written by hand, with their parameters, in every engine.</summary>
public abstract class HotStatementSuite(StorageFixture fixture)
{
    private static readonly CancellationToken None = CancellationToken.None;

    [StorageFact]
    public async Task A_code_lives_from_its_request_to_the_last_rotation()
    {
        using var statements = new PreparedStatements(fixture.Database);
        var grants = new GrantStatements(statements);
        var (client, user, session) = await SignedIn("coded");
        var code = NewCode(client, user, session);
        Assert.Equal(1, await grants.AddCode(code, isPushed: false, None));

        var read = (await grants.Read(code.Id, None))!;
        Assert.Equal((GrantState.Code, user.Id, session.Id, true, "nonce ", (string?)null), (read.State, read.UserId, read.SessionId, read.EndsWithSession, read.Nonce, read.Claims));
        Assert.Equal(session.IdleExpiresAt.ToUnixTimeMilliseconds(), read.SessionExpiresAt.ToUnixTimeMilliseconds());
        Assert.Equal(1, await grants.CountWrongTry(code.Id, 3, fixture.Clock.GetUtcNow(), None));

        (code.Generation, code.RotatedAt, code.IdleExpiresAt, code.AbsoluteExpiresAt) = (1, fixture.Clock.GetUtcNow(), code.ExpiresAt, code.ExpiresAt);
        var redeemed = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => grants.Redeem(code, None)));
        Assert.Equal(1, redeemed.Sum());
        read = (await grants.Read(code.Id, None))!;
        Assert.Equal(1, await grants.GiveAgain(read, None));
        Assert.Equal(1, await grants.Keep(read, code.ExpiresAt, code.ExpiresAt, None));
        var rotated = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => grants.Rotate(read, fixture.Clock.GetUtcNow(), code.ExpiresAt, code.ExpiresAt, None)));
        Assert.Equal(1, rotated.Sum());
        Assert.Equal(2, (await grants.Read(code.Id, None))!.Generation);
    }

    [StorageFact]
    public async Task A_pushed_request_becomes_one_code_and_none_once_the_session_is_over()
    {
        using var statements = new PreparedStatements(fixture.Database);
        var grants = new GrantStatements(statements);
        var (client, user, session) = await SignedIn("pushed");
        var (pushed, late) = (NewCode(client, user, session), NewCode(client, user, session));
        foreach (var one in (Grant[])[pushed, late])
        {
            one.Request = new string('r', 9000);
            Assert.Equal(1, await grants.Push(one, None));
        }
        Assert.Equal(9000, (await grants.Read(pushed.Id, None))!.Request!.Length);

        var used = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => grants.AddCode(pushed, isPushed: true, None)));
        Assert.Equal(1, used.Sum());
        Assert.Equal((GrantState.Code, user.Id, (string?)null), ((await grants.Read(pushed.Id, None)) is { } read ? (read.State, read.UserId, read.Request) : default));

        await fixture.Write(db => db.Set<Session>().Where(s => s.Id == session.Id).ExecuteUpdate(set => set.SetProperty(s => s.EndedAt, fixture.Clock.GetUtcNow())));
        Assert.Equal(0, await grants.AddCode(late, isPushed: true, None));
        Assert.Equal(0, await grants.AddCode(NewCode(client, user, session), isPushed: false, None));
    }

    [StorageFact]
    public async Task What_is_there_already_is_not_added_and_is_no_failure()
    {
        using var statements = new PreparedStatements(fixture.Database);
        var sessions = new SessionStatements(statements);
        var (client, user, session) = await SignedIn("joined");
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => sessions.Join(session.Id, client.Id, fixture.Clock.GetUtcNow(), None)));
        Assert.Equal(1, await sessions.Use(session.Id, fixture.Clock.GetUtcNow(), session.IdleExpiresAt, None));
        Assert.Equal(user.UserName, (await sessions.Read(session.Id, None))!.UserName);
        await using var read = fixture.Database.OpenForReading();
        Assert.Equal(1, await read.Set<SessionClient>().CountAsync(s => s.SessionId == session.Id));

        var keys = new KeyRing(fixture.Database, fixture.Options, fixture.Clock);
        await keys.Open(None);
        var counts = new AttemptCounts(statements, keys, fixture.Options, fixture.Clock);
        var key = counts.Key("somebody");
        var taken = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => counts.Take(key, 5, TimeSpan.FromMinutes(1), None)));
        Assert.Equal(5, taken.Count(got => got));
    }

    [StorageFact]
    public async Task The_longest_client_id_is_found_and_is_unique()
    {
        using var statements = new PreparedStatements(fixture.Database);
        var liveness = new Liveness(statements);
        var directory = new ClientDirectory(fixture.Database);
        var longest = "https://app.example/" + new string('x', 2027);
        foreach (var last in (string[])["a", "b"]) await fixture.AddClient(longest + last);

        var found = (await directory.FindStored(longest + "a", None))!;
        Assert.Equal(longest + "a", found.ClientId);
        Assert.Null(await directory.FindStored(longest + "c", None));
        var token = new AccessTokenClaims
        {
            Issuer = "https://idp.test", Subject = found.ClientId, Audience = ["urn:api"], ClientId = found.ClientId, Scope = "read", IssuedAt = 0, ExpiresAt = 1, JwtId = "long", KeyId = "k", Generation = 1,
        };
        Assert.True(await liveness.IsAlive(token, None));
        Assert.False(await liveness.IsAlive(token with { ClientId = longest + "c" }, None));
        Assert.True(Database.IsUniqueViolation(await Assert.ThrowsAnyAsync<Exception>(() => fixture.AddClient(longest + "b"))));
    }

    [StorageFact]
    [Trait("Case", "UNI-05")]
    public async Task A_space_or_a_zero_at_the_end_counts()
    {
        var now = fixture.Clock.GetUtcNow();
        var user = await fixture.AddUser("spaced");
        var provider = new UpstreamProvider { Name = "spaces", DisplayName = "Spaces", Issuer = "https://spaces.test", ClientId = "c", CreatedAt = now };
        await fixture.Write(db => db.Add(provider));
        await fixture.Write(db => db.AddRange(
            new UpstreamLogin { Id = Guid.CreateVersion7(now), ProviderId = provider.Id, Subject = "subject", UserId = user.Id, CreatedAt = now, LastUsedAt = now },
            new Passkey { Id = Guid.CreateVersion7(now), UserId = user.Id, CredentialId = [1, 2, 3], Name = "key", PublicKey = [1], CreatedAt = now }));
        var accounts = new UpstreamAccounts(fixture.Database, null!, null!, null!, fixture.Clock);
        Assert.Equal(user.Id, (await accounts.Find(provider.Id, "subject", None))?.Id);
        Assert.Null(await accounts.Find(provider.Id, "subject ", None));
        using var statements = new PreparedStatements(fixture.Database);
        var passkeys = new PasskeyStatements(fixture.Database, statements, null!, null!, fixture.Clock);
        Assert.NotNull(await passkeys.Find([1, 2, 3], None));
        Assert.Null(await passkeys.Find([1, 2, 3, 0], None));
    }

    [StorageFact]
    public async Task A_second_row_with_the_same_primary_key_is_a_unique_violation()
    {
        Task Add() => fixture.Write(db => db.Add(new RevokedToken { JwtId = "only-once", ExpiresAt = fixture.Clock.GetUtcNow() }));
        await Add();
        Assert.True(Database.IsUniqueViolation(await Assert.ThrowsAnyAsync<Exception>(Add)));
    }

    private async Task<(Client Client, User User, Session Session)> SignedIn(string name)
    {
        var (client, user, now) = (await fixture.AddClient(name), await fixture.AddUser(name), fixture.Clock.GetUtcNow());
        var session = new Session
        {
            Id = Guid.CreateVersion7(now), UserId = user.Id, Seed = new byte[32], CreatedAt = now, AuthenticatedAt = now, Acr = "a", Amr = "pwd", LastUsedAt = now,
            IdleExpiresAt = now.AddHours(1), AbsoluteExpiresAt = now.AddDays(7),
        };
        await fixture.Write(db => db.AddRange(session, new Consent { UserId = user.Id, ClientKey = client.Id, Items = "[]", ClientDigest = new byte[32], GivenAt = now }));
        return (client, user, session);
    }

    private Grant NewCode(Client client, User user, Session session)
    {
        var code = fixture.NewGrant(client, user);
        (code.Id, code.State, code.SessionId, code.EndsWithSession, code.Nonce, code.HandleExpiresAt) =
            (Guid.CreateVersion7(), GrantState.Code, session.Id, true, "nonce ", fixture.Clock.GetUtcNow().AddMinutes(1));
        return code;
    }
}
