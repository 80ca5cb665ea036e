using IdP.Audit;
using IdP.Grants;
using IdP.Keys;
using IdP.Protocol;
using IdP.Protocol.OAuth;
using IdP.Resources;
using IdP.Storage;
using Microsoft.EntityFrameworkCore;

namespace IdP.Clients;

/// <summary>What operators may do to clients. Every method runs in its caller's transaction and writes its audit event there.</summary>
internal sealed class ClientStatements(SecretHash secrets, KeyRing keys, IEnumerable<IClientAuthenticationMethod> methods, TimeProvider clock)
{
    /// <summary>For longer than that two secrets side by side are no replacement any more.</summary>
    public static readonly TimeSpan LongestOverlap = TimeSpan.FromDays(90);

    public async Task<Client> Add(IdpDbContext db, NewClient asked, string actor, CancellationToken ct)
    {
        if (asked.Problem(methods.Select(m => m.Name)) is { } problem) throw ChangeRefusedException.Invalid(problem);
        // The stamp's row lock makes changes wait for one another: what is looked up now is still true at the commit.
        var version = await ServerState.NextStamp(db, ct);
        if (await db.ClientNamed(asked.ClientId).AnyAsync(ct))
            throw ChangeRefusedException.Conflict($"There is a client {PlainText.Quoted(asked.ClientId)} already: choose another id.");
        await RequireScopes(db, asked.Scopes, ct);

        var client = new Client
        {
            ClientId = asked.ClientId,
            Name = asked.Name,
            IsPublic = asked.IsPublic,
            AuthenticationMethods = Distinct(asked.EffectiveMethods),
            GrantTypes = Distinct(asked.GrantTypes),
            Scopes = Distinct(asked.Scopes),
            DefaultScopes = Distinct(asked.DefaultScopes),
            Origins = Distinct(asked.Origins),
            AllowPublicPasswordGrant = asked.AllowPublicPasswordGrant,
            AccessTokenLifetimeSeconds = asked.AccessTokenLifetimeSeconds,
            RotatesRefreshTokens = asked.RotatesRefreshTokens,
            RedirectUris = Distinct(asked.RedirectUris),
            PostLogoutRedirectUris = Distinct(asked.PostLogoutRedirectUris),
            IsNative = asked.IsNative,
            AllowCodeWithoutPkce = asked.AllowCodeWithoutPkce,
            RequiresSecondFactor = asked.RequiresSecondFactor,
            RequiresPasskey = asked.RequiresPasskey,
            RequiresPushedRequests = asked.RequiresPushedRequests,
            IdTokenAlgorithm = asked.IdTokenAlgorithm,
            UserInfoAlgorithm = asked.UserInfoAlgorithm,
            Sector = NewClientPages.SectorOf(asked),
            SessionRefreshTokens = asked.SessionRefreshTokens,
            LogoUri = asked.LogoUri,
            PolicyUri = asked.PolicyUri,
            TermsUri = asked.TermsUri,
            BackChannelLogoutUri = asked.BackChannelLogoutUri,
            FrontChannelLogoutUri = asked.FrontChannelLogoutUri,
            ResourceId = asked.Resource is null ? null : (await ResourceStatements.Require(db, asked.Resource, ct)).Id,
            CreatedAt = clock.GetUtcNow(),
            Version = version,
        };
        if (asked.Secret is not null) client.Secrets.Add(secrets.Make(asked.Secret, expiresAt: null));
        db.Add(client);
        Record(db, new ClientCreated(), client, actor);
        await db.SaveChangesAsync(ct);
        if (client.MayUse(GrantNames.AuthorizationCode)) await keys.Ensure(db, client.IdTokenAlgorithm, ct);
        if (client.UserInfoAlgorithm is { } algorithm) await keys.Ensure(db, algorithm, ct);
        return client;
    }

