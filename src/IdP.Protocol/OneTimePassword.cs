using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;

namespace IdP.Protocol;

/// <summary>Time-based one-time passwords (RFC 6238): six digits of HMAC-SHA-1, a new one every thirty seconds, as every authenticator app makes them.</summary>
internal static class OneTimePassword
{
    public const int Digits = 6;

    /// <summary>RFC 4226 §4: at least 128 bits, 160 recommended.</summary>
    public const int SecretLength = 20;
    public static readonly TimeSpan Step = TimeSpan.FromSeconds(30);

    private const string Base32Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

    /// <summary>The step that a moment is in.</summary>
    public static long StepOf(DateTimeOffset moment) => moment.ToUnixTimeSeconds() / (long)Step.TotalSeconds;

    /// <summary>The password of one step (RFC 4226 §5.3).</summary>
    public static string Code(ReadOnlySpan<byte> secret, long step)
    {
        Span<byte> counter = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(counter, step);
        Span<byte> hash = stackalloc byte[20];
#pragma warning disable CA5350 // RFC 4226 asks for SHA-1, and HMAC does not rest on what is broken in it.
        HMACSHA1.HashData(secret, counter, hash);
#pragma warning restore CA5350
        var number = BinaryPrimitives.ReadInt32BigEndian(hash[(hash[19] & 0xf)..]) & int.MaxValue;
        return (number % 1_000_000).ToString("D6", CultureInfo.InvariantCulture);
    }

    /// <summary>The step whose password the text is, among those that the clocks may differ by; null for none.</summary>
    /// <param name="secret">The shared secret.</param>
    /// <param name="code">Six digits.</param>
    /// <param name="now">The time here.</param>
    /// <param name="tolerance">How many steps before and after count: RFC 6238 §5.2 recommends one.</param>
    public static long? StepFor(ReadOnlySpan<byte> secret, string code, DateTimeOffset now, int tolerance)
    {
        var current = StepOf(now);
        long? found = null;
        // All of them, so that the time tells nothing.
        for (var step = current - tolerance; step <= current + tolerance; step++)
            if (CryptographicOperations.FixedTimeEquals(System.Text.Encoding.ASCII.GetBytes(Code(secret, step)), System.Text.Encoding.UTF8.GetBytes(code))) found ??= step;
        return found;
    }

    /// <summary>Base 32 without padding (RFC 4648 §6), which people can type.</summary>
    public static string Base32(ReadOnlySpan<byte> bytes)
    {
        var text = new System.Text.StringBuilder((bytes.Length * 8 / 5) + 1);
        int bits = 0, buffer = 0;
        foreach (var value in bytes)
        {
            (buffer, bits) = ((buffer << 8) | value, bits + 8);
            while (bits >= 5) text.Append(Base32Alphabet[(buffer >> (bits -= 5)) & 31]);
            buffer &= (1 << bits) - 1;
        }
        if (bits > 0) text.Append(Base32Alphabet[(buffer << (5 - bits)) & 31]);
        return text.ToString();
    }
}
