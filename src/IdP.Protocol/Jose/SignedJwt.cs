using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace IdP.Protocol.Jose;

/// <summary>
/// A JWT in compact serialization (RFC 7515 §7.1), parsed but not verified: call <see cref="Verify(VerificationKey)"/> before believing anything in it.
/// Immutable, so that it may be kept and shared.
/// </summary>
public sealed class SignedJwt
{
    /// <summary>The longest token in characters; a longer one is refused before anything else is looked at.</summary>
    public const int MaximumLength = 16 * 1024;

    private readonly JoseHeader _header;
    private readonly byte[] _signed;
    private readonly byte[] _signature;

    private SignedJwt(JoseHeader header, JwtClaims claims, byte[] signed, byte[] signature)
    {
        _header = header;
        Claims = claims;
        _signed = signed;
        _signature = signature;
    }

    /// <summary>The header's <c>alg</c>, one of <see cref="SigningAlgorithms"/>, or <see cref="SharedSecretKey.Algorithm"/> where that was allowed.</summary>
    public string Algorithm => _header.Algorithm;

    /// <summary>The header's <c>kid</c>: 1 to 256 characters, no control characters.</summary>
    public string? KeyId => _header.KeyId;

    /// <summary>The header's <c>typ</c>, as it was written.</summary>
    public string? Type => _header.Type;

    /// <summary>The claims, not yet believed.</summary>
    public JwtClaims Claims { get; }

    /// <summary>Parses a token strictly: one text per token, no repeated members, a signature algorithm that is supported, no extensions.</summary>
    /// <param name="compact">The token, without white space around it.</param>
    /// <param name="jwt">The parsed token.</param>
    /// <param name="problem">A short text for people; it holds nothing of the token and suits an <c>error_description</c>.</param>
    /// <returns>False if the token is unacceptable; it never throws.</returns>
    public static bool TryParse(ReadOnlySpan<char> compact, [NotNullWhen(true)] out SignedJwt? jwt, [NotNullWhen(false)] out string? problem) =>
        TryParse(compact, allowsSharedSecret: false, out jwt, out problem);

    /// <summary>The same, for a caller that may have a <see cref="SharedSecretKey"/>: it takes HS256 too, and tells the two kinds of token apart by <see cref="Algorithm"/>.</summary>
    /// <param name="compact">The token, without white space around it.</param>
    /// <param name="allowsSharedSecret">Whether <c>alg</c> may be HS256.</param>
    /// <param name="jwt">The parsed token.</param>
    /// <param name="problem">A short text for people; it holds nothing of the token and suits an <c>error_description</c>.</param>
    /// <returns>False if the token is unacceptable; it never throws.</returns>
    public static bool TryParse(ReadOnlySpan<char> compact, bool allowsSharedSecret, [NotNullWhen(true)] out SignedJwt? jwt, [NotNullWhen(false)] out string? problem)
    {
        jwt = null;
        if (compact.Length > MaximumLength)
        {
            problem = "The token is too long";
            return false;
        }

        // RFC 7515 §7.1: exactly three parts; five would be an encrypted token, which is not accepted in its place.
        var firstDot = compact.IndexOf('.');
        var lastDot = compact.LastIndexOf('.');
        if (firstDot <= 0 || lastDot <= firstDot + 1 || lastDot == compact.Length - 1 || compact[(firstDot + 1)..lastDot].Contains('.'))
        {
            problem = "The token is not a signed JWT in compact form";
            return false;
        }

        var buffer = ArrayPool<byte>.Shared.Rent(CanonicalBase64Url.DecodedLength(compact.Length));
        try
        {
            return TryParse(compact, allowsSharedSecret, firstDot, lastDot, buffer, out jwt, out problem);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer, clearArray: true);
        }
    }

    /// <summary>Whether the signature is the key's, by the key's own algorithm, which must be the one that the header names.</summary>
    public bool Verify(VerificationKey key)
    {
        ArgumentNullException.ThrowIfNull(key);
        return key.Algorithm == Algorithm && key.Verify(_signed, _signature);
    }

    /// <summary>Whether the token was made with the shared secret: HS256, and the secret's own <c>kid</c> if it has one.</summary>
    public bool Verify(SharedSecretKey key)
    {
        ArgumentNullException.ThrowIfNull(key);
        return Algorithm == SharedSecretKey.Algorithm && (key.KeyId.Length == 0 || KeyId == key.KeyId) && key.Verify(_signed, _signature);
    }

    private static bool TryParse(
        ReadOnlySpan<char> compact, bool allowsSharedSecret, int firstDot, int lastDot, byte[] buffer, out SignedJwt? jwt, out string? problem)
    {
        jwt = null;
        problem = "The token is not in canonical base64url";
        if (!CanonicalBase64Url.TryDecode(compact[(lastDot + 1)..], out var signature)) return false;
        if (!CanonicalBase64Url.TryDecode(compact[..firstDot], buffer, out var length)) return false;
        if (!JoseHeader.TryParse(buffer.AsSpan(0, length), allowsSharedSecret, out var header, out var headerProblem))
        {
            problem = headerProblem;
            return false;
        }

        if (!CanonicalBase64Url.TryDecode(compact[(firstDot + 1)..lastDot], buffer, out length)) return false;
        if (!JwtClaims.TryParse(buffer.AsSpan(0, length), out var claims, out problem)) return false;

        var signed = new byte[lastDot];
        Encoding.ASCII.GetBytes(compact[..lastDot], signed);
        jwt = new SignedJwt(header!, claims, signed, signature);
        return true;
    }
}
