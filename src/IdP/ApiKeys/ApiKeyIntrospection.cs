using IdP.Clients;
using IdP.Http;
using IdP.Protocol;
using IdP.Resources;
using IdP.Roles;

namespace IdP.ApiKeys;

/// <summary>What a caller of introspection is told of a key.</summary>
internal sealed record ApiKeyDescription(PresentedApiKey Key, IReadOnlyList<string> Audience, IReadOnlyList<string> Scopes, Rights Rights);

/// <summary>A key at the introspection endpoint: who is told of it, and what.</summary>
internal sealed class ApiKeyIntrospection(ApiKeyLookup lookup, LastUses uses, ResourceCatalog catalog, ClientDirectory clients, HeldRoles roles, Issuer issuer)
{
    /// <summary>The key that the text is; null for any other text, whose reader is another.</summary>
    public async ValueTask<PresentedApiKey?> Find(string token, CancellationToken ct) =>
        ApiKeyText.TryParse(token, out var text) ? await lookup.Find(text, ct) : null;

    /// <summary>What this caller may know of the key; null when that is nothing, because the key does not count or is not for it.</summary>
    public async ValueTask<ApiKeyDescription?> Describe(PresentedApiKey key, Client caller, CancellationToken ct)
    {
        var isOwner = key.ClientId is not null && key.ClientId == caller.ClientId;
        var isItsApi = caller.ResourceId == key.ResourceId;
        if (!key.IsLive || !(isOwner || isItsApi) || catalog.Current.ById(key.ResourceId) is not { } resource) return null;
        var (scopes, rights) = (key.Scopes, Rights.None);
        if (key.UserId is { } person) rights = await roles.OfUser(person, resource, ct);
        else if (await clients.Find(key.ClientId!, ct) is { } owner)
        {
            // A right that the client has lost its key has lost too.
            (scopes, rights) = (scopes.FindAll(owner.Scopes.Contains), roles.OfClient(owner, resource));
        }
        else return null;
        // Nothing that it was made for is left.
        if (scopes.Count == 0) return null;
        if (isItsApi) uses.Saw(key);
        return new ApiKeyDescription(key, [.. resource.Identifiers.OrderBy(i => i.Position).Select(i => i.Value)], scopes, rights);
    }

    public Task Answer(HttpContext http, ApiKeyDescription described) => OAuthResults.Write(http, writer =>
    {
        var key = described.Key;
        writer.WriteStartObject();
        writer.WriteBoolean("active"u8, true);
        writer.WriteString("iss"u8, issuer.Value);
        writer.WriteString("sub"u8, key.UserId is { } person ? person.ToString("N") : key.ClientId);
        if (key.ClientId is { } clientId) writer.WriteString("client_id"u8, clientId);
        writer.WriteList("aud", described.Audience);
        writer.WriteString("scope"u8, string.Join(' ', described.Scopes));
        // An API that asked for a bearer token must be able to refuse a key, and the other way round.
        writer.WriteString("token_type"u8, "ApiKey"u8);
        writer.WriteNumber("iat"u8, key.CreatedAt.ToUnixTimeSeconds());
        writer.WriteNumber("exp"u8, key.ExpiresAt.ToUnixTimeSeconds());
        writer.WriteString("jti"u8, key.KeyId);
        described.Rights.Write(writer);
        writer.WriteEndObject();
    });
}
