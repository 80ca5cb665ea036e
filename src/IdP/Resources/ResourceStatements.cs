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

    /// <summary>What is wrong with a lifetime, as a sentence; null when nothing is.</summary>
    public static string? LifetimeProblem(int? seconds)
    {
        var longest = (int)KeyStatements.LongestToken.TotalSeconds;
        return seconds is < 1 || seconds > longest ? $"The access token lifetime {seconds} is not possible: it must be from 1 to {longest} seconds." : null;
    }
}

/// <summary>What operators may do to resources and scopes. Every method runs in its caller's transaction and writes its audit event there.</summary>
internal sealed class ResourceStatements(KeyRing keys, IdpOptions options, TimeProvider clock)
{
    public async Task<Resource> AddResource(IdpDbContext db, NewResource asked, string actor, CancellationToken ct)
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
        db.Add(resource);
        AuditEvent.Record(db, clock.GetUtcNow(), "resource.created", actor, $"resource:{resource.Identifier}");
        await db.SaveChangesAsync(ct);
        await keys.Ensure(db, asked.Algorithm, ct);
        return resource;
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
        AuditEvent.Record(db, clock.GetUtcNow(), "scope.created", actor, $"scope:{name}");
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
        if (!SigningAlgorithms.IsSupported(asked.Algorithm)) return $"The algorithm {PlainText.Quoted(asked.Algorithm)} is unknown: use {string.Join(", ", SigningAlgorithms.All)}.";
        return NewResource.LifetimeProblem(asked.AccessTokenLifetimeSeconds);
    }
}
