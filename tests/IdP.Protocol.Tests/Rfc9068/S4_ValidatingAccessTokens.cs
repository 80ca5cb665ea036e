using System.Text.Json.Nodes;
using IdP.Protocol.Jose;
using IdP.Testing;

namespace IdP.Protocol.Tests.Rfc9068;

public sealed class S4_ValidatingAccessTokens
{
    private static readonly SigningKey Key = Example.Key(SigningAlgorithms.ES256);

    [Theory]
    [InlineData("at+jwt", true)]
    [InlineData("AT+JWT", true)]
    [InlineData("application/at+jwt", true)]
    [InlineData("Application/At+Jwt", true)]
    [InlineData("JWT", false)]
    [InlineData("application/jwt", false)]
    [InlineData(" at+jwt", false)]
    [Trait("Case", "JWT-09")]
    public void The_type_is_access_token_in_any_spelling_of_the_media_type(string type, bool accepted) =>
        Assert.Equal(accepted, CheckType(Example.Claims(), type) is null);

    [Fact]
    [Trait("Case", "JWT-10")]
    public void One_of_several_audiences_is_enough_on_either_side()
    {
        var claims = Example.Claims();
        claims["aud"] = new JsonArray("urn:other", Example.Audience);
        Assert.Null(CheckFor(claims, "urn:third", Example.Audience));
        Assert.NotNull(CheckFor(claims, "urn:third"));
        Assert.NotNull(CheckFor(claims));
    }

    [Fact]
    [Trait("Case", "JWT-10")]
    public void Audiences_are_compared_ordinally_even_if_the_set_was_made_otherwise()
    {
        var jwt = Example.Parse(HostileTokens.Honest(Key, Example.Claims()));
        var loose = new HashSet<string>(StringComparer.OrdinalIgnoreCase) { Example.Audience.ToUpperInvariant() };
        Assert.NotNull(AccessTokenRules.Check(jwt, Example.Issuer, loose, Example.Now, Example.Skew));
    }

    [Theory]
    [InlineData(-30, false)]
    [InlineData(-29, true)]
    [InlineData(0, true)]
    [InlineData(1, true)]
    [Trait("Case", "JWT-12")]
    public void A_token_expires_when_the_skew_is_over(int exp, bool accepted)
    {
        var claims = Example.Claims();
        claims["exp"] = Example.Now.ToUnixTimeSeconds() + exp;
        Assert.Equal(accepted, CheckFor(claims, Example.Audience) is null);
    }

    [Theory]
    [InlineData("nbf", 30, true)]
    [InlineData("nbf", 31, false)]
    [InlineData("iat", 30, true)]
    [InlineData("iat", 31, false)]
    [Trait("Case", "JWT-12")]
    public void A_token_from_the_future_is_not_valid_yet(string name, int ahead, bool accepted)
    {
        var claims = Example.Claims();
        claims[name] = Example.Now.ToUnixTimeSeconds() + ahead;
        Assert.Equal(accepted, CheckFor(claims, Example.Audience) is null);
    }

    [Fact]
    public void Fractions_of_a_second_count()
    {
        var jwt = Example.Parse(HostileTokens.Honest(Key, Example.Claims()));
        var end = Example.Now.AddSeconds(600);
        Assert.Null(AccessTokenRules.Check(jwt, Example.Issuer, [Example.Audience], end.AddMilliseconds(-1), TimeSpan.Zero));
        Assert.NotNull(AccessTokenRules.Check(jwt, Example.Issuer, [Example.Audience], end, TimeSpan.Zero));
        Assert.NotNull(AccessTokenRules.Check(jwt, Example.Issuer, [Example.Audience], Example.Now.AddMilliseconds(-1), TimeSpan.Zero));
    }

    [Fact]
    public void The_greatest_time_does_not_overflow()
    {
        var claims = Example.Claims();
        claims["exp"] = JwtClaims.MaximumTime;
        Assert.Null(CheckFor(claims, Example.Audience));
    }

    [Fact]
    public void Not_before_may_be_absent()
    {
        var claims = Example.Claims();
        claims.Remove("nbf");
        Assert.Null(CheckFor(claims, Example.Audience));
    }

    [Theory]
    [InlineData("""{"jkt":"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}""")]
    [InlineData("""{"x5t#S256":"bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"}""")]
    [InlineData("{}")]
    [InlineData("null")]
    public void A_token_bound_to_a_key_is_no_bearer_token(string confirmation)
    {
        var claims = Example.Claims();
        claims["cnf"] = JsonNode.Parse(confirmation);
        Assert.Contains("bound to a key", CheckFor(claims, Example.Audience), StringComparison.Ordinal);
    }

    private static string? CheckFor(JsonObject claims, params string[] audiences) => Check(claims, "at+jwt", audiences);

    private static string? CheckType(JsonObject claims, string type) => Check(claims, type, [Example.Audience]);

    private static string? Check(JsonObject claims, string type, string[] audiences) =>
        AccessTokenRules.Check(Example.Parse(ForgedJwt.Sign(Key, claims, type)), Example.Issuer, audiences, Example.Now, Example.Skew);
}
