using IdP.Audit;
using IdP.Clients;
using IdP.Grants;
using IdP.Http;
using IdP.Protocol.OAuth;
using IdP.Storage;
using Microsoft.EntityFrameworkCore;

namespace IdP.Tokens;

/// <summary>RFC 7009: a client gives a token back. A disabled client still may.</summary>
internal sealed class RevocationEndpoint(ClientAuthentication clients, TokenReader reader, Database database, TimeProvider clock)
{
    public const string Path = "/connect/revoke";

    public async Task Handle(HttpContext http)
    {
        var ct = http.RequestAborted;
        if ((await OAuthForm.Read(http.Request, ct)).Failed(out var form, out var error)) { await OAuthResults.Error(http, error); return; }
        if ((await clients.Authenticate(http, form, ct)).Failed(out var authenticated, out error)) { await OAuthResults.Error(http, error); return; }
        var client = authenticated.Client;
        Cors.AllowOwnOrigin(http, client);
        if (form["token"] is not { } token) { await OAuthResults.Error(http, OAuthError.InvalidRequest("token is required")); return; }

        // RFC 7009 §2.2: a token that is not one, or no longer, is as good as revoked. The hint changes nothing: one look tells what it is.
        var claims = reader.Read(token);
        if (claims is not null)
        {
            // RFC 7009 §2.1: refused, and the client is told.
            if (claims.ClientId != client.ClientId) { await OAuthResults.Error(http, OAuthError.InvalidGrant("the token was issued to another client")); return; }
            await Revoke(claims, client, RequestFacts.Of(http), ct);
        }
        RequestFacts.Of(http).Outcome = claims is null ? "nothing to revoke" : "revoked";
        http.Response.Headers.CacheControl = "no-store";
        http.Response.ContentLength = 0;
    }

    private async Task Revoke(AccessTokenClaims claims, Client client, RequestFacts facts, CancellationToken ct)
    {
        try
        {
            await database.Write(async db =>
            {
                if (await db.Set<RevokedToken>().AnyAsync(t => t.JwtId == claims.JwtId, ct)) return;
                db.Add(new RevokedToken { JwtId = claims.JwtId, ExpiresAt = DateTimeOffset.FromUnixTimeSeconds(claims.ExpiresAt) });
                AuditEvent.Record(db, clock.GetUtcNow(), "token.revoked", $"client:{client.ClientId}", $"token:{claims.JwtId}", facts.Address);
                await db.SaveChangesAsync(ct);
            }, ct);
        }
        catch (Exception failure) when (Database.IsUniqueViolation(failure))
        {
            // Revoked twice at once: revoked.
        }
    }
}
