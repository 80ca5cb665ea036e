using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using IdP.Protocol.Jose;
using IdP.Testing;

namespace IdP.Protocol.Tests.Rfc7517;

public sealed class S5_JwkSet
{
    private static readonly string Ec = Example.Jwk(SigningAlgorithms.ES256);
    private static readonly string Rsa = Example.Jwk(SigningAlgorithms.RS256);

    [Theory, MemberData(nameof(Example.Algorithms), MemberType = typeof(Example))]
    [Trait("Case", "DIS-04")]
    public void A_published_key_has_public_members_only(string algorithm)
    {
        using var json = JsonDocument.Parse(Example.Jwk(algorithm));
        string[] expected = algorithm == SigningAlgorithms.ES256
            ? ["alg", "crv", "kid", "kty", "use", "x", "y"]
            : ["alg", "e", "kid", "kty", "n", "use"];
        Assert.Equal(expected, json.RootElement.EnumerateObject().Select(member => member.Name).Order(StringComparer.Ordinal));
        Assert.Equal("sig", json.RootElement.GetProperty("use").GetString());
        Assert.Equal(algorithm, json.RootElement.GetProperty("alg").GetString());
        Assert.Equal(Example.Key(algorithm).KeyId, json.RootElement.GetProperty("kid").GetString());
    }

    [Fact]
    public void A_key_is_found_by_id_and_algorithm_together()
    {
        var keys = Example.Keys();
        foreach (var algorithm in SigningAlgorithms.All)
        {
            Assert.Equal(algorithm, keys.Find(Example.Key(algorithm).KeyId, algorithm)!.Algorithm);
            Assert.Null(keys.Find("nobody", algorithm));
            Assert.Null(keys.Find("", algorithm));
        }

        Assert.Null(keys.Find(Example.Key(SigningAlgorithms.ES256).KeyId, SigningAlgorithms.RS256));
        Assert.Null(keys.Find(Example.Key(SigningAlgorithms.RS256).KeyId.ToUpperInvariant(), SigningAlgorithms.RS256));
    }

    [Fact]
    [Trait("Case", "JWT-07")]
    public void Without_a_kid_the_only_key_of_the_algorithm_is_taken_and_none_of_several()
    {
        var key = Example.Key(SigningAlgorithms.ES256);
        var token = ForgedJwt.Sign(key, """{"alg":"ES256","typ":"at+jwt"}""", Example.Claims().ToJsonString());
        Assert.Null(Example.Verdict(token, Example.Keys()));

        using var second = SigningKey.Generate(SigningAlgorithms.ES256);
        var two = Example.KeySet(Ec, Jwk(second));
        Assert.Null(two.Find(null, SigningAlgorithms.ES256));
        Assert.Equal("no key", Example.Verdict(token, two));
    }

    [Fact]
    [Trait("Case", "JWT-07")]
    public void Two_keys_with_the_same_kid_and_algorithm_refuse_the_set()
    {
        using var second = SigningKey.Generate(SigningAlgorithms.ES256);
        var imitation = Jwk(second).Replace(second.KeyId, Example.Key(SigningAlgorithms.ES256).KeyId, StringComparison.Ordinal);
        Assert.False(JsonWebKeySet.TryParse(Example.Utf8($$"""{"keys":[{{Ec}},{{imitation}}]}"""), out var set, out var problem));
        Assert.Null(set);
        Assert.NotEmpty(problem);
    }

    [Fact]
    public void The_same_kid_for_another_algorithm_is_another_key()
    {
        var renamed = Rsa.Replace(Example.Key(SigningAlgorithms.RS256).KeyId, Example.Key(SigningAlgorithms.ES256).KeyId, StringComparison.Ordinal);
        Assert.Equal(2, Example.KeySet(Ec, renamed).Keys.Count);
    }

    [Fact]
    public void Keys_without_a_kid_are_no_duplicates_but_found_only_while_there_is_one()
    {
        using var second = SigningKey.Generate(SigningAlgorithms.ES256);
        var (first, other) = (Without(Ec, "kid"), Without(Jwk(second), "kid"));
        Assert.NotNull(Example.KeySet(first).Find(null, SigningAlgorithms.ES256));
        Assert.Null(Example.KeySet(first, other).Find(null, SigningAlgorithms.ES256));
        Assert.Null(Example.KeySet(first).Find("any", SigningAlgorithms.ES256));
    }

    [Theory]
    [InlineData("use", "\"enc\"")]
    [InlineData("use", "1")]
    [InlineData("alg", "\"ES384\"")]
    [InlineData("alg", "\"ECDH-ES\"")]
    [InlineData("alg", "null")]
    [InlineData("alg", "\"RS256\"")]
    [InlineData("kty", "\"oct\"")]
    [InlineData("kty", "\"OKP\"")]
    [InlineData("kty", "\"RSA\"")]
    [InlineData("crv", "\"P-384\"")]
    [InlineData("crv", "\"secp256k1\"")]
    [InlineData("kid", "7")]
    [InlineData("kid", "\"\"")]
    [InlineData("key_ops", "[\"encrypt\"]")]
    [InlineData("key_ops", "\"verify\"")]
    [InlineData("x", "\"AAAA\"")]
    [InlineData("x", "7")]
    [Trait("Case", "JWT-06")]
    public void A_key_for_another_purpose_or_of_an_unknown_kind_is_left_out(string member, string value) =>
        Assert.Equal(SigningAlgorithms.RS256, Assert.Single(Example.KeySet(With(Ec, member, value), Rsa).Keys).Algorithm);

