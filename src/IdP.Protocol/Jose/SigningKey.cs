using System.Buffers;
using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace IdP.Protocol.Jose;

/// <summary>A private key that signs JWTs with one algorithm. Safe for concurrent use.</summary>
public sealed class SigningKey : IDisposable
{
    // Types come from our own code, so there is a handful; the cap only keeps a mistake from growing without bound.
    private const int MaximumHeaders = 32;

    private readonly byte[] _pkcs8;
    private readonly PublicKey _public;
    private readonly KeyPool<ECDsa>? _ecdsa;
    private readonly KeyPool<RSA>? _rsa;
    private readonly RSASignaturePadding _padding;
    private readonly ConcurrentDictionary<string, byte[]> _headers = new(StringComparer.Ordinal);

    private SigningKey(string algorithm, byte[] pkcs8)
    {
        Algorithm = algorithm;
        _pkcs8 = pkcs8;
        _padding = algorithm == SigningAlgorithms.PS256 ? RSASignaturePadding.Pss : RSASignaturePadding.Pkcs1;
        if (algorithm == SigningAlgorithms.ES256)
        {
            var first = ImportEcdsa();
            _public = PublicKey.FromEcdsa(first);
            _ecdsa = new KeyPool<ECDsa>(ImportEcdsa);
            _ecdsa.Return(first);
        }
        else
        {
            var first = ImportRsa();
            _public = PublicKey.FromRsa(first);
            _rsa = new KeyPool<RSA>(ImportRsa);
            _rsa.Return(first);
        }

        KeyId = _public.Thumbprint();
    }

    /// <summary>The <c>kid</c>: the key's SHA-256 thumbprint (RFC 7638) in base64url.</summary>
    public string KeyId { get; }

    /// <summary>One of <see cref="SigningAlgorithms"/>.</summary>
    public string Algorithm { get; }

    /// <summary>Makes a new key: P-256 for ES256, RSA with 2048 bits for the others.</summary>
    /// <exception cref="ArgumentException">The algorithm is not supported.</exception>
    public static SigningKey Generate(string algorithm)
    {
        RequireSupported(algorithm);
        using AsymmetricAlgorithm key = algorithm == SigningAlgorithms.ES256
            ? ECDsa.Create(ECCurve.NamedCurves.nistP256)
            : RSA.Create(PublicKey.MinimumRsaBits);
        return new SigningKey(algorithm, key.ExportPkcs8PrivateKey());
    }

    /// <summary>Takes a key from its unencrypted PKCS #8 form, as <see cref="ExportPkcs8"/> gives it.</summary>
    /// <exception cref="ArgumentException">The algorithm is not supported.</exception>
    /// <exception cref="CryptographicException">The bytes are not a key for the algorithm, or it is weaker than RFC 7518 allows.</exception>
    public static SigningKey Import(string algorithm, ReadOnlySpan<byte> pkcs8)
    {
        RequireSupported(algorithm);
        return new SigningKey(algorithm, pkcs8.ToArray());
    }

    /// <summary>The private key, unencrypted; the caller seals it and clears the array.</summary>
    public byte[] ExportPkcs8() => [.. _pkcs8];

    /// <summary>The public half.</summary>
    public VerificationKey ToVerificationKey() => new(KeyId, Algorithm, _public);

    /// <summary>Writes the key as an object of a JWK Set (RFC 7517): kty, use, alg, kid and the public members, nothing else.</summary>
    public void WritePublicJwk(Utf8JsonWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.WriteStartObject();
        writer.WriteString("kty"u8, _public.IsElliptic ? "EC"u8 : "RSA"u8);
        writer.WriteString("use"u8, "sig"u8);
        writer.WriteString("alg"u8, Algorithm);
        writer.WriteString("kid"u8, KeyId);
        _public.WriteMembers(writer);
        writer.WriteEndObject();
    }

    /// <summary>Signs a payload as a compact JWS (RFC 7515 §7.1) whose header has alg, kid and typ.</summary>
    /// <param name="type">The <c>typ</c>, for example <c>at+jwt</c>.</param>
    /// <param name="payloadUtf8">The claims as JSON; taken as it is.</param>
    public string Sign(string type, ReadOnlySpan<byte> payloadUtf8)
    {
        ArgumentNullException.ThrowIfNull(type);
        if (!_headers.TryGetValue(type, out var header)) header = AddHeader(type);

        var signatureLength = _public.SignatureLength;
        var signedLength = header.Length + Base64Url.GetEncodedLength(payloadUtf8.Length);
        var length = signedLength + 1 + Base64Url.GetEncodedLength(signatureLength);
        var buffer = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            header.CopyTo(buffer, 0);
            Base64Url.EncodeToUtf8(payloadUtf8, buffer.AsSpan(header.Length));
            Span<byte> signature = stackalloc byte[PublicKey.MaximumRsaBits / 8];
            signature = signature[..signatureLength];
            SignData(buffer.AsSpan(0, signedLength), signature);
            buffer[signedLength] = (byte)'.';
            Base64Url.EncodeToUtf8(signature, buffer.AsSpan(signedLength + 1));
            return Encoding.ASCII.GetString(buffer.AsSpan(0, length));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer, clearArray: true);
        }
    }

    /// <summary>Clears the private key. Signing afterwards throws <see cref="ObjectDisposedException"/>.</summary>
    public void Dispose()
    {
        _ecdsa?.Close();
        _rsa?.Close();
        CryptographicOperations.ZeroMemory(_pkcs8);
    }

    private void SignData(ReadOnlySpan<byte> data, Span<byte> signature)
    {
        bool done;
        int written;
        if (_ecdsa is not null)
        {
            var key = _ecdsa.Rent();
            done = key.TrySignData(data, signature, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation, out written);
            _ecdsa.Return(key);
        }
        else
        {
            var key = _rsa!.Rent();
            done = key.TrySignData(data, signature, HashAlgorithmName.SHA256, _padding, out written);
            _rsa.Return(key);
        }

        if (!done || written != signature.Length) throw new CryptographicException("The signature has an unexpected length.");
    }

    private byte[] AddHeader(string type)
    {
        var json = new ArrayBufferWriter<byte>(160);
        // Relaxed: a media type has a plus sign, which the default encoder would spell as an escape.
        using (var writer = new Utf8JsonWriter(json, new JsonWriterOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            writer.WriteStartObject();
            writer.WriteString("alg"u8, Algorithm);
            writer.WriteString("kid"u8, KeyId);
            writer.WriteString("typ"u8, type);
            writer.WriteEndObject();
        }

        byte[] header = [.. Encoding.ASCII.GetBytes(CanonicalBase64Url.Encode(json.WrittenSpan)), (byte)'.'];
        if (_headers.Count < MaximumHeaders) _headers.TryAdd(type, header);
        return header;
    }

    private ECDsa ImportEcdsa() => Import(ECDsa.Create());

    private RSA ImportRsa() => Import(RSA.Create());

    private TKey Import<TKey>(TKey key)
        where TKey : AsymmetricAlgorithm
    {
        try
        {
            key.ImportPkcs8PrivateKey(_pkcs8, out var read);
            if (read != _pkcs8.Length) throw new CryptographicException("There are bytes after the private key.");
            return key;
        }
        catch
        {
            key.Dispose();
            throw;
        }
    }

    private static void RequireSupported(string algorithm)
    {
        if (!SigningAlgorithms.IsSupported(algorithm)) throw new ArgumentException("The algorithm must be ES256, RS256 or PS256.", nameof(algorithm));
    }
}
