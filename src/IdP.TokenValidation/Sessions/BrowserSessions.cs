using System.Text.Json;
using IdP.Protocol;
using Microsoft.Extensions.Logging;

namespace IdP.TokenValidation;

/// <summary>The sessions of a scheme: their beginning, their refreshing and their end.</summary>
internal sealed partial class BrowserSessions(TokenValidationOptions options, TokenValidator validator, ILogger logger)
{
    private const string Over = "The session is over: sign in again";

    // Fetched a little before the old one ends, so that no request meets its end.
    private static readonly TimeSpan Early = TimeSpan.FromSeconds(30);

    // While the provider is down and the token still good.
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    public SessionStore Store { get; } = new(options.Session, options.TimeProvider!);

    public PendingSignIns Pending { get; } = new();

    public SessionProvider Provider { get; } = new(options, new Backchannel(options), logger);

    /// <summary>What a session's handle is worth now.</summary>
    public async ValueTask<TokenVerdict> Validate(string handle, CancellationToken ct)
    {
        if (Store.Find(handle) is not { } session) return TokenVerdict.Refused(Over);
        if (options.TimeProvider!.GetUtcNow() >= session.Tokens.RefreshAt && session.Tokens.RefreshToken is not null)
        {
            await session.Refreshing.WaitAsync(ct);
            try
            {
                if (!await Refresh(session))
                {
                    Store.Remove(handle);
                    return TokenVerdict.Refused(Over);
                }
            }
            finally
            {
                session.Refreshing.Release();
            }
        }

        var verdict = await validator.ValidateToken(session.Tokens.AccessToken, ct);
        if (verdict.Problem is null) return verdict;

        // Only the provider that is down may keep an expired token from its successor.
        if (session.Tokens.IsLate) return TokenVerdict.Unavailable();
        Store.Remove(handle);
        return TokenVerdict.Refused(Over);
    }

    /// <summary>Begins a session with what the provider gave for a code.</summary>
    /// <returns>The handle, or a problem that the log is to tell.</returns>
    public async Task<(string? Handle, string? Problem)> Begin(JsonElement answer, PendingSignIn pending, CancellationToken ct)
    {
        if (Tokens(answer, null) is not { } tokens || !StrictJson.TryGetString(answer, "id_token", out var idToken)) return (null, "The token response lacks a token");

        // OpenID Connect Core §3.1.3.7; typ keeps access and logout tokens out.
        var (claims, problem) = await Provider.Check(idToken, type => type is null || type.Equals("JWT", StringComparison.OrdinalIgnoreCase), ct);
        if (claims is null) return (null, $"The ID token is refused: {problem}");
        if (claims.GetString("nonce") != pending.Nonce) return (null, "The ID token is for another sign-in");
        if (claims.Subject is not { Length: > 0 } subject) return (null, "The ID token lacks its subject");
        var verdict = await validator.ValidateToken(tokens.AccessToken, ct);
        if (verdict.IsUnavailable) return (null, "The access token cannot be checked at the moment");
        if (verdict.Problem is not null) return (null, $"The access token is refused: {verdict.Problem}; are Audiences and Session.Scopes right?");

        // The session is the access token's rights with the ID token's person.
        if (!StrictJson.TryGetString(verdict.Claims!.Root, "sub", out var owner) || owner != subject) return (null, "The access token is another person's");
        var now = options.TimeProvider!.GetUtcNow();
        return (Store.Add(new BrowserSession(subject, claims.GetString("sid"), idToken, tokens, now, now + options.Session.Lifetime)), null);
    }

    /// <summary>Ends a session here, and its refresh token at the provider.</summary>
    public async Task End(string handle, BrowserSession session, ProviderEndpoints? endpoints)
    {
        Store.Remove(handle);
        if (endpoints is null || session.Tokens.RefreshToken is not { } refreshToken) return;
        try
        {
            await Provider.Revoke(endpoints, refreshToken);
        }
        catch (ProviderException e)
        {
            LogFailed(logger, options.Issuer!, e.Message);
        }
    }

    /// <returns>False if the provider has ended it.</returns>
    private async Task<bool> Refresh(BrowserSession session)
    {
        var tokens = session.Tokens;
        var now = options.TimeProvider!.GetUtcNow();
        if (now < tokens.RefreshAt) return true;
        try
        {
            var endpoints = await Provider.Endpoints(CancellationToken.None) ?? throw new ProviderException("Its metadata could not be read.");
            var (answer, error) = await Provider.AskForTokens(endpoints, new("grant_type", "refresh_token"), new("refresh_token", tokens.RefreshToken!));
            if (error is "invalid_grant") return false;
            if (answer is null || Tokens(answer.Value, tokens.RefreshToken) is not { } next) throw new ProviderException($"The refresh was refused: {error ?? "no token"}.");
            session.Tokens = next;
        }
        catch (ProviderException e)
        {
            LogFailed(logger, options.Issuer!, e.Message);
            session.Tokens = tokens with { RefreshAt = now + Pause, IsLate = true };
        }

        return true;
    }

    private SessionTokens? Tokens(JsonElement answer, string? lastRefreshToken)
    {
        if (!StrictJson.TryGetString(answer, "access_token", out var access)) return null;

        // RFC 6749 §5.1: the lifetime is only recommended. RFC 6749 §6: without a new refresh token the old one stays.
        var seconds = answer.TryGetProperty("expires_in", out var lifetime) && lifetime.ValueKind == JsonValueKind.Number && lifetime.TryGetInt32(out var given) && given > 0 ? given : 60;
        var early = Math.Min(Early.TotalSeconds, seconds / 2d);
        return new SessionTokens(
            access, StrictJson.TryGetString(answer, "refresh_token", out var refresh) ? refresh : lastRefreshToken, options.TimeProvider!.GetUtcNow().AddSeconds(seconds - early));
    }

    [LoggerMessage(5, LogLevel.Warning, "The provider {Issuer} could not be used for a session: {Problem}")]
    private static partial void LogFailed(ILogger logger, string issuer, string problem);
}
