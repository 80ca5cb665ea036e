using System.Runtime.CompilerServices;
using IdP.Storage;
using Microsoft.EntityFrameworkCore;

namespace IdP.Audit;

/// <summary>Which events are asked for; a type that ends in <c>.*</c> stands for all that begin so.</summary>
internal sealed record AuditFilter(string? Type = null, string? Actor = null, string? Target = null, DateTimeOffset? Since = null, DateTimeOffset? Until = null)
{
    public IQueryable<AuditEvent> Apply(IQueryable<AuditEvent> events)
    {
        if (Type is not null && Type.EndsWith(".*", StringComparison.Ordinal))
        {
            var start = Type[..^1];
            events = events.Where(e => e.Type.StartsWith(start));
        }
        else if (Type is not null) events = events.Where(e => e.Type == Type);
        if (Actor is not null) events = events.Where(e => e.Actor == Actor);
        if (Target is not null) events = events.Where(e => e.Target == Target);
        if (Since is { } since) events = events.Where(e => e.At >= since);
        if (Until is { } until) events = events.Where(e => e.At < until);
        return events;
    }
}

/// <summary>Reading events, by their time.</summary>
internal static class AuditTrail
{
    private const int Page = 1000;

    // A transaction may commit this much later than its event's time says.
    private static readonly TimeSpan Late = TimeSpan.FromMinutes(1);

    /// <summary>The newest that match, oldest first.</summary>
    public static async Task<List<AuditEvent>> Newest(Database database, AuditFilter filter, int count, CancellationToken ct)
    {
        await using var db = database.OpenForReading();
        var events = await filter.Apply(db.Set<AuditEvent>()).OrderByDescending(e => e.At).ThenByDescending(e => e.Id).Take(count).ToListAsync(ct);
        events.Reverse();
        return events;
    }

    /// <summary>All that match, oldest first, a page at a time.</summary>
    public static async IAsyncEnumerable<AuditEvent> All(Database database, AuditFilter filter, [EnumeratorCancellation] CancellationToken ct)
    {
        await using var db = database.OpenForReading();
        AuditEvent? last = null;
        while (true)
        {
            var query = filter.Apply(db.Set<AuditEvent>());
            if (last is { At: var at, Id: var id }) query = query.Where(e => e.At > at || (e.At == at && e.Id > id));
            var page = await query.OrderBy(e => e.At).ThenBy(e => e.Id).Take(Page).ToListAsync(ct);
            foreach (var one in page) yield return one;
            if (page.Count < Page) yield break;
            last = page[^1];
        }
    }

    /// <summary>All that match from now on, until nobody listens any more.</summary>
    public static async IAsyncEnumerable<AuditEvent> Follow(Database database, AuditFilter filter, TimeProvider clock, [EnumeratorCancellation] CancellationToken ct)
    {
        var from = clock.GetUtcNow();
        var seen = new Dictionary<Guid, DateTimeOffset>();
        while (true)
        {
            var look = clock.GetUtcNow() - Late;
            foreach (var old in seen.Where(one => one.Value < look).Select(one => one.Key).ToList()) seen.Remove(old);
            await foreach (var one in All(database, filter with { Since = look > from ? look : from }, ct))
                if (seen.TryAdd(one.Id, one.At)) yield return one;
            await Task.Delay(TimeSpan.FromSeconds(1), clock, ct);
        }
    }
}
