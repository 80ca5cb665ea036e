using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using IdP.Protocol.Jose;

namespace IdP.Protocol.OAuth;

/// <summary>Proof key for code exchange (RFC 7636), method S256 only: plain shows the verifier to whoever sees the request.</summary>
internal static class Pkce
{
    public const string Method = "S256";
    private static readonly SearchValues<char> Unreserved = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~");

    /// <summary>The challenge that a client makes of its verifier (RFC 7636 §4.2).</summary>
    public static string Challenge(string verifier) => CanonicalBase64Url.Encode(SHA256.HashData(Encoding.ASCII.GetBytes(verifier)));

    /// <summary>A SHA-256 digest in base64url without padding (RFC 7636 §4.2).</summary>
    public static bool IsChallenge(string challenge) => challenge.Length == 43 && CanonicalBase64Url.TryDecode(challenge, out _);

    /// <summary>RFC 7636 §4.1: 43 to 128 unreserved characters.</summary>
    public static bool IsVerifier(string verifier) => verifier.Length is >= 43 and <= 128 && !verifier.AsSpan().ContainsAnyExcept(Unreserved);

    /// <summary>Whether the verifier is the one that the challenge was made from (RFC 7636 §4.6).</summary>
    public static bool Verify(string challenge, string verifier)
    {
        if (!IsVerifier(verifier)) return false;
        Span<byte> ascii = stackalloc byte[128];
        Span<byte> digest = stackalloc byte[32], expected = stackalloc byte[33];
        SHA256.HashData(ascii[..Encoding.ASCII.GetBytes(verifier, ascii)], digest);
        return CanonicalBase64Url.TryDecode(challenge, expected, out var length) && CryptographicOperations.FixedTimeEquals(expected[..length], digest);
    }
}
