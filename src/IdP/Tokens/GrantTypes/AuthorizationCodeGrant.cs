using IdP.Audit;
using IdP.Grants;
using IdP.Http;
using IdP.Protocol.OAuth;
using IdP.Resources;
using IdP.Storage;

namespace IdP.Tokens.GrantTypes;

/// <summary>RFC 6749 §4.1.3, RFC 7636 §4.5: the client redeems a code. One conditional update decides who of several gets it.</summary>
internal sealed class AuthorizationCodeGrant(
    GrantStatements grants, Handles handles, RefreshTokens refreshTokens, GrantedTokens tokens, Database database, TimeProvider clock) : IGrant
{
    private const string Refused = "the code is not valid";

    /// <summary>Failed redemptions by the code's own, authenticated client after which it is burnt.</summary>
    public const int MostWrongTries = 20;

    public string Name => GrantNames.AuthorizationCode;

    public async ValueTask<Result<Authorization>> Redeem(GrantRequest request, CancellationToken ct)
    {
        if (request.Form["code"] is not { } text) return OAuthError.InvalidRequest("code is required");
        // A stranger's text costs no query.
        if (handles.Open(text) is not { Kind: HandleKind.Code } presented) return OAuthError.InvalidGrant(Refused, "not a code of ours");
        var grant = await grants.Read(presented.GrantId, ct);
        if (grant is null || presented.Proof != Proof.Of(grant.Seed, presented.Kind, grant.Id, presented.Generation)) return OAuthError.InvalidGrant(Refused, "no such grant, or another proof");
        // RFC 6749 §4.1.3: bound to the client. Another client's attempt changes nothing for the rightful one.
        if (grant.ClientKey != request.Client.Id) return OAuthError.InvalidGrant(Refused, "issued to another client");
        if (Mismatch(grant, request.Form) is { } mismatch)
        {
            if (!request.Client.IsPublic && grant.State == GrantState.Code) await grants.CountWrongTry(grant.Id, MostWrongTries, clock.GetUtcNow(), ct);
            return mismatch;
        }
        // All checks passed: a second one that has everything right is a theft, and nobody can tell of which (RFC 6749 §4.1.2, §10.5).
        if (grant.State == GrantState.Active) return await Replayed(grant, request, ct);
        if (grant.State != GrantState.Code) return OAuthError.InvalidGrant(Refused, "revoked");
        var now = clock.GetUtcNow();
        if (grant.HandleExpiresAt <= now) return OAuthError.InvalidGrant(Refused, "expired");
        // An address that the client has lost since may have been the reason: what was sent there is worth nothing.
        if (RedirectUri.Prove(request.Client.RedirectUris, grant.RedirectUri!, request.Client.IsNative) is null) return OAuthError.InvalidGrant(Refused, "the redirect_uri is not registered any more");
        if (!grant.PersonIsEnabled) return OAuthError.InvalidGrant(Refused, "the person is disabled");
        if ((await tokens.Prepare(grant, request, grant.Nonce, ct)).Failed(out var authorization, out var error)) return error;

        var redeemed = new Grant
        {
            Id = grant.Id,
            Origin = grant.Origin,
            Scope = grant.Scope,
            Seed = grant.Seed,
            ExpiresAt = now + authorization.AccessTokenLifetime,
        };
        if (RefreshTokens.AreDue(request.Client, grant.Scope.Split(' '), hasSession: true)) authorization = authorization with { RefreshToken = refreshTokens.Begin(redeemed, now) };
        // Consumed before anything is minted: of a hundred at once one gets here.
        if (await grants.Redeem(redeemed, ct) == 1) return authorization;
        return await grants.Read(grant.Id, ct) is { State: GrantState.Active } winner ? await Replayed(winner, request, ct) : OAuthError.InvalidGrant(Refused, "revoked meanwhile");
    }

    private static OAuthError? Mismatch(StoredGrant grant, FormParameters form)
    {
        // RFC 6749 §4.1.3: redirect_uri as in the authorization request, which always has one here.
        if (form["redirect_uri"] != grant.RedirectUri) return OAuthError.InvalidGrant(Refused, "another redirect_uri, or none");
        var verifier = form["code_verifier"];
        // RFC 9700 §4.8.2: a verifier without a challenge means that somebody has taken the challenge out.
        if (grant.CodeChallenge is not { } challenge) return verifier is null ? null : OAuthError.InvalidRequest("the authorization request had no code_challenge");
        return verifier is not null && Pkce.Verify(challenge, verifier) ? null : OAuthError.InvalidGrant(Refused, "code_verifier missing or wrong");
    }

    private async Task<OAuthError> Replayed(StoredGrant grant, GrantRequest request, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        await database.Write(async db =>
        {
            await Grant.Revoke(db.Set<Grant>().Where(g => g.Id == grant.Id), now, ct);
            AuditEvent.Record(db, now, new CodeReplayed(), $"client:{request.Client.ClientId}", $"grant:{grant.Id:N}", request.Facts.Address);
            await db.SaveChangesAsync(ct);
        }, ct);
        return OAuthError.InvalidGrant(Refused, "redeemed a second time: the grant is revoked");
    }
}
