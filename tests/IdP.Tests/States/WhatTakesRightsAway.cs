using IdP.Accounts;
using IdP.Clients;
using IdP.Grants;
using IdP.Keys;
using IdP.Resources;
using IdP.Storage;
using IdP.Testing;
using IdP.Tests.Support;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace IdP.Tests.States;

/// <summary>
/// After a change that takes rights away has been acknowledged, every path refuses, at once where the database is asked. Each token is
/// looked at in three ways: by a server that remembers it as good, by one that has never seen it, and as an opaque token.
/// </summary>
public abstract class WhatTakesRightsAway(ServerFixture fixture)
{
    private readonly IdpServer _server = fixture.Server;

    [Fact]
    [Trait("Case", "STA-01")]
    [Trait("Case", "REF-12")]
    [Trait("Case", "TOK-13")]
    [Trait("Case", "INT-08")]
    public async Task A_disabled_person_has_no_token_and_gets_none()
    {
        await _server.AddUser("ursula");
        var tokens = await Tokens("ursula");

        await Write((services, db) => services.GetRequiredService<UserStatements>().Disable(db, "ursula", "cli", CancellationToken.None));

        await AllInactive(tokens);
        await _server.Refused(400, "invalid_grant", "/connect/token", "app", Person("ursula"));
        // A token that is already dead can be given back all the same.
        Assert.Equal(200, (await _server.Post("/connect/revoke", "app", ("token", tokens.Jwt))).Status);

        await Write((services, db) => services.GetRequiredService<UserStatements>().Enable(db, "ursula", "cli", CancellationToken.None));
        await AllInactive(tokens);
        Assert.True((await _server.Introspect((await _server.PasswordGrant("ursula")).AccessToken)).Active);
    }

    [Fact]
    [Trait("Case", "STA-01")]
    public async Task A_person_whom_somebody_disabled_in_the_database_itself_has_no_token_either()
    {
        var user = await _server.AddUser("vera");
        var tokens = await Tokens("vera");

        await Write((_, db) => db.Users.Where(u => u.Id == user.Id).ExecuteUpdateAsync(set => set.SetProperty(u => u.DisabledAt, DateTimeOffset.UnixEpoch)));

        await AllInactive(tokens);
        await _server.Refused(400, "invalid_grant", "/connect/token", "app", Person("vera"));
    }

    [Fact]
    [Trait("Case", "STA-02")]
    [Trait("Case", "ADM-16")]
    public async Task A_deleted_person_has_no_token_and_another_of_the_same_name_does_not_inherit_any()
    {
        var user = await _server.AddUser("wanda");
        var tokens = await Tokens("wanda");

        await Write((_, db) => db.Users.Where(u => u.Id == user.Id).ExecuteDeleteAsync());
        await AllInactive(tokens);
        await _server.Refused(400, "invalid_grant", "/connect/token", "app", Person("wanda"));

        await _server.AddUser("wanda");
        await AllInactive(tokens);
        Assert.NotEqual(user.Subject, (await _server.PasswordGrant("wanda")).Claims["sub"]!.GetValue<string>());
    }

    [Fact]
    [Trait("Case", "STA-03")]
    [Trait("Case", "REF-13")]
    public async Task A_changed_password_ends_every_token_and_the_old_password()
    {
        await _server.AddUser("xenia");
        var tokens = await Tokens("xenia");
        var password = await _server.NewPassword("another-Password-1", "xenia");

        await Write((services, db) => services.GetRequiredService<UserStatements>().ChangePassword(db, "xenia", password, "cli", CancellationToken.None));

        await AllInactive(tokens);
        await _server.Refused(400, "invalid_grant", "/connect/token", "app", Person("xenia"));
        Assert.Equal(200, (await _server.PasswordGrant("xenia", "another-Password-1")).Status);
    }

    [Fact]
    [Trait("Case", "STA-06")]
    [Trait("Case", "TOK-13")]
    [Trait("Case", "INT-08")]
    public async Task A_disabled_client_has_no_token_gets_none_and_may_only_revoke()
    {
        await _server.AddClient("doomed", "client_credentials password refresh_token", "items:read offline_access");
        await _server.AddUser("yvonne");
        var own = await Tokens(clientId: "doomed", person: null);
        var signIn = await _server.PasswordGrant("yvonne", clientId: "doomed", scope: "items:read offline_access");
        var (persons, refresh) = (signIn.AccessToken, signIn.Json["refresh_token"]!.GetValue<string>());
        Assert.True((await _server.Introspect(persons)).Active);

        await Write((services, db) => services.GetRequiredService<ClientStatements>().Disable(db, "doomed", "cli", CancellationToken.None));

        // Liveness is read from the database, so it does not wait for anything.
        await AllInactive(own with { Opaque = null });
        Assert.False((await _server.Introspect(persons)).Active);
        await _server.Poll();
        await _server.Refused(401, "invalid_client", "/connect/token", "doomed", ("grant_type", "client_credentials"), ("scope", "items:read"));
        await _server.Refused(401, "invalid_client", "/connect/token", "doomed", Person("yvonne"));
        await _server.Refused(401, "invalid_client", "/connect/token", "doomed", ("grant_type", "refresh_token"), ("refresh_token", refresh));
        await _server.Refused(401, "invalid_client", "/connect/introspect", "doomed", ("token", own.Jwt));
        Assert.Equal(200, (await _server.Sent(Invariants.Form("/connect/revoke", "doomed", ("token", own.Jwt)))).Status);

        await Write((services, db) => services.GetRequiredService<ClientStatements>().Enable(db, "doomed", "cli", CancellationToken.None));
        await _server.Poll();
        await AllInactive(own with { Opaque = null });
        Assert.False((await _server.Introspect(persons)).Active);
        await _server.Refused(400, "invalid_grant", "/connect/token", "doomed", ("grant_type", "refresh_token"), ("refresh_token", refresh));
        Assert.True((await _server.Introspect((await _server.ClientCredentials("doomed")).AccessToken)).Active);
    }

