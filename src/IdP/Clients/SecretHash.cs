using System.Security.Cryptography;
using System.Text;
using IdP.Keys;

namespace IdP.Clients;

/// <summary>Keyed hashes of client secrets (HMAC-SHA256 under a sealed key).</summary>
internal sealed class SecretHash(KeyRing keys, TimeProvider clock)
{
    public const int LongestSecret = 1024;
    private static readonly byte[] NoHash = new byte[HMACSHA256.HashSizeInBytes];

    public ClientSecret Make(string secret, DateTimeOffset? expiresAt)
    {
        var (keyId, key) = keys.Symmetric(KeyPurpose.Hash);
        return new ClientSecret { Hash = Hash(key, secret), KeyId = keyId, CreatedAt = clock.GetUtcNow(), ExpiresAt = expiresAt };
    }

    /// <summary>Compares in constant time; a client that does not exist (null) costs as much as one with another secret.</summary>
    public bool Matches(Client? client, string secret)
    {
        if (secret.Length is 0 or > LongestSecret) return false;
        if (client is null || client.Secrets.Count == 0)
        {
            _ = Hash(keys.Symmetric(KeyPurpose.Hash).Secret, secret);
            return false;
        }
        var now = clock.GetUtcNow();
        foreach (var stored in client.Secrets)
        {
            if (keys.Symmetric(KeyPurpose.Hash, stored.KeyId) is not { } key) continue;
            if (CryptographicOperations.FixedTimeEquals(Hash(key, secret), stored.Hash) && (stored.ExpiresAt is not { } expires || expires > now)) return true;
        }
        return false;
    }

    /// <summary>The keyed hash of a secret, and the id of the key.</summary>
    public (byte[] Hash, string KeyId) Of(string secret)
    {
        var (keyId, key) = keys.Symmetric(KeyPurpose.Hash);
        return (Hash(key, secret), keyId);
    }

    /// <summary>Compares with one hash in constant time; no hash (null) costs as much as that of another secret.</summary>
    public bool Matches(byte[]? hash, string? keyId, string secret)
    {
        var key = keyId is null ? null : keys.Symmetric(KeyPurpose.Hash, keyId);
        var computed = Hash(key ?? keys.Symmetric(KeyPurpose.Hash).Secret, secret);
        return CryptographicOperations.FixedTimeEquals(computed, hash ?? NoHash) & hash is not null & key is not null;
    }

    /// <summary>A secret that we make: 256 random bits.</summary>
    public static string Generate() => System.Buffers.Text.Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));

    private static byte[] Hash(byte[] key, string secret)
    {
        Span<byte> utf8 = stackalloc byte[LongestSecret * 3];
        var length = Encoding.UTF8.GetBytes(secret, utf8);
        return HMACSHA256.HashData(key, utf8[..length]);
    }
}
