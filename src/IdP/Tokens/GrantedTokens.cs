using IdP.Accounts;
using IdP.Clients;
using IdP.Grants;
using IdP.Http;
using IdP.Protocol.OAuth;
using IdP.Protocol.OpenId;
using IdP.Resources;
using IdP.Roles;
using IdP.Storage;
using IdP.UserInfo;
using Microsoft.EntityFrameworkCore;

namespace IdP.Tokens;

/// <summary>What a stored grant entitles a client to at this moment: shared by the first tokens of a code and by every refresh.</summary>
internal sealed class GrantedTokens(Subjects subjects, HeldRoles roles, Database database, ResourceCatalog catalog, Issuer issuer, IdpOptions options)
{
    /// <param name="grant">The grant.</param>
    /// <param name="request">What the client asks for now: it may narrow scope and resource.</param>
    /// <param name="nonce">The nonce of the ID token; a refresh has none (OpenID Connect Core §12.2).</param>
    /// <param name="ct">Cancels.</param>
    public async ValueTask<Result<Authorization>> Prepare(StoredGrant grant, GrantRequest request, string? nonce, CancellationToken ct)
    {
        if (GrantedScopes.Narrow(request.Client, grant, request.Form, catalog.Current, issuer.Value).Failed(out var granted, out var error)) return error;
        return new Authorization(request.Client, granted, subjects.Of(grant.UserId, request.Client))
        {
            GrantId = grant.Id,
            AuthenticatedAt = grant.AuthenticatedAt,
            Acr = grant.Acr,
            AccessTokenLifetime = Authorization.Lifetime(request.Client, granted.Api, options),
            Rights = await roles.OfUser(grant.UserId, granted.Api, ct),
            SignIn = grant.Origin == GrantNames.AuthorizationCode && granted.Scopes.Contains("openid") ? await Facts(grant, request.Client, nonce, ct) : null,
        };
    }

    private async ValueTask<SignInFacts> Facts(StoredGrant grant, Client client, string? nonce, CancellationToken ct)
    {
        var facts = new SignInFacts(grant.AuthenticatedAt, grant.Acr, grant.Amr, grant.SessionId) { Nonce = nonce };
        if (ClaimsRequest.Parse(grant.Claims).Failed(out var claims, out _)) return facts;
        var names = UserClaims.Requested(claims.IdToken.Keys, client).ToHashSet(StringComparer.Ordinal);
        if (names.Count == 0) return facts;
        if (UserClaims.AreRights(names)) facts = facts with { Rights = await roles.OfUser(grant.UserId, grant.ResourceIdentifier, ct) };
        await using var db = database.OpenForReading();
        return facts with { RequestedClaims = names, Person = await db.Users.SingleOrDefaultAsync(u => u.Id == grant.UserId, ct) };
    }
}
