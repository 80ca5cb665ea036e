using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using IdP.Protocol.Jose;

namespace IdP.Testing;

/// <summary>Makes compact tokens that <see cref="SigningKey"/> would never make: any header, any payload, any signature.</summary>
public static class ForgedJwt
{
    /// <summary>An honest signature over whatever header and payload the test wants.</summary>
    public static string Sign(SigningKey key, string header, string payload) =>
        Sign(key, Encoding.UTF8.GetBytes(header), Encoding.UTF8.GetBytes(payload));

    public static string Sign(SigningKey key, byte[] header, byte[] payload)
    {
        var input = Input(header, payload);
        return input + "." + Base64Url.EncodeToString(SignInput(key, input));
    }

    /// <summary>A token as the provider would make it, but with these claims.</summary>
    public static string Sign(SigningKey key, JsonObject claims, string type = "at+jwt") =>
        key.Sign(type, Encoding.UTF8.GetBytes(claims.ToJsonString()));

    public static string Hmac(byte[] secret, string header, string payload)
    {
        var input = Input(Encoding.UTF8.GetBytes(header), Encoding.UTF8.GetBytes(payload));
        return input + "." + Base64Url.EncodeToString(HMACSHA256.HashData(secret, Encoding.ASCII.GetBytes(input)));
    }

    public static string WithoutSignature(string header, string payload) => Input(Encoding.UTF8.GetBytes(header), Encoding.UTF8.GetBytes(payload)) + ".";

    /// <summary>Header and payload of a token with another signature.</summary>
    public static string WithSignature(string token, byte[] signature) =>
        token[..(token.LastIndexOf('.') + 1)] + Base64Url.EncodeToString(signature);

    public static byte[] Signature(string token) => Base64Url.DecodeFromChars(token.AsSpan(token.LastIndexOf('.') + 1));

    /// <summary>The header that the provider writes, with members added to it or changed.</summary>
    public static string Header(SigningKey key, string? additional = null) =>
        $$"""{"alg":"{{key.Algorithm}}","kid":"{{key.KeyId}}","typ":"at+jwt"{{(additional is null ? "" : "," + additional)}}}""";

    public static byte[] SignInput(SigningKey key, string signingInput)
    {
        var data = Encoding.ASCII.GetBytes(signingInput);
        if (key.Algorithm == SigningAlgorithms.ES256)
        {
            using var ecdsa = ECDsa.Create();
            ecdsa.ImportPkcs8PrivateKey(key.ExportPkcs8(), out _);
            return ecdsa.SignData(data, HashAlgorithmName.SHA256);
        }

        using var rsa = RSA.Create();
        rsa.ImportPkcs8PrivateKey(key.ExportPkcs8(), out _);
        return rsa.SignData(data, HashAlgorithmName.SHA256, key.Algorithm == SigningAlgorithms.PS256 ? RSASignaturePadding.Pss : RSASignaturePadding.Pkcs1);
    }

    private static string Input(byte[] header, byte[] payload) => Base64Url.EncodeToString(header) + "." + Base64Url.EncodeToString(payload);
}
