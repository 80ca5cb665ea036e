using IdP.Audit;
using IdP.Http;
using IdP.Keys;
using IdP.Protocol;
using IdP.Protocol.Jose;
using IdP.Protocol.OAuth;
using IdP.Storage;
using Microsoft.EntityFrameworkCore;

namespace IdP.Resources;

/// <summary>An API that somebody wants to add. The first identifier is the one in <c>aud</c> unless a request names another.</summary>
internal sealed record NewResource(IReadOnlyList<string> Identifiers)
{
    public TokenFormat TokenFormat { get; init; }
    public string Algorithm { get; init; } = SigningAlgorithms.ES256;
    public int? AccessTokenLifetimeSeconds { get; init; }

    /// <summary>The operator knows what HS256 means: the API can make tokens that it accepts itself.</summary>
    public bool AllowsSharedSecret { get; init; }

    /// <summary>What is wrong with a lifetime, as a sentence; null when nothing is.</summary>
    public static string? LifetimeProblem(int? seconds)
    {
        var longest = (int)KeyStatements.LongestToken.TotalSeconds;
        return seconds is < 1 || seconds > longest ? $"The access token lifetime {seconds} is not possible: it must be from 1 to {longest} seconds." : null;
    }
}

/// <summary>What operators may do to resources and scopes. Every method runs in its caller's transaction and writes its audit event there.</summary>
internal sealed class ResourceStatements(KeyRing keys, SharedSecrets secrets, IdpOptions options, TimeProvider clock)
{
    /// <summary>Adds a resource; for HS256 with the secret, which is shown once.</summary>
    public async Task<(Resource Resource, string? Secret)> AddResource(IdpDbContext db, NewResource asked, string actor, CancellationToken ct)
    {
        if (Problem(asked) is { } problem) throw ChangeRefusedException.Invalid(problem);
        var version = await ServerState.NextStamp(db, ct);
        foreach (var identifier in asked.Identifiers)
            if (await db.Set<ResourceIdentifier>().AnyAsync(i => i.Value == identifier, ct))
                throw ChangeRefusedException.Conflict($"A resource has the identifier {PlainText.Quoted(identifier)} already: choose another.");

        var resource = new Resource
        {
            Identifiers = asked.Identifiers.Select((value, position) => new ResourceIdentifier { Value = value, Position = position }).ToList(),
            TokenFormat = asked.TokenFormat,
            Algorithm = asked.Algorithm,
            AccessTokenLifetimeSeconds = asked.AccessTokenLifetimeSeconds,
            CreatedAt = clock.GetUtcNow(),
            Version = version,
        };
        var secret = resource.SharesSecret ? secrets.Renew(resource) : null;
        db.Add(resource);
        AuditEvent.Record(db, clock.GetUtcNow(), new ResourceCreated(), actor, $"resource:{resource.Identifier}");
        await db.SaveChangesAsync(ct);
        if (!resource.SharesSecret) await keys.Ensure(db, asked.Algorithm, ct);
        return (resource, secret);
    }

    /// <summary>Gives an API with HS256 another secret, which is shown once; tokens under the old one end.</summary>
    public async Task<string> RenewSecret(IdpDbContext db, string identifier, string actor, CancellationToken ct)
    {
        var version = await ServerState.NextStamp(db, ct);
        var id = (await Require(db, identifier, ct)).Id;
        var resource = await db.Set<Resource>().AsTracking().Include(r => r.Identifiers).SingleAsync(r => r.Id == id, ct);
        if (!resource.SharesSecret) throw ChangeRefusedException.Invalid($"The tokens for {PlainText.Quoted(identifier)} are signed with {resource.Algorithm}: it shares no secret.");
        var secret = secrets.Renew(resource);
        resource.Version = version;
        AuditEvent.Record(db, clock.GetUtcNow(), new ResourceSecretReplaced(), actor, $"resource:{resource.Identifier}");
        await db.SaveChangesAsync(ct);
        return secret;
    }

