using System.Text;
using IdP.Protocol.Jose;
using IdP.Testing;

namespace IdP.Protocol.Tests.Rfc7515;

public sealed class S7_1_CompactSerialization
{
    private static readonly SigningKey Key = Example.Key(SigningAlgorithms.ES256);

    [Theory, MemberData(nameof(Example.Algorithms), MemberType = typeof(Example))]
    public void A_signed_token_has_alg_kid_and_typ_in_that_order(string algorithm)
    {
        var key = Example.Key(algorithm);
        var token = key.Sign("at+jwt", "{}"u8);
        Assert.True(CanonicalBase64Url.TryDecode(token.AsSpan(0, token.IndexOf('.')), out var header));
        Assert.Equal($$"""{"alg":"{{algorithm}}","kid":"{{key.KeyId}}","typ":"at+jwt"}""", Encoding.UTF8.GetString(header));
        Assert.True(Example.Parse(token).Verify(key.ToVerificationKey()));
    }

    [Fact]
    public void Each_type_gets_its_own_header_even_beyond_those_kept_ready()
    {
        for (var i = 0; i < 100; i++)
        {
            var jwt = Example.Parse(Key.Sign($"type-{i}", "{}"u8));
            Assert.Equal($"type-{i}", jwt.Type);
            Assert.True(jwt.Verify(Key.ToVerificationKey()));
        }
    }

    [Fact]
    public void A_type_is_written_as_a_JSON_string_whatever_it_holds() =>
        Assert.Equal("a\"\\\n\u00e9", Example.Parse(Key.Sign("a\"\\\n\u00e9", "{}"u8)).Type);

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("...")]
    [InlineData("e30")]
    [InlineData("e30.e30")]
    [InlineData(".e30.e30")]
    [InlineData("e30..e30")]
    [InlineData("e30.e30.")]
    [InlineData("e30.e30.e30.e30")]
    public void Anything_but_three_parts_with_content_is_refused(string text)
    {
        Assert.False(SignedJwt.TryParse(text, out var jwt, out var problem));
        Assert.Null(jwt);
        Assert.NotEmpty(problem);
    }

    [Fact]
    public void A_token_of_the_greatest_length_is_read_and_one_more_character_is_not()
    {
        var claims = Example.Claims();
        claims["pad"] = "";
        var missing = SignedJwt.MaximumLength - ForgedJwt.Sign(Key, claims).Length;
        claims["pad"] = new string('x', missing * 3 / 4);
        while (ForgedJwt.Sign(Key, claims).Length < SignedJwt.MaximumLength) claims["pad"] += "x";
        var token = ForgedJwt.Sign(Key, claims);
        Assert.Equal(SignedJwt.MaximumLength, token.Length);
        Assert.True(Example.Parse(token).Verify(Key.ToVerificationKey()));

        claims["pad"] += "x";
        token = ForgedJwt.Sign(Key, claims);
        Assert.True(token.Length > SignedJwt.MaximumLength);
        Assert.False(SignedJwt.TryParse(token, out _, out _));
    }

    [Fact]
    public void An_invented_header_member_is_ignored() =>
        Assert.True(Example.Parse(ForgedJwt.Sign(Key, ForgedJwt.Header(Key, "\"x5t\":\"AAAA\",\"invented\":{\"a\":[1]}"), "{}")).Verify(Key.ToVerificationKey()));

    [Theory]
    [InlineData(1, true)]
    [InlineData(256, true)]
    [InlineData(257, false)]
    [InlineData(0, false)]
    [Trait("Case", "JWT-06")]
    public void A_kid_has_1_to_256_characters(int length, bool accepted)
    {
        var header = $$"""{"alg":"ES256","kid":"{{new string('k', length)}}"}""";
        Assert.Equal(accepted, SignedJwt.TryParse(ForgedJwt.Sign(Key, header, "{}"), out _, out _));
    }

    [Theory]
    [InlineData("\\u0000")]
    [InlineData("a\\nb")]
    [InlineData("a\\u007f")]
    [InlineData("\\u0085a")]
    [Trait("Case", "JWT-06")]
    public void A_kid_with_a_control_character_is_refused(string kid) =>
        Assert.False(SignedJwt.TryParse(ForgedJwt.Sign(Key, $$"""{"alg":"ES256","kid":"{{kid}}"}""", "{}"), out _, out _));

    [Fact]
    public void A_disposed_key_signs_nothing()
    {
        var key = SigningKey.Generate(SigningAlgorithms.ES256);
        var verification = key.ToVerificationKey();
        var jwt = Example.Parse(key.Sign("JWT", "{}"u8));
        key.Dispose();
        Assert.Throws<ObjectDisposedException>(() => key.Sign("JWT", "{}"u8));
        Assert.True(jwt.Verify(verification));
    }
}
