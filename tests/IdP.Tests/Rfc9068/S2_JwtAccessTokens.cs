using System.Text.Json.Nodes;
using IdP.Protocol.Jose;
using IdP.Testing;
using IdP.Tests.Support;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Xunit;

namespace IdP.Tests.Rfc9068;

/// <summary>What is issued, as another implementation of the specification reads and verifies it.</summary>
public sealed class S2_JwtAccessTokens(SqliteServer fixture) : IClassFixture<SqliteServer>
{
    private readonly IdpServer _server = fixture.Server;

    public static TheoryData<string> Algorithms => [.. SigningAlgorithms.All];

    [Theory, MemberData(nameof(Algorithms))]
    public async Task Another_implementation_verifies_a_clients_token_with_the_published_keys(string algorithm)
    {
        await Prepare(algorithm);
        var answer = await _server.ClientCredentials("app-" + algorithm, algorithm);
        var token = await Verified(answer.AccessToken, algorithm);

        // RFC 9068 §2.1
        Assert.Equal(algorithm, token.Alg);
        Assert.Equal("at+jwt", token.Typ);
        Assert.Equal(_server.Keys.Signer(algorithm).KeyId, token.Kid);
        // RFC 9068 §2.2, and the client's generation in place of a grant.
        Assert.Equal(["aud", "client_id", "exp", "gen", "iat", "iss", "jti", "scope", "sub"], answer.Claims.Select(c => c.Key).Order(StringComparer.Ordinal));
        Assert.Equal(_server.Issuer, token.Issuer);
        Assert.Equal("app-" + algorithm, token.Subject);
        Assert.Equal("app-" + algorithm, token.GetClaim("client_id").Value);
        Assert.Equal(["urn:test:" + algorithm], token.Audiences);
        Assert.Equal(algorithm, token.GetClaim("scope").Value);
        Assert.Equal(TimeSpan.FromHours(1), token.ValidTo - token.IssuedAt);
        Assert.True((_server.Clock.GetUtcNow().UtcDateTime - token.IssuedAt).Duration() < TimeSpan.FromSeconds(60));
        Assert.True(token.Id.Length >= 22, "at least 128 bits");
    }

    [Theory, MemberData(nameof(Algorithms))]
    public async Task Another_implementation_verifies_a_persons_token_with_the_published_keys(string algorithm)
    {
        await Prepare(algorithm);
        var answer = await _server.PasswordGrant("alice", clientId: "app-" + algorithm, scope: "openid email " + algorithm);
        var token = await Verified(answer.AccessToken, algorithm);

        Assert.Equal(["aud", "auth_time", "client_id", "exp", "gid", "iat", "iss", "jti", "scope", "sub"], answer.Claims.Select(c => c.Key).Order(StringComparer.Ordinal));
        Assert.Equal(["urn:test:" + algorithm, _server.Issuer], token.Audiences);
        Assert.Equal(token.GetClaim("iat").Value, token.GetClaim("auth_time").Value);
        Assert.Equal("openid email " + algorithm, token.GetClaim("scope").Value);
        // Neither the address nor the name is in a token that any API may read.
        Assert.DoesNotContain("alice", Decoded(answer.AccessToken), StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData("client_credentials", "items:read", "urn:test:api")]
    [InlineData("password", "items:read", "urn:test:api")]
    [InlineData("password", "openid items:read", "urn:test:api ISSUER")]
    [InlineData("password", "openid", "ISSUER")]
    [InlineData("password", "profile", "ISSUER")]
    [InlineData("password", "items:read email", "urn:test:api")]
    public async Task The_audience_is_the_API_and_the_provider_itself_when_openid_is_granted(string grant, string scope, string audience)
    {
        var answer = grant == "password" ? await _server.PasswordGrant("alice", scope: scope) : await _server.ClientCredentials(scope: scope);

        var token = new JsonWebToken(answer.AccessToken);
        Assert.Equal(audience.Replace("ISSUER", _server.Issuer, StringComparison.Ordinal).Split(' '), token.Audiences);
        // RFC 9068 §3: one audience is a string, as most verifiers expect it.
        Assert.Equal(audience.Contains(' ', StringComparison.Ordinal), answer.Claims["aud"] is JsonArray);
    }

    [Fact]
    [Trait("Case", "JWT-23")]
    public async Task No_parameter_of_a_request_ends_up_in_a_claim()
    {
        var answer = await _server.Post("/connect/token", "service", ("grant_type", "client_credentials"), ("scope", "items:read"), ("sub", "alice"), ("iss", "https://evil.example"),
            ("aud", "urn:other"), ("exp", "99999999999"), ("client", "x"), ("act", "{}"), ("cnf", "{}"), ("roles", "admin"), ("claims", "{\"sub\":\"alice\"}"));

        Assert.Equal(["aud", "client_id", "exp", "gen", "iat", "iss", "jti", "scope", "sub"], answer.Claims.Select(c => c.Key).Order(StringComparer.Ordinal));
        Assert.Equal(("service", _server.Issuer, IdpServer.Api), (answer.Claims["sub"]!.GetValue<string>(), answer.Claims["iss"]!.GetValue<string>(), answer.Claims["aud"]!.GetValue<string>()));
    }

    [Theory, InlineData("jwt"), InlineData("opaque")]
    public async Task A_token_ends_with_its_last_second(string format)
    {
        var name = "ends:" + format;
        var id = await _server.AddResource("urn:" + name, [name], r => (r.AccessTokenLifetimeSeconds, r.TokenFormat) = (100, format == "jwt" ? Resources.TokenFormat.Jwt : Resources.TokenFormat.Opaque));
        await _server.AddClient(name, "client_credentials", name, c => c.ResourceId = id);
        var answer = await _server.ClientCredentials(name, name);

        _server.Clock.Advance(TimeSpan.FromSeconds(97));
        Assert.True((await _server.Introspect(answer.AccessToken, name)).Active);
        // Remembered as good or not, it makes no difference.
        _server.Clock.Advance(TimeSpan.FromSeconds(4));
        Assert.Equal("""{"active":false}""", (await _server.Introspect(answer.AccessToken, name)).Body);
    }

    private async Task Prepare(string algorithm)
    {
        if ((await _server.Introspect("t", "app-" + algorithm)).Status != 401) return;
        await _server.AddResource("urn:test:" + algorithm, [algorithm], r => r.Algorithm = algorithm);
        await _server.AddClient("app-" + algorithm, "client_credentials password", "openid email " + algorithm);
    }

    private async Task<JsonWebToken> Verified(string token, string algorithm)
    {
        var keys = new Microsoft.IdentityModel.Tokens.JsonWebKeySet(await _server.Http.GetStringAsync(new Uri("/.well-known/jwks.json", UriKind.Relative)));
        var result = await new JsonWebTokenHandler().ValidateTokenAsync(token, new TokenValidationParameters
        {
            ValidIssuer = _server.Issuer,
            ValidAudience = "urn:test:" + algorithm,
            ValidTypes = ["at+jwt"],
            ValidAlgorithms = [algorithm],
            IssuerSigningKeys = keys.GetSigningKeys(),
            // The server's clock is the test's; lifetimes are checked above.
            LifetimeValidator = (_, _, _, _) => true,
            TryAllIssuerSigningKeys = false,
        });
        Assert.True(result.IsValid, result.Exception?.Message);
        return (JsonWebToken)result.SecurityToken;
    }

    private static string Decoded(string token) => Base64UrlEncoder.Decode(token.Split('.')[1]);
}
