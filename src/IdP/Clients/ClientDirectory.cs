using System.Collections.Concurrent;
using IdP.Storage;
using Microsoft.EntityFrameworkCore;

namespace IdP.Clients;

/// <summary>Clients by their id, from a bounded memory that <see cref="ChangePoll"/> keeps current.</summary>
internal sealed class ClientDirectory(Database database)
{
    private const int MostRemembered = 20_000;
    private readonly ConcurrentDictionary<string, Client> _remembered = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<long, string> _idsByKey = new();
    private volatile HashSet<string> _origins = [];

    public ValueTask<Client?> Find(string clientId, CancellationToken ct) =>
        Remembered(clientId) is { } client ? ValueTask.FromResult<Client?>(client) : new(FindStored(clientId, ct));

    /// <summary>The client if it is in memory; null says nothing about whether it exists.</summary>
    public Client? Remembered(string clientId) => _remembered.GetValueOrDefault(clientId);

    /// <summary>Asks the database, whatever is remembered: a secret that was just replaced must work at once.</summary>
    public async Task<Client?> FindStored(string clientId, CancellationToken ct)
    {
        // Nothing else can be registered, and a database need not be asked about NUL, which PostgreSQL refuses with an error.
        if (Protocol.OAuth.ClientIdentifier.Problem(clientId) is not null) return null;
        await using var db = database.OpenForReading();
        var client = await With(db.ClientNamed(clientId)).SingleOrDefaultAsync(ct);
        if (client is not null) Remember(client);
        return client;
    }

    /// <summary>The client that a grant names.</summary>
    public async ValueTask<Client?> FindByKey(long key, CancellationToken ct)
    {
        if (_idsByKey.TryGetValue(key, out var known)) return await Find(known, ct);
        await using var db = database.OpenForReading();
        return await db.Set<Client>().Where(c => c.Id == key).Select(c => c.ClientId).SingleOrDefaultAsync(ct) is { } id ? await Find(id, ct) : null;
    }

    /// <summary>Whether any client has registered this origin (scheme, host and port) for calls from a browser.</summary>
    public bool IsRegisteredOrigin(string origin) => _origins.Contains(origin);

    public async Task Load(long sinceVersion, CancellationToken ct)
    {
        await using var db = database.OpenForReading();
        var newer = With(db.Set<Client>()).Where(c => c.Version > sinceVersion);
        // At the start those that changed last, as many as are kept; the others are read when they come.
        var changed = await (sinceVersion < 0 ? newer.OrderByDescending(c => c.Version).Take(MostRemembered / 2) : newer).ToListAsync(ct);
        if (changed.Count == 0 && sinceVersion >= 0) return;
        // All of them: a request that has read one of them before it changed must find it newer here when it remembers it.
        foreach (var client in changed) Remember(client);
        var origins = await db.Set<Client>().Where(c => c.DisabledAt == null).Select(c => c.Origins).ToListAsync(ct);
        _origins = origins.SelectMany(list => list).ToHashSet(StringComparer.Ordinal);
    }

    /// <summary>Keeps what was read, unless something newer is there.</summary>
    public void Remember(Client client)
    {
        // A bound, not a policy: refilling costs one indexed read a client.
        if (_remembered.Count >= MostRemembered)
        {
            _remembered.Clear();
            _idsByKey.Clear();
        }
        _idsByKey[client.Id] = client.ClientId;
        _remembered.AddOrUpdate(client.ClientId, client, (_, known) => known.Version > client.Version ? known : client);
    }

    private static IQueryable<Client> With(IQueryable<Client> clients) =>
        clients.Include(c => c.Secrets).Include(c => c.Resource!).ThenInclude(r => r.Identifiers);
}
