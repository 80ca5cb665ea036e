using System.Text.Json;
using IdP.Protocol.Jose;
using IdP.Testing;

namespace IdP.Protocol.Tests.Rfc7519;

public sealed class S4_1_RegisteredClaims
{
    private static readonly SigningKey Key = Example.Key(SigningAlgorithms.ES256);

    [Fact]
    public void The_claims_are_read_as_they_are()
    {
        var claims = Example.Parse(HostileTokens.Honest(Key, Example.Claims())).Claims;
        Assert.Equal(Example.Issuer, claims.Issuer);
        Assert.Equal("demo-service", claims.Subject);
        Assert.Equal("demo-service", claims.ClientId);
        Assert.Equal("5nRzHc3hGQ0", claims.JwtId);
        Assert.Equal([Example.Audience], claims.Audiences);
        Assert.Equal(1_800_000_600, claims.ExpiresAt);
        Assert.Equal(1_800_000_000, claims.NotBefore);
        Assert.Equal(1_800_000_000, claims.IssuedAt);
        Assert.Equal("items:read items:write", claims.GetString("scope"));
        Assert.Null(claims.GetString("exp"));
        Assert.Null(claims.GetString("missing"));
        Assert.True(claims.TryGet("exp", out var exp) && exp.ValueKind == JsonValueKind.Number);
        Assert.False(claims.TryGet("missing", out _));
        Assert.Equal(JsonValueKind.Object, claims.Root.ValueKind);
    }

    [Fact]
    public void An_object_without_claims_is_a_token_without_claims()
    {
        var claims = Example.Parse(Key.Sign("JWT", "{}"u8)).Claims;
        Assert.Null(claims.Issuer);
        Assert.Null(claims.Subject);
        Assert.Null(claims.ExpiresAt);
        Assert.Empty(claims.Audiences);
    }

    [Theory]
    [InlineData("\"a\"", 1)]
    [InlineData("[\"a\"]", 1)]
    [InlineData("[\"a\",\"b\"]", 2)]
    [InlineData("[]", null)]
    [InlineData("[1]", null)]
    [InlineData("[\"a\",null]", null)]
    [InlineData("{}", null)]
    [InlineData("null", null)]
    [Trait("Case", "JWT-10")]
    public void An_audience_is_a_string_or_strings(string json, int? count)
    {
        var parsed = SignedJwt.TryParse(Key.Sign("JWT", Example.Utf8($$"""{"aud":{{json}}}""")), out var jwt, out _);
        Assert.Equal(count is not null, parsed);
        Assert.Equal(count, jwt?.Claims.Audiences.Count);
    }

    [Theory]
    [InlineData("0", 0L)]
    [InlineData("1700000000", 1_700_000_000L)]
    [InlineData("1700000000.0", 1_700_000_000L)]
    [InlineData("1.7e9", 1_700_000_000L)]
    [InlineData("253402300799", 253_402_300_799L)]
    [InlineData("253402300800", null)]
    [InlineData("-1", null)]
    [InlineData("0.5", null)]
    [InlineData("1e308", null)]
    [InlineData("1e999", null)]
    [InlineData("9223372036854775807", null)]
    [InlineData("9223372036854775808", null)]
    [InlineData("\"1700000000\"", null)]
    [InlineData("null", null)]
    [InlineData("[]", null)]
    [Trait("Case", "JWT-12")]
    public void A_time_is_a_whole_number_of_seconds_up_to_the_year_9999(string json, long? seconds)
    {
        foreach (var name in (string[])["exp", "nbf", "iat"])
        {
            var parsed = SignedJwt.TryParse(Key.Sign("JWT", Example.Utf8($$"""{"{{name}}":{{json}}}""")), out var jwt, out _);
            Assert.Equal(seconds is not null, parsed);
            Assert.Equal(seconds, name switch { "exp" => jwt?.Claims.ExpiresAt, "nbf" => jwt?.Claims.NotBefore, _ => jwt?.Claims.IssuedAt });
        }
    }
}
