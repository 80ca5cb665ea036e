using System.Buffers;
using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;

namespace IdP.Protocol.Jose;

/// <summary>
/// base64url as RFC 7515 §2 has it, decoded so that every byte string has exactly one accepted text: no padding, no white space,
/// no other alphabet, no bits left over. (<see cref="Base64Url"/> refuses left-over bits only.)
/// </summary>
public static class CanonicalBase64Url
{
    private static readonly SearchValues<char> Alphabet =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

    /// <summary>Encodes bytes, without padding.</summary>
    public static string Encode(ReadOnlySpan<byte> bytes) => Base64Url.EncodeToString(bytes);

    /// <summary>The exact number of bytes that a canonical text of this many characters stands for.</summary>
    public static int DecodedLength(int textLength) => (int)((long)textLength * 3 / 4);

    /// <summary>Decodes into a buffer of at least <see cref="DecodedLength"/> bytes.</summary>
    /// <returns>False, with nothing promised about the buffer, if the text is not canonical base64url.</returns>
    public static bool TryDecode(ReadOnlySpan<char> text, Span<byte> destination, out int written)
    {
        written = 0;
        if (text.Length % 4 == 1 || destination.Length < DecodedLength(text.Length) || text.ContainsAnyExcept(Alphabet)) return false;

        // The alphabet is right, so the only thing left to refuse are bits after the last byte.
        return Base64Url.DecodeFromChars(text, destination, out _, out written) == OperationStatus.Done;
    }

    /// <summary>Decodes into a new array.</summary>
    /// <returns>False if the text is not canonical base64url.</returns>
    public static bool TryDecode(ReadOnlySpan<char> text, [NotNullWhen(true)] out byte[]? bytes)
    {
        bytes = new byte[DecodedLength(text.Length)];
        if (TryDecode(text, bytes, out _)) return true;
        bytes = null;
        return false;
    }
}
