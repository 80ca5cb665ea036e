using System.Security.Cryptography;
using System.Text;
using IdP.Protocol;

namespace IdP.SecondFactors;

/// <summary>How recovery codes look, and what is kept of them.</summary>
internal static class RecoveryCodes
{
    public const int Count = 10;
    private const int Bytes = 15;
    private const int Characters = 24;

    /// <summary>New ones: 24 letters and digits in six groups each.</summary>
    public static List<string> Make() =>
        [.. Enumerable.Range(0, Count).Select(_ => string.Join('-', OneTimePassword.Base32(RandomNumberGenerator.GetBytes(Bytes)).Chunk(4).Select(group => new string(group)))).Select(code => code.ToLowerInvariant())];

    /// <summary>A fast hash is enough for 120 random bits. Null for what cannot be a code; spaces, hyphens and case do not count.</summary>
    public static byte[]? HashOf(string text)
    {
        var plain = Plain(text);
        return plain.Length == Characters ? SHA256.HashData(Encoding.UTF8.GetBytes(plain)) : null;
    }

    /// <summary>What somebody has typed without what they may have typed between.</summary>
    public static string Plain(string text) => new([.. text.Where(c => c is not ('-' or ' ')).Take(Characters + 1).Select(char.ToUpperInvariant)]);
}
