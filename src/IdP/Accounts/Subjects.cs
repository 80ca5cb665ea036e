using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using IdP.Clients;
using IdP.Keys;

namespace IdP.Accounts;

/// <summary>
/// What a client knows a person by (<c>sub</c>, OpenID Connect Core §8): the account's id, or for a client with pairwise subjects that
/// id encrypted under its sector's key, which never changes. Two sectors cannot compare notes, and nothing is stored.
/// </summary>
internal sealed class Subjects(KeyRing keys)
{
    private static readonly SearchValues<char> LowerHex = SearchValues.Create("0123456789abcdef");

    public string Of(Guid userId, Client client)
    {
        if (client.Sector is not { } sector) return userId.ToString("N");
        Span<byte> block = stackalloc byte[16];
        userId.TryWriteBytes(block, bigEndian: true, out _);
        using var aes = Cipher(sector);
        aes.EncryptEcb(block, block, PaddingMode.None);
        return Convert.ToHexStringLower(block);
    }

    /// <summary>The person whom a client calls so; null for what is no subject. Whether the account exists is another question.</summary>
    public Guid? Find(string subject, Client client)
    {
        if (subject.Length != 32 || subject.AsSpan().ContainsAnyExcept(LowerHex)) return null;
        Span<byte> block = stackalloc byte[16];
        Convert.FromHexString(subject, block, out _, out _);
        if (client.Sector is { } sector)
        {
            using var aes = Cipher(sector);
            aes.DecryptEcb(block, block, PaddingMode.None);
        }
        return new Guid(block, bigEndian: true);
    }

    // One block, and each sector has a key of its own: nothing here needs a mode.
    private Aes Cipher(string sector)
    {
        var aes = Aes.Create();
        aes.Key = HKDF.Expand(HashAlgorithmName.SHA256, keys.Symmetric(KeyPurpose.Pairwise).Secret, 32, Encoding.UTF8.GetBytes($"idp pairwise subject {sector}"));
        return aes;
    }
}
