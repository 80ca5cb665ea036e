using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using IdP.Storage;

namespace IdP.Keys;

/// <summary>The master keys seal every other key (AES-256-GCM). The first seals, all open.</summary>
internal sealed class MasterKeys
{
    private const int NonceLength = 12;
    private const int TagLength = 16;
    private readonly List<(string Id, byte[] Key)> _keys;

    private MasterKeys(List<(string Id, byte[] Key)> keys) => _keys = keys;

    /// <summary>The check value of the key that seals: it is stored with what was sealed, so that a wrong master key fails at start.</summary>
    public string CurrentId => _keys[0].Id;

    /// <summary>The keys as a master key file has them, separated by spaces. Secret.</summary>
    public string Text => string.Join(' ', _keys.Select(key => Convert.ToBase64String(key.Key)));

    public bool Has(string id) => _keys.Exists(key => key.Id == id);

    /// <summary>Reads the configured master keys; null when there are none yet. Writes nothing.</summary>
    public static MasterKeys? Find(IdpOptions options)
    {
        var keys = options.Keys;
        if (keys.MasterKey is { Length: > 0 } inline) return Parse(inline, "Keys:MasterKey");
        if (keys.MasterKeyCertificate is { Length: > 0 } certificate) return FromCertificate(certificate, keys.MasterKeyCertificatePassword);
        var file = FileOf(options);
        try
        {
            return File.Exists(file) ? Parse(File.ReadAllText(file), file) : null;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new StorageException($"The master key file {file} cannot be read: give this user read access to it.", failure);
        }
    }

    /// <summary>The configured master keys, which must include those that sealed what the database holds.</summary>
    public static MasterKeys Load(IdpOptions options, IReadOnlyCollection<string> sealedWith)
    {
        var found = Find(options) ?? (sealedWith.Count == 0
            ? Create(options)
            : throw new StorageException($"The master key file {FileOf(options)} is missing, and the database holds keys sealed with it: restore the file, or set Keys:MasterKey."));
        if (sealedWith.FirstOrDefault(id => !found.Has(id)) is { } missing)
            throw new StorageException($"The keys in the database are sealed with master key {missing}, which is not among the configured ones: set the right Keys:MasterKey or master key file.");
        return found;
    }

    public byte[] Seal(ReadOnlySpan<byte> plaintext, string associated)
    {
        var sealedBytes = new byte[NonceLength + plaintext.Length + TagLength];
        RandomNumberGenerator.Fill(sealedBytes.AsSpan(0, NonceLength));
        using var aes = new AesGcm(_keys[0].Key, TagLength);
        aes.Encrypt(sealedBytes.AsSpan(0, NonceLength), plaintext, sealedBytes.AsSpan(NonceLength, plaintext.Length),
            sealedBytes.AsSpan(NonceLength + plaintext.Length), Encoding.UTF8.GetBytes(associated));
        return sealedBytes;
    }

    public byte[] Open(ReadOnlySpan<byte> sealedBytes, string masterKeyId, string associated)
    {
        var (_, key) = _keys.Find(candidate => candidate.Id == masterKeyId);
        if (key is null)
            throw new StorageException($"The keys in the database are sealed with master key {masterKeyId}, which is not among the configured ones: set the right Keys:MasterKey or master key file.");
        var plaintext = new byte[sealedBytes.Length - NonceLength - TagLength];
        try
        {
            using var aes = new AesGcm(key, TagLength);
            aes.Decrypt(sealedBytes[..NonceLength], sealedBytes[NonceLength..^TagLength], sealedBytes[^TagLength..], plaintext, Encoding.UTF8.GetBytes(associated));
        }
        catch (CryptographicException failure)
        {
            throw new StorageException($"A key in the database ({associated}) is damaged: restore a backup.", failure);
        }
        return plaintext;
    }

    /// <summary>The file that master keys are read from unless they come otherwise.</summary>
    public static string FileOf(IdpOptions options) =>
        options.Keys.MasterKeyFile is { Length: > 0 } named ? named : Path.Combine(Path.GetFullPath(options.Storage.DataDirectory), "master.key");

    private static MasterKeys Create(IdpOptions options)
    {
        if (!options.Storage.Provider.Equals("sqlite", StringComparison.OrdinalIgnoreCase) && options.Keys.MasterKeyFile is null or "")
            throw new StorageException("No master key: set Keys:MasterKey (32 bytes as base64), Keys:MasterKeyFile or Keys:MasterKeyCertificate, the same on every node.");
        Write(FileOf(options));
        return Find(options)!;
    }

    private static void Write(string file)
    {
        try
        {
            using var stream = PrivateFile.Open(file, FileMode.CreateNew);
            stream.Write(Encoding.ASCII.GetBytes(Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)) + Environment.NewLine));
            // Before anything is sealed with it: a machine that loses power must not keep what it seals and lose it.
            stream.Flush(flushToDisk: true);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new StorageException($"The master key file {file} cannot be written: give this user write access to its folder, or set Keys:MasterKey.", failure);
        }
    }

    /// <summary>Master keys as they stand in a file or a setting.</summary>
    public static MasterKeys Parse(string text, string where)
    {
        var keys = new List<(string, byte[])>();
        foreach (var word in text.Split([' ', '\t', '\r', '\n'], StringSplitOptions.RemoveEmptyEntries))
        {
            var key = new byte[33];
            if (!Convert.TryFromBase64String(word, key, out var length) || length != 32)
                throw new StorageException($"{where} is not a master key: it must be 32 random bytes as base64 (for example from 'openssl rand -base64 32').");
            keys.Add(Named(key[..32]));
        }
        return keys.Count > 0 ? new MasterKeys(keys) : throw new StorageException($"{where} is empty: put 32 random bytes as base64 there (for example from 'openssl rand -base64 32').");
    }

    private static MasterKeys FromCertificate(string file, string? password)
    {
        try
        {
            using var certificate = Path.GetExtension(file).ToLowerInvariant() is ".pfx" or ".p12"
                ? X509CertificateLoader.LoadPkcs12FromFile(file, password, X509KeyStorageFlags.Exportable | X509KeyStorageFlags.EphemeralKeySet)
                : X509Certificate2.CreateFromPemFile(file);
            using AsymmetricAlgorithm? key = (AsymmetricAlgorithm?)certificate.GetRSAPrivateKey() ?? certificate.GetECDsaPrivateKey();
            if (key is null) throw new CryptographicException("no private key");
            return new MasterKeys([Named(HKDF.DeriveKey(HashAlgorithmName.SHA256, key.ExportPkcs8PrivateKey(), 32, info: "idp master key"u8.ToArray()))]);
        }
        catch (Exception failure) when (failure is CryptographicException or IOException or UnauthorizedAccessException)
        {
            throw new StorageException($"Keys:MasterKeyCertificate {file} cannot be used: it must be a readable PEM or PKCS#12 file with a private key.", failure);
        }
    }

    private static (string Id, byte[] Key) Named(byte[] key) =>
        (Convert.ToHexStringLower(HMACSHA256.HashData(key, "idp master key check"u8).AsSpan(0, 8)), key);
}
