using IdP.Clients;
using IdP.Protocol.OAuth;

namespace IdP.Resources;

/// <summary>What a token will be good for: scopes, the one API that it is for (null: only the provider itself) and its audiences.</summary>
internal sealed record GrantedScopes(string[] Scopes, Resource? Api, string[] Audience)
{
    public bool HasOpenId => Scopes.Contains("openid");

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
        var identifier = named.Api is null ? owner?.Identifier : named.Identifier;
        string[] audience = identifier is null ? [issuer] : scopes.Contains("openid") ? [identifier, issuer] : [identifier];
        return new GrantedScopes(scopes, api, audience);
    }

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
