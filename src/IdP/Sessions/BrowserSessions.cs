using System.Security.Cryptography;
using IdP.Accounts;
using IdP.Audit;
using IdP.Grants;
using IdP.Http;
using IdP.Outbox;
using IdP.Storage;
using Microsoft.EntityFrameworkCore;

namespace IdP.Sessions;

/// <summary>How somebody has just proved who they are.</summary>
internal sealed record SignInProof(ProvenPerson Person, string Acr, string Amr)
{
    /// <summary>When, if it was earlier and elsewhere.</summary>
    public DateTimeOffset? At { get; init; }

    /// <summary>The other provider that says so.</summary>
    public long? UpstreamProviderId { get; init; }
}

/// <summary>Who is signed in in a browser, and how that begins. How it ends is <see cref="SessionEnd"/>'s.</summary>
internal sealed class BrowserSessions(SessionStatements statements, Handles handles, Cookies cookies, Database database, OutboxSender outbox, IdpOptions options, TimeProvider clock)
{
    // A use is noted this often: each request would otherwise be a write.
    private static readonly TimeSpan NotedEvery = TimeSpan.FromMinutes(2);

    /// <summary>Who is signed in; null for nobody, and for a session that has ended anywhere.</summary>
    public async ValueTask<SignedIn?> Find(HttpContext http, CancellationToken ct)
    {
        if (cookies.Read(http, Cookies.Session) is not { Length: > 0 } text || handles.Open(text) is not { Kind: HandleKind.SessionCookie } handle) return null;
        var session = await statements.Read(handle.GrantId, ct);
        if (session is null || session.IsOver || session.Generation != handle.Generation || handle.Proof != Proof.Of(session.Seed, handle.Kind, handle.GrantId, handle.Generation)) return null;
        var now = clock.GetUtcNow();
        if (session.IdleExpiresAt <= now || session.AbsoluteExpiresAt <= now) return null;
        if (now - session.LastUsedAt >= NotedEvery) await statements.Use(session.SessionId, now, Idle(now, session.AbsoluteExpiresAt), ct);
        return session;
    }

    /// <summary>
    /// Begins a session, or the next generation of the same person's: the cookie changes at every sign-in. Somebody else's session in
    /// this browser ends. Null when the account changed meanwhile.
    /// </summary>
    public async Task<SignedIn?> Begin(HttpContext http, SignInProof proof, SignedIn? current, CancellationToken ct)
    {
        var (user, now, facts) = (proof.Person.User, clock.GetUtcNow(), RequestFacts.Of(http));
        var session = new Session
        {
            Id = Guid.CreateVersion7(now),
            UserId = user.Id,
            Seed = RandomNumberGenerator.GetBytes(32),
            CreatedAt = now,
            AuthenticatedAt = proof.At is { } at && at < now ? at : now,
            UpstreamProviderId = proof.UpstreamProviderId,
            Acr = proof.Acr,
            Amr = proof.Amr,
            LastUsedAt = now,
            AbsoluteExpiresAt = now.AddHours(options.Sessions.AbsoluteHours),
            Address = facts.Address,
            Browser = Shortened(http.Request.Headers.UserAgent.ToString()),
        };
        session.IdleExpiresAt = Idle(now, session.AbsoluteExpiresAt);
        SignInSucceeded Event(Guid id) => new(id, Grant: null, Told.Of(proof.Amr));
        if (current is null && proof.Person.NewHash is null)
        {
            // The common case, without a context: what is given back, the session, its event.
            List<Statement> given = proof.Person.AttemptKey is { } key ? [AttemptCounts.Return(key)] : [];
            if (!await statements.Begin(session, user.SecurityStamp!, given, [AuditEvent.Statement(now, Event(session.Id), facts.Actor, user.Id, facts.Address)], ct)) return null;
            return await Given(http, session.Id, ct);
        }
        var begun = await database.Write<Guid?>(async db =>
        {
            await proof.Person.Accept(db, ct);
            if (!await Grant.IsLive(db, user.Id, user.SecurityStamp!, ct)) return null;
            var again = current?.UserId == user.Id && await Renew(db, current, session, ct);
            if (!again)
            {
                if (current is not null) await SessionEnd.End(db, db.Set<Session>().Where(s => s.Id == current.SessionId), now, ct);
                db.Add(session);
            }
            AuditEvent.Record(db, now, Event(again ? current!.SessionId : session.Id), facts.Actor, $"user:{user.Subject}", facts.Address);
            await db.SaveChangesAsync(ct);
            return again ? current!.SessionId : session.Id;
        }, ct);
        if (current is not null) outbox.Wake();
        return begun is { } id ? await Given(http, id, ct) : null;
    }

