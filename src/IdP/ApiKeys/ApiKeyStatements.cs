using IdP.Accounts;
using IdP.Audit;
using IdP.Clients;
using IdP.Protocol;
using IdP.Resources;
using IdP.Storage;
using Microsoft.EntityFrameworkCore;

namespace IdP.ApiKeys;

/// <summary>A key that somebody wants to have.</summary>
internal sealed record NewApiKey(string Name, string Resource, IReadOnlyList<string> Scopes, int? ExpiresInDays);

/// <summary>Whose key it is: a person's or a client's.</summary>
internal sealed record ApiKeyOwner(Guid? UserId, long? ClientKey, string Text)
{
    public static ApiKeyOwner Of(User user) => new(user.Id, null, $"user:{user.Subject}");

    public static ApiKeyOwner Of(Client client) => new(null, client.Id, $"client:{client.ClientId}");

    public IQueryable<ApiKey> Keys(IdpDbContext db) => db.Set<ApiKey>().Where(k => UserId != null ? k.UserId == UserId : k.ClientKey == ClientKey);
}

/// <summary>Who makes a change, for the audit.</summary>
internal sealed record ApiKeyActor(string Name, string? Address = null, string? App = null)
{
    public Told? ToldApp => App is null ? null : Told.Of(App);
}

/// <summary>What may happen to keys. Every method runs in its caller's transaction and writes its audit event there.</summary>
internal sealed class ApiKeyStatements(SecretHash secrets, IdpOptions options, TimeProvider clock)
{
    /// <summary>Makes a key for a person whom an operator names.</summary>
    public async Task<(ApiKey Stored, ApiKeyText Text)> AddForUser(IdpDbContext db, string userName, NewApiKey asked, ApiKeyActor actor, CancellationToken ct)
    {
        await ServerState.TakeTurn(db, ct);
        var user = await UserStatements.Require(db, userName, ct);
        if (user.DisabledAt is not null) throw ChangeRefusedException.Conflict($"The user {PlainText.Quoted(userName)} is disabled: enable the account first.");
        return await Add(db, ApiKeyOwner.Of(user), asked, actor, ct);
    }

    /// <summary>Makes a key for a client. It can do what the client may ask for, and no more.</summary>
    public async Task<(ApiKey Stored, ApiKeyText Text)> AddForClient(IdpDbContext db, string clientId, NewApiKey asked, ApiKeyActor actor, CancellationToken ct)
    {
        await ServerState.TakeTurn(db, ct);
        var client = await ClientStatements.Require(db, clientId, ct);
        if (client.IsDisabled) throw ChangeRefusedException.Conflict($"The client {PlainText.Quoted(clientId)} is disabled: enable it first.");
        if (client.IsPublic) throw ChangeRefusedException.Invalid($"The client {PlainText.Quoted(clientId)} is public: what everybody has a copy of cannot keep a key. Make the key for a person.");
        if (asked.Scopes.FirstOrDefault(name => !client.Scopes.Contains(name)) is { } foreign)
            throw ChangeRefusedException.Invalid($"The client {PlainText.Quoted(clientId)} may not have the scope {PlainText.Quoted(foreign)}: use {string.Join(", ", client.Scopes)}.");
        return await Add(db, ApiKeyOwner.Of(client), asked, actor, ct);
    }

    /// <summary>Makes a key for an owner who is enabled. The caller has taken its turn.</summary>
    public async Task<(ApiKey Stored, ApiKeyText Text)> Add(IdpDbContext db, ApiKeyOwner owner, NewApiKey asked, ApiKeyActor actor, CancellationToken ct)
    {
        if (!PlainText.IsFine(asked.Name, ApiKey.LongestName))
            throw ChangeRefusedException.Invalid($"The name {PlainText.Quoted(asked.Name)} cannot be used: it must be 1 to {ApiKey.LongestName} characters without line breaks, control characters or spaces around it.");
        var now = clock.GetUtcNow();
        var lifetime = Lifetime(asked.ExpiresInDays ?? options.ApiKeys.DefaultDays);
        var resource = await ResourceStatements.Require(db, asked.Resource, ct);
        var scopes = await Scopes(db, resource, asked.Scopes, ct);
        if (await owner.Keys(db).CountAsync(k => k.RevokedAt == null && k.ExpiresAt > now, ct) >= options.ApiKeys.PerOwner)
            throw ChangeRefusedException.Conflict($"This owner has {options.ApiKeys.PerOwner} API keys that count, and more are not allowed: revoke one first.");

        var text = ApiKeyText.Create();
        var (hash, hashKey) = secrets.Of(text.ToString());
        var key = new ApiKey
        {
            Id = Guid.CreateVersion7(now),
            KeyId = text.KeyId,
            Name = asked.Name,
            UserId = owner.UserId,
            ClientKey = owner.ClientKey,
            ResourceId = resource.Id,
            Scopes = scopes.ConvertAll(scope => new ApiKeyScope { ScopeId = scope.Id }),
            Hash = hash,
            HashKeyId = hashKey,
            CreatedAt = now,
            ExpiresAt = now + lifetime,
        };
        db.Add(key);
        Record(db, new ApiKeyCreated(Told.Of(owner.Text), Told.Of(resource.Identifier), Told.Of(scopes.Select(s => s.Name)), actor.ToldApp), key, actor);
        await db.SaveChangesAsync(ct);
        return (await Require(db, key.KeyId, ct), text);
    }

