using System.CommandLine;
using IdP.Clients;
using IdP.Roles;
using IdP.Storage;
using Microsoft.EntityFrameworkCore;

namespace IdP.Commands;

/// <summary>role add, list, show, delete, permit, forbid, assign, unassign, second-factor.</summary>
internal static class RoleCommands
{
    // Beyond that it is a report, not an answer.
    private const int MostHolders = 100;

    public static Command Build() => new("role", "Sets of permissions that people and service clients hold") { Add(), List(), Show(), Delete(), Permit(), Forbid(), Assign(), Unassign(), SecondFactor() };

    private static Argument<string> Name() => new("ROLE") { Description = "The role" };

    private static Argument<string[]> Permissions() => new("PERMISSION") { Description = "Permissions", Arity = ArgumentArity.OneOrMore };

    private static Command Add()
    {
        var name = new Argument<string>("ROLE") { Description = "The role as tokens carry it, such as editor" };
        var description = new Option<string?>("--description") { Description = "What it is for", HelpName = "TEXT" };
        var permission = new Option<string[]>("--permission") { Description = "A permission that it holds; repeatable", HelpName = "NAME" };
        var secondFactor = new Option<bool>("--require-second-factor") { Description = "Whoever holds it proves a second factor at every sign-in" };
        var passkey = new Option<bool>("--require-passkey") { Description = "Whoever holds it signs in with a passkey" };
        var command = new Command("add", "Add a role.\n\nExample: IdP role add editor --permission items:delete") { name, description, permission, secondFactor, passkey };
        command.SetAction((parsed, ct) => CommandHost.Run(parsed, async context =>
        {
            var (role, permissions) = (parsed.GetRequiredValue(name), parsed.GetValue(permission) ?? []);
            var demand = parsed.GetValue(passkey) ? RoleDemand.Passkey : parsed.GetValue(secondFactor) ? RoleDemand.SecondFactor : RoleDemand.Nothing;
            await context.Change(async db =>
            {
                await context.Get<RoleStatements>().AddRole(db, role, parsed.GetValue(description), CommandContext.Actor, ct, demand);
                return await context.Get<RoleStatements>().Permit(db, role, permissions, CommandContext.Actor, ct);
            });
            context.Print(new View(role, parsed.GetValue(description), demand == RoleDemand.SecondFactor, demand == RoleDemand.Passkey, [.. permissions]), $"Added the role {role}.");
        }, ct));
        return command;
    }

    private static Command List()
    {
        var command = new Command("list", "List the roles with their permissions.\n\nExample: IdP role list");
        command.SetAction((parsed, ct) => CommandHost.Run(parsed, async context =>
        {
            await using var db = context.Get<Database>().OpenForReading();
            var held = (await Held(db).ToListAsync(ct)).ToLookup(h => h.RoleId, h => h.Permission);
            var roles = (await db.Set<Role>().OrderBy(r => r.Name).ToListAsync(ct)).ConvertAll(r => new View(r.Name, r.Description, r.RequiresSecondFactor, r.RequiresPasskey, [.. held[r.Id].Order(StringComparer.Ordinal)]));
            context.Print(roles, roles.Count == 0 ? "There are no roles." : Table.Of(["ROLE", "PERMISSIONS", "SECOND FACTOR", "DESCRIPTION"], roles.ConvertAll(r => new[] { r.Name, string.Join(' ', r.Permissions), r.RequirePasskey ? "passkey" : r.RequireSecondFactor ? "required" : "", r.Description })));
        }, ct));
        return command;
    }

    private static Command Show()
    {
        var name = Name();
        var command = new Command("show", $"Show a role, and who holds it (the first {MostHolders} of each kind).\n\nExample: IdP role show editor") { name };
        command.SetAction((parsed, ct) => CommandHost.Run(parsed, async context =>
        {
            await using var db = context.Get<Database>().OpenForReading();
            var role = await RoleStatements.RequireRole(db, parsed.GetRequiredValue(name), ct);
            var permissions = await Held(db).Where(h => h.RoleId == role.Id).Select(h => h.Permission).OrderBy(p => p).ToListAsync(ct);
            var users = await db.Set<UserRole>().Where(r => r.RoleId == role.Id).Join(db.Users, r => r.UserId, u => u.Id, (_, u) => u.UserName!).OrderBy(u => u).Take(MostHolders).ToListAsync(ct);
            var clients = await db.Set<ClientRole>().Where(r => r.RoleId == role.Id).Join(db.Set<Client>(), r => r.ClientKey, c => c.Id, (_, c) => c.ClientId).OrderBy(c => c).Take(MostHolders).ToListAsync(ct);
            var text = $"{role.Name}{(role.Description is null ? "" : $": {role.Description}")}\n  permissions: {Listed(permissions)}\n  second factor: {(role.Demand switch { RoleDemand.Passkey => "a passkey", RoleDemand.SecondFactor => "required", _ => "as each person has it" })}\n  users: {Listed(users)}\n  clients: {Listed(clients)}";
            context.Print(new { role.Name, role.Description, RequireSecondFactor = role.RequiresSecondFactor, RequirePasskey = role.RequiresPasskey, Permissions = permissions, Users = users, Clients = clients }, text);
        }, ct));
        return command;
    }

    private static Command Delete()
    {
        var name = Name();
        var command = new Command("delete", "Delete a role; nobody holds it any more when the command returns.\n\nExample: IdP role delete editor") { name };
        command.SetAction((parsed, ct) => CommandHost.Run(parsed, async context =>
        {
            var role = parsed.GetRequiredValue(name);
            await context.Change(async db =>
            {
                await context.Get<RoleStatements>().DeleteRole(db, role, CommandContext.Actor, ct);
                return true;
            });
            await context.Propagate();
            context.Print(new { Name = role, Deleted = true }, $"Deleted the role {role}.");
        }, ct));
        return command;
    }

