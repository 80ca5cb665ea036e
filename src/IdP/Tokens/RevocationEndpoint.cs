using IdP.ApiKeys;
using IdP.Audit;
using IdP.Clients;
using IdP.Grants;
using IdP.Http;
using IdP.Protocol.OAuth;
using IdP.Storage;
using Microsoft.EntityFrameworkCore;

namespace IdP.Tokens;

/// <summary>RFC 7009: a client gives a token back. A disabled client still may.</summary>
internal sealed class RevocationEndpoint(
    ClientAuthentication clients, TokenReader reader, ApiKeyIntrospection apiKeys, ApiKeyStatements keyStatements, RefreshTokens refreshTokens, GrantStatements grants, Database database, ChangePoll poll,
    TimeProvider clock)
{
    public const string Path = "/connect/revoke";

    public async Task Handle(HttpContext http)
    {
        var ct = http.RequestAborted;
        if (await poll.Unreachable(ct) is { } unreachable) { await OAuthResults.Error(http, unreachable); return; }
        if ((await OAuthForm.Read(http.Request, ct)).Failed(out var form, out var error)) { await OAuthResults.Error(http, error); return; }
        if ((await clients.Authenticate(http, form, ct)).Failed(out var authenticated, out error)) { await OAuthResults.Error(http, error); return; }
        var client = authenticated.Client;
        Cors.AllowOwnOrigin(http, client);
        if (form["token"] is not { } token) { await OAuthResults.Error(http, OAuthError.InvalidRequest("token is required")); return; }

        // RFC 7009 §2.2: a token that is not one, or no longer, is as good as revoked. The hint changes nothing: one look tells what it is.
        var facts = RequestFacts.Of(http);
        Result<bool> revoked = false;
        if (await apiKeys.Find(token, ct) is { } key) revoked = await RevokeApiKey(key, client, facts, ct);
        else if (reader.Read(token) is { } claims) revoked = await RevokeAccessToken(claims, client, facts, ct);
        else if (refreshTokens.Open(token) is { } handle) revoked = await RevokeGrant(handle, client, facts, ct);
        if (revoked.Failed(out var done, out error)) { await OAuthResults.Error(http, error); return; }
        facts.Outcome = done ? "revoked" : "nothing to revoke";
        http.Response.Headers.CacheControl = "no-store";
        http.Response.ContentLength = 0;
    }

    // RFC 7009 §2.1: refused, and the client is told.
    private static OAuthError AnotherClients() => OAuthError.InvalidGrant("the token was issued to another client");

    /// <summary>A client's own key; a person's is ended by the person.</summary>
    private async Task<Result<bool>> RevokeApiKey(PresentedApiKey presented, Client client, RequestFacts facts, CancellationToken ct)
    {
        if (presented.ClientKey != client.Id) return AnotherClients();
        return await database.Write(async db =>
        {
            await ServerState.TakeTurn(db, ct);
            var key = await db.Set<ApiKey>().AsTracking().SingleOrDefaultAsync(k => k.Id == presented.Id, ct);
            return key is not null && await keyStatements.Revoke(db, key, new ApiKeyActor($"client:{client.ClientId}", facts.Address), ct);
        }, ct);
    }

    /// <summary>RFC 7009 §2.1: with a refresh token goes everything that was issued under its grant.</summary>
    private async Task<Result<bool>> RevokeGrant(HandleBody handle, Client client, RequestFacts facts, CancellationToken ct)
    {
        var grant = await grants.Read(handle.GrantId, ct);
        if (grant is null || !RefreshTokens.Proves(handle, grant.Seed)) return false;
        if (grant.ClientKey != client.Id) return AnotherClients();
        return await database.Write(async db =>
        {
            var now = clock.GetUtcNow();
            if (await Grant.Revoke(db.Set<Grant>().Where(g => g.Id == grant.Id), now, ct) == 0) return false;
            AuditEvent.Record(db, now, new GrantRevoked(), $"client:{client.ClientId}", $"grant:{grant.Id:N}", facts.Address);
            await db.SaveChangesAsync(ct);
            return true;
        }, ct);
    }

    private async Task<Result<bool>> RevokeAccessToken(AccessTokenClaims claims, Client client, RequestFacts facts, CancellationToken ct)
    {
        if (claims.ClientId != client.ClientId) return AnotherClients();
        try
        {
            await database.Write(async db =>
            {
                if (await db.Set<RevokedToken>().AnyAsync(t => t.JwtId == claims.RevocationId, ct)) return;
                db.Add(new RevokedToken { JwtId = claims.RevocationId, ExpiresAt = DateTimeOffset.FromUnixTimeSeconds(claims.ExpiresAt) });
                AuditEvent.Record(db, clock.GetUtcNow(), new TokenRevoked(), $"client:{client.ClientId}", $"token:{claims.RevocationId}", facts.Address);
                await db.SaveChangesAsync(ct);
            }, ct);
        }
        catch (Exception failure) when (Database.IsUniqueViolation(failure))
        {
            // Revoked twice at once: revoked.
        }
        return true;
    }
}
