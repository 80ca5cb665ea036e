using System.CommandLine;

namespace IdP.Commands;

/// <summary>
/// Owns the command line: one file a command. <see cref="CommandHost"/> opens the database for a command and turns failures into one
/// sentence and an exit code; <see cref="Settings"/> reads configuration. Commands work on the database beside running servers.
/// </summary>
internal static class CommandLine
{
    public static async Task<int> Run(string[] args)
    {
        var root = new RootCommand("A standalone OpenID Connect and OAuth 2 identity provider.")
        {
            CommandHost.Data,
            CommandHost.Config,
            CommandHost.Json,
            ServeCommand.Build(),
            MigrateCommand.Build(),
            HealthCommand.Build(),
        };
        var parsed = root.Parse(args);
        if (parsed.Errors.Count > 0)
        {
            foreach (var error in parsed.Errors) await Console.Error.WriteLineAsync(error.Message);
            await Console.Error.WriteLineAsync($"'IdP {parsed.CommandResult.Command.Name} --help' shows what can be said.");
            return ExitCodes.Usage;
        }
        // The host drains requests by itself; by default the parser would end it after two seconds.
        return await parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null, EnableDefaultExceptionHandler = false });
    }
}