    private static Command Permit()
    {
        var (name, permissions) = (Name(), Permissions());
        var command = new Command("permit", "Put permissions into a role.\n\nExample: IdP role permit editor items:delete") { name, permissions };
        command.SetAction((parsed, ct) => CommandHost.Run(parsed, async context =>
        {
            var role = parsed.GetRequiredValue(name);
            var count = await context.Change(db => context.Get<RoleStatements>().Permit(db, role, parsed.GetRequiredValue(permissions), CommandContext.Actor, ct));
            context.Print(new { Name = role, Added = count }, $"The role {role} holds {count} more: the next tokens carry them.");
        }, ct));
        return command;
    }

    private static Command Forbid()
    {
        var (name, permissions) = (Name(), Permissions());
        var command = new Command("forbid", "Take permissions out of a role; it is done when the command returns.\n\nExample: IdP role forbid editor items:delete") { name, permissions };
        command.SetAction((parsed, ct) => CommandHost.Run(parsed, async context =>
        {
            var role = parsed.GetRequiredValue(name);
            var count = await context.Change(db => context.Get<RoleStatements>().Forbid(db, role, parsed.GetRequiredValue(permissions), CommandContext.Actor, ct));
            await context.Propagate();
            context.Print(new { Name = role, Removed = count }, $"The role {role} holds {count} less.");
        }, ct));
        return command;
    }

    private static Command Assign()
    {
        var (name, user, client) = (Name(), User(), Client());
        var command = new Command("assign", "Give a role to a user or a service client.\n\nExample: IdP role assign editor --user alice") { name, user, client };
        command.SetAction((parsed, ct) => CommandHost.Run(parsed, async context =>
        {
            var (role, holder) = (parsed.GetRequiredValue(name), Holder(parsed, user, client));
            var changed = await context.Change(db => context.Get<RoleStatements>().Assign(db, role, holder, CommandContext.Actor, ct));
            context.Print(new { Role = role, holder.User, holder.Client, Changed = changed }, changed ? $"{holder.User ?? holder.Client} holds {role} now: the next tokens carry it." : $"{holder.User ?? holder.Client} held {role} already.");
        }, ct));
        return command;
    }

    private static Command Unassign()
    {
        var (name, user, client) = (Name(), User(), Client());
        var command = new Command("unassign", "Take a role away from a user or a service client; it is done when the command returns.\n\nExample: IdP role unassign editor --user alice") { name, user, client };
        command.SetAction((parsed, ct) => CommandHost.Run(parsed, async context =>
        {
            var (role, holder) = (parsed.GetRequiredValue(name), Holder(parsed, user, client));
            var changed = await context.Change(db => context.Get<RoleStatements>().Unassign(db, role, holder, CommandContext.Actor, ct));
            await context.Propagate();
            context.Print(new { Role = role, holder.User, holder.Client, Changed = changed }, changed ? $"{holder.User ?? holder.Client} does not hold {role} any more." : $"{holder.User ?? holder.Client} did not hold {role}.");
        }, ct));
        return command;
    }

    private static Command SecondFactor()
    {
        var name = Name();
        var demand = new Argument<string>("DEMAND") { Description = "required, passkey or optional" }.AcceptOnlyFromAmong("required", "passkey", "optional");
        var command = new Command("second-factor", "Say whether whoever holds a role proves a second factor at every sign-in, or signs in with a passkey.\n\nExample: IdP role second-factor editor required") { name, demand };
        command.SetAction((parsed, ct) => CommandHost.Run(parsed, async context =>
        {
            var role = parsed.GetRequiredValue(name);
            var (wanted, text) = parsed.GetRequiredValue(demand) switch
            {
                "passkey" => (RoleDemand.Passkey, $"Whoever holds {role} signs in with a passkey from now on."),
                "required" => (RoleDemand.SecondFactor, $"Whoever holds {role} proves a second factor from now on."),
                _ => (RoleDemand.Nothing, $"The role {role} demands no second factor."),
            };
            var changed = await context.Change(db => context.Get<RoleStatements>().Demand(db, role, wanted, CommandContext.Actor, ct));
            await context.Propagate();
            context.Print(new { Name = role, RequireSecondFactor = wanted == RoleDemand.SecondFactor, RequirePasskey = wanted == RoleDemand.Passkey, Changed = changed }, text);
        }, ct));
        return command;
    }

    private static Option<string?> User() => new("--user") { Description = "A user", HelpName = "NAME" };

    private static Option<string?> Client() => new("--client") { Description = "A confidential client that acts for itself", HelpName = "ID" };

    private static RoleHolder Holder(ParseResult parsed, Option<string?> user, Option<string?> client)
    {
        var holder = new RoleHolder(parsed.GetValue(user), parsed.GetValue(client));
        return holder.User is null == holder.Client is null ? throw CommandException.Usage("Give either --user or --client.") : holder;
    }

    private static IQueryable<HeldPermission> Held(IdpDbContext db) =>
        db.Set<RolePermission>().Join(db.Set<Permission>(), h => h.PermissionId, p => p.Id, (h, p) => new HeldPermission { RoleId = h.RoleId, Permission = p.Name });

    private static string Listed(List<string> names) => names.Count == 0 ? "none" : string.Join(' ', names);

    private sealed class HeldPermission
    {
        public long RoleId { get; init; }
        public required string Permission { get; init; }
    }

    private sealed record View(string Name, string? Description, bool RequireSecondFactor, bool RequirePasskey, List<string> Permissions);
}
