using IdP.Grants;
using IdP.Protocol.OAuth;
using IdP.Sessions;

namespace IdP.Authorize;

/// <summary>Issues authorization codes: one row, which is the grant for all its life.</summary>
internal sealed class Codes(GrantStatements grants, SessionStatements sessions, Handles handles, IdpOptions options, TimeProvider clock)
{
    /// <summary>The code; null when session, person or client have ended meanwhile, or the pushed request was used.</summary>
    public async ValueTask<string?> Issue(AuthorizationRequest request, SignedIn session, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        // First, so that no code is out of which the end of the session would not be told.
        await sessions.Join(session.SessionId, request.Client.Id, now, ct);
        var ends = now.AddSeconds(options.Tokens.CodeLifetimeSeconds);
        var code = new Grant
        {
            Id = request.PushedId ?? Guid.CreateVersion7(now),
            Origin = GrantNames.AuthorizationCode,
            ClientKey = request.Client.Id,
            UserId = session.UserId,
            Scope = string.Join(' ', request.Scopes.Names),
            ResourceIdentifier = request.Scopes.ResourceText,
            Seed = RefreshTokens.NewSeed(),
            CreatedAt = now,
            AuthenticatedAt = session.AuthenticatedAt,
            SessionId = session.SessionId,
            // OpenID Connect Core §11: offline_access is for the time without the person; anything else ends with the session.
            EndsWithSession = !request.Scopes.Names.Contains("offline_access"),
            Acr = session.Acr,
            Amr = session.Amr,
            RedirectUri = request.Target.RedirectUri.Value,
            CodeChallenge = request.CodeChallenge,
            Nonce = request.Nonce,
            Claims = request.Form["claims"],
            HandleExpiresAt = ends,
            ExpiresAt = ends,
        };
        return await grants.AddCode(code, request.PushedId is not null, ct) == 1 ? handles.Make(HandleKind.Code, code.Id, generation: 0, code.Seed) : null;
    }
}
