using IdP.Accounts;
using IdP.Audit;
using IdP.Protocol;
using IdP.Protocol.OAuth;
using IdP.Sessions;
using IdP.Storage;
using Microsoft.EntityFrameworkCore;

namespace IdP.Upstream;

/// <summary>What an operator says of a new provider.</summary>
internal sealed record NewUpstream(string Name, string Issuer, string ClientId)
{
    public string? Secret { get; init; }
    public string? DisplayName { get; init; }
    public IReadOnlyList<string> Scopes { get; init; } = [];
    public IReadOnlyList<string> ClaimNames { get; init; } = [];
    public bool CreatesAccounts { get; init; }
}

/// <summary>What operators may do to providers and to what connects them with accounts. Every method runs in its caller's transaction and writes its audit event there.</summary>
internal sealed class UpstreamStatements(UpstreamSecrets secrets, TimeProvider clock)
{
    /// <summary>The claims of an account that are taken over when it is created.</summary>
    public static readonly IReadOnlyList<string> Claims = ["preferred_username", "name", "given_name", "family_name", "email", "email_verified", "locale"];

    public async Task<UpstreamProvider> Add(IdpDbContext db, NewUpstream asked, string actor, CancellationToken ct)
    {
        if (Problem(asked) is { } problem) throw ChangeRefusedException.Invalid(problem);
        var version = await ServerState.NextStamp(db, ct);
        if (await db.Set<UpstreamProvider>().AnyAsync(p => p.Name == asked.Name, ct))
            throw ChangeRefusedException.Conflict($"There is a provider {PlainText.Quoted(asked.Name)} already: choose another name.");
        var provider = new UpstreamProvider
        {
            Name = asked.Name,
            DisplayName = asked.DisplayName ?? asked.Name,
            Issuer = asked.Issuer,
            ClientId = asked.ClientId,
            SealedSecret = asked.Secret is null ? null : secrets.Seal(asked.Issuer, asked.ClientId, asked.Secret),
            Scopes = [.. asked.Scopes.Prepend("openid").Distinct(StringComparer.Ordinal)],
            ClaimNames = [.. asked.ClaimNames],
            CreatesAccounts = asked.CreatesAccounts,
            CreatedAt = clock.GetUtcNow(),
            Version = version,
        };
        db.Add(provider);
        await Record(db, new UpstreamCreated(), provider, actor, ct);
        return provider;
    }

    /// <summary>Lets nobody in through the provider any more, and ends the sessions that began there; false when it was disabled already.</summary>
    public async Task<bool> Disable(IdpDbContext db, string name, string actor, CancellationToken ct)
    {
        var provider = await Require(db, name, ct);
        if (provider.DisabledAt is not null) return false;
        (provider.DisabledAt, provider.Version) = (clock.GetUtcNow(), await ServerState.NextStamp(db, ct));
        await Record(db, new UpstreamDisabled(), provider, actor, ct);
        await SessionEnd.End(db, db.Set<Session>().Where(s => s.UpstreamProviderId == provider.Id), clock.GetUtcNow(), ct);
        return true;
    }

    public async Task<bool> Enable(IdpDbContext db, string name, string actor, CancellationToken ct)
    {
        var provider = await Require(db, name, ct);
        if (provider.DisabledAt is null) return false;
        (provider.DisabledAt, provider.Version) = (null, await ServerState.NextStamp(db, ct));
        await Record(db, new UpstreamEnabled(), provider, actor, ct);
        return true;
    }

    /// <summary>Removes the provider with everything that connects accounts with it; the accounts stay.</summary>
    public async Task Remove(IdpDbContext db, string name, string actor, CancellationToken ct)
    {
        var provider = await Require(db, name, ct);
        await ServerState.NextStamp(db, ct);
        await SessionEnd.End(db, db.Set<Session>().Where(s => s.UpstreamProviderId == provider.Id), clock.GetUtcNow(), ct);
        db.Remove(provider);
        await Record(db, new UpstreamRemoved(), provider, actor, ct);
    }

    /// <summary>Parts an account from a provider, and ends the sessions of its owner that began there.</summary>
    public async Task Unlink(IdpDbContext db, string userName, string name, string actor, CancellationToken ct)
    {
        var (user, provider) = (await UserStatements.Require(db, userName, ct), await Require(db, name, ct));
        if (await db.Set<UpstreamLogin>().Where(l => l.UserId == user.Id && l.ProviderId == provider.Id).ExecuteDeleteAsync(ct) == 0)
            throw ChangeRefusedException.NotFound($"The user {PlainText.Quoted(userName)} is not connected with {PlainText.Quoted(name)}.");
        await SessionEnd.End(db, db.Set<Session>().Where(s => s.UserId == user.Id && s.UpstreamProviderId == provider.Id), clock.GetUtcNow(), ct);
        AuditEvent.Record(db, clock.GetUtcNow(), new UpstreamUnlinked(Told.Of(name)), actor, $"user:{user.Subject}");
        await db.SaveChangesAsync(ct);
    }

    public static async Task<UpstreamProvider> Require(IdpDbContext db, string name, CancellationToken ct) =>
        await db.Set<UpstreamProvider>().AsTracking().SingleOrDefaultAsync(p => p.Name == name, ct) ??
        throw ChangeRefusedException.NotFound($"There is no provider {PlainText.Quoted(name)}: 'upstream list' shows them.");

    private static string? Problem(NewUpstream asked)
    {
        if (!IsSlug(asked.Name)) return $"The name {PlainText.Quoted(asked.Name)} cannot be used: 1 to 32 small letters, digits and hyphens, since it stands in addresses.";
        if (asked.DisplayName is not null && !PlainText.IsFine(asked.DisplayName, 64)) return "The display name must be 1 to 64 characters without line breaks, control characters or spaces around it.";
        if (asked.Issuer.Length > 500 || UpstreamAddress.Parse(asked.Issuer) is not { Query: "" })
            return $"The issuer {PlainText.Quoted(asked.Issuer)} cannot be used: it must be the provider's https URL exactly as its metadata has it, without query.";
        if (!PlainText.IsFine(asked.ClientId, 500)) return "The client id must be 1 to 500 characters without control characters or spaces around it.";
        if (asked.Secret is not null && !PlainText.IsFine(asked.Secret, 1024)) return "The secret must be 1 to 1024 characters without control characters or spaces around it.";
        foreach (var scope in asked.Scopes)
            if (ScopeText.Parse(scope).Failed(out var one, out _) || one.Length != 1) return $"{PlainText.Quoted(scope)} is no scope: give each with an option of its own.";
        foreach (var pair in asked.ClaimNames)
            if (pair.Split('=') is not [var ours, { Length: > 0 and <= 128 }] || !Claims.Contains(ours)) return $"The claim {PlainText.Quoted(pair)} cannot be used: write OURS=THEIRS, ours one of {string.Join(", ", Claims)}.";
        return null;
    }

    private Task<int> Record(IdpDbContext db, Event what, UpstreamProvider provider, string actor, CancellationToken ct)
    {
        AuditEvent.Record(db, clock.GetUtcNow(), what, actor, $"upstream:{provider.Name}");
        return db.SaveChangesAsync(ct);
    }

    private static bool IsSlug(string name) =>
        name.Length is > 0 and <= 32 && name[0] != '-' && name[^1] != '-' && name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-');
}
