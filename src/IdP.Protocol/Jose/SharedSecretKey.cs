using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace IdP.Protocol.Jose;

/// <summary>
/// A secret that a provider and one API share, for HS256 (RFC 7518 §3.2). Whoever can check a token with it can also make one: it says nothing
/// to anybody but those two, and is a last resort for an API that cannot do better.
/// </summary>
public sealed class SharedSecretKey
{
    /// <summary>HMAC with SHA-256. It is not among <see cref="SigningAlgorithms"/>: no key of a key set is ever used with it.</summary>
    public const string Algorithm = "HS256";

    /// <summary>RFC 7518 §3.2: at least as long as the hash; here exactly that, from a random generator.</summary>
    public const int SecretLength = 32;

    private readonly byte[] _secret;
    private readonly string _header = "";

    private SharedSecretKey(ReadOnlySpan<byte> secret)
    {
        if (secret.Length != SecretLength) throw new ArgumentException($"A shared secret has {SecretLength} bytes.", nameof(secret));
        (KeyId, _secret) = ("", secret.ToArray());
    }

    /// <param name="keyId">The <c>kid</c>: printable ASCII without quotes and backslashes.</param>
    /// <param name="secret">32 random bytes; they are copied.</param>
    /// <exception cref="ArgumentException">The secret has another length, or the key id cannot stand in a header.</exception>
    public SharedSecretKey(string keyId, ReadOnlySpan<byte> secret)
    {
        if (secret.Length != SecretLength) throw new ArgumentException($"A shared secret has {SecretLength} bytes.", nameof(secret));
        if (string.IsNullOrEmpty(keyId) || keyId.Any(c => c is < '!' or > '~' or '"' or '\\')) throw new ArgumentException("The key id must be printable ASCII.", nameof(keyId));
        (KeyId, _secret) = (keyId, secret.ToArray());
        _header = Base64Url.EncodeToString(Encoding.ASCII.GetBytes($$"""{"alg":"HS256","kid":"{{keyId}}","typ":"{{AccessTokenRules.Type}}"}"""));
    }

    /// <summary>The <c>kid</c>; empty if the key is for verification and any will do.</summary>
    public string KeyId { get; }

    /// <summary>A key that only verifies, whatever <c>kid</c> the token names: for the API, which was given nothing but the secret.</summary>
    /// <param name="secret">32 bytes; they are copied.</param>
    /// <exception cref="ArgumentException">The secret has another length.</exception>
    public static SharedSecretKey ForVerification(ReadOnlySpan<byte> secret) => new(secret);

    /// <summary>Reads a secret as it is shown to people: 43 characters of base64url.</summary>
    /// <returns>Null for anything else.</returns>
    public static byte[]? ParseSecret(string? text) =>
        text is not null && CanonicalBase64Url.TryDecode(text, out var secret) && secret.Length == SecretLength ? secret : null;

    /// <summary>Signs an access token (RFC 9068) as a compact JWS.</summary>
    /// <param name="payloadUtf8">The claims as JSON; taken as it is.</param>
    /// <exception cref="InvalidOperationException">The key is for verification only.</exception>
    public string Sign(ReadOnlySpan<byte> payloadUtf8)
    {
        if (KeyId.Length == 0) throw new InvalidOperationException("This key is for verification only.");
        var signed = $"{_header}.{Base64Url.EncodeToString(payloadUtf8)}";
        return $"{signed}.{Base64Url.EncodeToString(HMACSHA256.HashData(_secret, Encoding.ASCII.GetBytes(signed)))}";
    }

    internal bool Verify(ReadOnlySpan<byte> signingInput, ReadOnlySpan<byte> signature)
    {
        Span<byte> expected = stackalloc byte[SecretLength];
        HMACSHA256.HashData(_secret, signingInput, expected);
        return CryptographicOperations.FixedTimeEquals(expected, signature);
    }
}
