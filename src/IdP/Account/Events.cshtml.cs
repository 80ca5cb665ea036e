using Microsoft.AspNetCore.Mvc;

namespace IdP.Account;

/// <summary>What happened to the account lately, so that its owner notices what somebody else did.</summary>
internal sealed class EventsModel(AccountDoor door, EventsOfPerson events) : AccountPage(door)
{
    public IReadOnlyList<EventView> Events { get; private set; } = [];
    public bool HasMore { get; private set; }

    public async Task OnGetAsync([FromQuery] string? before, CancellationToken ct) =>
        (Events, HasMore) = await events.List(Person.UserId, Guid.TryParseExact(before, "N", out var last) ? last : null, ct);
}
