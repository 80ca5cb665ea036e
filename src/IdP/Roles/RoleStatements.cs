using IdP.Accounts;
using IdP.Audit;
using IdP.Clients;
using IdP.Protocol;
using IdP.Protocol.OAuth;
using IdP.Resources;
using IdP.Storage;
using Microsoft.EntityFrameworkCore;

namespace IdP.Roles;

/// <summary>Who holds a role: a user or a client, by name.</summary>
internal sealed record RoleHolder(string? User, string? Client);

/// <summary>What operators may do to roles and permissions. Every method runs in its caller's transaction and writes its audit event there.</summary>
internal sealed class RoleStatements(TimeProvider clock)
{
    public async Task<Permission> AddPermission(IdpDbContext db, string name, string resource, string? description, string actor, CancellationToken ct)
    {
        RequireFine("permission", name, description);
        await ServerState.NextStamp(db, ct);
        if (await db.Set<Permission>().AnyAsync(p => p.Name == name, ct)) throw ChangeRefusedException.Conflict($"There is a permission {PlainText.Quoted(name)} already: choose another name.");
        var permission = new Permission { Name = name, ResourceId = (await ResourceStatements.Require(db, resource, ct)).Id, Description = description };
        db.Add(permission);
        await Record(db, new PermissionCreated(), actor, $"permission:{name}", ct);
        return permission;
    }

    /// <summary>Removes the permission, from every role that holds it too. One of the same name that is added later is another one.</summary>
    public async Task DeletePermission(IdpDbContext db, string name, string actor, CancellationToken ct)
    {
        await ServerState.NextStamp(db, ct);
        db.Remove(await RequirePermission(db, name, ct));
        await Record(db, new PermissionDeleted(), actor, $"permission:{name}", ct);
    }

    public async Task<Role> AddRole(IdpDbContext db, string name, string? description, string actor, CancellationToken ct, RoleDemand demand = RoleDemand.Nothing)
    {
        RequireFine("role", name, description);
        await ServerState.NextStamp(db, ct);
        if (await db.Set<Role>().AnyAsync(r => r.Name == name, ct)) throw ChangeRefusedException.Conflict($"There is a role {PlainText.Quoted(name)} already: choose another name.");
        var role = new Role { Name = name, Description = description, RequiresSecondFactor = demand == RoleDemand.SecondFactor, RequiresPasskey = demand == RoleDemand.Passkey };
        db.Add(role);
        await Record(db, new RoleCreated(), actor, $"role:{name}", ct);
        return role;
    }

    /// <summary>Says how whoever holds the role signs in; false when it was so already.</summary>
    public async Task<bool> Demand(IdpDbContext db, string name, RoleDemand demand, string actor, CancellationToken ct)
    {
        await ServerState.NextStamp(db, ct);
        var role = await RequireRole(db, name, ct);
        if (role.Demand == demand) return false;
        (role.RequiresSecondFactor, role.RequiresPasskey) = (demand == RoleDemand.SecondFactor, demand == RoleDemand.Passkey);
        Event what = demand switch
        {
            RoleDemand.Passkey => new RolePasskeyRequired(),
            RoleDemand.SecondFactor => new RoleSecondFactorRequired(),
            _ => new RoleSecondFactorOptional(),
        };
        await Record(db, what, actor, $"role:{name}", ct);
        return true;
    }

    /// <summary>Removes the role from everybody who holds it. One of the same name that is added later is held by nobody.</summary>
    public async Task DeleteRole(IdpDbContext db, string name, string actor, CancellationToken ct)
    {
        await ServerState.NextStamp(db, ct);
        db.Remove(await RequireRole(db, name, ct));
        await Record(db, new RoleDeleted(), actor, $"role:{name}", ct);
    }

    /// <summary>Puts permissions into a role; the number of those that were not in it.</summary>
    public async Task<int> Permit(IdpDbContext db, string roleName, IReadOnlyList<string> permissions, string actor, CancellationToken ct)
    {
        await ServerState.NextStamp(db, ct);
        var role = await RequireRole(db, roleName, ct);
        var added = 0;
        foreach (var name in permissions.Distinct(StringComparer.Ordinal))
        {
            var permission = await RequirePermission(db, name, ct);
            if (await db.Set<RolePermission>().AnyAsync(h => h.RoleId == role.Id && h.PermissionId == permission.Id, ct)) continue;
            db.Add(new RolePermission { RoleId = role.Id, PermissionId = permission.Id });
            await Record(db, new RolePermitted(Told.Of(name)), actor, $"role:{roleName}", ct);
            added++;
        }
        return added;
    }

