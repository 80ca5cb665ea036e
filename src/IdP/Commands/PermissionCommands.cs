using System.CommandLine;
using IdP.Resources;
using IdP.Roles;
using IdP.Storage;
using Microsoft.EntityFrameworkCore;

namespace IdP.Commands;

/// <summary>permission add, list, delete.</summary>
internal static class PermissionCommands
{
    public static Command Build() => new("permission", "What may be done at a resource; roles hold permissions") { Add(), List(), Delete() };

    private static Command Add()
    {
        var name = new Argument<string>("NAME") { Description = "The permission as tokens carry it, such as items:delete" };
        var resource = new Option<string>("--resource") { Description = "The resource that it belongs to", HelpName = "URI", Required = true };
        var description = new Option<string?>("--description") { Description = "What it allows", HelpName = "TEXT" };
        var command = new Command("add", "Add a permission to a resource.\n\nExample: IdP permission add items:delete --resource urn:example:api") { name, resource, description };
        command.SetAction((parsed, ct) => CommandHost.Run(parsed, async context =>
        {
            var owner = parsed.GetRequiredValue(resource);
            var added = await context.Change(db => context.Get<RoleStatements>().AddPermission(db, parsed.GetRequiredValue(name), owner, parsed.GetValue(description), CommandContext.Actor, ct));
            context.Print(new View(added.Name, owner, added.Description), $"Added the permission {added.Name} to {owner}.");
        }, ct));
        return command;
    }

    private static Command List()
    {
        var command = new Command("list", "List the permissions.\n\nExample: IdP permission list");
        command.SetAction((parsed, ct) => CommandHost.Run(parsed, async context =>
        {
            await using var db = context.Get<Database>().OpenForReading();
            var owners = (await db.Set<Resource>().Include(r => r.Identifiers).ToListAsync(ct)).ToDictionary(r => r.Id, r => r.Identifier);
            var permissions = (await db.Set<Permission>().OrderBy(p => p.Name).ToListAsync(ct)).ConvertAll(p => new View(p.Name, owners[p.ResourceId], p.Description));
            context.Print(permissions, permissions.Count == 0 ? "There are no permissions." : Table.Of(["PERMISSION", "RESOURCE", "DESCRIPTION"], permissions.ConvertAll(p => new[] { p.Name, p.Resource, p.Description })));
        }, ct));
        return command;
    }

    private static Command Delete()
    {
        var name = new Argument<string>("NAME") { Description = "The permission" };
        var command = new Command("delete", "Delete a permission, out of every role too; it is done when the command returns.\n\nExample: IdP permission delete items:delete") { name };
        command.SetAction((parsed, ct) => CommandHost.Run(parsed, async context =>
        {
            var permission = parsed.GetRequiredValue(name);
            await context.Change(async db =>
            {
                await context.Get<RoleStatements>().DeletePermission(db, permission, CommandContext.Actor, ct);
                return true;
            });
            await context.Propagate();
            context.Print(new { Name = permission, Deleted = true }, $"Deleted the permission {permission}.");
        }, ct));
        return command;
    }

    private sealed record View(string Name, string Resource, string? Description);
}
