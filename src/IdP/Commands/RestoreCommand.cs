using System.CommandLine;
using IdP.Audit;
using IdP.Backups;
using IdP.Keys;
using IdP.Storage;

namespace IdP.Commands;

/// <summary>restore FILE, or what is due after a database was restored by its own tools.</summary>
internal static class RestoreCommand
{
    // What a restore cannot tell apart, in the words of the operator's next steps.
    private const string Remaining =
        "What was changed after the backup is as it was then: passwords, passkeys and authenticator apps, client secrets, who is disabled, roles. Do again what took something away. " +
        "People sign in anew, are asked for consent anew, and make recovery codes anew. APIs that check tokens by themselves trust old ones until they fetch the key set again.";

    public static Command Build()
    {
        var file = new Argument<string?>("FILE") { Description = "A file that 'IdP backup' wrote", Arity = ArgumentArity.ZeroOrOne };
        var replace = new Option<bool>("--replace") { Description = "Replace the database that is there; the old one is kept beside it" };
        var external = new Option<bool>("--after-external-restore") { Description = "Instead of a FILE: the database was restored by its own tools, and all servers are stopped" };
        var keepApiKeys = new Option<bool>("--unsafe-keep-api-keys") { Description = "Leave API keys alone: those that were revoked after the backup work again" };
        var keepTokens = new Option<bool>("--unsafe-keep-tokens") { Description = "End nothing: codes, refresh tokens, keys and sessions that were used up or revoked after the backup may work again" };
        var command = new Command("restore",
            "Put a backup in the place of the embedded database, while no server runs. A backup knows nothing of what was used up or revoked after it, so every grant, session, API key and signing key of before is ended, and new keys are made.\n\n" +
            "Example: IdP restore /backup/idp.backup --data ./data\nExample, after pg_restore: IdP restore --after-external-restore")
        {
            file, replace, external, keepApiKeys, keepTokens,
        };
        command.SetAction((parsed, ct) =>
        {
            var path = parsed.GetValue(file);
            return parsed.GetValue(external) ? CommandHost.Run(parsed, context => AfterExternal(context, path, parsed.GetValue(keepApiKeys), parsed.GetValue(keepTokens)), ct)
                : CommandHost.Explained(parsed, async () =>
                {
                    if (path is null) throw CommandException.Usage("restore needs a FILE, or --after-external-restore: see 'IdP restore --help'.");
                    var (options, _) = Settings.Load(parsed.GetValue(CommandHost.Config), CommandHost.Overrides(parsed));
                    if (!options.Storage.Provider.Equals("sqlite", StringComparison.OrdinalIgnoreCase))
                        throw new CommandException(ExitCodes.Failed, "The database is a server's: restore it with its own tools, such as pg_restore, and then run 'IdP restore --after-external-restore'; deploy/README.md has the steps.");
                    var request = new RestoreRequest(Path.GetFullPath(path), parsed.GetValue(replace), parsed.GetValue(keepTokens), parsed.GetValue(keepApiKeys));
                    var restored = await Restoration.Run(options, request, TimeProvider.System.GetUtcNow(), ct);
                    CommandContext.Print(parsed, View(restored), Text(restored));
                    return ExitCodes.Ok;
                });
        });
        return command;
    }

    private static async Task AfterExternal(CommandContext context, string? path, bool keepsApiKeys, bool keepsTokens)
    {
        if (path is not null) throw CommandException.Usage("restore takes a FILE or --after-external-restore, not both.");
        if (keepsTokens) throw CommandException.Usage("--after-external-restore is there to end what --unsafe-keep-tokens keeps: leave one of them out.");
        var (options, masters, now) = (context.Get<IdpOptions>(), context.Get<KeyRing>().Masters, context.Get<TimeProvider>().GetUtcNow());
        var ended = await context.Change(async db =>
        {
            var ended = await AfterRestore.End(db, masters, keepsApiKeys, options, now, context.Cancelled);
            AuditEvent.Record(db, now, new DatabaseRestored(Told.Of("ended"), keepsApiKeys ? Told.Of("kept") : null, BackupOf: null), CommandContext.Actor);
            await db.SaveChangesAsync(context.Cancelled);
            return ended;
        });
        await context.Propagate();
        context.Print(new { Ended = ended }, $"{Text(ended)} {Remaining}");
    }

    private static object View(Restored restored) => new
    {
        BackupOf = restored.Backup?.CreatedAt, BackupProgram = restored.Backup?.Program, restored.Migrations, restored.Ended, restored.KeptAside, restored.WroteMasterKey,
    };

    private static string Text(Restored restored)
    {
        var lines = new List<string>
        {
            restored.Backup is { } backup ? $"Restored the database of {Table.Time(backup.CreatedAt)}, written by version {backup.Program}." : "Restored the database. The file does not say when it was made: it was not written by 'IdP backup'.",
        };
        if (restored.Migrations.Count > 0) lines.Add($"Brought it up to date: {string.Join(", ", restored.Migrations)}.");
        if (restored.WroteMasterKey) lines.Add("The master key file has the backup's master key now, and after it those of before.");
        if (restored.KeptAside is { } kept) lines.Add($"The database of before is {kept}; delete it when it is not needed any more.");
        lines.Add(restored.Ended is { } ended ? Text(ended)
            : "UNSAFE: nothing was ended. Codes, refresh tokens, keys and sessions that were used up or revoked after the backup may work again; the next start logs it.");
        lines.Add(Remaining);
        return string.Join(Environment.NewLine, lines);
    }

    private static string Text(Ended ended) =>
        $"Ended {ended.Grants} grants, {ended.Sessions} sessions, {ended.ApiKeys} API keys and {ended.Keys} keys that sign or seal, and made new keys; " +
        $"removed {ended.Consents} consents, {ended.MailLinks} links in mails (invitations too), {ended.WaitingMessages} messages that waited to be sent, and the recovery codes of {ended.PeopleWithRecoveryCodes} people.";
}
