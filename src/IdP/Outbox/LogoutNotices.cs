using System.Text.Json;
using IdP.Clients;
using IdP.Sessions;
using IdP.Storage;
using Microsoft.EntityFrameworkCore;

namespace IdP.Outbox;

/// <summary>What a logout token is made from (OpenID Connect Back-Channel Logout §2.4): it lives two minutes, so it is made when it is sent.</summary>
internal sealed record LogoutNotice(string ClientId, Guid UserId, Guid SessionId);

/// <summary>One notice for each client that the session ever signed in to and that wants to be told.</summary>
internal static class LogoutNotices
{
    public static LogoutNotice Read(OutboxItem item) => JsonSerializer.Deserialize<LogoutNotice>(item.Payload)!;

    public static async Task Add(IdpDbContext db, Guid sessionId, DateTimeOffset now, CancellationToken ct)
    {
        var userId = await db.Set<Session>().Where(s => s.Id == sessionId).Select(s => s.UserId).SingleAsync(ct);
        var clients = await db.Set<SessionClient>().Where(s => s.SessionId == sessionId)
            .Join(db.Set<Client>(), s => s.ClientKey, c => c.Id, (_, c) => new { c.ClientId, c.BackChannelLogoutUri, c.DisabledAt })
            .Where(c => c.BackChannelLogoutUri != null && c.DisabledAt == null).ToListAsync(ct);
        foreach (var client in clients)
            db.Add(new OutboxItem
            {
                Id = Guid.CreateVersion7(now),
                Kind = OutboxItem.BackChannelLogout,
                Target = client.BackChannelLogoutUri!,
                Payload = JsonSerializer.Serialize(new LogoutNotice(client.ClientId, userId, sessionId)),
                DueAt = now,
                CreatedAt = now,
            });
        await db.SaveChangesAsync(ct);
    }
}