    public async Task<Scope> AddScope(IdpDbContext db, string name, string resource, string? description, string actor, CancellationToken ct)
    {
        if (!ScopeText.IsToken(name))
            throw ChangeRefusedException.Invalid($"The scope {PlainText.Quoted(name)} cannot be used: a scope is 1 to 200 printable ASCII characters without spaces, quotes and backslashes.");
        if (name.StartsWith(ResourceCatalog.ReservedPrefix, StringComparison.OrdinalIgnoreCase))
            throw ChangeRefusedException.Invalid($"The prefix {ResourceCatalog.ReservedPrefix} is the provider's own: choose another name than {PlainText.Quoted(name)}.");
        if (ResourceCatalog.IdentityScopes.ContainsKey(name))
            throw ChangeRefusedException.Conflict($"The scope {PlainText.Quoted(name)} is OpenID Connect's and the provider has it already: choose another name.");
        if (description is not null && !PlainText.IsFine(description, 1000))
            throw ChangeRefusedException.Invalid("The description must be 1 to 1000 characters without line breaks, control characters or spaces around it.");
        var version = await ServerState.NextStamp(db, ct);
        if (await db.Set<Scope>().AnyAsync(s => s.Name == name, ct))
            throw ChangeRefusedException.Conflict($"There is a scope {PlainText.Quoted(name)} already: choose another name.");

        var scope = new Scope { Name = name, ResourceId = (await Require(db, resource, ct)).Id, Description = description, Version = version };
        db.Add(scope);
        AuditEvent.Record(db, clock.GetUtcNow(), new ScopeCreated(), actor, $"scope:{name}");
        await db.SaveChangesAsync(ct);
        return scope;
    }

    /// <summary>The resource that has this identifier.</summary>
    public static async Task<Resource> Require(IdpDbContext db, string identifier, CancellationToken ct)
    {
        var found = await db.Set<Resource>().Include(r => r.Identifiers).SingleOrDefaultAsync(r => r.Identifiers.Any(i => i.Value == identifier), ct);
        if (found is not null) return found;
        var known = await db.Set<ResourceIdentifier>().OrderBy(i => i.Value).Select(i => i.Value).Take(20).ToListAsync(ct);
        throw ChangeRefusedException.NotFound(known.Count == 0
            ? $"There is no resource {PlainText.Quoted(identifier)}: add it first."
            : $"There is no resource {PlainText.Quoted(identifier)}: add it first, or use {string.Join(", ", known)}.");
    }

    private string? Problem(NewResource asked)
    {
        if (asked.Identifiers.Count == 0) return "A resource needs an identifier, such as urn:example:api or https://api.example.";
        foreach (var identifier in asked.Identifiers)
        {
            if (!ResourceIndicator.IsWellFormed(identifier))
                return $"The identifier {PlainText.Quoted(identifier)} cannot be used: it must be an absolute URI without a fragment, such as urn:example:api or https://api.example.";
            // The provider is itself the resource of that name: userinfo expects it in aud.
            if (identifier.TrimEnd('/') == new Issuer(options).Value) return $"The identifier {PlainText.Quoted(identifier)} is the provider's own issuer: choose the API's own URL.";
        }
        if (asked.Identifiers.Distinct(StringComparer.Ordinal).Count() < asked.Identifiers.Count) return "An identifier is given twice: leave one out.";
        if (asked.Algorithm == SharedSecretKey.Algorithm)
        {
            if (!asked.AllowsSharedSecret) return "With HS256 the API gets a secret with which it could make tokens itself, and nobody could tell: let it check ES256 with the published keys, or add --unsafe-shared-secret if it cannot.";
            if (asked.TokenFormat == TokenFormat.Opaque) return "An opaque token is checked by introspection and is not signed: leave HS256 out.";
        }
        else if (asked.AllowsSharedSecret) return "--unsafe-shared-secret is for the algorithm HS256: leave it out.";
        else if (!SigningAlgorithms.IsSupported(asked.Algorithm)) return $"The algorithm {PlainText.Quoted(asked.Algorithm)} is unknown: use {string.Join(", ", SigningAlgorithms.All)}.";
        return NewResource.LifetimeProblem(asked.AccessTokenLifetimeSeconds);
    }
}
