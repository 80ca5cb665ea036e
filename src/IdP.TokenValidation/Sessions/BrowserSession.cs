using System.Collections.Concurrent;
using System.Security.Cryptography;
using IdP.Protocol.Jose;

namespace IdP.TokenValidation;

/// <summary>The tokens of a session at one time.</summary>
/// <param name="AccessToken">What this application shows to itself, so that a session has the rights of its token and no others.</param>
/// <param name="RefreshToken">What gets the next one; null if the session ends with the access token.</param>
/// <param name="RefreshAt">From when on the next one is fetched.</param>
/// <param name="IsLate">Whether the provider could not be reached for it.</param>
internal sealed record SessionTokens(string AccessToken, string? RefreshToken, DateTimeOffset RefreshAt, bool IsLate = false);

/// <summary>A person who is signed in with a browser.</summary>
internal sealed class BrowserSession(string subject, string? sid, string idToken, SessionTokens tokens, DateTimeOffset now, DateTimeOffset endsAt)
{
    private long _lastUsed = now.UtcTicks;
    private SessionTokens _tokens = tokens;

    public string Subject { get; } = subject;

    /// <summary>The provider's own session, which it names when it ends it.</summary>
    public string? Sid { get; } = sid;

    public string IdToken { get; } = idToken;

    public DateTimeOffset EndsAt { get; } = endsAt;

    /// <summary>One refresh at a time: a refresh token that is used twice may end everything.</summary>
    public SemaphoreSlim Refreshing { get; } = new(1, 1);

    public long LastUsed
    {
        get => Volatile.Read(ref _lastUsed);
        set => Volatile.Write(ref _lastUsed, value);
    }

    public SessionTokens Tokens
    {
        get => Volatile.Read(ref _tokens);
        set => Volatile.Write(ref _tokens, value);
    }
}

/// <summary>
/// The sessions of this process, in memory, by the digest of their handle: what is in memory opens none of them. They end with the process
/// and are not shared with another.
/// </summary>
internal sealed class SessionStore(SessionOptions options, TimeProvider clock)
{
    private const int HandleBytes = 32;
    private readonly ConcurrentDictionary<TokenDigest, BrowserSession> _sessions = new();
    private readonly Lock _full = new();

    /// <returns>The handle: 256 random bits, for the browser alone.</returns>
    public string Add(BrowserSession session)
    {
        lock (_full)
        {
            if (_sessions.Count >= options.MaximumSessions) MakeRoom();
            var handle = CanonicalBase64Url.Encode(RandomNumberGenerator.GetBytes(HandleBytes));
            _sessions[TokenDigest.Of(handle)] = session;
            return handle;
        }
    }

    public BrowserSession? Find(string handle)
    {
        var digest = TokenDigest.Of(handle);
        if (!_sessions.TryGetValue(digest, out var session)) return null;
        var now = clock.GetUtcNow();
        if (IsOver(session, now))
        {
            _sessions.TryRemove(digest, out _);
            return null;
        }

        session.LastUsed = now.UtcTicks;
        return session;
    }

    public void Remove(string handle) => _sessions.TryRemove(TokenDigest.Of(handle), out _);

    public void RemoveAll(Func<BrowserSession, bool> match)
    {
        foreach (var (digest, session) in _sessions)
            if (match(session)) _sessions.TryRemove(digest, out _);
    }

    private bool IsOver(BrowserSession session, DateTimeOffset now) =>
        now >= session.EndsAt || now.UtcTicks - session.LastUsed >= options.IdleTimeout.Ticks;

    private void MakeRoom()
    {
        var now = clock.GetUtcNow();
        RemoveAll(session => IsOver(session, now));
        if (_sessions.Count >= options.MaximumSessions) _sessions.TryRemove(_sessions.MinBy(pair => pair.Value.LastUsed).Key, out _);
    }
}
