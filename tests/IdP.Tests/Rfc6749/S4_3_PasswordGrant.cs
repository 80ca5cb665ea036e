using IdP.Testing;
using IdP.Tests.Support;
using Xunit;

namespace IdP.Tests.Rfc6749;

public sealed class S4_3_PasswordGrant(SqliteServer fixture) : IClassFixture<SqliteServer>
{
    private const string Token = "/connect/token";
    private readonly IdpServer _server = fixture.Server;

    [Fact]
    public async Task The_right_password_gives_a_token_for_the_person_and_one_grant()
    {
        var before = await _server.Count("Grants");
        var answer = await _server.PasswordGrant("alice", scope: "openid items:read");

        Assert.Equal(200, answer.Status);
        Assert.Matches("^[0-9a-f]{32}$", answer.Claims["sub"]!.GetValue<string>());
        Assert.Equal(before + 1, await _server.Count("Grants"));
        // OpenID Connect Core §3.1.3.3 is about codes: this grant gives no ID token, and there is nothing to refresh with.
        Assert.False(answer.Json.ContainsKey("id_token"));
        Assert.False(answer.Json.ContainsKey("refresh_token"));
    }

    [Fact]
    public async Task A_person_is_found_by_user_name_or_confirmed_address_in_any_case()
    {
        await _server.AddUser("carol", configure: u => u.EmailConfirmed = false);

        foreach (var name in (string[])["alice", "ALICE", "Alice", " alice ", "alice@example.com", "ALICE@Example.COM"])
            Assert.Equal(200, (await _server.PasswordGrant(name)).Status);
        await Wrong("carol@example.com", IdpServer.Password);
    }

    [Theory]
    [Trait("Case", "TOK-13")]
    [InlineData("alice", "wrong")]
    [InlineData("nobody", IdpServer.Password)]
    [InlineData("mallory", IdpServer.Password)]
    [InlineData("mallory", "wrong")]
    [InlineData("alice\0", IdpServer.Password)]
    [InlineData("alice", IdpServer.Password + " ")]
    [InlineData("alice", "Correct-horse-battery")]
    public async Task Wrong_unknown_and_disabled_get_one_answer(string name, string password)
    {
        var expected = await Wrong("somebody", "else");
        var actual = await Wrong(name, password);

        Assert.Equal(expected.Body, actual.Body);
        Assert.Equal(Headers(expected), Headers(actual));
    }

    [Fact]
    public async Task Name_and_password_are_required()
    {
        await _server.Refused(400, "invalid_request", Token, "app", ("grant_type", "password"), ("username", "alice"), ("scope", "items:read"));
        await _server.Refused(400, "invalid_request", Token, "app", ("grant_type", "password"), ("password", IdpServer.Password), ("scope", "items:read"));
        await _server.Refused(400, "invalid_request", Token, "app", ("grant_type", "password"), ("scope", "items:read"));
    }

    [Fact]
    [Trait("Case", "TOK-06")]
    public async Task Only_a_client_that_was_given_the_grant_has_it_and_a_public_one_needs_a_second_switch()
    {
        await _server.AddClient("public-half", "password", "items:read", secret: null);
        await _server.AddClient("public-whole", "password", "items:read", c => c.AllowPublicPasswordGrant = true, secret: null);
        await _server.AddClient("public-switch-only", "", "items:read", c => c.AllowPublicPasswordGrant = true, secret: null);
        (string, string)[] form = [("grant_type", "password"), ("username", "alice"), ("password", IdpServer.Password), ("scope", "items:read")];

        await _server.Refused(400, "unauthorized_client", Token, "service", form);
        await _server.Refused(400, "unauthorized_client", Token, null, [.. form, ("client_id", "public-half")]);
        await _server.Refused(400, "unauthorized_client", Token, null, [.. form, ("client_id", "public-switch-only")]);
        Assert.Equal(200, (await _server.Post(Token, null, [.. form, ("client_id", "public-whole")])).Status);
    }

    private Task<Answer> Wrong(string name, string password) =>
        _server.Refused(400, "invalid_grant", Token, "app", ("grant_type", "password"), ("username", name), ("password", password), ("scope", "items:read"));

    private static IEnumerable<string> Headers(Answer answer) =>
        answer.Response.Headers.Concat(answer.Response.Content.Headers).Where(h => h.Key != "Date").Select(h => $"{h.Key}: {string.Join(",", h.Value)}").Order(StringComparer.Ordinal);
}
