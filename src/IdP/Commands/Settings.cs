using System.Collections;
using System.Reflection;
using System.Text.Json;
using IdP.Http;

namespace IdP.Commands;

/// <summary>Reads settings: a JSON file, then environment variables (IDP__Section__Key, or ..._FILE with a file's content), then the command line.</summary>
internal static class Settings
{
    public const string EnvironmentPrefix = "IDP__";
    private const string FileSuffix = "_FILE";

    public static (IdpOptions Options, IConfigurationRoot Configuration) Load(string? file, IReadOnlyDictionary<string, string?> commandLine)
    {
        var builder = new ConfigurationBuilder();
        if (file is not null) AddFile(builder, file);
        builder.AddInMemoryCollection(FromEnvironment());
        builder.AddInMemoryCollection(commandLine.Where(pair => pair.Value is not null));
        var configuration = builder.Build();
        Check(configuration, typeof(IdpOptions), "");
        try
        {
            var options = configuration.Get<IdpOptions>() ?? new IdpOptions();
            CheckRanges(options);
            return (options, configuration);
        }
        catch (InvalidOperationException failure)
        {
            // The binder names the key and the type that it wanted.
            throw new ConfigurationException($"{failure.Message} Correct the value and start again.");
        }
    }

    private static void AddFile(ConfigurationBuilder builder, string file)
    {
        var path = Path.GetFullPath(file);
        if (!File.Exists(path)) throw new ConfigurationException($"The settings file {path} does not exist: correct --config.");
        try
        {
            using var stream = File.OpenRead(path);
            builder.AddInMemoryCollection(new ConfigurationBuilder().AddJsonStream(stream).Build().AsEnumerable());
        }
        catch (Exception failure) when (failure is FormatException or JsonException or IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationException($"The settings file {path} cannot be read as JSON: {failure.InnerException?.Message ?? failure.Message}");
        }
    }

    private static Dictionary<string, string?> FromEnvironment()
    {
        var values = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        foreach (DictionaryEntry variable in Environment.GetEnvironmentVariables())
        {
            var name = (string)variable.Key;
            if (!name.StartsWith(EnvironmentPrefix, StringComparison.OrdinalIgnoreCase)) continue;
            var key = name[EnvironmentPrefix.Length..].Replace("__", ":", StringComparison.Ordinal);
            if (!key.EndsWith(FileSuffix, StringComparison.Ordinal)) values[key] = (string?)variable.Value;
            else if (File.Exists((string?)variable.Value)) values[key[..^FileSuffix.Length]] = File.ReadAllText((string)variable.Value!).Trim();
            else throw new ConfigurationException($"The environment variable {name} names the file {variable.Value}, which does not exist.");
        }
        return values;
    }

    private static void Check(IConfiguration section, Type type, string path)
    {
        var known = type.GetProperties(BindingFlags.Public | BindingFlags.Instance).ToDictionary(p => p.Name, p => p.PropertyType, StringComparer.OrdinalIgnoreCase);
        foreach (var child in section.GetChildren())
        {
            if (path.Length == 0 && string.Equals(child.Key, "Serilog", StringComparison.OrdinalIgnoreCase)) continue;
            if (!known.TryGetValue(child.Key, out var kind))
                throw new ConfigurationException($"There is no setting {path}{child.Key}. Did you mean {path}{Spelling.Nearest(child.Key, known.Keys)}?");
            if (kind.Namespace == typeof(IdpOptions).Namespace) Check(child, kind, $"{path}{child.Key}:");
        }
    }

    private static void CheckRanges(IdpOptions options)
    {
        AtLeast("Tokens:AccessTokenLifetimeSeconds", options.Tokens.AccessTokenLifetimeSeconds, 1);
        AtMost("Tokens:AccessTokenLifetimeSeconds", options.Tokens.AccessTokenLifetimeSeconds, (int)Keys.KeyStatements.LongestToken.TotalSeconds);
        AtLeast("Passwords:Iterations", options.Passwords.Iterations, 1);
        AtLeast("Passwords:HashThreads", options.Passwords.HashThreads, 0);
        AtLeast("Passwords:LockoutAttempts", options.Passwords.LockoutAttempts, 1);
        AtLeast("Passwords:LockoutSeconds", options.Passwords.LockoutSeconds, 1);
        AtLeast("Keys:PublishDays", options.Keys.PublishDays, 1);
        AtLeast("Keys:LifetimeDays", options.Keys.LifetimeDays, options.Keys.PublishDays + 1);
        AtLeast("Limits:FailuresPerCaller", options.Limits.FailuresPerCaller, 1);
        AtLeast("Limits:FailuresPerAddress", options.Limits.FailuresPerAddress, 1);
        AtLeast("Limits:UnknownTokensPerCaller", options.Limits.UnknownTokensPerCaller, 1);
    }

    private static void AtLeast(string key, int value, int least)
    {
        if (value < least) throw new ConfigurationException($"{key} is {value}: it must be at least {least}.");
    }

    private static void AtMost(string key, int value, int most)
    {
        if (value > most) throw new ConfigurationException($"{key} is {value}: it must be at most {most}.");
    }
}
