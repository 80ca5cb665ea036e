using IdP.Testing;
using IdP.Tests.Support;
using Xunit;

namespace IdP.Tests.Rfc8707;

public sealed class S2_ResourceParameter(TwoApis fixture) : IClassFixture<TwoApis>
{
    private const string Token = "/connect/token";
    private static readonly (string, string) Grant = ("grant_type", "client_credentials");
    private readonly IdpServer _server = fixture.Server;

    [Theory]
    [Trait("Case", "TOK-09")]
    [InlineData("urn:unknown")]
    [InlineData("items")]
    [InlineData("/relative")]
    [InlineData("//host/path")]
    [InlineData("urn:test:api#fragment")]
    [InlineData("urn:test:api#")]
    [InlineData("urn:test:api ")]
    [InlineData("urn:test:API")]
    [InlineData("URN:test:api")]
    [InlineData("urn:test:ap")]
    [InlineData("urn:test:api/")]
    [InlineData("https://api.test/")]
    [InlineData("HTTPS://api.test")]
    [InlineData("https://API.test")]
    [InlineData("https://api.test:443")]
    [InlineData("https://api.test/../api.test")]
    [InlineData("urn:test:api?")]
    [InlineData("file:///etc/passwd")]
    [InlineData("javascript:alert(1)")]
    [InlineData("urn:test:\u00e4pi")]
    [InlineData("urn:test:api\0")]
    public async Task A_resource_that_is_not_known_to_the_letter_is_invalid_target(string resource)
    {
        await _server.Refused(400, "invalid_target", Token, "both", Grant, ("scope", "items:read"), ("resource", resource));
        await _server.Refused(400, "invalid_target", Token, "both", Grant, ("resource", resource));
    }

    [Fact]
    [Trait("Case", "TOK-09")]
    public async Task An_enormous_resource_is_invalid_target() =>
        await _server.Refused(400, "invalid_target", Token, "both", Grant, ("scope", "items:read"), ("resource", "urn:" + new string('x', 50_000)));

    [Fact]
    [Trait("Case", "TOK-07")]
    [Trait("Case", "TOK-09")]
    public async Task A_resource_of_which_the_client_has_no_scope_is_invalid_target()
    {
        await _server.Refused(400, "invalid_target", Token, "service", Grant, ("resource", "urn:test:second"));
        await _server.Refused(400, "invalid_target", Token, "service", Grant, ("scope", "items:read"), ("resource", "urn:test:second"));
    }

    [Fact]
    [Trait("Case", "TOK-09")]
    public async Task Several_resources_are_invalid_target_because_a_token_is_for_one()
    {
        await _server.Refused(400, "invalid_target", Token, "both", Grant, ("scope", "items:read"), ("resource", IdpServer.Api), ("resource", "urn:test:second"));
        await _server.Refused(400, "invalid_target", Token, "both", Grant, ("scope", "items:read"), ("resource", IdpServer.Api), ("resource", "https://api.test"));
        await _server.Refused(400, "invalid_target", Token, "both", Grant, ("scope", "items:read"), ("resource", IdpServer.Api), ("resource", IdpServer.Api));
        // One of them empty is one.
        Assert.Equal(200, (await _server.Post(Token, "both", Grant, ("scope", "items:read"), ("resource", IdpServer.Api), ("resource", ""))).Status);
    }

    [Theory]
    [InlineData("items:read", "urn:test:api", "urn:test:api")]
    [InlineData("items:read", "https://api.test", "https://api.test")]
    [InlineData("second:read", "urn:test:second", "urn:test:second")]
    public async Task The_named_identifier_is_the_audience(string scope, string resource, string audience)
    {
        var answer = await _server.Post(Token, "both", Grant, ("scope", scope), ("resource", resource));

        Assert.Equal(audience, answer.Claims["aud"]!.GetValue<string>());
    }

    [Fact]
    public async Task Without_resource_the_one_owner_of_the_scopes_is_the_audience_and_two_owners_are_invalid_scope()
    {
        Assert.Equal("urn:test:second", (await _server.ClientCredentials("both", "second:read")).Claims["aud"]!.GetValue<string>());
        await _server.Refused(400, "invalid_scope", Token, "both", Grant, ("scope", "items:read second:read"));
        // Nor do two default scopes make up for it.
        await _server.Refused(400, "invalid_scope", Token, "both", Grant);
    }

    [Fact]
    public async Task A_scope_of_another_resource_than_the_named_one_is_invalid_scope()
    {
        await _server.Refused(400, "invalid_scope", Token, "both", Grant, ("scope", "second:read"), ("resource", IdpServer.Api));
        await _server.Refused(400, "invalid_scope", Token, "both", Grant, ("scope", "items:read second:read"), ("resource", IdpServer.Api));
    }

    [Fact]
    public async Task A_named_resource_chooses_among_the_default_scopes()
    {
        var answer = await _server.Post(Token, "both", Grant, ("resource", "urn:test:second"));

        Assert.Equal("second:read", answer.Json["scope"]!.GetValue<string>());
        Assert.Equal("urn:test:second", answer.Claims["aud"]!.GetValue<string>());
    }

    [Fact]
    public async Task The_provider_itself_is_the_resource_that_owns_the_scopes_of_OpenID_Connect()
    {
        (string, string)[] alice = [("grant_type", "password"), ("username", "alice"), ("password", IdpServer.Password), ("resource", _server.Issuer)];

        var answer = await _server.Post(Token, "app", [.. alice, ("scope", "openid email")]);
        Assert.Equal(_server.Issuer, answer.Claims["aud"]!.GetValue<string>());
        // The default scopes of the API are left out, the provider's are given.
        Assert.Equal("openid", (await _server.Post(Token, "app", alice)).Json["scope"]!.GetValue<string>());
        await _server.Refused(400, "invalid_scope", Token, "app", [.. alice, ("scope", "openid items:read")]);
        await _server.Refused(400, "invalid_scope", Token, "service", Grant, ("scope", "items:read"), ("resource", _server.Issuer));
        await _server.Refused(400, "invalid_scope", Token, "service", Grant, ("resource", _server.Issuer));
        await _server.Refused(400, "invalid_target", Token, "app", [.. alice[..3], ("scope", "openid"), ("resource", _server.Issuer + "/")]);
    }

    [Fact]
    public async Task The_lifetime_and_the_format_are_the_named_resources()
    {
        var answer = await _server.Post(Token, "both", Grant, ("scope", "second:read"), ("resource", "urn:test:second"));

        Assert.Equal(120, answer.Json["expires_in"]!.GetValue<int>());
        Assert.Equal(3600, (await _server.ClientCredentials("both", "items:read")).Json["expires_in"]!.GetValue<int>());
    }
}

/// <summary>The usual server and a second API.</summary>
public sealed class TwoApis : IAsyncLifetime
{
    internal IdpServer Server { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Server = await IdpServer.Start();
        await Server.AddResource("urn:test:second", ["second:read"], r => r.AccessTokenLifetimeSeconds = 120);
        await Server.AddClient("both", "client_credentials", "items:read items:write second:read", c => c.DefaultScopes = ["items:read", "second:read"]);
    }

    public async Task DisposeAsync() => await Server.DisposeAsync();
}
