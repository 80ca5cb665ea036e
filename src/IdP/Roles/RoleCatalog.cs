using System.Collections.Frozen;
using IdP.Storage;
using Microsoft.EntityFrameworkCore;

namespace IdP.Roles;

/// <summary>Every role with its permissions, and which clients hold which, in memory. Who of the people holds them is asked of the database.</summary>
internal sealed class RoleCatalog(Database database)
{
    private volatile Snapshot _snapshot = new([], [], [], []);

    public Snapshot Current => _snapshot;

    public async Task Load(long sinceVersion, CancellationToken ct)
    {
        await using var db = database.OpenForReading();
        // What was taken away leaves no row behind, so all are read whenever anything has changed.
        _snapshot = new Snapshot(
            await db.Set<Role>().ToListAsync(ct), await db.Set<Permission>().ToListAsync(ct), await db.Set<RolePermission>().ToListAsync(ct), await db.Set<ClientRole>().ToListAsync(ct));
    }

    internal sealed class Snapshot
    {
        private readonly FrozenDictionary<(long Resource, long Role), RoleAtApi> _atApi;
        private readonly FrozenSet<long> _apis;
        private readonly FrozenDictionary<long, long[]> _ofClient;

        public Snapshot(List<Role> roles, List<Permission> permissions, List<RolePermission> held, List<ClientRole> ofClients)
        {
            var (roleById, permissionById) = (roles.ToDictionary(r => r.Id), permissions.ToDictionary(p => p.Id));
            // Four reads are no snapshot: what one of them does not know yet, or any more, means nothing.
            _atApi = held.Where(h => roleById.ContainsKey(h.RoleId) && permissionById.ContainsKey(h.PermissionId))
                .GroupBy(h => (permissionById[h.PermissionId].ResourceId, h.RoleId))
                .ToFrozenDictionary(group => group.Key, group => new RoleAtApi(roleById[group.Key.RoleId].Name, group.Select(h => permissionById[h.PermissionId].Name).ToArray()));
            _apis = _atApi.Keys.Select(key => key.Resource).ToFrozenSet();
            _ofClient = ofClients.GroupBy(c => c.ClientKey).ToFrozenDictionary(group => group.Key, group => group.Select(c => c.RoleId).ToArray());
        }

        /// <summary>Whether any role means anything at the API: if not, nobody need be asked who holds which.</summary>
        public bool KnowsApi(long resourceId) => _apis.Contains(resourceId);

        public IReadOnlyCollection<long> OfClient(long clientKey) => _ofClient.GetValueOrDefault(clientKey) ?? [];

        /// <summary>What the roles mean at one API. A role that has no permission there is not told there.</summary>
        public Rights At(long resourceId, IReadOnlyCollection<long> roleIds)
        {
            if (roleIds.Count == 0) return Rights.None;
            SortedSet<string> roles = new(StringComparer.Ordinal), permissions = new(StringComparer.Ordinal);
            foreach (var id in roleIds)
            {
                if (!_atApi.TryGetValue((resourceId, id), out var role)) continue;
                roles.Add(role.Name);
                permissions.UnionWith(role.Permissions);
            }
            return roles.Count == 0 ? Rights.None : new Rights([.. roles], [.. permissions]);
        }

        private sealed record RoleAtApi(string Name, string[] Permissions);
    }
}
