using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using IdP.Keys;

namespace IdP.Tokens;

/// <summary>
/// Access tokens that only this provider can read: the claims of a JWT, sealed with AES-256-GCM under HKDF(token key, random salt).
/// Layout before base64url: version (1), key id (8), salt (16), ciphertext, tag (16).
/// </summary>
internal sealed class OpaqueTokens(KeyRing keys)
{
    private const byte Version = 1;
    private const int KeyIdLength = 8;
    private const int SaltLength = 16;
    private const int HeaderLength = 1 + KeyIdLength + SaltLength;
    private const int TagLength = 16;

    public string Seal(ReadOnlySpan<byte> claims)
    {
        var (keyId, secret) = keys.Symmetric(KeyPurpose.SealToken);
        var token = new byte[HeaderLength + claims.Length + TagLength];
        token[0] = Version;
        Convert.FromHexString(keyId, token.AsSpan(1, KeyIdLength), out _, out _);
        RandomNumberGenerator.Fill(token.AsSpan(1 + KeyIdLength, SaltLength));
        using var aes = Cipher(secret, token.AsSpan(1 + KeyIdLength, SaltLength));
        aes.Encrypt(Nonce, claims, token.AsSpan(HeaderLength, claims.Length), token.AsSpan(HeaderLength + claims.Length), token.AsSpan(0, HeaderLength));
        return Base64Url.EncodeToString(token);
    }

    /// <summary>The claims and the key that sealed them; null for anything but the exact text of a token of ours.</summary>
    public (string KeyId, byte[] Claims)? Open(string text)
    {
        if (!Base64Url.IsValid(text)) return null;
        var token = Base64Url.DecodeFromChars(text);
        // Decoded canonically: another spelling of the same bytes is another token, and not one of ours.
        if (token.Length <= HeaderLength + TagLength || token[0] != Version || Base64Url.EncodeToString(token) != text) return null;
        var keyId = Convert.ToHexStringLower(token.AsSpan(1, KeyIdLength));
        if (keys.Symmetric(KeyPurpose.SealToken, keyId) is not { } secret) return null;
        var claims = new byte[token.Length - HeaderLength - TagLength];
        using var aes = Cipher(secret, token.AsSpan(1 + KeyIdLength, SaltLength));
        try
        {
            aes.Decrypt(Nonce, token.AsSpan(HeaderLength, claims.Length), token.AsSpan(HeaderLength + claims.Length), claims, token.AsSpan(0, HeaderLength));
        }
        catch (AuthenticationTagMismatchException)
        {
            return null;
        }
        return (keyId, claims);
    }

    // Each token has a key of its own, so the nonce may be constant.
    private static readonly byte[] Nonce = new byte[12];

    private static AesGcm Cipher(byte[] secret, ReadOnlySpan<byte> salt)
    {
        Span<byte> key = stackalloc byte[32];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, secret, key, salt, Encoding.ASCII.GetBytes("idp opaque access token"));
        return new AesGcm(key, TagLength);
    }
}