    private async Task<SignedIn?> Given(HttpContext http, Guid id, CancellationToken ct)
    {
        if (await statements.Read(id, ct) is not { } stored) return null;
        Keep(http, stored);
        return stored;
    }

    // The same person proves it once more: the apps that know the session keep knowing it, the cookies from before are worth nothing. Of two
    // tabs that sign in at once the later one's is the session's, and neither ends what the other began.
    private static async Task<bool> Renew(IdpDbContext db, SignedIn current, Session next, CancellationToken ct) =>
        await db.Set<Session>().Where(s => s.Id == current.SessionId && s.EndedAt == null).ExecuteUpdateAsync(set => set
            .SetProperty(s => s.Generation, s => s.Generation + 1)
            .SetProperty(s => s.AuthenticatedAt, next.AuthenticatedAt).SetProperty(s => s.Acr, next.Acr).SetProperty(s => s.Amr, next.Amr)
            .SetProperty(s => s.UpstreamProviderId, next.UpstreamProviderId)
            .SetProperty(s => s.LastUsedAt, next.LastUsedAt).SetProperty(s => s.IdleExpiresAt, next.IdleExpiresAt).SetProperty(s => s.AbsoluteExpiresAt, next.AbsoluteExpiresAt)
            .SetProperty(s => s.Address, next.Address).SetProperty(s => s.Browser, next.Browser), ct) == 1;

    /// <summary>
    /// Makes the cookies of a session from before worth nothing, in the caller's transaction; <see cref="Keep"/> gives this browser the new one.
    /// Null when the session has ended or has another cookie already.
    /// </summary>
    public static async Task<SignedIn?> Refresh(IdpDbContext db, SignedIn session, Guid userId, CancellationToken ct)
    {
        // A session never becomes somebody else's.
        if (session.UserId != userId) throw new InvalidOperationException("The session is another person's.");
        var refreshed = await db.Set<Session>().Where(s => s.Id == session.SessionId && s.Generation == session.Generation && s.EndedAt == null)
            .ExecuteUpdateAsync(set => set.SetProperty(s => s.Generation, s => s.Generation + 1), ct);
        return refreshed == 1 ? session with { Generation = session.Generation + 1 } : null;
    }

    /// <summary>Gives the browser the cookie of its session as it is now.</summary>
    public void Keep(HttpContext http, SignedIn session) =>
        cookies.Set(http, Cookies.Session, handles.Make(HandleKind.SessionCookie, session.SessionId, session.Generation, session.Seed));

    /// <summary>Has the browser forget a session that has ended.</summary>
    public void Forget(HttpContext http) => cookies.Delete(http, Cookies.Session);

    private DateTimeOffset Idle(DateTimeOffset now, DateTimeOffset absolute)
    {
        var idle = now.AddMinutes(options.Sessions.IdleMinutes);
        return idle < absolute ? idle : absolute;
    }

    private static string? Shortened(string browser) => browser.Length == 0 ? null : browser.Length <= 256 ? browser : browser[..(char.IsHighSurrogate(browser[255]) ? 255 : 256)];
}
