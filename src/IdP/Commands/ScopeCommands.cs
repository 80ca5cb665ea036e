using System.CommandLine;
using IdP.Resources;
using IdP.Storage;
using Microsoft.EntityFrameworkCore;

namespace IdP.Commands;

/// <summary>scope add, list.</summary>
internal static class ScopeCommands
{
    public static Command Build() => new("scope", "Rights that clients can be given on a resource") { Add(), List() };

    private static Command Add()
    {
        var name = new Argument<string>("NAME") { Description = "The scope as requests name it, such as items:read" };
        var resource = new Option<string>("--resource") { Description = "The resource that it belongs to", HelpName = "URI", Required = true };
        var description = new Option<string?>("--description") { Description = "What people are told that it allows", HelpName = "TEXT" };
        var command = new Command("add", "Add a scope to a resource.\n\nExample: IdP scope add items:read --resource urn:example:api --description \"See your items\"") { name, resource, description };
        command.SetAction((parsed, ct) => CommandHost.Run(parsed, async context =>
        {
            var owner = parsed.GetRequiredValue(resource);
            var added = await context.Change(db => context.Get<ResourceStatements>().AddScope(
                db, parsed.GetRequiredValue(name), owner, parsed.GetValue(description), CommandContext.Actor, ct));
            context.Print(new View(added.Name, owner, added.Description), $"Added the scope {added.Name} to {owner}.");
        }, ct));
        return command;
    }

    private static Command List()
    {
        var command = new Command("list", "List the scopes, the provider's own included.\n\nExample: IdP scope list");
        command.SetAction((parsed, ct) => CommandHost.Run(parsed, async context =>
        {
            await using var db = context.Get<Database>().OpenForReading();
            var owners = (await db.Set<Resource>().Include(r => r.Identifiers).ToListAsync(ct)).ToDictionary(r => r.Id, r => r.Identifier);
            var stored = await db.Set<Scope>().OrderBy(s => s.Name).ToListAsync(ct);
            // The provider is the resource of the first ones.
            var scopes = ResourceCatalog.IdentityScopes.OrderBy(s => s.Key, StringComparer.Ordinal).Select(s => new View(s.Key, null, s.Value))
                .Concat(stored.Select(s => new View(s.Name, owners[s.ResourceId], s.Description))).ToList();
            context.Print(scopes, Table.Of(["SCOPE", "RESOURCE", "DESCRIPTION"], scopes.ConvertAll(s => new[] { s.Name, s.Resource ?? "(the provider)", s.Description })));
        }, ct));
        return command;
    }

    private sealed record View(string Name, string? Resource, string? Description);
}
