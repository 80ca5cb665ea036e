using IdP.Clients;
using IdP.Grants;
using IdP.Protocol.OAuth;

namespace IdP.Resources;

/// <summary>What an authorization request asks for: scopes, and the APIs that they are for. Each token is for one of them (RFC 8707 §2.2).</summary>
internal sealed record RequestedScopes(string[] Names, string[] ResourceIdentifiers)
{
    public static readonly RequestedScopes None = new([], []);

    /// <summary>The APIs as a grant stores them; null when it is for the provider alone.</summary>
    public string? ResourceText => ResourceIdentifiers.Length == 0 ? null : string.Join(' ', ResourceIdentifiers);

    /// <summary>Decides what a request of the front channel may ask for. Pure.</summary>
    public static Result<RequestedScopes> Resolve(Client client, FormParameters form, ResourceCatalog.Snapshot catalog, string issuer)
    {
        if (ScopeText.Parse(form["scope"]).Failed(out var scopes, out var error)) return error;
        if (scopes.Length == 0) return OAuthError.InvalidScope("scope is required: openid, or scopes of an API");
        var named = new Dictionary<long, string>();
        foreach (var identifier in form.All("resource"))
        {
            if (!ResourceIndicator.IsWellFormed(identifier)) return OAuthError.InvalidTarget("resource must be an absolute URI without a fragment");
            if (identifier == issuer) continue;
            if (catalog.ByIdentifier(identifier) is not { } api) return OAuthError.InvalidTarget("the resource is unknown");
            if (!client.Scopes.Any(name => catalog.Scope(name)?.ResourceId == api.Id)) return OAuthError.InvalidTarget("this client has no scope of that resource");
            if (!named.TryAdd(api.Id, identifier)) return OAuthError.InvalidTarget("a resource is named twice");
        }
        var isNamed = form.Has("resource");
        foreach (var name in scopes)
        {
            var scope = catalog.Scope(name);
            // RFC 6749 §3.3: what is unknown and what is not this client's get one answer.
            if (!client.Scopes.Contains(name) || (scope is null && !ResourceCatalog.IdentityScopes.ContainsKey(name)))
                return OAuthError.InvalidScope($"the scope '{OAuthError.Printable(name)}' is unknown or not allowed for this client");
            if (scope is null || named.ContainsKey(scope.ResourceId)) continue;
            if (isNamed) return OAuthError.InvalidScope($"the scope '{OAuthError.Printable(name)}' does not belong to a resource that the request names");
            if (named.Count > 0) return OAuthError.InvalidScope("the scopes belong to two resources: name them with the parameter resource");
            named.Add(scope.ResourceId, catalog.ById(scope.ResourceId)!.Identifier);
        }
        if (named.Count > 0 && scopes.Contains(ResourceCatalog.ManageApiKeys)) return GrantedScopes.NotBesideAnApi();
        var requested = new RequestedScopes(scopes, [.. named.Values]);
        return requested.ResourceText?.Length > Grant.LongestResources ? OAuthError.InvalidTarget("too many resources in one request") : requested;
    }
}
