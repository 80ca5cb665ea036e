using IdP.ApiKeys;
using IdP.Protocol;
using IdP.Resources;
using IdP.Storage;
using Microsoft.EntityFrameworkCore;

namespace IdP.Account;

/// <summary>A scope that people can give keys of theirs, and the API that it is for.</summary>
internal sealed record OfferedScope(string Name, string Description, string Resource);

/// <summary>A key as its owner sees it; the key itself only on the page that follows its making.</summary>
internal sealed record ApiKeyView(string Id, string Prefix, string Name, string Resource, IReadOnlyList<string> Scopes, DateTimeOffset CreatedAt, DateTimeOffset ExpiresAt, DateTimeOffset? LastUsedAt, bool IsLive);

/// <summary>What became of a wish for a key: its text, or which text tells why not.</summary>
internal sealed record MadeKey(string? Key, string? Problem = null);

/// <summary>The API keys of one person, as far as the person looks after them. What may happen to keys is <see cref="ApiKeyStatements"/>'s.</summary>
internal sealed class ApiKeysOfPerson(ApiKeyStatements statements, ResourceCatalog catalog, Database database, IdpOptions options, TimeProvider clock)
{
    private static readonly TimeSpan Overlap = TimeSpan.FromDays(1);

    /// <summary>What the operator lets people make keys for; a scope that has gone meanwhile is left out.</summary>
    public IReadOnlyList<OfferedScope> Offered
    {
        get
        {
            var known = catalog.Current;
            return [.. from name in options.ApiKeys.AccountScopes.Split(' ', StringSplitOptions.RemoveEmptyEntries)
                       let scope = known.Scope(name)
                       where scope is not null && known.ById(scope.ResourceId) is not null
                       select new OfferedScope(scope.Name, scope.Description ?? scope.Name, known.ById(scope.ResourceId)!.Identifier)];
        }
    }

    public async Task<List<ApiKeyView>> List(Guid userId, CancellationToken ct)
    {
        await using var db = database.OpenForReading();
        var now = clock.GetUtcNow();
        return (await ApiKeyStatements.WithScopes(db.Set<ApiKey>().Where(k => k.UserId == userId)).OrderByDescending(k => k.Id).ToListAsync(ct)).ConvertAll(k => View(k, now));
    }

    /// <summary>One that still counts; null for any other, somebody else's too.</summary>
    public async Task<ApiKeyView?> Find(Guid userId, string? keyId, CancellationToken ct)
    {
        await using var db = database.OpenForReading();
        var now = clock.GetUtcNow();
        return await ApiKeyStatements.WithScopes(Owned(db, userId, keyId)).SingleOrDefaultAsync(ct) is { } key && key.IsLive(now) ? View(key, now) : null;
    }

    public async Task<MadeKey> Make(Guid userId, string name, IReadOnlyCollection<string> scopes, int days, string address)
    {
        var asked = Offered.Where(scope => scopes.Contains(scope.Name)).ToList();
        if (!PlainText.IsFine(name, ApiKey.LongestName)) return new(null, "Account.ApiKeys.WrongName");
        // An unknown name among them is a form that is not ours, or older than the change that took the scope away.
        if (asked.Count == 0 || asked.Count != scopes.Count) return new(null, "Account.ApiKeys.NoScope");
        if (asked.Exists(scope => scope.Resource != asked[0].Resource)) return new(null, "Account.ApiKeys.OneApi");
        if (days < 1 || days > options.ApiKeys.LongestDays) return new(null, "Account.ApiKeys.WrongDays");
        var wish = new NewApiKey(name, asked[0].Resource, asked.ConvertAll(scope => scope.Name), days);
        return await Change(async db =>
        {
            var user = await db.Users.SingleOrDefaultAsync(u => u.Id == userId && u.DisabledAt == null);
            return user is null ? null : (await statements.Add(db, ApiKeyOwner.Of(user), wish, Actor(userId, address), CancellationToken.None)).Text.ToString();
        }, "Account.ApiKeys.TooMany");
    }

    /// <summary>Gives the key another secret; the old one ends at once, or a day later.</summary>
    public Task<MadeKey> Renew(Guid userId, string? keyId, bool overlaps, string address) => Change(async db =>
        await ApiKeyStatements.WithScopes(Owned(db, userId, keyId)).AsTracking().SingleOrDefaultAsync() is { } key
            ? (await statements.Rotate(db, key, overlaps ? Overlap : TimeSpan.Zero, expiresInDays: null, Actor(userId, address), CancellationToken.None)).ToString()
            : null, "Account.ApiKeys.Ended");

    public Task Revoke(Guid userId, string? keyId, string address) => Change(async db =>
    {
        if (await Owned(db, userId, keyId).AsTracking().SingleOrDefaultAsync() is { } key) await statements.Revoke(db, key, Actor(userId, address), CancellationToken.None);
        return null;
    }, "Account.ApiKeys.Ended");

    private async Task<MadeKey> Change(Func<IdpDbContext, Task<string?>> change, string conflict)
    {
        try
        {
            var text = await database.Write(async db =>
            {
                await ServerState.TakeTurn(db, CancellationToken.None);
                return await change(db);
            }, CancellationToken.None);
            return new MadeKey(text, text is null ? "Account.ApiKeys.Ended" : null);
        }
        catch (ChangeRefusedException refused)
        {
            return new MadeKey(null, refused.Reason == RefusalReason.Conflict ? conflict : "Account.ApiKeys.NoScope");
        }
    }

    private static IQueryable<ApiKey> Owned(IdpDbContext db, Guid userId, string? keyId) => db.Set<ApiKey>().Where(k => k.UserId == userId && k.KeyId == (keyId ?? ""));

    private static ApiKeyActor Actor(Guid userId, string address) => new($"user:{userId:N}", address);

    private static ApiKeyView View(ApiKey key, DateTimeOffset now) =>
        new(key.KeyId, key.Prefix, key.Name, key.Resource!.Identifier, [.. key.ScopeNames], key.CreatedAt, key.ExpiresAt, key.LastUsedAt, key.IsLive(now));
}
