using System.Text.Json;
using IdP.Testing;
using IdP.Tests.Support;
using Xunit;

namespace IdP.Tests.Rfc6749;

public sealed class S5_1_SuccessfulResponse(SqliteServer fixture) : IClassFixture<SqliteServer>
{
    private readonly IdpServer _server = fixture.Server;

    public static TheoryData<string> Grants => ["client_credentials", "password"];

    [Theory, MemberData(nameof(Grants))]
    [Trait("Case", "TOK-10")]
    public async Task The_answer_is_JSON_that_nobody_keeps_with_exactly_the_members_of_the_specification(string grant)
    {
        (string, string)[] form = grant == "password" ? [("username", "alice"), ("password", IdpServer.Password)] : [];
        var answer = await _server.Sent(Invariants.Form("/connect/token", grant == "password" ? "app" : "service", [("grant_type", grant), ("scope", "items:read"), .. form]));

        Assert.Equal(200, answer.Status);
        Assert.Equal("application/json", answer.Response.Content.Headers.ContentType!.ToString());
        Assert.Equal("no-store", answer.Header("Cache-Control"));
        Assert.Equal("", answer.Header("Set-Cookie"));
        Assert.Equal(["access_token", "expires_in", "scope", "token_type"], answer.Json.Select(member => member.Key).Order(StringComparer.Ordinal));
        Assert.Equal("Bearer", answer.Json["token_type"]!.GetValue<string>());
        Assert.Equal(JsonValueKind.Number, answer.Json["expires_in"]!.GetValueKind());
        Assert.Equal(3600, answer.Json["expires_in"]!.GetValue<int>());
        Assert.Equal(answer.Claims["exp"]!.GetValue<long>(), answer.Claims["iat"]!.GetValue<long>() + 3600);
    }

    [Theory, InlineData(null, null, 3600), InlineData(600, null, 600), InlineData(null, 60, 60), InlineData(600, 60, 60), InlineData(60, 600, 60), InlineData(7200, null, 7200)]
    public async Task The_lifetime_is_the_shorter_of_the_resources_and_the_clients_and_else_the_default(int? resource, int? client, int expected)
    {
        var name = $"life:{resource}:{client}";
        await _server.AddResource($"urn:{name}", [name], r => r.AccessTokenLifetimeSeconds = resource);
        await _server.AddClient(name, "client_credentials", name, c => c.AccessTokenLifetimeSeconds = client);

        var answer = await _server.ClientCredentials(name, name);

        Assert.Equal(expected, answer.Json["expires_in"]!.GetValue<int>());
        Assert.Equal(expected, answer.Claims["exp"]!.GetValue<long>() - answer.Claims["iat"]!.GetValue<long>());
    }
}

public sealed class S5_2_ErrorResponse(SqliteServer fixture) : IClassFixture<SqliteServer>
{
    private readonly IdpServer _server = fixture.Server;

    [Theory]
    [Trait("Case", "TOK-06")]
    [InlineData("Authorization_Code")]
    [InlineData("code")]
    [InlineData("implicit")]
    [InlineData("urn:ietf:params:oauth:grant-type:device_code")]
    [InlineData("urn:ietf:params:oauth:grant-type:token-exchange")]
    [InlineData("urn:ietf:params:oauth:grant-type:jwt-bearer")]
    [InlineData("Client_Credentials")]
    [InlineData("client_credentials ")]
    [InlineData("client_credentials password")]
    public async Task A_grant_that_does_not_exist_is_unsupported_grant_type(string grant) =>
        await _server.Refused(400, "unsupported_grant_type", "/connect/token", "service", ("grant_type", grant), ("scope", "items:read"), ("code", "x"), ("refresh_token", "x"));

    [Fact]
    [Trait("Case", "TOK-06")]
    public async Task A_grant_that_the_client_does_not_have_is_unauthorized_client()
    {
        await _server.Refused(400, "unauthorized_client", "/connect/token", "app", ("grant_type", "client_credentials"), ("scope", "items:read"));
        await _server.Refused(400, "unauthorized_client", "/connect/token", "api", ("grant_type", "client_credentials"), ("scope", "items:read"));
        await _server.Refused(400, "unauthorized_client", "/connect/token", "api", ("grant_type", "password"), ("username", "alice"), ("password", IdpServer.Password));
    }

    [Fact]
    public async Task A_request_without_grant_type_is_invalid_request() =>
        await _server.Refused(400, "invalid_request", "/connect/token", "service", ("scope", "items:read"));

    [Fact]
    public async Task Authentication_comes_before_everything_that_could_tell_something_about_the_client() =>
        await _server.Refused(Invariants.Form("/connect/token", "app", "wrong", ("grant_type", "nonsense"), ("scope", "nonsense")), 401, "invalid_client");

    [Fact]
    public async Task What_is_nowhere_is_404_and_says_nothing_else()
    {
        foreach (var path in (string[])["/", "/connect", "/connect/token/", "/connect/token/x", "/connect/authorize/x", "/.well-known/", "/connect//token", "/admin"])
        {
            var answer = await _server.Refused(new HttpRequestMessage(HttpMethod.Get, path), path == "/connect/token/" ? 405 : 404, path == "/connect/token/" ? "invalid_request" : "not_found");
            Assert.Equal("application/json", answer.Response.Content.Headers.ContentType!.ToString());
        }
    }
}
