using System.CommandLine;
using IdP.Protocol;

namespace IdP.Commands;

/// <summary>
/// Owns the command line: one file a noun. <see cref="CommandHost"/> opens the database for a command and turns failures into one
/// sentence and an exit code; <see cref="Settings"/> reads configuration. Commands work on the database beside running servers.
/// </summary>
internal static class CommandLine
{
    public static async Task<int> Run(string[] args, TextWriter? output = null, TextWriter? error = null)
    {
        // '@file' in the place of an argument means nothing here: a password may begin with it.
        var parsed = Root().Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        var invocation = new InvocationConfiguration
        {
            Output = output ?? Console.Out,
            Error = error ?? Console.Error,
            // The host drains requests by itself; by default the parser would end it after two seconds.
            ProcessTerminationTimeout = null,
            EnableDefaultExceptionHandler = false,
        };
        if (parsed.Errors.Count > 0)
        {
            await invocation.Error.WriteLineAsync(Problem(parsed));
            return ExitCodes.Usage;
        }
        return await parsed.InvokeAsync(invocation);
    }

    public static RootCommand Root() => new($"A standalone OpenID Connect and OAuth 2 identity provider.\n\n{ExitCodes.Described}")
    {
        CommandHost.Data,
        CommandHost.Config,
        CommandHost.Json,
        ServeCommand.Build(),
        MigrateCommand.Build(),
        HealthCommand.Build(),
        DoctorCommand.Build(),
        BackupCommand.Build(),
        RestoreCommand.Build(),
        ConfigCommands.Build(),
        ClientCommands.Build(),
        ResourceCommands.Build(),
        ScopeCommands.Build(),
        PermissionCommands.Build(),
        RoleCommands.Build(),
        UserCommands.Build(),
        ApiKeyCommands.Build(),
        ConsentCommands.Build(),
        UpstreamCommands.Build(),
        KeyCommands.Build(),
        AuditCommands.Build(),
    };

    private static string Problem(ParseResult parsed)
    {
        var command = parsed.CommandResult.Command;
        var path = Path(parsed.CommandResult);
        var verbs = string.Join(", ", command.Subcommands.Select(sub => sub.Name));
        if (parsed.UnmatchedTokens.Count == 0)
        {
            return command.Subcommands.Count > 0
                ? $"'{path}' needs a command, one of {verbs}: see '{path} --help'."
                : $"{parsed.Errors[0].Message.TrimEnd('.')}: see '{path} --help'.";
        }
        var word = parsed.UnmatchedTokens[0];
        if (word.StartsWith('-'))
        {
            var options = command.Options.Concat([CommandHost.Data, CommandHost.Config, CommandHost.Json]).Select(option => option.Name);
            return $"'{path}' has no option {PlainText.Quoted(word)}: use {Spelling.Nearest(word, options)} if that was meant, or see '{path} --help'.";
        }
        return command.Subcommands.Count > 0
            ? $"'{path}' has no command {PlainText.Quoted(word)}: use one of {verbs}, or see '{path} --help'."
            : $"'{path}' takes no {PlainText.Quoted(word)} there: see '{path} --help'.";
    }

    private static string Path(System.CommandLine.Parsing.SymbolResult? result)
    {
        var names = new List<string>();
        for (; result is System.CommandLine.Parsing.CommandResult command; result = result.Parent) names.Add(command.Command is RootCommand ? "IdP" : command.Command.Name);
        names.Reverse();
        return string.Join(' ', names);
    }
}
