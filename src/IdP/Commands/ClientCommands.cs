using System.CommandLine;
using IdP.Clients;
using IdP.Protocol.OAuth;
using IdP.Storage;
using Microsoft.EntityFrameworkCore;

namespace IdP.Commands;

/// <summary>client add, list, show, disable, enable, secret.</summary>
internal static class ClientCommands
{
    public static Command Build() => new("client", "Applications that ask for tokens, and resource servers that ask about them")
    {
        Add(), List(), Show(), Disable(), Enable(), Secret(),
    };

    private static Argument<string> Id() => new("ID") { Description = "The client id" };

    private static Command Add()
    {
        var id = Id();
        var isPublic = new Option<bool>("--public") { Description = "The client cannot keep a secret (an app in a browser or on a phone)" };
        var secret = new SecretInput("secret", " (default: one is made and printed once)", hasStdin: false);
        var name = new Option<string?>("--name") { Description = "Name for people", HelpName = "NAME" };
        var grants = new Option<string[]>("--grant") { Description = $"A grant that it may use, {string.Join(", ", GrantNames.All)}; repeatable", HelpName = "GRANT" };
        var scopes = new Option<string[]>("--scope") { Description = "Scopes that it may have, separated by spaces; repeatable", HelpName = "SCOPES" };
        var defaults = new Option<string[]>("--default-scope") { Description = "Scopes of a request that names none", HelpName = "SCOPES" };
        var methods = new Option<string[]>("--auth-method") { Description = "How it authenticates (default: client_secret_basic and client_secret_post; none if public); repeatable", HelpName = "METHOD" };
        var origins = new Option<string[]>("--origin") { Description = "Origin of web pages that may call as this client, such as https://app.example; repeatable", HelpName = "ORIGIN" };
        var resource = new Option<string?>("--resource") { Description = "Resource for which it may introspect tokens", HelpName = "URI" };
        var openPassword = new Option<bool>("--allow-public-password-grant") { Description = "Let a public client use the password grant: anybody can then try passwords in its name" };
        var lifetime = CommandHost.Seconds("--access-token-lifetime", "Seconds that its access tokens live at most");
        var rotates = CommandHost.Choice("--rotate-refresh-tokens", "Whether each use of a refresh token replaces it (default: true for public clients)");
        var pages = new ClientPageOptions();
        var command = new Command("add",
            "Add a client.\n\nExamples:\n  IdP client add my-service --grant client_credentials --scope \"items:read items:write\"\n" +
            "  IdP client add my-app --grant authorization_code --grant refresh_token --redirect-uri https://app.example/callback --scope \"openid profile offline_access\"")
        {
            id, isPublic, name, grants, scopes, defaults, methods, origins, resource, openPassword, lifetime, rotates,
        };
        secret.AddTo(command);
        pages.AddTo(command);
        command.SetAction((parsed, ct) => CommandHost.Run(parsed, async context =>
        {
            var given = await secret.Read(parsed);
            var made = given is null && !parsed.GetValue(isPublic) ? SecretHash.Generate() : null;
            var asked = pages.Read(parsed, new NewClient(parsed.GetRequiredValue(id))
            {
                Name = parsed.GetValue(name),
                IsPublic = parsed.GetValue(isPublic),
                Secret = given ?? made,
                AuthenticationMethods = parsed.GetValue(methods) ?? [],
                GrantTypes = parsed.GetValue(grants) ?? [],
                Scopes = Words(parsed.GetValue(scopes)),
                DefaultScopes = Words(parsed.GetValue(defaults)),
                Origins = parsed.GetValue(origins) ?? [],
                Resource = parsed.GetValue(resource),
                AllowPublicPasswordGrant = parsed.GetValue(openPassword),
                AccessTokenLifetimeSeconds = parsed.GetValue(lifetime),
                RotatesRefreshTokens = parsed.GetValue(rotates) is { } choice ? choice == bool.TrueString : null,
            });
            var added = await context.Change(db => context.Get<ClientStatements>().Add(db, asked, CommandContext.Actor, ct));
            var view = ClientView.Of(await Stored(context, added.ClientId, ct), made);
            context.Print(view, $"Added the client {added.ClientId}.{SecretLine(made)}");
            NoteShort(context, given);
            if (added.GrantTypes.Count > 0 && added.Scopes.Count == 0) context.Note("it has a grant but no scope, so it cannot get a token.");
            if (added.GrantTypes.Count == 0 && added.ResourceId is null) context.Note("it has neither a grant nor a resource, so there is nothing that it may do.");
        }, ct));
        return command;
    }

