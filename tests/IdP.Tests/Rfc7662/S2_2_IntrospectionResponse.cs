using System.Text.Json.Nodes;
using IdP.Resources;
using IdP.Testing;
using IdP.Tests.Support;
using Xunit;

namespace IdP.Tests.Rfc7662;

public sealed class S2_2_IntrospectionResponse(SqliteServer fixture) : IClassFixture<SqliteServer>
{
    private const string Path = "/connect/introspect";
    private const string Inactive = """{"active":false}""";
    private readonly IdpServer _server = fixture.Server;

    [Fact]
    public async Task An_active_token_is_described_as_it_was_issued()
    {
        var token = await _server.ClientCredentials(scope: "items:read items:write");
        var answer = await _server.Sent(Invariants.Form(Path, "api", ("token", token.AccessToken)));

        var expected = token.Claims;
        expected.Remove("gen");
        expected["active"] = true;
        expected["token_type"] = "Bearer";
        Assert.True(JsonNode.DeepEquals(expected, answer.Json), $"{expected} {answer.Body}");
    }

    [Fact]
    public async Task An_opaque_token_says_the_same_as_a_JWT()
    {
        var id = await _server.AddResource("urn:test:opaque", ["opaque:read"], r => r.TokenFormat = TokenFormat.Opaque);
        await _server.AddClient("opaque-api", "", "", c => c.ResourceId = id);
        await _server.AddClient("opaque-app", "password", "openid opaque:read");
        var token = await _server.PasswordGrant("alice", clientId: "opaque-app", scope: "openid opaque:read");

        var answer = await _server.Introspect(token.AccessToken, "opaque-api");

        Assert.DoesNotContain('.', token.AccessToken);
        Assert.Equal(["active", "aud", "auth_time", "client_id", "exp", "iat", "iss", "jti", "scope", "sub", "token_type"], answer.Json.Select(m => m.Key).Order(StringComparer.Ordinal));
        Assert.True(answer.Active);
        Assert.Equal("opaque-app", answer.Json["client_id"]!.GetValue<string>());
        Assert.Equal("openid opaque:read", answer.Json["scope"]!.GetValue<string>());
        Assert.Equal(["urn:test:opaque", _server.Issuer], answer.Json["aud"]!.AsArray().Select(a => a!.GetValue<string>()));
        Assert.Equal((await _server.PasswordGrant("alice")).Claims["sub"]!.GetValue<string>(), answer.Json["sub"]!.GetValue<string>());
    }

    [Fact]
    public async Task An_opaque_token_with_the_longest_names_is_still_one()
    {
        var id = await _server.AddResource("urn:test:opaque:long", ["opaque:long"], r => r.TokenFormat = TokenFormat.Opaque);
        var client = new string('c', 2048);
        await _server.AddClient("opaque-long-api", "", "", c => c.ResourceId = id);
        var scopes = string.Join(' ', Enumerable.Range(0, 15).Select(i => $"{i:d2}{new string('s', 198)}"));
        await _server.Change(async (db, version) =>
        {
            foreach (var name in scopes.Split(' ')) db.Add(new Scope { Name = name, ResourceId = id, Version = version });
            await db.SaveChangesAsync();
        });
        await _server.AddClient(client, "client_credentials", scopes);

        var token = await _server.ClientCredentials(client, scopes);

        Assert.True((await _server.Introspect(token.AccessToken, "opaque-long-api")).Active);
    }

    [Fact]
    public async Task A_token_is_described_to_its_audience_and_to_its_client_and_to_nobody_else()
    {
        var other = await _server.AddResource("urn:test:other", ["other:read"]);
        await _server.AddClient("other-api", "", "", c => c.ResourceId = other);
        await _server.AddClient("no-api", "", "");
        var token = (await _server.ClientCredentials()).AccessToken;

        Assert.True((await _server.Introspect(token, "api")).Active);
        Assert.True((await _server.Introspect(token, "service")).Active);
        foreach (var stranger in (string[])["other-api", "no-api", "app"])
            Assert.Equal(Inactive, (await _server.Sent(Invariants.Form(Path, stranger, ("token", token)))).Body);
    }

    [Fact]
    public async Task Either_identifier_of_a_resource_makes_it_the_audience()
    {
        var token = await _server.Post("/connect/token", "service", ("grant_type", "client_credentials"), ("scope", "items:read"), ("resource", "https://api.test"));

        Assert.Equal("https://api.test", token.Claims["aud"]!.GetValue<string>());
        var answer = await _server.Introspect(token.AccessToken);
        Assert.True(answer.Active);
        Assert.Equal("https://api.test", answer.Json["aud"]!.GetValue<string>());
    }

    [Fact]
    [Trait("Case", "INT-03")]
    [Trait("Case", "INT-06")]
    [Trait("Case", "INT-09")]
    public async Task Everything_that_is_not_a_live_access_token_for_the_caller_gets_one_answer_byte_for_byte()
    {
        var id = await _server.AddResource("urn:test:opaque:2", ["opaque2:read"], r => r.TokenFormat = TokenFormat.Opaque);
        await _server.AddClient("opaque2-app", "client_credentials", "opaque2:read");
        await _server.AddClient("opaque2-api", "", "", c => c.ResourceId = id);
        var revoked = (await _server.ClientCredentials()).AccessToken;
        Assert.Equal(200, (await _server.Post("/connect/revoke", "service", ("token", revoked))).Status);
        var opaque = (await _server.ClientCredentials("opaque2-app", "opaque2:read")).AccessToken;
        Assert.Equal(200, (await _server.Post("/connect/revoke", "opaque2-app", ("token", opaque))).Status);
        var expected = await _server.Sent(Invariants.Form(Path, "api", ("token", "garbage")));

        foreach (var token in (string[])
            [
                revoked, opaque, "x", ".", "..", "a.b.c", "e30.e30.e30", new string('A', 60_000), IdpServer.Secret, IdpServer.Password, "00000000-0000-0000-0000-000000000000",
                (await _server.ClientCredentials("opaque2-app", "opaque2:read")).AccessToken, "eyJhbGciOiJub25lIn0.e30.", "null", "true", "{}", "\u0661\u0662", "\ud83d\ude00",
            ])
        {
            var answer = await _server.Sent(Invariants.Form(Path, "api", ("token", token)));
            Assert.Equal(Inactive, answer.Body);
            Assert.Equal(Headers(expected), Headers(answer));
        }

        await _server.Refused(Invariants.Form(Path, "api", ("token", new string('A', 1_000_000))), 413, "invalid_request");
    }

    private static IEnumerable<string> Headers(Answer answer) =>
        answer.Response.Headers.Concat(answer.Response.Content.Headers).Where(h => h.Key != "Date").Select(h => $"{h.Key}: {string.Join(",", h.Value)}").Order(StringComparer.Ordinal);
}
