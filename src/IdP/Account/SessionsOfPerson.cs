using IdP.Audit;
using IdP.Outbox;
using IdP.Sessions;
using IdP.Storage;
using Microsoft.EntityFrameworkCore;

namespace IdP.Account;

/// <summary>A sign-in as its owner sees it.</summary>
internal sealed record SessionView(Guid Id, DateTimeOffset CreatedAt, DateTimeOffset LastUsedAt, string? Address, string? Browser)
{
    public DeviceName Device => DeviceName.Of(Browser);

    public string? Range => AddressRange.Of(Address);
}

/// <summary>The sign-ins of one person: which there are, and their end.</summary>
internal sealed class SessionsOfPerson(Database database, OutboxSender outbox, TimeProvider clock)
{
    private const int Most = 100;

    /// <summary>Those that have not ended, the last used first.</summary>
    public async Task<List<SessionView>> List(Guid userId, CancellationToken ct)
    {
        await using var db = database.OpenForReading();
        return await Open(db, userId).OrderByDescending(s => s.LastUsedAt).Take(Most)
            .Select(s => new SessionView(s.Id, s.CreatedAt, s.LastUsedAt, s.Address, s.Browser)).ToListAsync(ct);
    }

    /// <summary>Ends one of the person's sessions, or all but the one that they are in; the number of those that ended.</summary>
    public async Task<int> End(SignedIn person, Guid? only, string address)
    {
        // Not cancelled: somebody who closes the window has ended it.
        var ended = await database.Write(async db =>
        {
            var now = clock.GetUtcNow();
            var others = db.Set<Session>().Where(s => s.UserId == person.UserId && s.Id != person.SessionId && (only == null || s.Id == only));
            var count = await SessionEnd.End(db, others, now, CancellationToken.None);
            if (count == 0) return 0;
            AuditEvent.Record(db, now, new SessionsEnded(count, only), $"user:{person.UserId:N}", $"user:{person.UserId:N}", address);
            await db.SaveChangesAsync(CancellationToken.None);
            return count;
        }, CancellationToken.None);
        if (ended > 0) outbox.Wake();
        return ended;
    }

    private IQueryable<Session> Open(IdpDbContext db, Guid userId)
    {
        var now = clock.GetUtcNow();
        return db.Set<Session>().Where(s => s.UserId == userId && s.EndedAt == null && s.IdleExpiresAt > now && s.AbsoluteExpiresAt > now);
    }
}