    /// <summary>Takes permissions out of a role; the number of those that were in it.</summary>
    public async Task<int> Forbid(IdpDbContext db, string roleName, IReadOnlyList<string> permissions, string actor, CancellationToken ct)
    {
        await ServerState.NextStamp(db, ct);
        var role = await RequireRole(db, roleName, ct);
        var removed = 0;
        foreach (var name in permissions.Distinct(StringComparer.Ordinal))
        {
            var permission = await RequirePermission(db, name, ct);
            if (await db.Set<RolePermission>().Where(h => h.RoleId == role.Id && h.PermissionId == permission.Id).ExecuteDeleteAsync(ct) == 0) continue;
            await Record(db, new RoleForbidden(Told.Of(name)), actor, $"role:{roleName}", ct);
            removed++;
        }
        return removed;
    }

    /// <summary>Gives the role to somebody; false when they hold it already.</summary>
    public async Task<bool> Assign(IdpDbContext db, string roleName, RoleHolder holder, string actor, CancellationToken ct)
    {
        await ServerState.NextStamp(db, ct);
        var role = await RequireRole(db, roleName, ct);
        if (holder.User is not null)
        {
            var user = await UserStatements.Require(db, holder.User, ct);
            if (await db.Set<UserRole>().AnyAsync(r => r.UserId == user.Id && r.RoleId == role.Id, ct)) return false;
            db.Add(new UserRole { UserId = user.Id, RoleId = role.Id });
            await Record(db, new RoleAssigned(Told.Of(roleName)), actor, $"user:{user.Subject}", ct);
            return true;
        }
        var client = await ClientStatements.Require(db, holder.Client!, ct);
        // RFC 6749 §4.4: a public client never acts for itself.
        if (client.IsPublic) throw ChangeRefusedException.Invalid($"The client {PlainText.Quoted(holder.Client!)} is public: it never acts for itself, so a role would mean nothing.");
        if (await db.Set<ClientRole>().AnyAsync(r => r.ClientKey == client.Id && r.RoleId == role.Id, ct)) return false;
        db.Add(new ClientRole { ClientKey = client.Id, RoleId = role.Id });
        await Record(db, new RoleAssigned(Told.Of(roleName)), actor, $"client:{client.ClientId}", ct);
        return true;
    }

    /// <summary>Takes the role away from somebody; false when they did not hold it.</summary>
    public async Task<bool> Unassign(IdpDbContext db, string roleName, RoleHolder holder, string actor, CancellationToken ct)
    {
        await ServerState.NextStamp(db, ct);
        var role = await RequireRole(db, roleName, ct);
        string target;
        int removed;
        if (holder.User is not null)
        {
            var user = await UserStatements.Require(db, holder.User, ct);
            target = $"user:{user.Subject}";
            removed = await db.Set<UserRole>().Where(r => r.UserId == user.Id && r.RoleId == role.Id).ExecuteDeleteAsync(ct);
        }
        else
        {
            var client = await ClientStatements.Require(db, holder.Client!, ct);
            target = $"client:{client.ClientId}";
            removed = await db.Set<ClientRole>().Where(r => r.ClientKey == client.Id && r.RoleId == role.Id).ExecuteDeleteAsync(ct);
        }
        if (removed == 0) return false;
        await Record(db, new RoleUnassigned(Told.Of(roleName)), actor, target, ct);
        return true;
    }

    public static async Task<Role> RequireRole(IdpDbContext db, string name, CancellationToken ct) =>
        await db.Set<Role>().SingleOrDefaultAsync(r => r.Name == name, ct) ?? throw ChangeRefusedException.NotFound($"There is no role {PlainText.Quoted(name)}: 'role list' shows them.");

    private static async Task<Permission> RequirePermission(IdpDbContext db, string name, CancellationToken ct) =>
        await db.Set<Permission>().SingleOrDefaultAsync(p => p.Name == name, ct) ?? throw ChangeRefusedException.NotFound($"There is no permission {PlainText.Quoted(name)}: 'permission list' shows them.");

    private static void RequireFine(string what, string name, string? description)
    {
        if (!ScopeText.IsToken(name))
            throw ChangeRefusedException.Invalid($"The {what} {PlainText.Quoted(name)} cannot be used: it is 1 to 200 printable ASCII characters without spaces, quotes and backslashes.");
        if (name.StartsWith(ResourceCatalog.ReservedPrefix, StringComparison.OrdinalIgnoreCase))
            throw ChangeRefusedException.Invalid($"The prefix {ResourceCatalog.ReservedPrefix} is the provider's own: choose another name than {PlainText.Quoted(name)}.");
        if (description is not null && !PlainText.IsFine(description, 1000))
            throw ChangeRefusedException.Invalid("The description must be 1 to 1000 characters without line breaks, control characters or spaces around it.");
    }

    private Task<int> Record(IdpDbContext db, Event what, string actor, string target, CancellationToken ct)
    {
        AuditEvent.Record(db, clock.GetUtcNow(), what, actor, target);
        return db.SaveChangesAsync(ct);
    }
}
