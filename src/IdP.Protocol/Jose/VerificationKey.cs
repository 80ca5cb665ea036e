using System.Security.Cryptography;

namespace IdP.Protocol.Jose;

/// <summary>A public key that verifies signatures of one algorithm. Immutable and safe for concurrent use.</summary>
public sealed class VerificationKey
{
    private readonly PublicKey _public;
    private readonly KeyPool<ECDsa>? _ecdsa;
    private readonly KeyPool<RSA>? _rsa;
    private readonly RSASignaturePadding _padding;

    internal VerificationKey(string keyId, string algorithm, PublicKey key)
    {
        KeyId = keyId;
        Algorithm = algorithm;
        _public = key;
        _padding = algorithm == SigningAlgorithms.PS256 ? RSASignaturePadding.Pss : RSASignaturePadding.Pkcs1;
        if (key.IsElliptic) _ecdsa = new KeyPool<ECDsa>(key.ImportEcdsa);
        else _rsa = new KeyPool<RSA>(key.ImportRsa);
    }

    /// <summary>The <c>kid</c>; empty if the key set gave none.</summary>
    public string KeyId { get; }

    /// <summary>The only algorithm that this key verifies (RFC 8725 §3.1), one of <see cref="SigningAlgorithms"/>.</summary>
    public string Algorithm { get; }

    /// <summary>A key for ES256. The public half is copied.</summary>
    /// <exception cref="CryptographicException">The key is not on P-256.</exception>
    public static VerificationKey FromEcdsa(string keyId, ECDsa key)
    {
        ArgumentNullException.ThrowIfNull(keyId);
        ArgumentNullException.ThrowIfNull(key);
        return new VerificationKey(keyId, SigningAlgorithms.ES256, PublicKey.FromEcdsa(key));
    }

    /// <summary>A key for RS256 or PS256. The public half is copied.</summary>
    /// <exception cref="ArgumentException">The algorithm is not one of the two.</exception>
    /// <exception cref="CryptographicException">The key has fewer than 2048 bits or more than 8192.</exception>
    public static VerificationKey FromRsa(string keyId, string algorithm, RSA key)
    {
        ArgumentNullException.ThrowIfNull(keyId);
        ArgumentNullException.ThrowIfNull(key);
        if (algorithm is not (SigningAlgorithms.RS256 or SigningAlgorithms.PS256))
            throw new ArgumentException("The algorithm of an RSA key must be RS256 or PS256.", nameof(algorithm));
        return new VerificationKey(keyId, algorithm, PublicKey.FromRsa(key));
    }

    /// <summary>Whether the signature is this key's over the input. A signature of the wrong length is refused before any arithmetic.</summary>
    /// <param name="signingInput">Header, dot and payload in ASCII (RFC 7515 §5.2).</param>
    /// <param name="signature">64 bytes r and s for ES256, as many bytes as the modulus for RSA.</param>
    public bool Verify(ReadOnlySpan<byte> signingInput, ReadOnlySpan<byte> signature)
    {
        // RFC 7518 §3.4: exactly 64 octets; RFC 8017 §8.1.2, §8.2.2: exactly the length of the modulus.
        if (signature.Length != _public.SignatureLength) return false;
        try
        {
            if (_ecdsa is not null)
            {
                var key = _ecdsa.Rent();
                var valid = key.VerifyData(signingInput, signature, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
                _ecdsa.Return(key);
                return valid;
            }
            else
            {
                var key = _rsa!.Rent();
                var valid = key.VerifyData(signingInput, signature, HashAlgorithmName.SHA256, _padding);
                _rsa.Return(key);
                return valid;
            }
        }
        catch (CryptographicException)
        {
            // Some platforms throw where others say no.
            return false;
        }
    }
}
