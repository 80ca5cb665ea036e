using IdP.Accounts;
using IdP.Audit;
using IdP.Grants;
using IdP.Http;
using IdP.Protocol.OAuth;
using IdP.Resources;
using IdP.Roles;
using IdP.SecondFactors;
using IdP.Storage;

namespace IdP.Tokens.GrantTypes;

/// <summary>RFC 6749 §4.3: the client has the person's password. RFC 9700 §2.4 deprecates it; only clients that are given it have it.</summary>
internal sealed class PasswordGrant(
    PasswordCheck passwords, Subjects subjects, RefreshTokens refreshTokens, HeldRoles roles, SecondFactorStatements factors, Database database, ResourceCatalog catalog, Issuer issuer, IdpOptions options, TimeProvider clock) : IGrant
{
    public string Name => GrantNames.Password;

    public async ValueTask<Result<Authorization>> Redeem(GrantRequest request, CancellationToken ct)
    {
        var client = request.Client;
        if (client.IsPublic && !client.AllowPublicPasswordGrant)
            return OAuthError.UnauthorizedClient("a public client needs its own switch to use the password grant");
        if (request.Form["username"] is not { } name || request.Form["password"] is not { } password)
            return OAuthError.InvalidRequest("username and password are required");
        // Before the password, so that a request that could not succeed costs no hash and tells nothing about the password.
        if (GrantedScopes.Resolve(client, request.Form, catalog.Current, issuer.Value, forPerson: true).Failed(out var granted, out var error)) return error;
        if ((await passwords.Check(name, password, request.Facts, ct, asksForMany: !client.IsPublic)).Failed(out var person, out error)) return error;
        // Nobody can prove a second factor here, so whoever has or must have one cannot use this grant.
        if (client.RequiresSecondFactor || client.RequiresPasskey || await factors.Of(person.User.Id, ct) is { IsAsked: true } or { MustHave: true } or { MustHavePasskey: true })
        {
            await database.Write(db => person.Accept(db, CancellationToken.None), CancellationToken.None);
            return OAuthError.InvalidGrant("this account needs a second factor, which this grant cannot ask for: use the authorization code flow", "a second factor is due");
        }

        var now = clock.GetUtcNow();
        var authorization = new Authorization(client, granted, subjects.Of(person.User.Id, client))
        {
            GrantId = Guid.CreateVersion7(now),
            AuthenticatedAt = now,
            AccessTokenLifetime = Authorization.Lifetime(client, granted.Api, options),
            Rights = await roles.OfUser(person.User.Id, granted.Api, ct),
        };
        var grant = NewGrant(authorization, person.User);
        if (RefreshTokens.AreDue(client, granted.Scopes, hasSession: false)) authorization = authorization with { RefreshToken = refreshTokens.Begin(grant, now) };
        // Not the caller's token: the attempt that was reserved must be given back even if nobody waits for the answer.
        if (!await Store(grant, client.ClientId, person, request.Facts, CancellationToken.None))
            return OAuthError.InvalidGrant("the user name or password is wrong", "the account or the client changed meanwhile");
        return authorization;
    }

    private Grant NewGrant(Authorization authorization, User user)
    {
        var now = authorization.AuthenticatedAt!.Value;
        return new Grant
        {
            Id = authorization.GrantId!.Value,
            Origin = Name,
            ClientKey = authorization.Client.Id,
            UserId = user.Id,
            Scope = string.Join(' ', authorization.Granted.Scopes),
            ResourceIdentifier = authorization.Granted.ApiIdentifier,
            Seed = RefreshTokens.NewSeed(),
            CreatedAt = now,
            AuthenticatedAt = now,
            ExpiresAt = now + authorization.AccessTokenLifetime,
        };
    }

    private Task<bool> Store(Grant grant, string clientId, ProvenPerson person, RequestFacts facts, CancellationToken ct) => database.Write(async db =>
    {
        await person.Accept(db, ct);
        // Stored with the grant, or not at all.
        AuditEvent.Record(db, grant.CreatedAt, new SignInSucceeded(Session: null, grant.Id, Told.Of("password")), $"client:{clientId}", $"user:{person.User.Subject}", facts.Address);
        return await Grant.Insert(db, grant, person.User.SecurityStamp!, ct);
    }, ct);
}
