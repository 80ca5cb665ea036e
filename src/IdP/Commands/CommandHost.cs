using System.CommandLine;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using IdP.Http;
using IdP.Keys;
using IdP.Protocol;
using IdP.Storage;

namespace IdP.Commands;

internal static class ExitCodes
{
    public const int Ok = 0;

    /// <summary>The database, the master key or a setting stands in the way; the message says what to do.</summary>
    public const int Failed = 1;

    /// <summary>The command line is wrong, or asks for what a rule forbids.</summary>
    public const int Usage = 2;

    public const int NotFound = 3;

    /// <summary>It exists already, or something else uses it.</summary>
    public const int Conflict = 4;

    public const string Described =
        """
        Exit codes:
          0  done
          1  the database, the master key or a setting stands in the way
          2  the command line is wrong, or asks for what a rule forbids
          3  what it names does not exist
          4  it exists already, or something else uses it
        """;
}

/// <summary>The command line cannot be carried out as it stands; the message is one sentence for the person who typed it.</summary>
internal sealed class CommandException(int exitCode, string message) : Exception(message)
{
    public int ExitCode { get; } = exitCode;

    public static CommandException Usage(string what) => new(ExitCodes.Usage, what);
}

/// <summary>Runs one command on the database that the options name, and turns what goes wrong into one sentence and an exit code.</summary>
internal static class CommandHost
{
    public static readonly Option<string?> Data = new("--data") { Description = "Folder of the embedded database", HelpName = "DIR", Recursive = true };
    public static readonly Option<string?> Config = new("--config") { Description = "JSON file with settings", HelpName = "FILE", Recursive = true };
    public static readonly Option<bool> Json = new("--json") { Description = "Print JSON", Recursive = true };

    /// <summary>An option whose value is a number of seconds.</summary>
    public static Option<int?> Seconds(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "SECONDS",
        CustomParser = result =>
        {
            var text = result.Tokens[0].Value;
            if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)) return seconds;
            result.AddError($"{name} is {PlainText.Quoted(text)}, and must be a whole number of seconds");
            return null;
        },
    };

    /// <summary>An option whose value is true or false. Not of type bool, which the parser lets stand without a value.</summary>
    public static Option<string?> Choice(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "true|false",
        CustomParser = result =>
        {
            var text = result.Tokens[0].Value;
            if (bool.TryParse(text, out var choice)) return choice ? bool.TrueString : bool.FalseString;
            result.AddError($"{name} is {PlainText.Quoted(text)}, and must be true or false");
            return null;
        },
    };

    /// <summary>Opens database and keys, runs the work, and closes them.</summary>
    public static Task<int> Run(ParseResult parsed, Func<CommandContext, Task> work, CancellationToken ct) => Explained(parsed, async () =>
    {
        var (options, _) = Settings.Load(parsed.GetValue(Config), Overrides(parsed));
        var services = new ServiceCollection();
        services.AddSingleton(options);
        services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.None));
        Server.AddCore(services, TimeProvider.System, isServing: false);
        await using var provider = services.BuildServiceProvider();
        await Migrator.RequireCurrent(provider.GetRequiredService<Database>(), ct);
        // The database's time: what a command writes, a first key too, must not lie in the future of the servers.
        await provider.GetRequiredService<ChangePoll>().Poll(ct);
        await provider.GetRequiredService<KeyRing>().Open(ct);
        await work(new CommandContext(provider, parsed, ct));
        return ExitCodes.Ok;
    });

    public static Dictionary<string, string?> Overrides(ParseResult parsed) => new() { ["Storage:DataDirectory"] = parsed.GetValue(Data) };

    public static async Task<int> Explained(ParseResult parsed, Func<Task<int>> work)
    {
        try
        {
            return await work();
        }
        catch (Exception failure) when (Explanation(failure) is { } explained)
        {
            await parsed.InvocationConfiguration.Error.WriteLineAsync(explained.Sentence);
            return explained.ExitCode;
        }
    }

    private static (int ExitCode, string Sentence)? Explanation(Exception failure) => failure switch
    {
        CommandException wrong => (wrong.ExitCode, wrong.Message),
        ChangeRefusedException refused => (ExitCodeOf(refused.Reason), refused.Message),
        _ when Database.IsUniqueViolation(failure) => (ExitCodes.Conflict, "Somebody added the same at this moment: look at what is there now, and try again if it is still needed."),
        _ => Sentence(failure) is { } sentence ? (ExitCodes.Failed, sentence) : null,
    };

    private static int ExitCodeOf(RefusalReason reason) => reason switch
    {
        RefusalReason.NotFound => ExitCodes.NotFound,
        RefusalReason.Conflict => ExitCodes.Conflict,
        _ => ExitCodes.Usage,
    };

    private static string? Sentence(Exception failure) => failure switch
    {
        ConfigurationException or StorageException => failure.Message,
        _ => Migrator.Explain("database", failure) ?? (failure.InnerException is { } inner ? Sentence(inner) : null),
    };
}

/// <summary>What a command works with.</summary>
internal sealed record CommandContext(IServiceProvider Services, ParseResult Parsed, CancellationToken Cancelled)
{
    /// <summary>Who acts, in the audit.</summary>
    public const string Actor = "cli";

    private static readonly JsonSerializerOptions Layout = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        // The output is no web page: letters and '+' stay as they are, control characters do not.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new Instant() },
    };

    private static readonly JsonSerializerOptions LineLayout = new(Layout) { WriteIndented = false };

    public T Get<T>() where T : notnull => Services.GetRequiredService<T>();

    /// <summary>Makes a change in a transaction of its own.</summary>
    public Task<T> Change<T>(Func<IdpDbContext, Task<T>> change) => Get<Database>().Write(change, Cancelled);

    /// <summary>Prints the value as JSON or the text for people.</summary>
    public void Print(object value, string text) => Print(Parsed, value, text);

    public static void Print(ParseResult parsed, object value, string text) =>
        parsed.InvocationConfiguration.Output.WriteLine(parsed.GetValue(CommandHost.Json) ? JsonSerializer.Serialize(value, Layout) : text);

    /// <summary>Prints one line of many: the value as JSON or the text for people.</summary>
    public void PrintLine(object value, string? text) =>
        Parsed.InvocationConfiguration.Output.WriteLine(text is null || Parsed.GetValue(CommandHost.Json) ? JsonSerializer.Serialize(value, LineLayout) : text);

    /// <summary>Says what is probably not meant, without standing in the way.</summary>
    public void Note(string text) => Parsed.InvocationConfiguration.Error.WriteLine($"Note: {text}");

    /// <summary>Returns when every running server has seen the change: a command that takes something away is not done before.</summary>
    public Task Propagate() => Task.Delay(ChangePoll.Propagation, Cancelled);

    /// <summary>Instants as they are stored: to the millisecond, in UTC.</summary>
    private sealed class Instant : JsonConverter<DateTimeOffset>
    {
        public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.GetDateTimeOffset();

        public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) =>
            writer.WriteStringValue(value.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
    }
}
