using IdP.Http;
using IdP.Protocol.OAuth;
using IdP.Resources;
using IdP.Roles;

namespace IdP.Tokens.GrantTypes;

/// <summary>RFC 6749 §4.4: a client acts for itself. Nothing is stored: the token carries the client's generation.</summary>
internal sealed class ClientCredentialsGrant(ResourceCatalog catalog, HeldRoles roles, Issuer issuer, IdpOptions options) : IGrant
{
    public string Name => GrantNames.ClientCredentials;

    public ValueTask<Result<Authorization>> Redeem(GrantRequest request, CancellationToken ct) => new(Redeem(request));

    private Result<Authorization> Redeem(GrantRequest request)
    {
        var client = request.Client;
        // RFC 6749 §4.4: only confidential clients.
        if (client.IsPublic) return OAuthError.UnauthorizedClient("a public client may not use client_credentials");
        if (GrantedScopes.Resolve(client, request.Form, catalog.Current, issuer.Value, forPerson: false).Failed(out var granted, out var error)) return error;
        return new Authorization(client, granted, client.ClientId)
        {
            AccessTokenLifetime = Authorization.Lifetime(client, granted.Api, options),
            Rights = roles.OfClient(client, granted.Api),
        };
    }
}