    [Fact]
    [Trait("Case", "STA-07")]
    public async Task A_client_that_lost_a_scope_or_a_grant_gets_no_more_tokens_with_it()
    {
        await _server.AddClient("shrinking", "client_credentials", "items:read items:write");
        Assert.Equal(200, (await _server.ClientCredentials("shrinking", "items:write")).Status);

        await Change("shrinking", client => client.Scopes = ["items:read"]);
        await _server.Refused(400, "invalid_scope", "/connect/token", "shrinking", ("grant_type", "client_credentials"), ("scope", "items:write"));
        await Change("shrinking", client => client.GrantTypes = []);
        await _server.Refused(400, "unauthorized_client", "/connect/token", "shrinking", ("grant_type", "client_credentials"), ("scope", "items:read"));
    }

    [Fact]
    [Trait("Case", "STA-08")]
    public async Task A_revoked_grant_ends_its_tokens()
    {
        var tokens = await Tokens("alice");

        await Write((_, db) => Grant.Revoke(db.Set<Grant>(), DateTimeOffset.UnixEpoch, CancellationToken.None));

        await AllInactive(tokens);
    }

    [Fact]
    [Trait("Case", "STA-11")]
    [Trait("Case", "JWT-19")]
    public async Task A_revoked_signing_key_ends_its_tokens_before_any_server_has_heard_of_it()
    {
        await _server.AddUser("zelda");
        var (own, persons) = (await Tokens(), await Tokens("zelda"));
        var kid = _server.Keys.Signer("ES256").KeyId;

        await RevokeKey(kid);

        await AllInactive(own with { Opaque = null });
        await AllInactive(persons with { Opaque = null, Refresh = null });
        await _server.Poll();
        // It signs nothing more, and is published no more.
        Assert.NotEqual(kid, _server.Keys.Signer("ES256").KeyId);
        var jwks = await _server.Http.GetStringAsync(new Uri("/.well-known/jwks.json", UriKind.Relative));
        Assert.DoesNotContain(kid, jwks, StringComparison.Ordinal);
        Assert.Contains(_server.Keys.Signer("ES256").KeyId, jwks, StringComparison.Ordinal);
        await AllInactive(own with { Opaque = null });
        Assert.True((await _server.Introspect((await _server.ClientCredentials()).AccessToken)).Active);
        // Given back, it is as good as revoked: nothing is written.
        var before = await _server.Count("RevokedTokens");
        Assert.Equal(200, (await _server.Post("/connect/revoke", "service", ("token", own.Jwt))).Status);
        Assert.Equal(before, await _server.Count("RevokedTokens"));
    }

    [Fact]
    [Trait("Case", "STA-11")]
    public async Task A_revoked_key_for_opaque_tokens_ends_those()
    {
        await _server.AddUser("yolanda");
        var tokens = await Tokens("yolanda");

        await RevokeKey(_server.Keys.Symmetric(KeyPurpose.SealToken).KeyId);

        Assert.False((await _server.Introspect(tokens.Opaque!, "opaque-api")).Active);
        await _server.Poll();
        Assert.False((await _server.Introspect(tokens.Opaque!, "opaque-api")).Active);
        Assert.True((await _server.Introspect((await _server.PasswordGrant("yolanda", clientId: "opaque-app", scope: "opaque:read")).AccessToken, "opaque-api")).Active);
        Assert.True((await _server.Introspect(tokens.Jwt)).Active);
    }

    [Fact]
    [Trait("Case", "INT-09")]
    public async Task A_revoked_token_that_is_remembered_as_good_is_inactive_at_once_on_every_server()
    {
        var tokens = await Tokens("bob");
        // After what the tokens need is there: a node that ran already would hear of it a second later.
        await using var other = await fixture.StartAnother();
        await Tokens("bob", other);
        for (var i = 0; i < 3; i++) Assert.True((await other.Introspect(tokens.Jwt)).Active);

        Assert.Equal(200, (await _server.Post("/connect/revoke", "app", ("token", tokens.Jwt))).Status);

        Assert.False((await other.Introspect(tokens.Jwt)).Active);
        Assert.False((await _server.Introspect(tokens.Jwt)).Active);
        Assert.True((await other.Introspect(tokens.Unseen)).Active);
        Assert.Equal(200, (await other.Post("/connect/revoke", "opaque-app", ("token", tokens.Opaque!))).Status);
        Assert.False((await _server.Introspect(tokens.Opaque!, "opaque-api")).Active);
    }

