using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using IdP.Protocol.Jose;

namespace IdP.Protocol.Tests.Rfc7638;

public sealed class S3_Thumbprint
{
    [Fact]
    public void The_published_example_comes_out()
    {
        // RFC 7638 §3.1.
        Assert.True(CanonicalBase64Url.TryDecode(
            "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9"
            + "yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6We"
            + "Zu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
            out var modulus));
        using var rsa = RSA.Create(new RSAParameters { Modulus = modulus, Exponent = [1, 0, 1] });
        Assert.Equal("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs", PublicKey.FromRsa(rsa).Thumbprint());
    }

    [Fact]
    public void An_EC_kid_is_the_hash_of_its_required_members()
    {
        var key = Example.Key(SigningAlgorithms.ES256);
        var jwk = JsonDocument.Parse(Example.Jwk(SigningAlgorithms.ES256)).RootElement;
        var json = $$"""{"crv":"P-256","kty":"EC","x":"{{jwk.GetProperty("x").GetString()}}","y":"{{jwk.GetProperty("y").GetString()}}"}""";
        Assert.Equal(CanonicalBase64Url.Encode(SHA256.HashData(Encoding.UTF8.GetBytes(json))), key.KeyId);
        Assert.Equal(43, key.KeyId.Length);
    }
}
