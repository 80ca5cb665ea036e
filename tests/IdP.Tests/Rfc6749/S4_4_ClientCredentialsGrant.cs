using IdP.Protocol.OAuth;
using IdP.Testing;
using IdP.Tests.Support;
using Xunit;

namespace IdP.Tests.Rfc6749;

public sealed class S4_4_ClientCredentialsGrant(SqliteServer fixture) : IClassFixture<SqliteServer>
{
    private const string Token = "/connect/token";
    private readonly IdpServer _server = fixture.Server;

    [Fact]
    public async Task The_client_is_the_subject_and_gets_nothing_to_refresh()
    {
        var answer = await _server.ClientCredentials();

        Assert.Equal("service", answer.Claims["sub"]!.GetValue<string>());
        Assert.Equal("service", answer.Claims["client_id"]!.GetValue<string>());
        // RFC 6749 §4.4.3
        Assert.False(answer.Json.ContainsKey("refresh_token"));
        Assert.False(answer.Json.ContainsKey("id_token"));
    }

    [Fact]
    public async Task No_table_gets_a_row_and_none_loses_one()
    {
        await _server.ClientCredentials();
        var before = await _server.Count();

        for (var i = 0; i < 20; i++) Assert.Equal(200, (await _server.ClientCredentials(scope: i % 2 == 0 ? "items:read" : "items:read items:write")).Status);

        Assert.Equal(before, await _server.Count());
    }

    [Fact]
    [Trait("Case", "TOK-06")]
    public async Task A_public_client_may_not_use_it_even_if_somebody_gave_it_the_grant()
    {
        await _server.AddClient("public-plain", "password", "items:read", secret: null);
        await _server.AddClient("public-greedy", "client_credentials", "items:read", secret: null);

        await _server.Refused(400, "unauthorized_client", Token, null, ("grant_type", "client_credentials"), ("client_id", "public-plain"), ("scope", "items:read"));
        await _server.Refused(400, "unauthorized_client", Token, null, ("grant_type", "client_credentials"), ("client_id", "public-greedy"), ("scope", "items:read"));
    }

    [Fact]
    [Trait("Case", "TOK-12")]
    public async Task A_client_cannot_have_an_id_that_could_be_a_persons_sub()
    {
        var sub = (await _server.PasswordGrant("alice")).Claims["sub"]!.GetValue<string>();
        Assert.NotNull(ClientIdentifier.Problem(sub));
        Assert.NotNull(ClientIdentifier.Problem(sub.ToUpperInvariant()));

        // Nor does one that somebody wrote into the database itself.
        await _server.Change(async (db, version) =>
        {
            db.Add(new Clients.Client { ClientId = sub, GrantTypes = ["client_credentials"], Scopes = ["items:read"], IsPublic = false, AuthenticationMethods = ["client_secret_basic"], Version = version });
            await db.SaveChangesAsync();
        });
        await _server.Refused(401, "invalid_client", Token, sub, ("grant_type", "client_credentials"), ("scope", "items:read"));
    }

    [Fact]
    [Trait("Case", "TOK-13")]
    public async Task A_disabled_client_is_invalid_client()
    {
        await _server.AddClient("was-here", "client_credentials password", "items:read", c => c.DisabledAt = _server.Clock.GetUtcNow());

        var known = await _server.Refused(401, "invalid_client", Token, "was-here", ("grant_type", "client_credentials"), ("scope", "items:read"));
        await _server.Refused(401, "invalid_client", Token, "was-here", ("grant_type", "password"), ("username", "alice"), ("password", IdpServer.Password), ("scope", "items:read"));
        var unknown = await _server.Refused(401, "invalid_client", Token, "was-never-here", ("grant_type", "client_credentials"), ("scope", "items:read"));
        Assert.Equal(unknown.Body, known.Body);
    }
}
