using System.Collections;
using System.Text.Json;
using IdP.Http;

namespace IdP.Commands;

/// <summary>A setting as somebody gave it.</summary>
/// <param name="Key">Its key, such as Storage:Provider.</param>
/// <param name="Value">Its value; null for a group in a file.</param>
/// <param name="Origin">Where it comes from, in words.</param>
/// <param name="File">The file that it was read from, if it was.</param>
internal sealed record GivenSetting(string Key, string? Value, string Origin, string? File);

/// <summary>Reads a JSON file, then environment variables (IDP__Section__Key, or ..._FILE with a file's content), then the command line; the later wins.</summary>
internal static class SettingSources
{
    public const string EnvironmentPrefix = "IDP__";
    private const string FileSuffix = "_FILE";

    public static Dictionary<string, GivenSetting> Read(string? file, IReadOnlyDictionary<string, string?> commandLine)
    {
        var given = new Dictionary<string, GivenSetting>(StringComparer.OrdinalIgnoreCase);
        if (file is not null) AddFile(given, Path.GetFullPath(file));
        AddEnvironment(given);
        foreach (var (key, value) in commandLine)
            if (value is not null) given[key] = new GivenSetting(key, value, "command line", null);
        return given;
    }

    private static void AddFile(Dictionary<string, GivenSetting> given, string path)
    {
        if (!File.Exists(path)) throw new ConfigurationException($"The settings file {path} does not exist: correct --config.");
        try
        {
            using var stream = File.OpenRead(path);
            foreach (var (key, value) in new ConfigurationBuilder().AddJsonStream(stream).Build().AsEnumerable()) given[key] = new GivenSetting(key, value, path, path);
        }
        catch (Exception failure) when (failure is FormatException or JsonException)
        {
            var where = (failure as JsonException ?? failure.InnerException as JsonException) is { LineNumber: { } line } ? $" (line {line + 1})" : "";
            throw new ConfigurationException($"The settings file {path} is not valid JSON{where}: correct it, or name another with --config.");
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationException($"The settings file {path} cannot be read: give this user read access to it.");
        }
    }

    private static void AddEnvironment(Dictionary<string, GivenSetting> given)
    {
        foreach (DictionaryEntry variable in Environment.GetEnvironmentVariables())
        {
            var (name, value) = ((string)variable.Key, (string?)variable.Value);
            if (!name.StartsWith(EnvironmentPrefix, StringComparison.OrdinalIgnoreCase)) continue;
            var key = name[EnvironmentPrefix.Length..].Replace("__", ":", StringComparison.Ordinal);
            if (key.EndsWith(FileSuffix, StringComparison.Ordinal))
            {
                key = key[..^FileSuffix.Length];
                given[key] = new GivenSetting(key, Content(name, value ?? ""), $"{name}, which names {value}", value);
            }
            else given[key] = new GivenSetting(key, value, name, null);
        }
    }

    private static string Content(string variable, string file)
    {
        if (!File.Exists(file)) throw new ConfigurationException($"The environment variable {variable} names the file {file}, which does not exist: correct the path, or leave the variable out.");
        try
        {
            return File.ReadAllText(file).Trim();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationException($"The environment variable {variable} names the file {file}, which cannot be read: give this user read access to it.");
        }
    }
}
