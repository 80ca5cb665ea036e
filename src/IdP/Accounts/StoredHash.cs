using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Identity;

namespace IdP.Accounts;

/// <summary>
/// A stored PBKDF2 hash: of ASP.NET Core Identity (versions 2 and 3), which new ones are, or one that came from another system and is
/// replaced when its owner signs in for the first time: passlib's <c>$pbkdf2-sha256$</c>, Django's <c>pbkdf2_sha256$</c>, Werkzeug's
/// <c>pbkdf2:sha256:</c>, each with sha512 and sha1 as well.
/// </summary>
internal sealed record StoredHash(HashAlgorithmName Algorithm, int Rounds, byte[] Salt, byte[] Hash, bool IsImported)
{
    // A mistake in an imported file must not keep a hash thread busy for minutes at each sign-in.
    private const int MostRounds = 10_000_000;
    private const int ShortestHash = 16;
    private const int LongestText = 512;

    private static readonly Dictionary<string, HashAlgorithmName> Algorithms = new(StringComparer.Ordinal)
    {
        ["sha1"] = HashAlgorithmName.SHA1, ["sha256"] = HashAlgorithmName.SHA256, ["sha512"] = HashAlgorithmName.SHA512,
    };

    /// <summary>Null for text in no format that can be checked here.</summary>
    public static StoredHash? Read(string text)
    {
        if (text.Length > LongestText) return null;
        try
        {
            var parts = text.Split('$');
            return parts switch
            {
                ["", "pbkdf2", var rounds, var salt, var hash] => Imported("sha1", rounds, Passlib(salt), Passlib(hash)),
                ["", var name, var rounds, var salt, var hash] when name.StartsWith("pbkdf2-", StringComparison.Ordinal) => Imported(name[7..], rounds, Passlib(salt), Passlib(hash)),
                [var name, var rounds, var salt, var hash] when name.StartsWith("pbkdf2_", StringComparison.Ordinal) => Imported(name[7..], rounds, Encoding.UTF8.GetBytes(salt), Convert.FromBase64String(hash)),
                [var method, var salt, var hash] when method.Split(':') is ["pbkdf2", var name, var rounds] => Imported(name, rounds, Encoding.UTF8.GetBytes(salt), Convert.FromHexString(hash)),
                [_] => Identity(Convert.FromBase64String(text)),
                _ => null,
            };
        }
        catch (FormatException)
        {
            return null;
        }
    }

    public PasswordVerificationResult Verify(string password)
    {
        var computed = Rfc2898DeriveBytes.Pbkdf2(password, Salt, Rounds, Algorithm, Hash.Length);
        return CryptographicOperations.FixedTimeEquals(computed, Hash) ? PasswordVerificationResult.SuccessRehashNeeded : PasswordVerificationResult.Failed;
    }

    private static StoredHash? Imported(string name, string rounds, byte[] salt, byte[] hash) =>
        Algorithms.TryGetValue(name, out var algorithm) && int.TryParse(rounds, NumberStyles.None, CultureInfo.InvariantCulture, out var count)
            ? Checked(new StoredHash(algorithm, count, salt, hash, IsImported: true)) : null;

    /// <summary>Version 2: 0, salt, hash by 1,000 rounds of SHA-1. Version 3: 1, algorithm, rounds, length of the salt, salt, hash.</summary>
    private static StoredHash? Identity(byte[] bytes)
    {
        if (bytes is [0, ..] && bytes.Length == 49) return new StoredHash(HashAlgorithmName.SHA1, 1000, bytes[1..17], bytes[17..], IsImported: false);
        if (bytes is not [1, ..] || bytes.Length < 13 + ShortestHash) return null;
        var (kind, rounds, salt) = (Number(1), Number(5), Number(9));
        if (kind > 2 || rounds > MostRounds || salt < 16 || salt > bytes.Length - 13 - ShortestHash) return null;
        var algorithm = kind switch { 0 => HashAlgorithmName.SHA1, 1 => HashAlgorithmName.SHA256, _ => HashAlgorithmName.SHA512 };
        return Checked(new StoredHash(algorithm, (int)rounds, bytes[13..(13 + (int)salt)], bytes[(13 + (int)salt)..], IsImported: false));
        uint Number(int offset) => BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(offset));
    }

    private static StoredHash? Checked(StoredHash hash) => hash.Rounds is >= 1 and <= MostRounds && hash.Hash.Length >= ShortestHash ? hash : null;

    /// <summary>Base64 with '.' for '+' and without padding.</summary>
    private static byte[] Passlib(string text) => Convert.FromBase64String(text.Replace('.', '+') + new string('=', (4 - (text.Length % 4)) % 4));
}
