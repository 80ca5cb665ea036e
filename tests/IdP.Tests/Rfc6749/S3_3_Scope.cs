using IdP.Testing;
using IdP.Tests.Support;
using Xunit;

namespace IdP.Tests.Rfc6749;

public sealed class S3_3_Scope(SqliteServer fixture) : IClassFixture<SqliteServer>
{
    private const string Token = "/connect/token";
    private readonly IdpServer _server = fixture.Server;

    [Theory]
    [InlineData("items:read items:write", "items:read items:write")]
    [InlineData("items:write items:read", "items:write items:read")]
    [InlineData("items:read items:read", "items:read")]
    [InlineData("items:write", "items:write")]
    public async Task The_token_has_the_scopes_that_were_asked_for_once_each(string asked, string given)
    {
        var answer = await _server.ClientCredentials(scope: asked);

        // RFC 6749 §3.3: said in the answer as well.
        Assert.Equal(given, answer.Json["scope"]!.GetValue<string>());
        Assert.Equal(given, answer.Claims["scope"]!.GetValue<string>());
    }

    [Theory]
    [Trait("Case", "TOK-07")]
    [InlineData("admin")]
    [InlineData("items:read admin")]
    [InlineData("nowhere")]
    [InlineData("items:read nowhere")]
    [InlineData("ITEMS:READ")]
    [InlineData("items:rea")]
    [InlineData("items:read\t")]
    [InlineData("items:read,items:write")]
    [InlineData(" items:read")]
    [InlineData("items:read ")]
    [InlineData("items:read  items:write")]
    [InlineData(" ")]
    [InlineData("items:\"read\"")]
    [InlineData("items:read\u00a0items:write")]
    [InlineData("*")]
    [InlineData("idp:admin")]
    public async Task A_scope_that_is_unknown_or_malformed_or_not_the_clients_is_invalid_scope_and_never_left_out_silently(string scope)
    {
        await _server.Refused(400, "invalid_scope", Token, "service", ("grant_type", "client_credentials"), ("scope", scope));
        await _server.Refused(400, "invalid_scope", Token, "app", ("grant_type", "password"), ("username", "alice"), ("password", IdpServer.Password), ("scope", scope));
    }

    [Fact]
    [Trait("Case", "TOK-07")]
    public async Task What_is_unknown_and_what_is_not_the_clients_get_one_answer()
    {
        var unknown = await _server.Refused(400, "invalid_scope", Token, "service", ("grant_type", "client_credentials"), ("scope", "nowhere"));
        var known = await _server.Refused(400, "invalid_scope", Token, "service", ("grant_type", "client_credentials"), ("scope", "admin"));

        Assert.Equal(unknown.Body.Replace("nowhere", "admin", StringComparison.Ordinal), known.Body);
    }

    [Theory, InlineData("openid"), InlineData("profile"), InlineData("email"), InlineData("openid items:read")]
    public async Task Scopes_about_a_person_mean_nothing_without_one(string scope)
    {
        await AddOnce("both", "client_credentials password", "openid profile email items:read");

        await _server.Refused(400, "invalid_scope", Token, "both", ("grant_type", "client_credentials"), ("scope", scope));
        Assert.Equal(200, (await _server.PasswordGrant("alice", clientId: "both", scope: scope)).Status);
    }

    [Fact]
    public async Task Without_scope_the_clients_default_scopes_are_given_and_a_client_without_any_gets_invalid_scope()
    {
        await AddOnce("nothing-by-default", "client_credentials password", "items:read items:write");

        Assert.Equal("items:read", (await _server.Post(Token, "service", ("grant_type", "client_credentials"))).Json["scope"]!.GetValue<string>());
        var person = await _server.Post(Token, "app", ("grant_type", "password"), ("username", "alice"), ("password", IdpServer.Password));
        Assert.Equal("openid items:read", person.Json["scope"]!.GetValue<string>());
        await _server.Refused(400, "invalid_scope", Token, "nothing-by-default", ("grant_type", "client_credentials"));
        await _server.Refused(400, "invalid_scope", Token, "nothing-by-default", ("grant_type", "password"), ("username", "alice"), ("password", IdpServer.Password));
    }

    [Fact]
    [Trait("Case", "TOK-07")]
    public async Task A_default_scope_that_the_client_no_longer_has_is_refused()
    {
        await _server.AddClient("lost-its-scope", "client_credentials", "items:read", c => c.DefaultScopes = ["items:read", "admin"]);
        await _server.AddClient("has-a-ghost", "client_credentials", "items:read gone", c => c.DefaultScopes = ["gone"]);

        await _server.Refused(400, "invalid_scope", Token, "lost-its-scope", ("grant_type", "client_credentials"));
        await _server.Refused(400, "invalid_scope", Token, "has-a-ghost", ("grant_type", "client_credentials"));
        await _server.Refused(400, "invalid_scope", Token, "has-a-ghost", ("grant_type", "client_credentials"), ("scope", "gone"));
    }

    [Fact]
    public async Task A_wrong_scope_is_found_before_the_password_is_looked_at()
    {
        // So that it costs no hash and says nothing about the password.
        var before = await _server.Count("SignInAttempts");
        await _server.Refused(400, "invalid_scope", Token, "app", ("grant_type", "password"), ("username", "bob"), ("password", "wrong"), ("scope", "admin"));

        Assert.Equal(before, await _server.Count("SignInAttempts"));
    }

    private async Task AddOnce(string id, string grants, string scopes)
    {
        if ((await _server.Post("/connect/introspect", id, ("token", "t"))).Status == 401) await _server.AddClient(id, grants, scopes);
    }
}
