using System.Text.Json;
using IdP.Audit;
using IdP.Clients;
using IdP.Storage;
using Microsoft.EntityFrameworkCore;

namespace IdP.Account;

/// <summary>Something that happened to an account, as its owner sees it.</summary>
/// <param name="Id">The place in the list.</param>
/// <param name="At">When.</param>
/// <param name="Type">The type of the audit event; pages have a text for those that people meet, <c>Event.TYPE</c>.</param>
/// <param name="Range">The network that it came from.</param>
/// <param name="App">The name of the app that had part in it.</param>
/// <param name="ByOperator">Whether somebody who runs this provider did it.</param>
internal sealed record EventView(Guid Id, DateTimeOffset At, string Type, string? Range, string? App, bool ByOperator);

/// <summary>What happened to one person's account lately, newest first.</summary>
internal sealed class EventsOfPerson(Database database, ClientDirectory clients)
{
    public const int PageLength = 30;

    /// <summary>A page of them: the newest, or those before the one that the page before ended with. One more than is shown tells that there are more.</summary>
    public async Task<(List<EventView> Events, bool HasMore)> List(Guid userId, Guid? before, CancellationToken ct)
    {
        await using var db = database.OpenForReading();
        var events = await Query(db, userId, before).ToListAsync(ct);
        var views = new List<EventView>();
        foreach (var one in events.Take(PageLength))
            views.Add(new EventView(one.Id, one.At, one.Type, AddressRange.Of(one.Address), await App(one, ct), one.Actor == "cli"));
        return (views, events.Count > PageLength);
    }

    private static IQueryable<AuditEvent> Query(IdpDbContext db, Guid userId, Guid? before)
    {
        var events = db.Set<AuditEvent>().Where(e => e.UserId == userId);
        if (before is { } last) events = events.Where(e => e.Id < last);
        return events.OrderByDescending(e => e.Id).Take(PageLength + 1);
    }

    private async ValueTask<string?> App(AuditEvent one, CancellationToken ct)
    {
        if ((ClientOf(one.Actor) ?? ClientOf(one.Target) ?? Detail(one.Details, "client")) is not { Length: > 0 } clientId) return null;
        return (await clients.Find(clientId, ct))?.Name ?? clientId;
    }

    private static string? ClientOf(string? subject) => subject is not null && subject.StartsWith("client:", StringComparison.Ordinal) ? subject["client:".Length..] : null;

    private static string? Detail(string? details, string name)
    {
        if (details is null) return null;
        using var parsed = JsonDocument.Parse(details);
        return parsed.RootElement.TryGetProperty(name, out var value) ? value.GetString() : null;
    }
}
