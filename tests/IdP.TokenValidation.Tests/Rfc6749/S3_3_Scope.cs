using System.Text.Json.Nodes;
using IdP.Testing;
using Microsoft.AspNetCore.Authorization;

namespace IdP.TokenValidation.Tests.Rfc6749;

public sealed class S3_3_Scope : IAsyncLifetime
{
    private readonly SteppedClock _clock = new();
    private FakeIssuer _issuer = null!;
    private TestApi _api = null!;

    public async Task InitializeAsync()
    {
        _issuer = await FakeIssuer.Start();
        _api = await TestApi.Local(_issuer, _clock);
    }

    public async Task DisposeAsync()
    {
        await _api.DisposeAsync();
        await _issuer.DisposeAsync();
    }

    [Theory]
    [InlineData("\"items:read\"", 200)]
    [InlineData("\"a items:read z\"", 200)]
    [InlineData("\"\"", 403)]
    [InlineData("\"items:rea\"", 403)]
    [InlineData("\"items:read2\"", 403)]
    [InlineData("\"Items:Read\"", 403)]
    [InlineData("\"items:read,items:write\"", 403)]
    [InlineData("\"a\\titems:read\"", 403)]
    [InlineData("\"a\\nitems:read\"", 403)]
    [InlineData("\"a\\u00a0items:read\"", 403)]
    [InlineData("\"items:read\\u0000\"", 403)]
    [InlineData("[\"items:read\"]", 403)]
    [InlineData("{\"items:read\":1}", 403)]
    [InlineData("null", 403)]
    public async Task A_scope_is_one_word_of_a_string_with_spaces(string scope, int status)
    {
        var claims = _issuer.Claims(_clock);
        claims["scope"] = JsonNode.Parse(scope);
        Assert.Equal(status, (await _api.Get("/read", ForgedJwt.Sign(_issuer.Key, claims))).Status);
    }

    [Fact]
    public async Task A_token_without_scope_has_none()
    {
        var claims = _issuer.Claims(_clock);
        claims.Remove("scope");
        claims["scp"] = "items:read";
        Assert.Equal(403, (await _api.Get("/read", ForgedJwt.Sign(_issuer.Key, claims))).Status);
    }

    [Fact]
    public async Task The_user_has_one_claim_for_each_scope_and_each_value()
    {
        var claims = _issuer.Claims(_clock, "items:read items:write items:read");
        claims["aud"] = new JsonArray(TestApi.Audience, "urn:other");
        claims["jti"] = "id-1";
        claims["roles"] = new JsonArray("boss");
        claims["age"] = 7;
        claims["x"] = new JsonObject { ["y"] = true };
        var token = ForgedJwt.Sign(_issuer.Key, claims);
        var lines = (await _api.Get("/claims", token)).Body.Split('\n');
        Assert.Equal(
            [
                "age=7", "aud=urn:other", "aud=" + TestApi.Audience, "client_id=app", $"exp={claims["exp"]}", $"iat={claims["iat"]}", "iss=" + _issuer.Issuer,
                "jti=id-1", "roles=boss", "scope=items:read", "scope=items:write", "sub=alice", "x={\"y\":true}",
            ],
            lines.Order(StringComparer.Ordinal));
        Assert.Equal("alice", (await _api.Get("/name", token)).Body);
        Assert.Equal("role", (await _api.Get("/role", token)).Body);
    }

    [Theory]
    [InlineData("")]
    [InlineData("a b")]
    [InlineData("a\"b")]
    [InlineData("a\\b")]
    [InlineData("\u00e9")]
    [InlineData(null)]
    public void A_scope_that_cannot_be_one_is_refused_when_the_application_is_built(string? scope)
    {
        Assert.Throws<ArgumentException>(() => new AuthorizationPolicyBuilder().RequireScope(scope!));
        Assert.Throws<ArgumentException>(() => new AuthorizationPolicyBuilder().RequireScope("good", scope!));
        Assert.Throws<ArgumentException>(() => new AuthorizationPolicyBuilder().RequireScope());
    }
}
