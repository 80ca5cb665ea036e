using IdP.Grants;
using IdP.Outbox;
using IdP.Storage;
using Microsoft.EntityFrameworkCore;

namespace IdP.Sessions;

/// <summary>The end of sessions, in the caller's transaction: what hangs on them ends too, and whoever must be told is told.</summary>
internal static class SessionEnd
{
    /// <summary>Ends those of the sessions that have not ended; the number of them.</summary>
    public static async Task<int> End(IdpDbContext db, IQueryable<Session> sessions, DateTimeOffset now, CancellationToken ct)
    {
        var ids = await sessions.Where(s => s.EndedAt == null).Select(s => s.Id).ToListAsync(ct);
        var ended = 0;
        foreach (var id in ids)
        {
            // Of two that end it at once, one tells the clients.
            if (await db.Set<Session>().Where(s => s.Id == id && s.EndedAt == null).ExecuteUpdateAsync(set => set.SetProperty(s => s.EndedAt, now), ct) == 0) continue;
            ended++;
            // A code that nobody has redeemed ends as well; what was granted for the time without the person stays.
            await Grant.Revoke(db.Set<Grant>().Where(g => g.SessionId == id && (g.EndsWithSession || g.State == GrantState.Code)), now, ct);
            await LogoutNotices.Add(db, id, now, ct);
        }
        return ended;
    }

    /// <summary>
    /// What hangs on sessions that have run out, unused or too old, ends as well. Apps are not told: nobody has signed out, and
    /// whoever still works in one of them goes on.
    /// </summary>
    public static async Task Expire(IdpDbContext db, IReadOnlyList<Guid> ids, DateTimeOffset now, CancellationToken ct)
    {
        var expired = db.Set<Session>().Where(s => ids.Contains(s.Id) && s.EndedAt == null && s.IdleExpiresAt < now);
        var over = await expired.Select(s => s.Id).ToListAsync(ct);
        await expired.ExecuteUpdateAsync(set => set.SetProperty(s => s.EndedAt, now), ct);
        await Grant.Revoke(db.Set<Grant>().Where(g => over.Contains(g.SessionId!.Value) && (g.EndsWithSession || g.State == GrantState.Code)), now, ct);
    }
}
