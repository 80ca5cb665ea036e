using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using IdP.Keys;
using IdP.Protocol.Jose;

namespace IdP.Resources;

/// <summary>
/// The secrets of APIs that insist on HS256, sealed at rest and bound to their API. A secret is good for tokens of its API and for nothing
/// else: the API could make such tokens itself.
/// </summary>
internal sealed class SharedSecrets(Sealer sealer, ResourceCatalog catalog)
{
    private const string Use = "idp shared secret";
    private readonly ConcurrentDictionary<string, SharedSecretKey> _opened = new(StringComparer.Ordinal);

    /// <summary>Gives the API a new secret, and returns it as people see it, once. Tokens under the old one end.</summary>
    public string Renew(Resource resource)
    {
        var secret = RandomNumberGenerator.GetBytes(SharedSecretKey.SecretLength);
        resource.SecretId = "hs-" + RandomNumberGenerator.GetHexString(16, lowercase: true);
        resource.SealedSecret = sealer.Seal(KeyPurpose.SealStored, Use, secret, Encoding.ASCII.GetBytes(resource.SecretId));
        return CanonicalBase64Url.Encode(secret);
    }

    /// <summary>The key that signs for the API.</summary>
    public SharedSecretKey Of(Resource resource) =>
        Open(resource) ?? throw new InvalidOperationException($"The shared secret of {resource.Identifier} cannot be opened: 'resource secret' makes a new one.");

    /// <summary>The API whose present secret has this id, with the key; null when there is none.</summary>
    public (Resource Resource, SharedSecretKey Key)? Find(string? keyId) =>
        keyId is not null && catalog.Current.BySecretId(keyId) is { } resource && Open(resource) is { } key ? (resource, key) : null;

    private SharedSecretKey? Open(Resource resource)
    {
        if (resource is not { SecretId: { } id, SealedSecret: { } text }) return null;
        if (_opened.TryGetValue(id, out var known)) return known;
        if (sealer.Open(KeyPurpose.SealStored, Use, text, Encoding.ASCII.GetBytes(id)) is not { } opened) return null;
        // There are few of them; a replaced one is never found again.
        return _opened.GetOrAdd(id, new SharedSecretKey(id, opened.Content));
    }
}
