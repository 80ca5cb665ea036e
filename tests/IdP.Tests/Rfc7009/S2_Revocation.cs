using IdP.Testing;
using IdP.Tests.Support;
using Xunit;

namespace IdP.Tests.Rfc7009;

public sealed class S2_1_RevocationRequest(SqliteServer fixture) : RevocationRequest(fixture), IClassFixture<SqliteServer>;

public sealed class S2_1_RevocationRequestOnNodes(PostgresNodes fixture) : RevocationRequest(fixture), IClassFixture<PostgresNodes>;

public abstract class RevocationRequest(ServerFixture fixture)
{
    private const string Path = "/connect/revoke";
    private readonly IdpServer _server = fixture.Server;

    [Fact]
    public async Task A_revoked_token_is_inactive_at_once_and_the_rest_of_its_grant_goes_on()
    {
        // RFC 7009 §2.1 leaves it to the server whether an access token takes its grant along; REV-03: it does not.
        var (first, second) = (await _server.PasswordGrant("alice"), await _server.PasswordGrant("alice"));
        Assert.True((await _server.Introspect(first.AccessToken)).Active);

        var answer = await _server.Sent(Invariants.Form(Path, "app", ("token", first.AccessToken)));

        Assert.Equal((200, ""), (answer.Status, answer.Body));
        Assert.False((await _server.Introspect(first.AccessToken)).Active);
        Assert.True((await _server.Introspect(second.AccessToken)).Active);
        // Once is enough.
        Assert.Equal(200, (await _server.Sent(Invariants.Form(Path, "app", ("token", first.AccessToken)))).Status);
    }

    [Fact]
    public async Task Another_clients_token_is_refused_and_stays_alive()
    {
        var token = (await _server.ClientCredentials()).AccessToken;
        var before = await _server.Count();

        await _server.Refused(400, "invalid_grant", Path, "app", ("token", token));
        await _server.Refused(400, "invalid_grant", Path, "api", ("token", token));

        Assert.True((await _server.Introspect(token)).Active);
        Assert.Equal(before, await _server.Count());
    }

    [Fact]
    [Trait("Case", "CLA-11")]
    public async Task The_client_authenticates_as_at_the_token_endpoint()
    {
        var token = (await _server.ClientCredentials()).AccessToken;

        await _server.Refused(401, "invalid_client", Path, null, ("token", token));
        await _server.Refused(401, "invalid_client", Path, null, ("token", token), ("client_id", "service"));
        await _server.Refused(Invariants.Form(Path, "service", "wrong", ("token", token)), 401, "invalid_client");
        await _server.Refused(400, "invalid_request", Path, "service");
        Assert.True((await _server.Introspect(token)).Active);
    }

    [Fact]
    [Trait("Case", "REV-07")]
    public async Task A_public_client_revokes_its_own_token_without_a_secret_and_no_other()
    {
        foreach (var id in (string[])["public-one", "public-two"])
            await _server.AddClient(id, "password", "items:read", c => c.AllowPublicPasswordGrant = true, secret: null);
        var token = (await _server.Post("/connect/token", null, ("grant_type", "password"), ("client_id", "public-one"), ("username", "alice"), ("password", IdpServer.Password), ("scope", "items:read"))).AccessToken;

        await _server.Refused(400, "invalid_grant", Path, null, ("client_id", "public-two"), ("token", token));
        Assert.True((await _server.Introspect(token)).Active);
        Assert.Equal(200, (await _server.Sent(Invariants.Form(Path, null, ("client_id", "public-one"), ("token", token)))).Status);
        Assert.False((await _server.Introspect(token)).Active);
    }

    [Theory]
    [Trait("Case", "REV-06")]
    [InlineData("access_token"), InlineData("refresh_token"), InlineData("nonsense"), InlineData("")]
    public async Task A_wrong_hint_does_not_save_a_token(string hint)
    {
        var token = (await _server.ClientCredentials()).AccessToken;

        Assert.Equal(200, (await _server.Post(Path, "service", ("token", token), ("token_type_hint", hint))).Status);
        Assert.False((await _server.Introspect(token)).Active);
    }
}

public sealed class S2_2_RevocationResponseOnSqlite(SqliteServer fixture) : S2_2_RevocationResponse(fixture), IClassFixture<SqliteServer>;

public sealed class S2_2_RevocationResponseOnNodes(PostgresNodes fixture) : S2_2_RevocationResponse(fixture), IClassFixture<PostgresNodes>;

public abstract class S2_2_RevocationResponse(ServerFixture fixture)
{
    private const string Path = "/connect/revoke";
    private readonly IdpServer _server = fixture.Server;

    [Fact]
    [Trait("Case", "REV-02")]
    public async Task What_is_no_token_or_no_longer_one_is_200_and_nothing_is_written()
    {
        var expired = (await _server.ClientCredentials()).AccessToken;
        var foreign = (await _server.ClientCredentials("service")).AccessToken;
        _server.Clock.Advance(TimeSpan.FromHours(1));
        var before = await _server.Count();

        foreach (var token in (string[])["garbage", "a.b.c", expired, foreign[..^4] + "AAAA", new string('A', 50_000), "\u0000", IdpServer.Secret])
        {
            var answer = await _server.Sent(Invariants.Form(Path, "service", ("token", token)));
            Assert.Equal((200, ""), (answer.Status, answer.Body));
        }
        Assert.Equal(before, await _server.Count());
    }
}
