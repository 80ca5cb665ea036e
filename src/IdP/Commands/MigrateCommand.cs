using System.CommandLine;
using IdP.Storage;

namespace IdP.Commands;

/// <summary>Brings the database to this program's version without serving, says what it lacks, or writes the SQL for those who run it themselves.</summary>
internal static class MigrateCommand
{
    public static Command Build()
    {
        var check = new Option<bool>("--check") { Description = "Change nothing: list what the database lacks, and exit with 1 if it lacks anything" };
        var script = new Option<string?>("--script") { Description = "Ask no database: write the SQL that brings any version to this one, to FILE or to standard output", HelpName = "FILE", Arity = ArgumentArity.ZeroOrOne };
        var command = new Command(
            "migrate",
            """
            Create the database or bring it to this program's version.

            Examples:
              IdP migrate --data ./data
              IdP migrate --check
              IdP migrate --script idp.sql
            """) { check, script };
        command.SetAction((parsed, ct) => CommandHost.Explained(parsed, async () =>
        {
            var isScript = parsed.GetResult(script) is not null;
            if (isScript && parsed.GetValue(check)) throw CommandException.Usage("--check looks at a database and --script at none: give one of them.");
            var (options, _) = Settings.Load(parsed.GetValue(CommandHost.Config), CommandHost.Overrides(parsed));
            using var database = new Database(options);
            if (isScript) return await Script(parsed, database, parsed.GetValue(script), ct);
            if (parsed.GetValue(check)) return await Check(parsed, database, ct);
            var applied = await Migrator.Migrate(database, ct);
            CommandContext.Print(
                parsed, new { applied }, applied.Count == 0 ? "The database is up to date." : $"Applied {string.Join(", ", applied)}.");
            return ExitCodes.Ok;
        }));
        return command;
    }

    private static async Task<int> Check(ParseResult parsed, Database database, CancellationToken ct)
    {
        var pending = await Migrator.Missing(database, ct);
        CommandContext.Print(
            parsed, new { current = pending.Count == 0, pending },
            pending.Count == 0 ? "The database is up to date." : $"The database lacks {string.Join(", ", pending)}: run 'IdP migrate' with the same settings.");
        return pending.Count == 0 ? ExitCodes.Ok : ExitCodes.Failed;
    }

    private static async Task<int> Script(ParseResult parsed, Database database, string? file, CancellationToken ct)
    {
        var sql = Migrator.Script(database);
        if (file is null)
        {
            if (parsed.GetValue(CommandHost.Json)) CommandContext.Print(parsed, new { script = sql }, sql);
            else await parsed.InvocationConfiguration.Output.WriteAsync(sql);
            return ExitCodes.Ok;
        }
        try
        {
            await File.WriteAllTextAsync(file, sql, ct);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new CommandException(ExitCodes.Failed, $"{file} cannot be written: name a file in a folder that exists and that this user may write to.");
        }
        CommandContext.Print(parsed, new { file }, $"Wrote {file}.");
        return ExitCodes.Ok;
    }
}
