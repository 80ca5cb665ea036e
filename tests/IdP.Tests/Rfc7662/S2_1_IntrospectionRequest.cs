using IdP.Testing;
using IdP.Tests.Support;
using Xunit;

namespace IdP.Tests.Rfc7662;

public sealed class S2_1_IntrospectionRequest(SqliteServer fixture) : IClassFixture<SqliteServer>
{
    private const string Path = "/connect/introspect";
    private readonly IdpServer _server = fixture.Server;

    [Fact]
    [Trait("Case", "INT-01")]
    [Trait("Case", "CLA-11")]
    public async Task The_caller_must_prove_who_it_is()
    {
        var token = (await _server.ClientCredentials()).AccessToken;

        await _server.Refused(401, "invalid_client", Path, null, ("token", token));
        await _server.Refused(401, "invalid_client", Path, null, ("token", token), ("client_id", "api"));
        await _server.Refused(Invariants.Form(Path, "api", "wrong", ("token", token)), 401, "invalid_client");
        // A token proves nothing about the caller here.
        await _server.Refused(Invariants.Raw(Path, "Bearer " + token, "token=" + token), 401, "invalid_client");
    }

    [Fact]
    [Trait("Case", "INT-01")]
    public async Task A_public_client_has_proved_nothing_and_may_not_ask_even_about_its_own_tokens()
    {
        await _server.AddClient("public-app", "password", "items:read", c => c.AllowPublicPasswordGrant = true, secret: null);
        var token = (await _server.Post("/connect/token", null, ("grant_type", "password"), ("client_id", "public-app"), ("username", "alice"), ("password", IdpServer.Password), ("scope", "items:read"))).AccessToken;

        await _server.Refused(401, "invalid_client", Path, null, ("token", token), ("client_id", "public-app"));
        await _server.Refused(Invariants.Form(Path, "public-app", "", ("token", token)), 401, "invalid_client");
    }

    [Fact]
    public async Task The_token_is_required()
    {
        await _server.Refused(400, "invalid_request", Path, "api");
        await _server.Refused(400, "invalid_request", Path, "api", ("token", ""));
        await _server.Refused(400, "invalid_request", Path, "api", ("token_type_hint", "access_token"));
    }

    [Theory]
    [Trait("Case", "INT-05")]
    [InlineData("access_token"), InlineData("refresh_token"), InlineData("id_token"), InlineData("nonsense"), InlineData("")]
    public async Task The_hint_changes_nothing(string hint)
    {
        var token = (await _server.ClientCredentials()).AccessToken;

        Assert.True((await _server.Post(Path, "api", ("token", token), ("token_type_hint", hint))).Active);
    }
}
