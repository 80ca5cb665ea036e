using IdP.ApiKeys;
using IdP.Clients;
using IdP.Grants;
using IdP.Http;
using IdP.Protocol.OAuth;
using IdP.Resources;
using IdP.Roles;
using IdP.Storage;

namespace IdP.Tokens;

/// <summary>RFC 7662: tells a resource server, or the client itself, whether a token or an API key counts at this moment.</summary>
internal sealed class IntrospectionEndpoint(
    ClientAuthentication clients, TokenReader reader, Liveness liveness, ApiKeyIntrospection apiKeys, HeldRoles roles, ResourceCatalog catalog, ClientDirectory directory, FailureLimiter limiter,
    ChangePoll poll, IdpOptions options)
{
    public const string Path = "/connect/introspect";
    private static readonly byte[] Inactive = """{"active":false}"""u8.ToArray();

    public async Task Handle(HttpContext http)
    {
        var ct = http.RequestAborted;
        if (await poll.Unreachable(ct) is { } unreachable) { await OAuthResults.Error(http, unreachable); return; }
        if ((await OAuthForm.Read(http.Request, ct)).Failed(out var form, out var error)) { await OAuthResults.Error(http, error); return; }
        if ((await clients.Authenticate(http, form, ct)).Failed(out var authenticated, out error)) { await OAuthResults.Error(http, error); return; }
        var caller = authenticated.Client;
        // RFC 7662 §2.1: the caller must be authorized; a public client has proved nothing.
        if (caller.IsDisabled || authenticated.Method == AuthenticationMethodNames.None)
        {
            await OAuthResults.Error(http, OAuthError.InvalidClient(caller.IsDisabled ? "the client is disabled" : "method none may not introspect"));
            return;
        }
        if (form["token"] is not { } token) { await OAuthResults.Error(http, OAuthError.InvalidRequest("token is required")); return; }

        var facts = RequestFacts.Of(http);
        if (await apiKeys.Find(token, ct) is { } key)
        {
            var described = await apiKeys.Describe(key, caller, ct);
            facts.Outcome = described is null ? "inactive" : "active";
            await (described is null ? OAuthResults.Write(http, Inactive) : apiKeys.Answer(http, described));
            return;
        }
        var claims = reader.Read(token);
        // RFC 7662 §4. What is a token is answered all the same: otherwise whoever sends garbage to an API would lock out everybody there.
        if (claims is null && limiter.CountAgainst("introspect", caller.ClientId, options.Limits.UnknownTokensPerCaller) is { } seconds)
        {
            await OAuthResults.Error(http, OAuthError.TooManyFailures(seconds));
            return;
        }
        // RFC 7662 §2.2: whoever it is not for learns nothing, not even whether it is a token.
        if (claims is null || !IsFor(claims, caller) || !await liveness.IsAlive(claims, ct))
        {
            facts.Outcome = "inactive";
            await OAuthResults.Write(http, Inactive);
            return;
        }
        facts.Outcome = "active";
        await Describe(http, claims, claims.Rights.IsEmpty ? Rights.None : claims.Rights.Intersect(await RightsNow(claims, ct)));
    }

    private static bool IsFor(AccessTokenClaims token, Client caller)
    {
        // The API with the secret may name any client; another API that asks about what it is shown must not take that for its own.
        if (token.ClientId == caller.ClientId && !(token.IsBySharedSecret && caller.Resource is not null)) return true;
        if (caller.Resource is not { } resource) return false;
        foreach (var identifier in resource.Identifiers)
            if (token.Audience.Contains(identifier.Value)) return true;
        return false;
    }

    // What was taken away since the token was issued is told no more.
    private async ValueTask<Rights> RightsNow(AccessTokenClaims token, CancellationToken ct)
    {
        var api = token.Audience.Select(catalog.Current.ByIdentifier).FirstOrDefault(found => found is not null);
        if (token.GrantId is { } grant) return await roles.OfGrant(grant, api, ct);
        return await directory.Find(token.ClientId, ct) is { } client ? roles.OfClient(client, api) : Rights.None;
    }

    private static Task Describe(HttpContext http, AccessTokenClaims token, Rights rights) => OAuthResults.Write(http, writer =>
    {
        writer.WriteStartObject();
        writer.WriteBoolean("active"u8, true);
        writer.WriteString("iss"u8, token.Issuer);
        writer.WriteString("sub"u8, token.Subject);
        writer.WriteString("client_id"u8, token.ClientId);
        AccessTokenClaims.WriteAudience(writer, token.Audience);
        writer.WriteString("scope"u8, token.Scope);
        writer.WriteString("token_type"u8, "Bearer"u8);
        writer.WriteNumber("iat"u8, token.IssuedAt);
        writer.WriteNumber("exp"u8, token.ExpiresAt);
        writer.WriteString("jti"u8, token.JwtId);
        // RFC 9470 §6.2: an API that asks for a stronger or fresher sign-in must see which one this was.
        if (token.Acr is { } acr) writer.WriteString("acr"u8, acr);
        if (token.AuthenticatedAt is { } at) writer.WriteNumber("auth_time"u8, at);
        rights.Write(writer);
        writer.WriteEndObject();
    });
}