    /// <summary>Ends the client and every token that it has; false when it was disabled already.</summary>
    public async Task<bool> Disable(IdpDbContext db, string clientId, string actor, CancellationToken ct)
    {
        var version = await ServerState.NextStamp(db, ct);
        var client = await Require(db, clientId, ct);
        if (client.IsDisabled) return false;
        (client.DisabledAt, client.Version) = (clock.GetUtcNow(), version);
        client.Generation++;
        Record(db, new ClientDisabled(), client, actor);
        await db.SaveChangesAsync(ct);
        await Grant.Revoke(db.Set<Grant>().Where(g => g.ClientKey == client.Id), clock.GetUtcNow(), ct);
        return true;
    }

    /// <summary>Lets the client ask for tokens again; those that ended stay so. False when it was not disabled.</summary>
    public async Task<bool> Enable(IdpDbContext db, string clientId, string actor, CancellationToken ct)
    {
        var version = await ServerState.NextStamp(db, ct);
        var client = await Require(db, clientId, ct);
        if (!client.IsDisabled) return false;
        (client.DisabledAt, client.Version) = (null, version);
        Record(db, new ClientEnabled(), client, actor);
        await db.SaveChangesAsync(ct);
        return true;
    }

    /// <summary>Gives the client another secret. The old ones end at once, or after the overlap if one is given.</summary>
    public async Task<Client> ReplaceSecret(IdpDbContext db, string clientId, string secret, TimeSpan? overlap, string actor, CancellationToken ct)
    {
        if (NewClient.SecretProblem(secret) is { } problem) throw ChangeRefusedException.Invalid(problem);
        if (overlap is { } asked && (asked < TimeSpan.FromSeconds(1) || asked > LongestOverlap))
            throw ChangeRefusedException.Invalid($"The overlap must be from 1 to {LongestOverlap.TotalSeconds} seconds ({LongestOverlap.TotalDays} days).");
        var version = await ServerState.NextStamp(db, ct);
        var client = await Require(db, clientId, ct);
        if (client.IsPublic) throw ChangeRefusedException.Invalid($"The client {PlainText.Quoted(clientId)} is public: it has no secret to replace.");

        var now = clock.GetUtcNow();
        client.Secrets.RemoveAll(old => overlap is null || old.ExpiresAt <= now);
        foreach (var old in client.Secrets)
            if (old.ExpiresAt is not { } ends || ends > now + overlap) old.ExpiresAt = now + overlap;
        client.Secrets.Add(secrets.Make(secret, expiresAt: null));
        client.Version = version;
        Record(db, new ClientSecretReplaced(), client, actor);
        await db.SaveChangesAsync(ct);
        return client;
    }

    /// <summary>The client, tracked, with its secrets.</summary>
    public static async Task<Client> Require(IdpDbContext db, string clientId, CancellationToken ct) =>
        await db.ClientNamed(clientId).AsTracking().Include(c => c.Secrets).SingleOrDefaultAsync(ct) ??
        throw NotFound(clientId);

    public static ChangeRefusedException NotFound(string clientId) =>
        ChangeRefusedException.NotFound($"There is no client {PlainText.Quoted(clientId)}: correct the id, in which upper and lower case count.");

    private static async Task RequireScopes(IdpDbContext db, IReadOnlyList<string> names, CancellationToken ct)
    {
        var known = await db.Set<Scope>().Where(s => names.Contains(s.Name)).Select(s => s.Name).ToListAsync(ct);
        if (names.FirstOrDefault(name => !known.Contains(name) && !ResourceCatalog.IdentityScopes.ContainsKey(name)) is not { } unknown) return;
        var some = await db.Set<Scope>().OrderBy(s => s.Name).Select(s => s.Name).Take(20).ToListAsync(ct);
        throw ChangeRefusedException.NotFound(
            $"The scope {PlainText.Quoted(unknown)} is unknown: add it to a resource first, or use {string.Join(", ", ResourceCatalog.IdentityScopes.Keys.Order(StringComparer.Ordinal).Concat(some))}.");
    }

    private void Record(IdpDbContext db, Event what, Client client, string actor) =>
        AuditEvent.Record(db, clock.GetUtcNow(), what, actor, $"client:{client.ClientId}");

    private static List<string> Distinct(IEnumerable<string> values) => values.Distinct(StringComparer.Ordinal).ToList();
}
