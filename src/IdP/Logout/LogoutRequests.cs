using IdP.Accounts;
using IdP.Clients;
using IdP.Protocol.OAuth;
using IdP.Sessions;
using IdP.Tokens;

namespace IdP.Logout;

/// <summary>The sign-in that an id_token_hint names. Its signature is ours; that the person means it follows only if it is theirs.</summary>
internal sealed record HintedSignIn(Guid UserId, string? Sid, bool IsExpired)
{
    public bool Is(SignedIn session) => UserId == session.UserId && Sid == Session.Sid(session.SessionId);
}

/// <summary>A checked request to sign out.</summary>
internal sealed record LogoutRequest(Client? Client, ValidRedirectUri? RedirectUri, string? State, string? Locales, HintedSignIn? Hint);

/// <summary>Checks of a request to sign out (RP-Initiated Logout §2). What fails is told on a page, never by a redirect.</summary>
internal sealed class LogoutRequests(ClientDirectory clients, IdTokens idTokens, Subjects subjects, TimeProvider clock)
{
    public async ValueTask<Result<LogoutRequest>> Check(FormParameters form, CancellationToken ct)
    {
        foreach (var name in form.Repeated) return OAuthError.InvalidRequest($"the parameter '{OAuthError.Printable(name)}' is repeated");
        var hint = form["id_token_hint"];
        var read = hint is null ? null : idTokens.ReadHint(hint);
        // RP-Initiated Logout §2: both must name the same client.
        if (read is not null && form["client_id"] is { } named && !read.Audiences.Contains(named)) return OAuthError.InvalidRequest("the id_token_hint was issued to another client than client_id");
        var (client, error) = await FindClient(form["client_id"] ?? (read is { Audiences: [{ } audience] } ? audience : null), ct);
        if (error is not null) return error;
        ValidRedirectUri? redirectUri = null;
        if (form["post_logout_redirect_uri"] is { } sent)
        {
            // RP-Initiated Logout §3: exactly one of those that are registered, or there is no redirect.
            redirectUri = client is null ? null : Prove(client, sent);
            if (redirectUri is null && client is not null) return OAuthError.InvalidRequest("the post_logout_redirect_uri is not registered for this client; it is compared character by character");
            if (client is null && hint is null) return OAuthError.InvalidRequest("post_logout_redirect_uri needs an id_token_hint or a client_id");
        }

        var signIn = client is not null && read is { Subject: { } subject, ExpiresAt: { } expires } && subjects.Find(subject, client) is { } user
            ? new HintedSignIn(user, read.GetString("sid"), expires <= clock.GetUtcNow().ToUnixTimeSeconds())
            : null;
        // A hint that is not ours makes the whole request suspect: the person may sign out, and goes nowhere.
        if (hint is not null && signIn is null) redirectUri = null;
        return new LogoutRequest(client, redirectUri, redirectUri is null ? null : form["state"], form["ui_locales"], signIn);
    }

    /// <summary>The address anew, for a request that was on its way through pages: it may not be registered any more.</summary>
    public async ValueTask<ValidRedirectUri?> ProveAgain(string? clientId, string? redirectUri, CancellationToken ct) =>
        clientId is not null && redirectUri is not null && await clients.Find(clientId, ct) is { IsDisabled: false } client ? Prove(client, redirectUri) : null;

    private async ValueTask<(Client? Client, OAuthError? Error)> FindClient(string? clientId, CancellationToken ct)
    {
        if (clientId is null) return (null, null);
        if (await clients.Find(clientId, ct) is not { } client) return (null, OAuthError.InvalidRequest("the client_id is unknown", "unknown client"));
        return client.IsDisabled ? (null, OAuthError.UnauthorizedClient("this client is disabled")) : (client, null);
    }

    private static ValidRedirectUri? Prove(Client client, string sent) => RedirectUri.Prove(client.PostLogoutRedirectUris, sent, client.IsNative);
}
