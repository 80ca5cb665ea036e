using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using IdP.Protocol.Jose;

namespace IdP.TokenValidation;

/// <summary>A sign-in that is under way at the provider: what the answer must fit.</summary>
internal sealed record PendingSignIn(string State, string Nonce, string Verifier, string ReturnTo, DateTimeOffset EndsAt)
{
    public static PendingSignIn Begin(string returnTo, DateTimeOffset endsAt) => new(Random(), Random(), Random(), returnTo, endsAt);

    /// <summary>RFC 7636 §4.2, S256.</summary>
    public string CodeChallenge => CanonicalBase64Url.Encode(SHA256.HashData(Encoding.ASCII.GetBytes(Verifier)));

    private static string Random() => CanonicalBase64Url.Encode(RandomNumberGenerator.GetBytes(32));
}

/// <summary>
/// Seals a sign-in under way into a cookie, so that nothing is kept here for requests that lead nowhere, and that the answer counts in the
/// browser that asked and in no other (RFC 9700 §4.7). The key is this process's own.
/// </summary>
internal sealed class PendingSignIns
{
    private const int NonceLength = 12;
    private const int TagLength = 16;
    private readonly byte[] _key = RandomNumberGenerator.GetBytes(32);

    public string Seal(PendingSignIn pending)
    {
        var ends = pending.EndsAt.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        var plain = Encoding.UTF8.GetBytes(string.Join('\n', pending.State, pending.Nonce, pending.Verifier, ends, pending.ReturnTo));
        var sealedBytes = new byte[NonceLength + TagLength + plain.Length];
        RandomNumberGenerator.Fill(sealedBytes.AsSpan(0, NonceLength));
        using var aes = new AesGcm(_key, TagLength);
        aes.Encrypt(sealedBytes.AsSpan(0, NonceLength), plain, sealedBytes.AsSpan(NonceLength + TagLength), sealedBytes.AsSpan(NonceLength, TagLength));
        return CanonicalBase64Url.Encode(sealedBytes);
    }

    /// <returns>Null if the text was not sealed here, or too long ago.</returns>
    public PendingSignIn? Open(string text, DateTimeOffset now)
    {
        if (!CanonicalBase64Url.TryDecode(text, out var bytes) || bytes.Length <= NonceLength + TagLength) return null;
        var plain = new byte[bytes.Length - NonceLength - TagLength];
        try
        {
            using var aes = new AesGcm(_key, TagLength);
            aes.Decrypt(bytes.AsSpan(0, NonceLength), bytes.AsSpan(NonceLength + TagLength), bytes.AsSpan(NonceLength, TagLength), plain);
        }
        catch (CryptographicException)
        {
            return null;
        }

        var parts = Encoding.UTF8.GetString(plain).Split('\n');
        var ends = DateTimeOffset.FromUnixTimeSeconds(long.Parse(parts[3], CultureInfo.InvariantCulture));
        return now < ends ? new PendingSignIn(parts[0], parts[1], parts[2], parts[4], ends) : null;
    }
}
