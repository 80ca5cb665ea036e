using System.Collections.Frozen;
using IdP.Storage;
using Microsoft.EntityFrameworkCore;

namespace IdP.Resources;

/// <summary>
/// Every resource and scope, in memory. The provider itself is the resource that owns the scopes of OpenID Connect; its identifier
/// is the issuer. A name that begins with <c>idp:</c> is the provider's alone.
/// </summary>
internal sealed class ResourceCatalog(Database database)
{
    public const string ReservedPrefix = "idp:";

    /// <summary>A person's own API keys. In tokens for the provider alone: an API that got such a token could make keys with it.</summary>
    public const string ManageApiKeys = "idp:api_keys";

    /// <summary>OpenID Connect Core §5.4, with what the person who consents is told.</summary>
    public static readonly FrozenDictionary<string, string> IdentityScopes = new Dictionary<string, string>
    {
        ["openid"] = "Know who you are",
        ["profile"] = "Your name and profile",
        ["email"] = "Your e-mail address",
        ["address"] = "Your postal address",
        ["phone"] = "Your telephone number",
        ["roles"] = "Your roles and permissions",
        [ManageApiKeys] = "Manage your API keys",
        ["offline_access"] = "Keep this access while you are away",
    }.ToFrozenDictionary();

    private volatile Snapshot _snapshot = new([], []);

    public Snapshot Current => _snapshot;

    public async Task Load(long sinceVersion, CancellationToken ct)
    {
        await using var db = database.OpenForReading();
        if (sinceVersion >= 0 && !await db.Set<Resource>().AnyAsync(r => r.Version > sinceVersion, ct) &&
            !await db.Set<Scope>().AnyAsync(s => s.Version > sinceVersion, ct)) return;
        _snapshot = new Snapshot(
            await db.Set<Resource>().Include(r => r.Identifiers).ToListAsync(ct), await db.Set<Scope>().ToListAsync(ct));
    }

    internal sealed class Snapshot(IReadOnlyCollection<Resource> resources, IReadOnlyCollection<Scope> scopes)
    {
        private readonly FrozenDictionary<long, Resource> _byId = resources.ToFrozenDictionary(r => r.Id);
        private readonly FrozenDictionary<string, Resource> _byIdentifier =
            resources.SelectMany(r => r.Identifiers.Select(i => (i.Value, Resource: r))).ToFrozenDictionary(pair => pair.Value, pair => pair.Resource);
        private readonly FrozenDictionary<string, Resource> _bySecretId = resources.Where(r => r.SharesSecret && r.SecretId is not null).ToFrozenDictionary(r => r.SecretId!);
        private readonly FrozenDictionary<string, Scope> _scopes = scopes.ToFrozenDictionary(s => s.Name);

        public IEnumerable<string> ScopeNames => IdentityScopes.Keys.Concat(_scopes.Keys);

        public Resource? ByIdentifier(string identifier) => _byIdentifier.GetValueOrDefault(identifier);

        public Resource? ById(long id) => _byId.GetValueOrDefault(id);

        /// <summary>The API whose shared secret has this id.</summary>
        public Resource? BySecretId(string id) => _bySecretId.GetValueOrDefault(id);

        /// <summary>APIs that check tokens with a secret by which they could make them too.</summary>
        public IEnumerable<Resource> SharingSecrets => _bySecretId.Values;

        public Scope? Scope(string name) => _scopes.GetValueOrDefault(name);
    }
}
