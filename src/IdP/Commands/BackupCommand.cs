using System.CommandLine;
using IdP.Audit;
using IdP.Backups;
using IdP.Keys;
using IdP.Storage;

namespace IdP.Commands;

/// <summary>backup FILE: a copy of the embedded database, beside running servers.</summary>
internal static class BackupCommand
{
    public static Command Build()
    {
        var file = new Argument<string>("FILE") { Description = "The file to write" };
        var withMasterKey = new Option<bool>("--with-master-key") { Description = "Put the master key in as well: whoever has the file then has every secret in it" };
        var replace = new Option<bool>("--replace") { Description = "Replace FILE if it is there" };
        var command = new Command("backup",
            "Copy the embedded database into a file, as it is at this moment, while servers go on. The master key stays where it is unless it is asked for; keep a copy of it elsewhere.\n\nExample: IdP backup /backup/idp.backup --data ./data")
        {
            file, withMasterKey, replace,
        };
        command.SetAction((parsed, ct) => CommandHost.Run(parsed, async context =>
        {
            var database = context.Get<Database>();
            if (database.Engine != Engine.Sqlite) throw new CommandException(ExitCodes.Failed, BackupsFeature.OwnTools(database.Engine));
            var path = Path.GetFullPath(parsed.GetRequiredValue(file));
            var masterKey = parsed.GetValue(withMasterKey) ? context.Get<KeyRing>().Masters.Text : null;
            var now = context.Get<TimeProvider>().GetUtcNow();
            var manifest = await BackupFile.Write(database, masterKey, path, parsed.GetValue(replace), now, ct);
            await context.Change(async db =>
            {
                AuditEvent.Record(db, now, new DatabaseBackedUp(Told.Of(masterKey is null ? "no" : "yes")), CommandContext.Actor);
                return await db.SaveChangesAsync(ct);
            });
            var bytes = new FileInfo(path).Length;
            context.Print(
                new { File = path, Bytes = bytes, manifest.CreatedAt, manifest.Migration, manifest.Program, MasterKey = masterKey is not null },
                $"Wrote {path}, {bytes} bytes, checked. {(masterKey is null ? "The master key is not in it: keep a copy of it elsewhere." : "The master key is in it: keep it as you would keep that.")}");
        }, ct));
        return command;
    }
}
