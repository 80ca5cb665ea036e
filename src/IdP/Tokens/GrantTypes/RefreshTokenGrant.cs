using IdP.Audit;
using IdP.Grants;
using IdP.Http;
using IdP.Protocol.OAuth;
using IdP.Storage;
using Microsoft.EntityFrameworkCore;

namespace IdP.Tokens.GrantTypes;

/// <summary>RFC 6749 §6: more access tokens under a grant. What happens to the refresh token is <see cref="RefreshRotation"/>'s to say.</summary>
internal sealed class RefreshTokenGrant(
    RefreshTokens refreshTokens, GrantStatements grants, GrantedTokens tokens, Database database, IdpOptions options, TimeProvider clock) : IGrant
{
    private const string Refused = "the refresh token is not valid";

    public string Name => GrantNames.RefreshToken;

    public async ValueTask<Result<Authorization>> Redeem(GrantRequest request, CancellationToken ct)
    {
        if (request.Form["refresh_token"] is not { } text) return OAuthError.InvalidRequest("refresh_token is required");
        // A stranger's text costs no query.
        if (refreshTokens.Open(text) is not { } presented) return OAuthError.InvalidGrant(Refused, "not a refresh token of ours");

        // Of requests that race, the loser of a conditional update looks again.
        for (var attempt = 0; attempt < 5; attempt++)
        {
            if ((await Check(presented, request, ct)).Failed(out var grant, out var error)) return error;
            if ((await tokens.Prepare(grant, request, nonce: null, ct)).Failed(out var authorization, out error)) return error;

            var now = clock.GetUtcNow();
            var step = RefreshRotation.Decide(presented.Generation, grant.Generation, request.Client.Rotates, now - grant.RotatedAt,
                TimeSpan.FromSeconds(options.Tokens.RefreshOverlapSeconds), grant.Retries);
            var generation = step switch
            {
                RefreshStep.Rotate => grant.Generation + 1,
                RefreshStep.Keep or RefreshStep.GiveAgain => grant.Generation,
                _ => 0,
            };
            if (generation == 0) return await Refuse(step, grant, request, ct);
            if (await Store(step, grant, now, authorization.AccessTokenLifetime, ct) == 1)
                return authorization with { RefreshToken = refreshTokens.Text(grant.Id, generation, grant.Seed) };
        }
        return OAuthError.InvalidGrant(Refused, "lost too many races");
    }

    private async ValueTask<Result<StoredGrant>> Check(HandleBody presented, GrantRequest request, CancellationToken ct)
    {
        var grant = await grants.Read(presented.GrantId, ct);
        if (grant is null || !RefreshTokens.Proves(presented, grant.Seed)) return OAuthError.InvalidGrant(Refused, "no such grant, or another proof");
        // RFC 6749 §6: bound to the client. Another client's attempt changes nothing for the rightful one.
        if (grant.ClientKey != request.Client.Id) return OAuthError.InvalidGrant(Refused, "issued to another client");
        if (grant.State != GrantState.Active) return OAuthError.InvalidGrant(Refused, "the grant was revoked");
        if (!grant.PersonIsEnabled) return OAuthError.InvalidGrant(Refused, "the person is disabled");
        if (!RefreshTokens.AreDue(request.Client, grant.Scope.Split(' '), hasSession: grant.SessionId is not null)) return OAuthError.InvalidGrant(Refused, "the client has lost offline_access");
        var now = clock.GetUtcNow();
        if (grant.IsOutOfSession(now)) return OAuthError.InvalidGrant(Refused, "the session is over");
        return grant.IdleExpiresAt <= now || grant.AbsoluteExpiresAt <= now ? OAuthError.InvalidGrant(Refused, "expired") : grant;
    }

    private Task<int> Store(RefreshStep step, StoredGrant grant, DateTimeOffset now, TimeSpan lifetime, CancellationToken ct)
    {
        var idle = refreshTokens.IdleExpiry(now, grant.AbsoluteExpiresAt);
        var expires = idle > now + lifetime ? idle : now + lifetime;
        return step switch
        {
            RefreshStep.Rotate => grants.Rotate(grant, now, idle, expires, ct),
            RefreshStep.Keep => grants.Keep(grant, idle, expires, ct),
            _ => grants.GiveAgain(grant, ct),
        };
    }

    private async Task<OAuthError> Refuse(RefreshStep step, StoredGrant grant, GrantRequest request, CancellationToken ct)
    {
        if (step == RefreshStep.TooOften) return OAuthError.InvalidGrant(Refused, "given again too often");
        var now = clock.GetUtcNow();
        await database.Write(async db =>
        {
            // RFC 9700 §4.14.2: a replaced token in use means that two parties have it, and nobody can tell which is honest.
            if (step == RefreshStep.Reused) await Grant.Revoke(db.Set<Grant>().Where(g => g.Id == grant.Id), now, ct);
            AuditEvent.Record(db, now, step == RefreshStep.Reused ? new RefreshTokenReused() : new RefreshTokenFromTheFuture(), $"client:{request.Client.ClientId}",
                $"grant:{grant.Id:N}", request.Facts.Address);
            await db.SaveChangesAsync(ct);
        }, ct);
        return OAuthError.InvalidGrant(Refused, step == RefreshStep.Reused ? "a replaced refresh token was used again: the grant is revoked" : "newer than the database knows");
    }
}
