using System.CommandLine;
using IdP.Storage;

namespace IdP.Commands;

/// <summary>Brings the database to this program's version without serving.</summary>
internal static class MigrateCommand
{
    public static Command Build()
    {
        var command = new Command("migrate", "Create the database or bring it to this program's version.\n\nExample: IdP migrate --data ./data");
        command.SetAction((parsed, ct) => CommandHost.Explained(parsed, async () =>
        {
            var (options, _) = Settings.Load(parsed.GetValue(CommandHost.Config), CommandHost.Overrides(parsed));
            using var database = new Database(options);
            var applied = await Migrator.Migrate(database, ct);
            CommandContext.Print(
                parsed, new { applied }, applied.Count == 0 ? "The database is up to date." : $"Applied {string.Join(", ", applied)}.");
            return ExitCodes.Ok;
        }));
        return command;
    }
}
