using IdP.Clients;
using IdP.Consents;
using IdP.Grants;
using IdP.Storage;
using Microsoft.EntityFrameworkCore;

namespace IdP.Account;

/// <summary>An app that may have something of the person's: because they agreed to it, or because it holds tokens of theirs.</summary>
/// <param name="ClientId">What forms name it by.</param>
/// <param name="Name">What people know it by.</param>
/// <param name="Items">What it may have, as consent names it.</param>
/// <param name="GivenAt">When the person agreed last; null when it never asked.</param>
/// <param name="LastUsedAt">When it last got tokens, as far as that is still known.</param>
internal sealed record AppView(string ClientId, string Name, IReadOnlyList<string> Items, DateTimeOffset? GivenAt, DateTimeOffset? LastUsedAt);

/// <summary>The apps that are connected with one person's account, and how that ends.</summary>
internal sealed class AppsOfPerson(Database database, TimeProvider clock)
{
    private const int Most = 500;

    public async Task<List<AppView>> List(Guid userId, CancellationToken ct)
    {
        await using var db = database.OpenForReading();
        var now = clock.GetUtcNow();
        var consents = await db.Set<Consent>().Where(c => c.UserId == userId).Select(c => new { c.ClientKey, c.Items, c.GivenAt }).ToListAsync(ct);
        // The latest of them: a person who signs in all day has many that run out soon.
        var grants = await db.Set<Grant>().Where(g => g.UserId == userId && g.State == GrantState.Active && g.ExpiresAt > now)
            .OrderByDescending(g => g.CreatedAt).Take(Most).Select(g => new { g.ClientKey, g.Scope, At = g.RotatedAt ?? g.CreatedAt }).ToListAsync(ct);
        var keys = consents.Select(c => c.ClientKey).Union(grants.Select(g => g.ClientKey)).ToList();
        var clients = await db.Set<Client>().Where(c => keys.Contains(c.Id)).Select(c => new { c.Id, c.ClientId, c.Name }).ToListAsync(ct);
        return clients.ConvertAll(client =>
        {
            var consent = consents.Find(c => c.ClientKey == client.Id);
            var used = grants.Where(g => g.ClientKey == client.Id).ToList();
            var items = used.SelectMany(g => Words(g.Scope)).Concat(Words(consent?.Items ?? "")).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal);
            return new AppView(client.ClientId, client.Name ?? client.ClientId, [.. items], consent?.GivenAt, used.Count == 0 ? null : used.Max(g => g.At));
        }).OrderBy(app => app.Name, StringComparer.Ordinal).ToList();
    }

    /// <summary>Takes back what the app may have; false when that is nothing.</summary>
    public Task<bool> Disconnect(Guid userId, string clientId, string address) => database.Write(async db =>
    {
        var client = await db.ClientNamed(clientId).SingleOrDefaultAsync();
        return client is not null && await Consent.Withdraw(db, userId, client, $"user:{userId:N}", clock.GetUtcNow(), CancellationToken.None, address);
    }, CancellationToken.None);

    private static string[] Words(string text) => text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
}
