using IdP.Clients;
using IdP.Grants;
using IdP.Protocol.OAuth;

namespace IdP.Resources;

/// <summary>What a token will be good for: scopes, the one API that it is for (null: only the provider itself) and its audiences.</summary>
internal sealed record GrantedScopes(string[] Scopes, Resource? Api, string[] Audience)
{
    /// <summary>The API's identifier as the client named it; null when the token is for the provider alone.</summary>
    public string? ApiIdentifier => Api is null ? null : Audience[0];

    /// <summary>Decides scopes and audience of a request that names no grant yet. Pure.</summary>
    /// <param name="client">Who asks.</param>
    /// <param name="form">The parameters <c>scope</c> and <c>resource</c>.</param>
    /// <param name="catalog">Every resource and scope.</param>
    /// <param name="issuer">The provider's own identifier as a resource.</param>
    /// <param name="forPerson">False for client_credentials: without a person the scopes of OpenID Connect mean nothing.</param>
    public static Result<GrantedScopes> Resolve(Client client, FormParameters form, ResourceCatalog.Snapshot catalog, string issuer, bool forPerson)
    {
        if (ScopeText.Parse(form["scope"]).Failed(out var scopes, out var error)) return error;
        if (NamedResource(form, catalog, issuer).Failed(out var named, out error)) return error;
        if (named.Api is { } target && !client.Scopes.Any(name => catalog.Scope(name)?.ResourceId == target.Id))
            return OAuthError.InvalidTarget("this client has no scope of that resource");

        var asked = scopes.Length > 0;
        if (!asked) scopes = client.DefaultScopes.Where(name => named.Fits(catalog, name)).ToArray();
        if (scopes.Length == 0) return OAuthError.InvalidScope("no scope was asked for and this client has no default scope");

        Resource? owner = null;
        foreach (var name in scopes)
        {
            var scope = catalog.Scope(name);
            var isIdentity = ResourceCatalog.IdentityScopes.ContainsKey(name);
            // RFC 6749 §3.3: what is unknown and what is not this client's get one answer.
            if (!client.Scopes.Contains(name) || (scope is null && !isIdentity) || (isIdentity && !forPerson))
                return OAuthError.InvalidScope($"the scope '{OAuthError.Printable(name)}' is unknown or not allowed for this client and grant");
            if (scope is null) continue;
            if (named.IsNamed && named.Api?.Id != scope.ResourceId)
                return OAuthError.InvalidScope($"the scope '{OAuthError.Printable(name)}' does not belong to the resource");
            // RFC 8707 §2.2: an access token is for one resource.
            if (owner is not null && owner.Id != scope.ResourceId)
                return OAuthError.InvalidScope("the scopes belong to two resources: name one with the parameter resource");
            owner = catalog.ById(scope.ResourceId);
        }

        var api = named.Api ?? owner;
        if (api is not null && scopes.Contains(ResourceCatalog.ManageApiKeys)) return NotBesideAnApi();
        var identifier = named.Api is null ? owner?.Identifier : named.Identifier;
        return new GrantedScopes(scopes, api, AudienceOf(scopes, api, identifier, issuer));
    }

    /// <summary>RFC 6749 §6: what a token request asks for may be less than what was granted, never more; a right that the client has lost is gone.</summary>
    public static Result<GrantedScopes> Narrow(Client client, StoredGrant grant, FormParameters form, ResourceCatalog.Snapshot catalog, string issuer)
    {
        if (ScopeText.Parse(form["scope"]).Failed(out var asked, out var error)) return error;
        if (NamedResource(form, catalog, issuer).Failed(out var named, out error)) return error;
        var apis = new Dictionary<long, string>();
        foreach (var identifier in grant.ResourceIdentifier?.Split(' ') ?? [])
            // An API of which the client has lost every scope is nothing that its tokens are for.
            if (catalog.ByIdentifier(identifier) is { } known && client.Scopes.Any(name => catalog.Scope(name)?.ResourceId == known.Id)) apis.TryAdd(known.Id, identifier);
        if (named.IsNamed && (named.Api is null ? named.Identifier != issuer || apis.Count > 0 : !apis.ContainsKey(named.Api.Id)))
            return OAuthError.InvalidTarget("the resource was not granted");

        var granted = grant.Scope.Split(' ');
        foreach (var name in asked)
            if (!granted.Contains(name)) return OAuthError.InvalidScope($"the scope '{OAuthError.Printable(name)}' was not granted");
        // A scope of another API that was granted too is left out, unless it is asked for.
        bool Remains(string name) => client.Scopes.Contains(name) && (ResourceCatalog.IdentityScopes.ContainsKey(name) ||
            (catalog.Scope(name) is { } scope && apis.ContainsKey(scope.ResourceId) && (named.Api is null || named.Api.Id == scope.ResourceId)));
        var scopes = (asked.Length > 0 ? asked : granted).Where(Remains).ToArray();
        if (scopes.Length == 0 || scopes.Length < asked.Length) return OAuthError.InvalidScope("the client has lost a scope that it asks for, or it belongs to another resource");

        var owners = scopes.Select(name => catalog.Scope(name)?.ResourceId).OfType<long>().Distinct().ToList();
        // RFC 8707 §2.2: an access token is for one resource.
        if (owners.Count > 1) return OAuthError.InvalidTarget("several resources were granted: name one with the parameter resource");
        var owner = named.Api?.Id ?? (owners.Count == 1 ? owners[0] : apis.Count == 1 ? apis.First().Key : (long?)null);
        var api = owner is { } id ? catalog.ById(id) : null;
        // The audience is what the request names, of the identifiers that the resource has.
        return new GrantedScopes(scopes, api, AudienceOf(scopes, api, api is null ? null : named.Identifier ?? apis[api.Id], issuer));
    }

    public static OAuthError NotBesideAnApi() => OAuthError.InvalidScope($"{ResourceCatalog.ManageApiKeys} is for the provider alone: ask for it in a request of its own, without scopes of an API");

    // A token under a secret that the API shares is for that API alone: it says nothing to anybody else, userinfo included.
    private static string[] AudienceOf(string[] scopes, Resource? api, string? identifier, string issuer) =>
        identifier is null ? [issuer] : scopes.Contains("openid") && api is { SharesSecret: false } ? [identifier, issuer] : [identifier];

    private static Result<Target> NamedResource(FormParameters form, ResourceCatalog.Snapshot catalog, string issuer)
    {
        var names = form.All("resource").ToList();
        if (names.Count == 0) return new Target(null, null);
        if (names.Count > 1) return OAuthError.InvalidTarget("an access token is for one resource: send one resource parameter");
        if (!ResourceIndicator.IsWellFormed(names[0])) return OAuthError.InvalidTarget("resource must be an absolute URI without a fragment");
        if (names[0] == issuer) return new Target(null, issuer);
        return catalog.ByIdentifier(names[0]) is { } api ? new Target(api, names[0]) : OAuthError.InvalidTarget("the resource is unknown");
    }

    private readonly record struct Target(Resource? Api, string? Identifier)
    {
        public bool IsNamed => Identifier is not null;

        public bool Fits(ResourceCatalog.Snapshot catalog, string scope) =>
            !IsNamed || catalog.Scope(scope)?.ResourceId is not { } owner || owner == Api?.Id;
    }
}
