using IdP.Http;
using Microsoft.AspNetCore.Mvc;

namespace IdP.Account;

/// <summary>Where the person is signed in, and the end of what they do not recognize or need.</summary>
internal sealed class SessionsModel(AccountDoor door, SessionsOfPerson sessions) : AccountPage(door)
{
    public IReadOnlyList<SessionView> Sessions { get; private set; } = [];

    public async Task OnGetAsync(CancellationToken ct) => Sessions = await sessions.List(Person.UserId, ct);

    public async Task<IActionResult> OnPostEndAsync([FromForm] string? id)
    {
        // What is no session of theirs, or has ended by now, is gone from the list either way.
        if (Guid.TryParseExact(id, "N", out var session)) await sessions.End(Person, session, RequestFacts.Of(HttpContext).Address);
        return Done(AccountSection.Sessions, "session-ended");
    }

    public async Task<IActionResult> OnPostEndOthersAsync()
    {
        await sessions.End(Person, only: null, RequestFacts.Of(HttpContext).Address);
        return Done(AccountSection.Sessions, "sessions-ended");
    }
}
