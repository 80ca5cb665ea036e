using System.CommandLine;
using System.Globalization;
using IdP.Accounts;
using IdP.ApiKeys;
using IdP.Clients;
using IdP.Protocol;
using IdP.Protocol.OAuth;
using IdP.Storage;
using Microsoft.EntityFrameworkCore;

namespace IdP.Commands;

/// <summary>api-key add, list, rotate, revoke.</summary>
internal static class ApiKeyCommands
{
    private static readonly ApiKeyActor Operator = new(CommandContext.Actor);

    public static Command Build() => new("api-key", "Long-lived keys with which people and clients call an API") { Add(), List(), Rotate(), Revoke() };

    private static Option<string?> User(string description) => new("--user") { Description = description, HelpName = "NAME" };

    private static Option<string?> Client(string description) => new("--client") { Description = description, HelpName = "ID" };

    private static Argument<string> Key() => new("KEY") { Description = "The key as 'IdP api-key list' shows it, such as idp_AbCdEf012345" };

    private static Option<int?> Days(string description) => new("--expires-in-days")
    {
        Description = description,
        HelpName = "DAYS",
        CustomParser = result =>
        {
            var text = result.Tokens[0].Value;
            if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var days)) return days;
            result.AddError($"--expires-in-days is {PlainText.Quoted(text)}, and must be a whole number of days");
            return null;
        },
    };

    private static Command Add()
    {
        var user = User("The person whose key it is");
        var client = Client("The client whose key it is");
        var resource = new Option<string>("--resource") { Description = "The API that it is for", HelpName = "URI", Required = true };
        var scopes = new Option<string[]>("--scope") { Description = "A scope of that API; repeatable, or several in quotes", HelpName = "SCOPE", Required = true };
        var name = new Option<string>("--name") { Description = "What people call it", HelpName = "NAME", Required = true };
        var days = Days("Days after which it ends (default: ApiKeys:DefaultDays)");
        var command = new Command("add",
            "Make an API key for a person or a client and print it, once.\n\nExample: IdP api-key add --user alice --resource urn:example:api --scope items:read --name \"Nightly export\"")
        {
            user, client, resource, scopes, name, days,
        };
        command.SetAction((parsed, ct) => CommandHost.Run(parsed, async context =>
        {
            var (person, app) = (parsed.GetValue(user), parsed.GetValue(client));
            if ((person is null) == (app is null)) throw CommandException.Usage("A key has one owner: give either --user or --client.");
            var asked = new NewApiKey(parsed.GetRequiredValue(name), parsed.GetRequiredValue(resource), Words(parsed.GetRequiredValue(scopes)), parsed.GetValue(days));
            var statements = context.Get<ApiKeyStatements>();
            var (stored, text) = await context.Change(db =>
                person is not null ? statements.AddForUser(db, person, asked, Operator, ct) : statements.AddForClient(db, app!, asked, Operator, ct));
            context.Print(View.Of(stored, person, app, text), $"Made the API key {stored.Prefix}, which ends {Table.Time(stored.ExpiresAt)}.{KeyLine(text)}");
        }, ct));
        return command;
    }

    private static Command List()
    {
        var user = User("Only this person's");
        var client = Client("Only this client's");
        var command = new Command("list", "List the API keys, those that have ended within the last month too.\n\nExample: IdP api-key list --user alice") { user, client };
        command.SetAction((parsed, ct) => CommandHost.Run(parsed, async context =>
        {
            await using var db = context.Get<Database>().OpenForReading();
            var (now, keys) = (context.Get<TimeProvider>().GetUtcNow(), db.Set<ApiKey>().AsQueryable());
            if (parsed.GetValue(user) is { } person)
            {
                var id = (await UserStatements.Require(db, person, ct)).Id;
                keys = keys.Where(k => k.UserId == id);
            }
            if (parsed.GetValue(client) is { } app)
            {
                var id = (await ClientStatements.Require(db, app, ct)).Id;
                keys = keys.Where(k => k.ClientKey == id);
            }
            var stored = await ApiKeyStatements.WithScopes(keys).OrderBy(k => k.Id)
                .Select(k => new { Key = k, User = db.Users.Where(u => u.Id == k.UserId).Select(u => u.UserName).FirstOrDefault(), Client = db.Set<Client>().Where(c => c.Id == k.ClientKey).Select(c => c.ClientId).FirstOrDefault() })
                .ToListAsync(ct);
            var views = stored.ConvertAll(row => View.Of(row.Key, row.User, row.Client));
            context.Print(views, views.Count == 0 ? "There are no API keys." : Table.Of(
                ["KEY", "NAME", "OWNER", "RESOURCE", "SCOPES", "STATE", "EXPIRES", "LAST USE"],
                views.ConvertAll(v => new[]
                {
                    v.Prefix, v.Name, v.User is not null ? $"user {v.User}" : $"client {v.Client}", v.Resource, string.Join(' ', v.Scopes),
                    v.RevokedAt is not null ? "revoked" : v.ExpiresAt <= now ? "expired" : "live", Table.Time(v.ExpiresAt), Table.Time(v.LastUsedAt),
                })));
        }, ct));
        return command;
    }

    private static Command Rotate()
    {
        var key = Key();
        var overlap = CommandHost.Seconds("--overlap", "Seconds that the old secret still works (default: it ends at once)");
        var days = Days("Days from now after which the key ends (default: its end stays as it is)");
        var command = new Command("rotate", "Give an API key another secret and print the key, once; its id stays.\n\nExample: IdP api-key rotate idp_AbCdEf012345 --overlap 86400") { key, overlap, days };
        command.SetAction((parsed, ct) => CommandHost.Run(parsed, async context =>
        {
            var (id, seconds) = (KeyId(parsed.GetRequiredValue(key)), parsed.GetValue(overlap) ?? 0);
            var (stored, text) = await context.Change(async db =>
            {
                await ServerState.TakeTurn(db, ct);
                var found = await ApiKeyStatements.Require(db, id, ct);
                return (found, await context.Get<ApiKeyStatements>().Rotate(db, found, TimeSpan.FromSeconds(seconds), parsed.GetValue(days), Operator, ct));
            });
            // Printed before the wait: who interrupts that must not lose the key.
            context.Print(new { stored.Prefix, PreviousEndsAt = stored.PreviousEndsAt, stored.ExpiresAt, Key = text.ToString() },
                $"Rotated the API key {stored.Prefix}; its old secret {(seconds == 0 ? "has ended" : $"ends in {seconds} seconds")}.{KeyLine(text)}");
            if (seconds == 0) await context.Propagate();
        }, ct));
        return command;
    }

    private static Command Revoke()
    {
        var key = Key();
        var command = new Command("revoke", "End an API key; it is done when the command returns.\n\nExample: IdP api-key revoke idp_AbCdEf012345") { key };
        command.SetAction((parsed, ct) => CommandHost.Run(parsed, async context =>
        {
            var id = KeyId(parsed.GetRequiredValue(key));
            var changed = await context.Change(async db =>
            {
                await ServerState.TakeTurn(db, ct);
                return await context.Get<ApiKeyStatements>().Revoke(db, await ApiKeyStatements.Require(db, id, ct), Operator, ct);
            });
            await context.Propagate();
            var prefix = ApiKeyText.Prefix + id;
            context.Print(new { Prefix = prefix, Revoked = true, Changed = changed }, changed ? $"Revoked the API key {prefix}." : $"The API key {prefix} was revoked already.");
        }, ct));
        return command;
    }

    /// <summary>The id out of what lists show, or of a whole key that was found somewhere: whoever ends a leaked one has nothing else.</summary>
    private static string KeyId(string text)
    {
        if (ApiKeyText.TryParse(text, out var whole)) return whole.KeyId;
        var id = text.StartsWith(ApiKeyText.Prefix, StringComparison.Ordinal) ? text[ApiKeyText.Prefix.Length..] : text;
        // Not repeated: it may be most of a secret.
        return id.Length == 12 && id.All(char.IsAsciiLetterOrDigit) ? id : throw CommandException.Usage("KEY must be what 'IdP api-key list' shows, such as idp_AbCdEf012345, or a whole key.");
    }

    private static string KeyLine(ApiKeyText text) => $"{Environment.NewLine}The key, which nobody can show again: {text}";

    private static string[] Words(string[] texts)
    {
        if (ScopeText.Parse(string.Join(' ', texts)).Failed(out var names, out var error)) throw CommandException.Usage($"The {error.Description}.");
        return names;
    }

    private sealed record View(
        string Prefix, string Name, string? User, string? Client, string Resource, List<string> Scopes, DateTimeOffset CreatedAt, DateTimeOffset ExpiresAt,
        DateTimeOffset? PreviousEndsAt, DateTimeOffset? LastUsedAt, DateTimeOffset? RevokedAt, string? Key)
    {
        public static View Of(ApiKey key, string? user, string? client, ApiKeyText? text = null) => new(
            key.Prefix, key.Name, user, client, key.Resource!.Identifier, [.. key.ScopeNames], key.CreatedAt, key.ExpiresAt, key.PreviousEndsAt, key.LastUsedAt, key.RevokedAt, text?.ToString());
    }
}
