using IdP.Accounts;
using IdP.Audit;
using IdP.Storage;
using Microsoft.EntityFrameworkCore;

namespace IdP.Account;

/// <summary>What the person says of themselves.</summary>
internal sealed class ProfileOfPerson(Database database, TimeProvider clock)
{
    /// <summary>The whole account.</summary>
    public async Task<User?> Find(Guid userId, CancellationToken ct)
    {
        await using var db = database.OpenForReading();
        return await db.Users.SingleOrDefaultAsync(u => u.Id == userId, ct);
    }

    /// <summary>Changes the claims that differ, to texts that their fields allow; null takes one out. The number of them.</summary>
    public Task<int> Change(Guid userId, IReadOnlyDictionary<string, string?> claims, string address) => database.Write(async db =>
    {
        await ServerState.TakeTurn(db, CancellationToken.None);
        var user = await db.Users.AsTracking().SingleOrDefaultAsync(u => u.Id == userId);
        var changed = user is null ? [] : ProfileField.All.Where(field => claims.TryGetValue(field.Claim, out var value) && value != field.Read(user)).ToList();
        if (changed.Count == 0) return 0;
        foreach (var field in changed) field.Write(user!, claims[field.Claim]);
        var now = clock.GetUtcNow();
        (user!.UpdatedAt, user.ConcurrencyStamp) = (now, Guid.CreateVersion7(now).ToString());
        // Which, never what: the trail outlives the account.
        AuditEvent.Record(db, now, new ProfileChanged(Told.Of(changed.Select(field => field.Claim))), $"user:{user.Subject}", $"user:{user.Subject}", address);
        await db.SaveChangesAsync();
        return changed.Count;
    }, CancellationToken.None);
}
