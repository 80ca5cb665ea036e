using IdP.Clients;
using IdP.Resources;
using IdP.Storage;

namespace IdP.Roles;

/// <summary>What somebody may do at an API at this moment.</summary>
internal sealed class HeldRoles(RoleCatalog catalog, ResourceCatalog resources, PreparedStatements statements)
{
    private const string OfUserSql = """SELECT "RoleId" FROM "UserRoles" WHERE "UserId" = @p0""";

    private const string OfGrantSql = """SELECT r."RoleId" FROM "Grants" g JOIN "UserRoles" r ON r."UserId" = g."UserId" WHERE g."Id" = @p0""";

    /// <summary>A client that acts for itself: from memory.</summary>
    public Rights OfClient(Client client, Resource? api) => api is null ? Rights.None : catalog.Current.At(api.Id, catalog.Current.OfClient(client.Id));

    /// <summary>A person: one read by key, and none where no role means anything.</summary>
    public ValueTask<Rights> OfUser(Guid userId, Resource? api, CancellationToken ct) => Asked(OfUserSql, userId, api, ct);

    /// <summary>A person at several APIs together, by their identifiers as a grant has them.</summary>
    public async ValueTask<Rights> OfUser(Guid userId, string? identifiers, CancellationToken ct)
    {
        var all = Rights.None;
        foreach (var identifier in identifiers?.Split(' ') ?? []) all = all.Union(await OfUser(userId, resources.Current.ByIdentifier(identifier), ct));
        return all;
    }

    /// <summary>The person of a grant.</summary>
    public ValueTask<Rights> OfGrant(Guid grantId, Resource? api, CancellationToken ct) => Asked(OfGrantSql, grantId, api, ct);

    private ValueTask<Rights> Asked(string sql, Guid id, Resource? api, CancellationToken ct)
    {
        var roles = catalog.Current;
        return api is null || !roles.KnowsApi(api.Id) ? ValueTask.FromResult(Rights.None) : Read(roles, sql, id, api, ct);
    }

    private async ValueTask<Rights> Read(RoleCatalog.Snapshot roles, string sql, Guid id, Resource api, CancellationToken ct) =>
        roles.At(api.Id, await statements.ReadAll(sql, [id], row => row.GetInt64(0), ct));
}
