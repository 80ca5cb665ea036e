using IdP.Audit;
using IdP.Clients;
using IdP.Http;
using IdP.Outbox;
using IdP.Protocol.OAuth;
using IdP.Sessions;
using IdP.Storage;
using IdP.Ui;
using Microsoft.EntityFrameworkCore;

namespace IdP.Logout;

/// <summary>Where a person goes after signing out, proven, and what the app wants to get back.</summary>
internal sealed record Destination(Client Client, ValidRedirectUri RedirectUri, string? State)
{
    /// <summary>RP-Initiated Logout §2: state as it came, and nothing else.</summary>
    public string Address => State is null
        ? RedirectUri.Value
        : $"{RedirectUri.Value}{(RedirectUri.Value.Contains('?', StringComparison.Ordinal) ? '&' : '?')}state={Uri.EscapeDataString(State)}";
}

/// <summary>Ends the session of a browser, and knows what follows.</summary>
internal sealed class SignOut(Database database, Cookies cookies, SignOutPages pages, OutboxSender outbox, TimeProvider clock)
{
    /// <summary>Ends the session everywhere, with the grants that hang on it; whoever is told later is told from the outbox.</summary>
    public async Task End(HttpContext http, SignedIn session, string? clientId)
    {
        var (now, facts) = (clock.GetUtcNow(), RequestFacts.Of(http));
        // Not cancelled: somebody who closes the window has signed out.
        await database.Write(async db =>
        {
            if (await SessionEnd.End(db, db.Set<Session>().Where(s => s.Id == session.SessionId), now, CancellationToken.None) == 0) return;
            AuditEvent.Record(db, now, new SignedOutByPerson(session.SessionId, clientId is null ? null : Told.Of(clientId)), $"user:{session.UserId:N}", $"user:{session.UserId:N}", facts.Address);
            await db.SaveChangesAsync(CancellationToken.None);
        }, CancellationToken.None);
        cookies.Delete(http, Cookies.Session);
        outbox.Wake();
    }

    /// <summary>Where the browser goes now: to the app, unless a page has something to say or to do first.</summary>
    /// <param name="http">The request.</param>
    /// <param name="ended">The session that ended; null when nobody was signed in.</param>
    /// <param name="destination">Where the app wants the person.</param>
    /// <param name="leadsOn">Whether the person goes there without being asked.</param>
    /// <param name="locales">The languages that the app asked for.</param>
    /// <param name="ct">Cancels.</param>
    public async ValueTask<string> Next(HttpContext http, Guid? ended, Destination? destination, bool leadsOn, string? locales, CancellationToken ct)
    {
        RequestFacts.Of(http).Outcome = "signed_out";
        if (destination is not null && leadsOn && (ended is null || (await FrontChannelAddresses(ended.Value, ct)).Count == 0)) return destination.Address;
        // Nothing to carry: no cookie for it.
        if (destination is null && ended is null && locales is null) return PageAddresses.SignedOut;
        return pages.Address(http, new SignOutDone
        {
            ClientId = destination?.Client.ClientId,
            RedirectUri = destination?.RedirectUri.Value,
            State = destination?.State,
            Locales = locales,
            LeadsOn = leadsOn,
            Session = ended,
        });
    }

    /// <summary>The addresses of the apps of a session that has ended which are told through the browser.</summary>
    public async Task<List<string>> FrontChannelAddresses(Guid sessionId, CancellationToken ct)
    {
        await using var db = database.OpenForReading();
        return (await db.Set<SessionClient>().Where(s => s.SessionId == sessionId && db.Set<Session>().Any(session => session.Id == sessionId && session.EndedAt != null))
            .Join(db.Set<Client>(), s => s.ClientKey, c => c.Id, (_, c) => c)
            .Where(c => c.FrontChannelLogoutUri != null && c.DisabledAt == null).OrderBy(c => c.Id).Select(c => c.FrontChannelLogoutUri).ToListAsync(ct))!;
    }
}
