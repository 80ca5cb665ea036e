using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;

namespace IdP.Protocol;

/// <summary>
/// An API key as text: <c>idp_</c>, the key id (12 characters), <c>_</c>, 256 random bits (43), a checksum (6), all of them letters and
/// digits. The checksum is the CRC-32 (the one of zip and PNG) of everything before it as a number in base 62, most significant digit
/// first, with the digits 0-9 A-Z a-z: a scanner of leaked secrets can tell a key from other text without asking anybody.
/// </summary>
/// <param name="KeyId">Names the key: public, unique, and what a list shows.</param>
/// <param name="Secret">The random part and the checksum: what HTTP Basic sends as the password.</param>
public readonly record struct ApiKeyText(string KeyId, string Secret)
{
    /// <summary>What every key begins with.</summary>
    public const string Prefix = "idp_";

    /// <summary>The characters of a whole key.</summary>
    public const int Length = 66;

    private const string Digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    private const int KeyIdLength = 12;
    private const int RandomLength = 43;
    private const int ChecksumLength = 6;
    private static readonly SearchValues<char> Alphabet = SearchValues.Create(Digits);

    /// <summary>The whole key.</summary>
    public override string ToString() => $"{Prefix}{KeyId}_{Secret}";

    /// <summary>A new key: its id has 71 random bits, its secret 256.</summary>
    public static ApiKeyText Create() => WithChecksum(Random(KeyIdLength));

    /// <summary>A new secret for a key that keeps its id.</summary>
    public ApiKeyText Renewed() => WithChecksum(KeyId);

    /// <summary>Reads a key; nothing is trimmed and no letter changes its case.</summary>
    /// <returns>False for any text that is not a key, a key with a wrong checksum included.</returns>
    public static bool TryParse([NotNullWhen(true)] string? text, out ApiKeyText key)
    {
        key = default;
        if (text is not { Length: Length } || !text.StartsWith(Prefix, StringComparison.Ordinal)) return false;
        var body = text.AsSpan(Prefix.Length);
        if (body[KeyIdLength] != '_' || body[..KeyIdLength].ContainsAnyExcept(Alphabet) || body[(KeyIdLength + 1)..].ContainsAnyExcept(Alphabet)) return false;
        if (!text.AsSpan(Length - ChecksumLength).SequenceEqual(Checksum(text.AsSpan(0, Length - ChecksumLength)))) return false;
        key = new ApiKeyText(body[..KeyIdLength].ToString(), body[(KeyIdLength + 1)..].ToString());
        return true;
    }

    private static ApiKeyText WithChecksum(string keyId)
    {
        var random = Random(RandomLength);
        return new ApiKeyText(keyId, random + Checksum($"{Prefix}{keyId}_{random}"));
    }

    // 43 of 62 characters are 256.03 bits.
    private static string Random(int length) => RandomNumberGenerator.GetString(Digits, length);

    private static string Checksum(ReadOnlySpan<char> text)
    {
        Span<byte> bytes = stackalloc byte[Length];
        var crc = Crc32(bytes[..Encoding.ASCII.GetBytes(text, bytes)]);
        Span<char> digits = stackalloc char[ChecksumLength];
        for (var i = ChecksumLength - 1; i >= 0; i--) (digits[i], crc) = (Digits[(int)(crc % 62)], crc / 62);
        return digits.ToString();
    }

    private static uint Crc32(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var value in bytes)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (0xEDB88320 & (uint)-(int)(crc & 1));
        }
        return ~crc;
    }
}
