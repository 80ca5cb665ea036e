using System.CommandLine;
using System.Globalization;
using System.Reflection;

namespace IdP.Commands;

/// <summary>config show, check.</summary>
internal static class ConfigCommands
{
    public static Command Build() => new("config", "The settings, where each comes from, and whether they are fit for production") { Show(), Check() };

    private static Command Show()
    {
        var settings = new ServerSettings();
        var command = new Command("show", "Show every setting with where it comes from; secrets are masked.\n\nExample: IdP config show --config idp.json");
        settings.AddTo(command);
        command.SetAction((parsed, ct) => CommandHost.Explained(parsed, () =>
        {
            var (file, overrides) = (parsed.GetValue(CommandHost.Config), settings.Overrides(parsed));
            var (options, _) = Settings.Load(file, overrides);
            var given = SettingSources.Read(file, overrides);
            var views = new List<View>();
            Collect(views, given, options, "");
            views.AddRange(given.Values.Where(setting => setting.Value is not null && setting.Key.StartsWith("Serilog:", StringComparison.OrdinalIgnoreCase))
                .OrderBy(setting => setting.Key, StringComparer.Ordinal).Select(setting => new View(setting.Key, setting.Value, setting.Origin)));
            CommandContext.Print(parsed, views, Table.Of(["SETTING", "VALUE", "FROM"], views.ConvertAll(view => new[] { view.Key, view.Value, view.Origin })));
            return Task.FromResult(ExitCodes.Ok);
        }));
        return command;
    }

    private static Command Check()
    {
        var settings = new ServerSettings();
        var command = new Command("check",
            "Say what is unsafe for production, in the settings, in the files that they name and in the database; changes nothing. The exit code is 1 when something is.\n\nExample: IdP config check --data ./data --issuer https://login.example.com");
        settings.AddTo(command);
        command.SetAction((parsed, ct) => CommandHost.Explained(parsed, async () =>
        {
            var (file, overrides) = (parsed.GetValue(CommandHost.Config), settings.Overrides(parsed));
            var (options, configuration) = Settings.Load(file, overrides);
            var findings = ProductionChecks.OfSettings(options, configuration, SettingSources.Read(file, overrides), TimeProvider.System.GetUtcNow());
            findings.AddRange(await ProductionChecks.OfDatabase(options, ct));
            var isUnsafe = findings.Exists(finding => finding.Level == FindingLevel.Unsafe);
            CommandContext.Print(parsed, findings.ConvertAll(finding => new { Level = Word(finding.Level), finding.About, finding.Text }),
                findings.Count == 0 ? "Nothing is unsafe." : string.Join(Environment.NewLine, findings.Select(finding => $"{Word(finding.Level),-6}  {finding.About}: {finding.Text}")));
            return isUnsafe ? ExitCodes.Failed : ExitCodes.Ok;
        }));
        return command;
    }

    private static string Word(FindingLevel level) => level == FindingLevel.Unsafe ? "unsafe" : "note";

    private static void Collect(List<View> views, Dictionary<string, GivenSetting> given, object options, string path)
    {
        foreach (var property in options.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            var (key, value) = (path + property.Name, property.GetValue(options));
            if (property.PropertyType.Namespace == typeof(IdpOptions).Namespace) Collect(views, given, value!, $"{key}:");
            else views.Add(new View(key, Shown(key, Convert.ToString(value, CultureInfo.InvariantCulture)), given.GetValueOrDefault(key)?.Origin ?? "default"));
        }
    }

    private static string? Shown(string key, string? value) => string.IsNullOrEmpty(value) ? null : IsSecret(key) ? "********" : value;

    /// <summary>Whether the setting's value is nobody's to see. By its name, so that a new one is masked without anybody remembering it.</summary>
    internal static bool IsSecret(string key) =>
        key.EndsWith("Password", StringComparison.OrdinalIgnoreCase) || key.EndsWith("Secret", StringComparison.OrdinalIgnoreCase) ||
        key.EndsWith("ConnectionString", StringComparison.OrdinalIgnoreCase) || key.EndsWith(":MasterKey", StringComparison.OrdinalIgnoreCase) ||
        key.EndsWith("Headers", StringComparison.OrdinalIgnoreCase);

    private sealed record View(string Key, string? Value, string Origin);
}
