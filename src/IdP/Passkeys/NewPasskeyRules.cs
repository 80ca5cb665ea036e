using System.Buffers.Binary;
using System.Formats.Cbor;
using System.Security.Cryptography;

namespace IdP.Passkeys;

/// <summary>
/// What a new passkey must be, beyond what the framework looks at: a key of an algorithm that was offered, on the curve and of the size that
/// belong to it; and no statement of its maker that nobody has asked for and nobody checks. Pure.
/// </summary>
internal static class NewPasskeyRules
{
    // RFC 9053 §2.1, RFC 8812 §2
    public const int ES256 = -7;
    public const int RS256 = -257;
    private const int SmallestRsaKey = 2048;
    private const int LargestRsaKey = 4096;

    public static bool IsOffered(int algorithm) => algorithm is ES256 or RS256;

    /// <summary>Why the passkey is refused, for the log; null when it may be used.</summary>
    public static string? Problem(ReadOnlyMemory<byte> attestationObject, ReadOnlyMemory<byte> clientDataHash)
    {
        try
        {
            return Examine(attestationObject, clientDataHash);
        }
        catch (Exception failure) when (failure is CborContentException or InvalidOperationException or OverflowException or ArgumentException or CryptographicException)
        {
            return "the attestation object is malformed";
        }
    }

    private static string? Examine(ReadOnlyMemory<byte> attestationObject, ReadOnlyMemory<byte> clientDataHash)
    {
        string? format = null;
        ReadOnlyMemory<byte> statement = default, data = default;
        var reader = new CborReader(attestationObject, CborConformanceMode.Strict);
        reader.ReadStartMap();
        while (reader.PeekState() != CborReaderState.EndMap)
        {
            switch (reader.ReadTextString())
            {
                case "fmt": format = reader.ReadTextString(); break;
                case "attStmt": statement = reader.ReadEncodedValue(); break;
                case "authData": data = reader.ReadByteString(); break;
                default: return "the attestation object has unknown members";
            }
        }
        reader.ReadEndMap();
        if (reader.BytesRemaining != 0) return "something follows the attestation object";

        // WebAuthn §6.5.1: rpIdHash (32), flags (1), signCount (4), aaguid (16), length (2), credential id, key.
        var model = data.Slice(37, 16);
        var key = new CborReader(data[(55 + BinaryPrimitives.ReadUInt16BigEndian(data.Span.Slice(53, 2)))..], CborConformanceMode.Strict, allowMultipleRootLevelValues: true).ReadEncodedValue();
        if (CoseKey.Read(key) is not { } read) return "the key is none that was offered";
        using (read.Key) return Statement(format, statement, model, read, [.. data.Span, .. clientDataHash.Span]);
    }

    // WebAuthn §5.4.7: none was asked for, so browsers leave it out. What remains is a key that vouches for itself and names no model (§8.2).
    // Anything else says something of a maker, which counts for nothing as long as nobody can check it.
    private static string? Statement(string? format, ReadOnlyMemory<byte> statement, ReadOnlyMemory<byte> model, CoseKey key, byte[] signed)
    {
        var reader = new CborReader(statement, CborConformanceMode.Strict);
        var members = reader.ReadStartMap();
        if (format == "none") return members == 0 ? null : "an attestation of none with a statement";
        if (format != "packed" || model.Span.ContainsAnyExcept((byte)0)) return "an attestation that was not asked for";
        int? algorithm = null;
        byte[]? signature = null;
        while (reader.PeekState() != CborReaderState.EndMap)
        {
            switch (reader.ReadTextString())
            {
                case "alg": algorithm = reader.ReadInt32(); break;
                case "sig": signature = reader.ReadByteString(); break;
                default: return "an attestation that was not asked for";
            }
        }
        return algorithm == key.Algorithm && signature is not null && key.Verify(signed, signature) ? null : "a key that does not vouch for itself";
    }

    /// <summary>A key of one of the algorithms that are offered (RFC 9053 §7.1, RFC 8230 §4).</summary>
    private sealed record CoseKey(int Algorithm, AsymmetricAlgorithm Key)
    {
        public static CoseKey? Read(ReadOnlyMemory<byte> encoded)
        {
            var numbers = new Dictionary<int, int>();
            var texts = new Dictionary<int, byte[]>();
            var reader = new CborReader(encoded, CborConformanceMode.Strict);
            reader.ReadStartMap();
            while (reader.PeekState() != CborReaderState.EndMap)
            {
                var label = reader.ReadInt32();
                if (reader.PeekState() == CborReaderState.ByteString) texts[label] = reader.ReadByteString();
                else numbers[label] = reader.ReadInt32();
            }
            return (numbers.GetValueOrDefault(1), numbers.GetValueOrDefault(3)) switch
            {
                (2, ES256) when numbers.GetValueOrDefault(-1) == 1 && texts.GetValueOrDefault(-2) is { Length: 32 } x && texts.GetValueOrDefault(-3) is { Length: 32 } y && numbers.Count + texts.Count == 5 =>
                    new CoseKey(ES256, ECDsa.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, Q = new ECPoint { X = x, Y = y } })),
                // The usual exponent: others are either weak or slow.
                (3, RS256) when texts.GetValueOrDefault(-1) is { Length: >= SmallestRsaKey / 8 and <= LargestRsaKey / 8 } n && n[0] >= 0x80 && texts.GetValueOrDefault(-2) is [1, 0, 1] e && numbers.Count + texts.Count == 4 =>
                    new CoseKey(RS256, RSA.Create(new RSAParameters { Modulus = n, Exponent = e })),
                _ => null,
            };
        }

        public bool Verify(byte[] signed, byte[] signature) => Key switch
        {
            ECDsa ec => ec.VerifyData(signed, signature, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence),
            RSA rsa => rsa.VerifyData(signed, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1),
            _ => false,
        };
    }
}