    /// <summary>Gives the key another secret; its id stays. The old one ends at once, or after the overlap. The time at which the key ends changes only if days are given.</summary>
    public async Task<ApiKeyText> Rotate(IdpDbContext db, ApiKey key, TimeSpan overlap, int? expiresInDays, ApiKeyActor actor, CancellationToken ct)
    {
        if (overlap < TimeSpan.Zero || overlap > ClientStatements.LongestOverlap)
            throw ChangeRefusedException.Invalid($"The overlap must be from 0 to {ClientStatements.LongestOverlap.TotalSeconds} seconds ({ClientStatements.LongestOverlap.TotalDays} days).");
        var now = clock.GetUtcNow();
        if (!key.IsLive(now)) throw ChangeRefusedException.Conflict($"The API key {key.Prefix} has ended: make another.");
        if (expiresInDays is { } days) key.ExpiresAt = now + Lifetime(days);
        var overlaps = overlap > TimeSpan.Zero;
        (key.PreviousHash, key.PreviousHashKeyId, key.PreviousEndsAt) = (overlaps ? key.Hash : null, overlaps ? key.HashKeyId : null, overlaps ? now + overlap : null);
        var text = new ApiKeyText(key.KeyId, "").Renewed();
        (key.Hash, key.HashKeyId) = secrets.Of(text.ToString());
        Record(db, new ApiKeyRotated((long)overlap.TotalSeconds, actor.ToldApp), key, actor);
        await db.SaveChangesAsync(ct);
        return text;
    }

    /// <summary>Ends the key at once; false when it was revoked already.</summary>
    public async Task<bool> Revoke(IdpDbContext db, ApiKey key, ApiKeyActor actor, CancellationToken ct)
    {
        if (key.RevokedAt is not null) return false;
        var now = clock.GetUtcNow();
        key.RevokedAt = now;
        if (key.ExpiresAt > now) key.ExpiresAt = now;
        Record(db, new ApiKeyRevoked(actor.ToldApp), key, actor);
        await db.SaveChangesAsync(ct);
        return true;
    }

    /// <summary>The key, tracked, with resource and scopes. The caller has taken its turn.</summary>
    public static async Task<ApiKey> Require(IdpDbContext db, string keyId, CancellationToken ct) =>
        await WithScopes(db.Set<ApiKey>()).AsTracking().SingleOrDefaultAsync(k => k.KeyId == keyId, ct) ??
        throw ChangeRefusedException.NotFound($"There is no API key {ApiKeyText.Prefix}{keyId}: 'IdP api-key list' shows them.");

    // Several queries: in one, SQLite would go through the scopes of everybody's keys.
    public static IQueryable<ApiKey> WithScopes(IQueryable<ApiKey> keys) => keys.Include(k => k.Scopes).ThenInclude(s => s.Scope).Include(k => k.Resource!).ThenInclude(r => r.Identifiers).AsSplitQuery();

    private static async Task<List<Scope>> Scopes(IdpDbContext db, Resource resource, IReadOnlyList<string> names, CancellationToken ct)
    {
        var known = await db.Set<Scope>().Where(s => s.ResourceId == resource.Id).OrderBy(s => s.Name).ToListAsync(ct);
        var may = known.Count == 0 ? "it has none, so add one first" : $"use {string.Join(", ", known.Take(20).Select(s => s.Name))}";
        if (names.Count == 0) throw ChangeRefusedException.Invalid($"An API key needs a scope of {resource.Identifier}: {may}.");
        if (names.FirstOrDefault(name => known.TrueForAll(s => s.Name != name)) is { } unknown)
            throw ChangeRefusedException.Invalid($"The scope {PlainText.Quoted(unknown)} is none of {resource.Identifier}: {may}.");
        return known.FindAll(scope => names.Contains(scope.Name));
    }

    private TimeSpan Lifetime(int days) => days >= 1 && days <= options.ApiKeys.LongestDays
        ? TimeSpan.FromDays(days)
        : throw ChangeRefusedException.Invalid($"{days} days are not possible: an API key ends after 1 to {options.ApiKeys.LongestDays} days (ApiKeys:LongestDays).");

    private void Record(IdpDbContext db, Event what, ApiKey key, ApiKeyActor actor) =>
        AuditEvent.Record(db, clock.GetUtcNow(), what, actor.Name, $"api_key:{key.KeyId}", actor.Address, key.UserId);
}