    private static Command List()
    {
        var command = new Command("list", "List the clients.\n\nExample: IdP client list");
        command.SetAction((parsed, ct) => CommandHost.Run(parsed, async context =>
        {
            await using var db = context.Get<Database>().OpenForReading();
            var clients = (await With(db.Set<Client>()).OrderBy(c => c.ClientId).ToListAsync(ct)).ConvertAll(client => ClientView.Of(client));
            context.Print(clients, clients.Count == 0 ? "There are no clients." : Table.Of(
                ["ID", "TYPE", "GRANTS", "SCOPES", "INTROSPECTS FOR", "STATE", "NAME"],
                clients.ConvertAll(c => new[]
                {
                    c.ClientId, c.Public ? "public" : "confidential", string.Join(' ', c.Grants), string.Join(' ', c.Scopes), c.Resource, c.DisabledAt is null ? "enabled" : "disabled", c.Name,
                })));
        }, ct));
        return command;
    }

    private static Command Show()
    {
        var id = Id();
        var command = new Command("show", "Show all about one client but its secrets, which nobody can.\n\nExample: IdP client show my-service") { id };
        command.SetAction((parsed, ct) => CommandHost.Run(parsed, async context =>
        {
            var c = ClientView.Of(await Stored(context, parsed.GetRequiredValue(id), ct));
            context.Print(c, Table.Of(c.Lines()));
        }, ct));
        return command;
    }

    private static Command Disable()
    {
        var id = Id();
        var command = new Command("disable", "End a client and all its tokens; it is done when the command returns.\n\nExample: IdP client disable my-service") { id };
        command.SetAction((parsed, ct) => CommandHost.Run(parsed, async context =>
        {
            var client = parsed.GetRequiredValue(id);
            var changed = await context.Change(db => context.Get<ClientStatements>().Disable(db, client, CommandContext.Actor, ct));
            await context.Propagate();
            context.Print(new { ClientId = client, Disabled = true, Changed = changed }, changed ? $"Disabled the client {client}; its tokens have ended." : $"The client {client} was disabled already.");
        }, ct));
        return command;
    }

    private static Command Enable()
    {
        var id = Id();
        var command = new Command("enable", "Let a disabled client ask for tokens again; the old ones stay ended.\n\nExample: IdP client enable my-service") { id };
        command.SetAction((parsed, ct) => CommandHost.Run(parsed, async context =>
        {
            var client = parsed.GetRequiredValue(id);
            var changed = await context.Change(db => context.Get<ClientStatements>().Enable(db, client, CommandContext.Actor, ct));
            context.Print(new { ClientId = client, Disabled = false, Changed = changed }, changed ? $"Enabled the client {client}." : $"The client {client} was not disabled.");
        }, ct));
        return command;
    }

    private static Command Secret()
    {
        var id = Id();
        var secret = new SecretInput("secret", " (default: one is made and printed once)", hasStdin: false);
        var overlap = CommandHost.Seconds("--overlap", "Seconds that the old secrets still work (default: they end at once)");
        var command = new Command("secret", "Give a client another secret; tokens that it has stay good.\n\nExample: IdP client secret my-service --overlap 86400") { id, overlap };
        secret.AddTo(command);
        command.SetAction((parsed, ct) => CommandHost.Run(parsed, async context =>
        {
            var given = await secret.Read(parsed);
            var made = given is null ? SecretHash.Generate() : null;
            var seconds = parsed.GetValue(overlap);
            var client = await context.Change(db => context.Get<ClientStatements>().ReplaceSecret(
                db, parsed.GetRequiredValue(id), given ?? made!, seconds is { } some ? TimeSpan.FromSeconds(some) : null, CommandContext.Actor, ct));
            // Printed before the wait: who interrupts that must not lose the secret.
            context.Print(ClientView.Of(await Stored(context, client.ClientId, ct), made),
                $"Replaced the secret of the client {client.ClientId}; the old ones {(seconds is null ? "have ended" : $"end in {seconds} seconds")}.{SecretLine(made)}");
            NoteShort(context, given);
            if (seconds is null) await context.Propagate();
        }, ct));
        return command;
    }

    private static string SecretLine(string? made) => made is null ? "" : $"{Environment.NewLine}Its secret, which nobody can show again: {made}";

    private static void NoteShort(CommandContext context, string? secret)
    {
        const int recommended = 16;
        if (secret?.Length < recommended) context.Note($"the secret has fewer than {recommended} characters: a guesser's work is too small; give none to have a good one made.");
    }

    private static string[] Words(string[]? texts)
    {
        if (ScopeText.Parse(string.Join(' ', texts ?? [])).Failed(out var names, out var error)) throw CommandException.Usage($"The {error.Description}.");
        return names;
    }

    private static IQueryable<Client> With(IQueryable<Client> clients) => clients.Include(c => c.Secrets).Include(c => c.Resource!).ThenInclude(r => r.Identifiers);

    private static async Task<Client> Stored(CommandContext context, string clientId, CancellationToken ct)
    {
        await using var db = context.Get<Database>().OpenForReading();
        return await With(db.ClientNamed(clientId)).SingleOrDefaultAsync(ct) ?? throw ClientStatements.NotFound(clientId);
    }
}