    [Fact]
    public async Task A_client_that_was_disabled_in_the_database_itself_is_refused_within_seconds_if_the_change_has_a_stamp()
    {
        await _server.AddClient("stamped", "client_credentials", "items:read");
        Assert.Equal(200, (await _server.ClientCredentials("stamped")).Status);

        await Write(async (_, db) =>
        {
            var stamp = await ServerState.NextStamp(db, CancellationToken.None);
            await db.Set<Client>().Where(c => c.ClientId == "stamped").ExecuteUpdateAsync(set => set.SetProperty(c => c.DisabledAt, DateTimeOffset.UnixEpoch).SetProperty(c => c.Version, stamp));
        });

        // What a command promises when it returns; the poll runs by itself.
        await Task.Delay(ChangePoll.Propagation + TimeSpan.FromSeconds(1));
        await _server.Refused(401, "invalid_client", "/connect/token", "stamped", ("grant_type", "client_credentials"), ("scope", "items:read"));
    }

    protected sealed record Set(string Jwt, string Unseen, string? Opaque, string? Refresh = null);

    /// <summary>Tokens that are active: one that this server has looked at, one that it has not, an opaque one, and a person's refresh token.</summary>
    private async Task<Set> Tokens(string? person = null, IdpServer? on = null, string clientId = "service")
    {
        var server = on ?? _server;
        if ((await server.Introspect("t", "opaque-api")).Status == 401)
        {
            var id = await server.AddResource("urn:test:opaque", ["opaque:read"], r => r.TokenFormat = TokenFormat.Opaque);
            await server.AddClient("opaque-api", "", "", c => c.ResourceId = id);
            await server.AddClient("opaque-app", "client_credentials password", "opaque:read");
            await server.AddClient("keeper", "password refresh_token", "offline_access items:read");
        }
        async Task<string> One(string client, string scope) =>
            (person is null ? await server.ClientCredentials(client, scope) : await server.PasswordGrant(person, clientId: client, scope: scope)).AccessToken;
        var client = person is null ? clientId : "app";
        var tokens = new Set(await One(client, "items:read"), await One(client, "items:read"), await One("opaque-app", "opaque:read"));
        if (person is not null)
            tokens = tokens with { Refresh = (await server.PasswordGrant(person, clientId: "keeper", scope: "offline_access items:read")).Json["refresh_token"]!.GetValue<string>() };
        Assert.True((await server.Introspect(tokens.Jwt)).Active);
        Assert.True((await server.Introspect(tokens.Opaque!, "opaque-api")).Active);
        return tokens;
    }

    private async Task AllInactive(Set tokens)
    {
        Assert.Equal("""{"active":false}""", (await _server.Introspect(tokens.Jwt)).Body);
        Assert.Equal("""{"active":false}""", (await _server.Introspect(tokens.Unseen)).Body);
        if (tokens.Opaque is { } opaque) Assert.Equal("""{"active":false}""", (await _server.Introspect(opaque, "opaque-api")).Body);
        if (tokens.Refresh is { } refresh) await _server.Refused(400, "invalid_grant", "/connect/token", "keeper", ("grant_type", "refresh_token"), ("refresh_token", refresh));
    }

    private static (string, string)[] Person(string name) => [("grant_type", "password"), ("username", name), ("password", IdpServer.Password), ("scope", "items:read")];

    private Task RevokeKey(string kid) => Write(async (services, db) =>
    {
        var key = await db.Set<StoredKey>().AsTracking().SingleAsync(k => k.KeyId == kid);
        await KeyStatements.Revoke(db, services.GetRequiredService<KeyRing>().Masters, key, services.GetRequiredService<TimeProvider>().GetUtcNow(), CancellationToken.None);
    });

    private Task Change(string clientId, Action<Client> change) => _server.Change(async (db, version) =>
    {
        var client = await db.Set<Client>().AsTracking().SingleAsync(c => c.ClientId == clientId);
        change(client);
        client.Version = version;
        await db.SaveChangesAsync();
    });

    /// <summary>A change as a command makes it: another process, of which this server hears when it polls.</summary>
    private Task Write(Func<IServiceProvider, IdpDbContext, Task> change) => _server.Database.Write(db => change(_server.App.Services, db), CancellationToken.None);
}

public sealed class WhatTakesRightsAwayOnSqlite(SqliteServer fixture) : WhatTakesRightsAway(fixture), IClassFixture<SqliteServer>;

public sealed class WhatTakesRightsAwayOnPostgres(PostgresServer fixture) : WhatTakesRightsAway(fixture), IClassFixture<PostgresServer>;

public sealed class WhatTakesRightsAwayOnNodes(PostgresNodes fixture) : WhatTakesRightsAway(fixture), IClassFixture<PostgresNodes>;
