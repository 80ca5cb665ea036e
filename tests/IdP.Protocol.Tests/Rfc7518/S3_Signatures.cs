using System.Security.Cryptography;
using IdP.Protocol.Jose;
using IdP.Testing;

namespace IdP.Protocol.Tests.Rfc7518;

public sealed class S3_Signatures
{
    private static readonly byte[] Data = "signing input"u8.ToArray();

    [Theory]
    [InlineData("none")]
    [InlineData("HS256")]
    [InlineData("ES384")]
    [InlineData("es256")]
    [InlineData("")]
    [InlineData(null)]
    public void Other_algorithms_are_not_supported(string? algorithm)
    {
        Assert.False(SigningAlgorithms.IsSupported(algorithm));
        Assert.Throws<ArgumentException>(() => SigningKey.Generate(algorithm!));
        Assert.Throws<ArgumentException>(() => SigningKey.Import(algorithm!, Example.Key(SigningAlgorithms.ES256).ExportPkcs8()));
    }

    [Theory, MemberData(nameof(Example.Algorithms), MemberType = typeof(Example))]
    public void An_exported_key_comes_back_the_same(string algorithm)
    {
        using var again = SigningKey.Import(algorithm, Example.Key(algorithm).ExportPkcs8());
        Assert.Equal(Example.Key(algorithm).KeyId, again.KeyId);
        Assert.True(Example.Parse(again.Sign("JWT", "{}"u8)).Verify(Example.Key(algorithm).ToVerificationKey()));
    }

    [Fact]
    public void A_key_of_the_wrong_kind_or_strength_is_not_imported()
    {
        var (ec, rsa) = (Example.Key(SigningAlgorithms.ES256).ExportPkcs8(), Example.Key(SigningAlgorithms.RS256).ExportPkcs8());
        Assert.ThrowsAny<CryptographicException>(() => SigningKey.Import(SigningAlgorithms.ES256, rsa));
        Assert.ThrowsAny<CryptographicException>(() => SigningKey.Import(SigningAlgorithms.RS256, ec));
        Assert.ThrowsAny<CryptographicException>(() => SigningKey.Import(SigningAlgorithms.ES256, []));
        Assert.ThrowsAny<CryptographicException>(() => SigningKey.Import(SigningAlgorithms.ES256, [.. ec, 0]));
        using var p384 = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        Assert.ThrowsAny<CryptographicException>(() => SigningKey.Import(SigningAlgorithms.ES256, p384.ExportPkcs8PrivateKey()));
        Assert.ThrowsAny<CryptographicException>(() => VerificationKey.FromEcdsa("k", p384));
        using var weak = RSA.Create(1024);
        Assert.ThrowsAny<CryptographicException>(() => SigningKey.Import(SigningAlgorithms.RS256, weak.ExportPkcs8PrivateKey()));
        Assert.ThrowsAny<CryptographicException>(() => VerificationKey.FromRsa("k", SigningAlgorithms.RS256, weak));
        Assert.Throws<ArgumentException>(() => VerificationKey.FromRsa("k", SigningAlgorithms.ES256, RSA.Create()));
    }

    [Fact]
    public void Keys_made_by_the_platform_verify_too()
    {
        using var ecdsa = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        Assert.True(VerificationKey.FromEcdsa("e", ecdsa).Verify(Data, ecdsa.SignData(Data, HashAlgorithmName.SHA256)));
        using var rsa = RSA.Create(3072);
        Assert.True(VerificationKey.FromRsa("r", "RS256", rsa).Verify(Data, rsa.SignData(Data, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)));
        Assert.True(VerificationKey.FromRsa("r", "PS256", rsa).Verify(Data, rsa.SignData(Data, HashAlgorithmName.SHA256, RSASignaturePadding.Pss)));
        Assert.False(VerificationKey.FromRsa("r", "PS256", rsa).Verify(Data, rsa.SignData(Data, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)));
        Assert.False(VerificationKey.FromRsa("r", "RS256", rsa).Verify(Data, rsa.SignData(Data, HashAlgorithmName.SHA256, RSASignaturePadding.Pss)));
        Assert.False(VerificationKey.FromRsa("r", "RS256", rsa).Verify(Data, rsa.SignData(Data, HashAlgorithmName.SHA1, RSASignaturePadding.Pkcs1)));
    }

    [Fact]
    [Trait("Case", "JWT-17")]
    public void A_key_verifies_only_what_its_own_algorithm_is_named_in()
    {
        // The signature is right for the key; the header names another algorithm of the same kind.
        var key = Example.Key(SigningAlgorithms.PS256);
        var jwt = Example.Parse(ForgedJwt.Sign(key, $$"""{"alg":"RS256","kid":"{{key.KeyId}}"}""", "{}"));
        Assert.False(jwt.Verify(key.ToVerificationKey()));
        Assert.True(Example.Parse(ForgedJwt.Sign(key, $$"""{"alg":"PS256","kid":"{{key.KeyId}}"}""", "{}")).Verify(key.ToVerificationKey()));
    }

    [Theory, MemberData(nameof(Example.Algorithms), MemberType = typeof(Example))]
    [Trait("Case", "JWT-16")]
    public void A_signature_of_any_other_length_is_false_and_no_exception(string algorithm)
    {
        var key = Example.Key(algorithm).ToVerificationKey();
        for (var length = 0; length < 600; length++) Assert.False(key.Verify(Data, new byte[length]));
    }

    [Fact]
    [Trait("Case", "JWT-16")]
    public void The_edge_values_of_r_and_s_are_refused()
    {
        // The order of P-256 (FIPS 186-4, D.1.2.3).
        var order = Convert.FromHexString("FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551");
        byte[][] edges = [new byte[32], [.. new byte[31], 1], order, [.. Enumerable.Repeat((byte)255, 32)]];
        var key = Example.Key(SigningAlgorithms.ES256).ToVerificationKey();
        foreach (var r in edges)
        {
            foreach (var s in edges) Assert.False(key.Verify(Data, [.. r, .. s]));
        }
    }
}
