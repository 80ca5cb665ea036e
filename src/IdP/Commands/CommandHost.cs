using System.CommandLine;
using System.Text.Json;
using IdP.Http;
using IdP.Keys;
using IdP.Storage;

namespace IdP.Commands;

internal static class ExitCodes
{
    public const int Ok = 0;

    /// <summary>The database, the master key or a setting stands in the way; the message says what to do.</summary>
    public const int Failed = 1;

    /// <summary>The command line is wrong.</summary>
    public const int Usage = 2;

    public const int NotFound = 3;

    /// <summary>It exists already, or something else uses it.</summary>
    public const int Conflict = 4;
}

/// <summary>A command cannot do what was asked; the message is one sentence for the person who typed it.</summary>
internal sealed class CommandException(int exitCode, string message) : Exception(message)
{
    public int ExitCode { get; } = exitCode;

    public static CommandException NotFound(string what) => new(ExitCodes.NotFound, what);

    public static CommandException Conflict(string what) => new(ExitCodes.Conflict, what);

    public static CommandException Usage(string what) => new(ExitCodes.Usage, what);
}

/// <summary>Runs one command on the database that the options name, and turns what goes wrong into one sentence and an exit code.</summary>
internal static class CommandHost
{
    public static readonly Option<string?> Data = new("--data") { Description = "Folder of the embedded database", HelpName = "DIR", Recursive = true };
    public static readonly Option<string?> Config = new("--config") { Description = "JSON file with settings", HelpName = "FILE", Recursive = true };
    public static readonly Option<bool> Json = new("--json") { Description = "Print JSON", Recursive = true };

    /// <summary>Opens database and keys, runs the work, and closes them.</summary>
    public static Task<int> Run(ParseResult parsed, Func<CommandContext, Task<int>> work, CancellationToken ct) => Explained(async () =>
    {
        var (options, _) = Settings.Load(parsed.GetValue(Config), Overrides(parsed));
        var services = new ServiceCollection();
        services.AddSingleton(options);
        services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.None));
        Server.AddCore(services, TimeProvider.System);
        await using var provider = services.BuildServiceProvider();
        await Migrator.RequireCurrent(provider.GetRequiredService<Database>(), ct);
        await provider.GetRequiredService<KeyRing>().Open(ct);
        return await work(new CommandContext(provider, parsed.GetValue(Json), ct));
    });

    public static Dictionary<string, string?> Overrides(ParseResult parsed) => new() { ["Storage:DataDirectory"] = parsed.GetValue(Data) };

    public static async Task<int> Explained(Func<Task<int>> work)
    {
        try
        {
            return await work();
        }
        catch (CommandException failure)
        {
            await Console.Error.WriteLineAsync(failure.Message);
            return failure.ExitCode;
        }
        catch (Exception failure) when (Sentence(failure) is { } sentence)
        {
            await Console.Error.WriteLineAsync(sentence);
            return ExitCodes.Failed;
        }
    }

    private static string? Sentence(Exception failure) => failure switch
    {
        ConfigurationException or StorageException => failure.InnerException is { } inner && Migrator.Explain("the database", inner) is { } known ? known : failure.Message,
        _ => Migrator.Explain("the database", failure) ?? (failure.InnerException is { } inner ? Sentence(inner) : null),
    };
}

/// <summary>What a command works with.</summary>
internal sealed record CommandContext(IServiceProvider Services, bool Json, CancellationToken Cancelled)
{
    private static readonly JsonSerializerOptions Layout = new(JsonSerializerDefaults.Web) { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    public Database Database => Services.GetRequiredService<Database>();

    public DateTimeOffset Now => Services.GetRequiredService<TimeProvider>().GetUtcNow();

    /// <summary>Prints the value as JSON or the text for people.</summary>
    public void Print(object value, string text) => Console.Out.WriteLine(Json ? JsonSerializer.Serialize(value, Layout) : text);

    /// <summary>Returns when every running server has seen the change: a command that takes something away is not done before.</summary>
    public Task Propagate() => Task.Delay(ChangePoll.Propagation, Cancelled);
}