    [Fact]
    public void Key_operations_that_include_verify_are_fine() => Assert.Single(Example.KeySet(With(Ec, "key_ops", "[\"verify\"]")).Keys);

    [Fact]
    public void An_RSA_key_without_alg_serves_RS256_and_PS256()
    {
        var keys = Example.KeySet(Without(Rsa, "alg"));
        Assert.Equal(["RS256", "PS256"], keys.Keys.Select(key => key.Algorithm));
        Assert.NotNull(keys.Find(Example.Key(SigningAlgorithms.RS256).KeyId, "PS256"));
    }

    [Fact]
    [Trait("Case", "JWT-15")]
    public void A_point_off_the_curve_is_left_out()
    {
        var point = JsonDocument.Parse(Ec).RootElement;
        Assert.True(CanonicalBase64Url.TryDecode(point.GetProperty("y").GetString(), out var y));
        y[31] ^= 1;
        Assert.Empty(Example.KeySet(With(Ec, "y", $"\"{CanonicalBase64Url.Encode(y)}\"")).Keys);
        var zero = $"\"{CanonicalBase64Url.Encode(new byte[32])}\"";
        Assert.Empty(Example.KeySet(With(With(Ec, "x", zero), "y", zero)).Keys);
        var ones = $"\"{CanonicalBase64Url.Encode(Enumerable.Repeat((byte)255, 32).ToArray())}\"";
        Assert.Empty(Example.KeySet(With(Ec, "x", ones)).Keys);
    }

    [Fact]
    public void A_weak_or_odd_RSA_key_is_left_out()
    {
        using var weak = RSA.Create(1024);
        Assert.Empty(Example.KeySet(With(Rsa, "n", $"\"{CanonicalBase64Url.Encode(weak.ExportParameters(false).Modulus)}\"")).Keys);
        Assert.True(CanonicalBase64Url.TryDecode(JsonDocument.Parse(Rsa).RootElement.GetProperty("n").GetString(), out var modulus));
        Assert.Single(Example.KeySet(With(Rsa, "n", Quoted(modulus))).Keys);
        Assert.Empty(Example.KeySet(With(Rsa, "n", Quoted([0, .. modulus]))).Keys);
        Assert.Empty(Example.KeySet(With(Rsa, "n", Quoted([.. modulus[..^1], (byte)(modulus[^1] & 0xfe)]))).Keys);
        Assert.Empty(Example.KeySet(With(Rsa, "n", Quoted([(byte)(modulus[0] & 0x7f), .. modulus[1..]]))).Keys);
        Assert.Empty(Example.KeySet(With(Rsa, "n", Quoted([1, .. new byte[1024], 1]))).Keys);
        foreach (byte[] exponent in (byte[][])[[], [0], [1], [2], [1, 0], [0, 1, 0, 1], [1, 0, 0, 0, 1]])
            Assert.Empty(Example.KeySet(With(Rsa, "e", Quoted(exponent))).Keys);
    }

    [Fact]
    public void Private_members_are_not_kept()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var all = key.ExportParameters(true);
        var set = Example.KeySet($$"""{"kty":"EC","crv":"P-256","x":{{Quoted(all.Q.X!)}},"y":{{Quoted(all.Q.Y!)}},"d":{{Quoted(all.D!)}}}""");
        var kept = Assert.Single(set.Keys);
        var data = "data"u8.ToArray();
        Assert.True(kept.Verify(data, key.SignData(data, HashAlgorithmName.SHA256)));
        Assert.DoesNotContain(typeof(VerificationKey).GetMethods(), method => method.Name.StartsWith("Sign", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"keys":{}}""")]
    [InlineData("""{"keys":[1]}""")]
    [InlineData("""{"keys":[],"keys":[]}""")]
    [InlineData("""{"keys":[{"kty":"EC","kty":"RSA"}]}""")]
    [InlineData("\uFEFF{\"keys\":[]}")]
    public void A_document_that_is_no_key_set_is_refused(string json) => Assert.False(JsonWebKeySet.TryParse(Example.Utf8(json), out _, out _));

    [Fact]
    public void A_set_of_too_many_entries_is_refused()
    {
        static byte[] Set(int count) => Encoding.UTF8.GetBytes("{\"keys\":[" + string.Join(',', Enumerable.Repeat("{}", count)) + "]}");
        Assert.True(JsonWebKeySet.TryParse(Set(JsonWebKeySet.MaximumKeys), out _, out _));
        Assert.False(JsonWebKeySet.TryParse(Set(JsonWebKeySet.MaximumKeys + 1), out _, out _));
    }

    private static string Quoted(byte[] bytes) => $"\"{CanonicalBase64Url.Encode(bytes)}\"";

    private static string With(string jwk, string member, string value)
    {
        var json = System.Text.Json.Nodes.JsonNode.Parse(jwk)!.AsObject();
        json[member] = System.Text.Json.Nodes.JsonNode.Parse(value);
        return json.ToJsonString();
    }

    private static string Without(string jwk, string member)
    {
        var json = System.Text.Json.Nodes.JsonNode.Parse(jwk)!.AsObject();
        json.Remove(member);
        return json.ToJsonString();
    }

    private static string Jwk(SigningKey key)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream)) key.WritePublicJwk(writer);
        return Encoding.UTF8.GetString(stream.ToArray());
    }
}
