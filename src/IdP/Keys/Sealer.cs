using System.Security.Cryptography;
using System.Text;
using IdP.Protocol.Jose;

namespace IdP.Keys;

/// <summary>
/// Texts that only this provider can read and make: AES-256-GCM under HKDF(key, random salt, what it is for). Layout before base64url:
/// version (1), key id (8), salt (16), ciphertext, tag (16). One text for each content: another spelling of the same bytes is refused.
/// </summary>
internal sealed class Sealer(KeyRing keys)
{
    private const byte Version = 1;
    private const int KeyIdLength = 8;
    private const int SaltLength = 16;
    private const int HeaderLength = 1 + KeyIdLength + SaltLength;
    private const int TagLength = 16;

    // Each text has a key of its own, so the nonce may be constant.
    private static readonly byte[] Nonce = new byte[12];

    /// <param name="purpose">Whose key seals.</param>
    /// <param name="use">What the text is for: one sealed for another use does not open.</param>
    /// <param name="content">What is sealed.</param>
    /// <param name="boundTo">What must be there again at opening, without being in the text.</param>
    public string Seal(KeyPurpose purpose, string use, ReadOnlySpan<byte> content, ReadOnlySpan<byte> boundTo = default)
    {
        var (keyId, secret) = keys.Symmetric(purpose);
        var text = new byte[HeaderLength + content.Length + TagLength];
        text[0] = Version;
        Convert.FromHexString(keyId, text.AsSpan(1, KeyIdLength), out _, out _);
        RandomNumberGenerator.Fill(text.AsSpan(1 + KeyIdLength, SaltLength));
        using var aes = Cipher(secret, text.AsSpan(1 + KeyIdLength, SaltLength), use);
        aes.Encrypt(Nonce, content, text.AsSpan(HeaderLength, content.Length), text.AsSpan(HeaderLength + content.Length), [.. text.AsSpan(0, HeaderLength), .. boundTo]);
        return CanonicalBase64Url.Encode(text);
    }

    /// <summary>The content and the key that sealed it; null for anything but the exact text.</summary>
    public (string KeyId, byte[] Content)? Open(KeyPurpose purpose, string use, string sealedText, ReadOnlySpan<byte> boundTo = default)
    {
        if (!CanonicalBase64Url.TryDecode(sealedText, out var text) || text.Length < HeaderLength + TagLength || text[0] != Version) return null;
        var keyId = Convert.ToHexStringLower(text.AsSpan(1, KeyIdLength));
        if (keys.Symmetric(purpose, keyId) is not { } secret) return null;
        var content = new byte[text.Length - HeaderLength - TagLength];
        using var aes = Cipher(secret, text.AsSpan(1 + KeyIdLength, SaltLength), use);
        try
        {
            aes.Decrypt(Nonce, text.AsSpan(HeaderLength, content.Length), text.AsSpan(HeaderLength + content.Length), content, [.. text.AsSpan(0, HeaderLength), .. boundTo]);
        }
        catch (AuthenticationTagMismatchException)
        {
            return null;
        }
        return (keyId, content);
    }

    /// <summary>The id of the key that a text names, whether or not it opens it.</summary>
    public static string? KeyIdOf(string sealedText) =>
        CanonicalBase64Url.TryDecode(sealedText, out var text) && text.Length >= HeaderLength + TagLength ? Convert.ToHexStringLower(text.AsSpan(1, KeyIdLength)) : null;

    private static AesGcm Cipher(byte[] secret, ReadOnlySpan<byte> salt, string use)
    {
        Span<byte> key = stackalloc byte[32];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, secret, key, salt, Encoding.UTF8.GetBytes(use));
        return new AesGcm(key, TagLength);
    }
}
