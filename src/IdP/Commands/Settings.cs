using System.Globalization;
using System.Net;
using System.Reflection;
using IdP.Http;
using IdP.Protocol;
using Serilog.Events;

namespace IdP.Commands;

/// <summary>Settings as the program takes them: what is given (<see cref="SettingSources"/>), refused where it cannot work.</summary>
internal static class Settings
{
    private const int MostDays = 3650;

    public static (IdpOptions Options, IConfigurationRoot Configuration) Load(string? file, IReadOnlyDictionary<string, string?> commandLine)
    {
        var given = SettingSources.Read(file, commandLine).Values.Select(setting => KeyValuePair.Create(setting.Key, setting.Value));
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(given).Build();
        Check(configuration, typeof(IdpOptions), "");
        CheckLogLevels(configuration.GetSection("Serilog:MinimumLevel"));
        var options = configuration.Get<IdpOptions>() ?? new IdpOptions();
        CheckRanges(options);
        return (options, configuration);
    }

    // The binder would pass over what it does not know, and names no full key where it fails.
    private static void Check(IConfiguration section, Type type, string path)
    {
        var known = type.GetProperties(BindingFlags.Public | BindingFlags.Instance).ToDictionary(p => p.Name, p => p.PropertyType, StringComparer.OrdinalIgnoreCase);
        foreach (var child in section.GetChildren())
        {
            if (path.Length == 0 && string.Equals(child.Key, "Serilog", StringComparison.OrdinalIgnoreCase)) continue;
            var key = path + child.Key;
            if (!known.TryGetValue(child.Key, out var kind))
                throw new ConfigurationException($"There is no setting {key}: use {path}{Spelling.Nearest(child.Key, known.Keys)} if that was meant, or leave it out.");
            if (kind.Namespace == typeof(IdpOptions).Namespace)
            {
                if (!string.IsNullOrEmpty(child.Value)) throw new ConfigurationException($"{key} is a group of settings and has no value of its own: set one of those in it.");
                Check(child, kind, $"{key}:");
            }
            else if (child.GetChildren().Any()) throw new ConfigurationException($"{key} is one setting, not a group or a list: give it one value.");
            else if (kind == typeof(int) && !int.TryParse(child.Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _))
                throw new ConfigurationException($"{key} is {PlainText.Quoted(child.Value ?? "")}: it must be a whole number.");
            else if (kind == typeof(bool) && !bool.TryParse(child.Value, out _))
                throw new ConfigurationException($"{key} is {PlainText.Quoted(child.Value ?? "")}: it must be true or false.");
        }
    }

    private static void CheckLogLevels(IConfigurationSection level)
    {
        // Override names parts of the program and has a level for each; Serilog itself only throws.
        if (!string.IsNullOrEmpty(level.Value) && !Enum.TryParse<LogEventLevel>(level.Value, ignoreCase: true, out _))
            throw new ConfigurationException($"{level.Path} is {PlainText.Quoted(level.Value)}: it must be one of {string.Join(", ", Enum.GetNames<LogEventLevel>())}.");
        foreach (var child in level.GetChildren()) CheckLogLevels(child);
    }

    private static void CheckRanges(IdpOptions options)
    {
        if (options.Urls.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Length == 0)
            throw new ConfigurationException("Urls is empty: name an address to listen on, such as http://localhost:8080.");
        AtLeast("Tokens:AccessTokenLifetimeSeconds", options.Tokens.AccessTokenLifetimeSeconds, 1);
        AtMost("Tokens:AccessTokenLifetimeSeconds", options.Tokens.AccessTokenLifetimeSeconds, (int)Keys.KeyStatements.LongestToken.TotalSeconds);
        // 0 would be for ever: that is how the driver reads it.
        AtLeast("Storage:BusyTimeoutSeconds", options.Storage.BusyTimeoutSeconds, 1);
        if (options.Storage.MaxBatchSize is { } batch) AtLeast("Storage:MaxBatchSize", batch, 1);
        AtLeast("Passwords:QueuePerThread", options.Passwords.QueuePerThread, 0);
        AtLeast("Tokens:RefreshIdleDays", options.Tokens.RefreshIdleDays, 1);
        AtLeast("Tokens:RefreshAbsoluteDays", options.Tokens.RefreshAbsoluteDays, options.Tokens.RefreshIdleDays);
        AtMost("Tokens:RefreshAbsoluteDays", options.Tokens.RefreshAbsoluteDays, MostDays);
        AtLeast("Tokens:IdTokenLifetimeSeconds", options.Tokens.IdTokenLifetimeSeconds, 1);
        AtLeast("Tokens:CodeLifetimeSeconds", options.Tokens.CodeLifetimeSeconds, 1);
        AtMost("Tokens:CodeLifetimeSeconds", options.Tokens.CodeLifetimeSeconds, 60);
        AtLeast("Tokens:PushedRequestLifetimeSeconds", options.Tokens.PushedRequestLifetimeSeconds, 5);
        AtMost("Tokens:PushedRequestLifetimeSeconds", options.Tokens.PushedRequestLifetimeSeconds, 599);
        AtLeast("Sessions:IdleMinutes", options.Sessions.IdleMinutes, 1);
        AtLeast("Sessions:AbsoluteHours", options.Sessions.AbsoluteHours, 1);
        AtLeast("Tokens:RefreshOverlapSeconds", options.Tokens.RefreshOverlapSeconds, 0);
        AtMost("Tokens:RefreshOverlapSeconds", options.Tokens.RefreshOverlapSeconds, 60);
        AtLeast("ApiKeys:LongestDays", options.ApiKeys.LongestDays, 1);
        AtMost("ApiKeys:LongestDays", options.ApiKeys.LongestDays, MostDays);
        AtLeast("ApiKeys:DefaultDays", options.ApiKeys.DefaultDays, 1);
        AtMost("ApiKeys:DefaultDays", options.ApiKeys.DefaultDays, options.ApiKeys.LongestDays);
        AtLeast("ApiKeys:PerOwner", options.ApiKeys.PerOwner, 1);
        AtLeast("Passwords:Iterations", options.Passwords.Iterations, 1);
        if (options.Passwords.BreachedFile is { } breached && Accounts.BreachedPasswords.Problem(breached) is { } problem)
            throw new ConfigurationException($"Passwords:BreachedFile names {breached}, which {problem}.");
        AtLeast("Passwords:HashThreads", options.Passwords.HashThreads, 0);
        AtLeast("Passwords:LockoutAttempts", options.Passwords.LockoutAttempts, 1);
        AtLeast("Passwords:LockoutSeconds", options.Passwords.LockoutSeconds, 1);
        // RFC 6238 §5.2: each step more is one guess more that counts.
        Between("SecondFactors:StepTolerance", options.SecondFactors.StepTolerance, 0, 1);
        Between("SecondFactors:RememberDays", options.SecondFactors.RememberDays, 0, 365);
        Between("Retention:BudgetMilliseconds", options.Retention.BudgetMilliseconds, 1, 1000);
        // Nobody removes yesterday's traces by a slip.
        if (options.Retention.AuditDays is { } days) Between("Retention:AuditDays", days, 30, MostDays);
        AtLeast("Keys:PublishDays", options.Keys.PublishDays, 1);
        AtLeast("Keys:LifetimeDays", options.Keys.LifetimeDays, options.Keys.PublishDays + 1);
        AtMost("Keys:LifetimeDays", options.Keys.LifetimeDays, MostDays);
        AtLeast("Limits:FailuresPerCaller", options.Limits.FailuresPerCaller, 1);
        AtLeast("Limits:FailuresPerAddress", options.Limits.FailuresPerAddress, 1);
        AtLeast("Limits:WrongPasswordsPerNetwork", options.Limits.WrongPasswordsPerNetwork, 1);
        AtLeast("Limits:WrongPasswordsPerAccount", options.Limits.WrongPasswordsPerAccount, 1);
        Between("Limits:ProofOfWorkBits", options.Limits.ProofOfWorkBits, 0, 24);
        AtLeast("Limits:PushesPerPublicCaller", options.Limits.PushesPerPublicCaller, 1);
        AtLeast("Limits:MailsPerAddress", options.Limits.MailsPerAddress, 1);
        _ = Registration.RegistrationFeature.Mode(options);
        AtLeast("Limits:UnknownTokensPerCaller", options.Limits.UnknownTokensPerCaller, 1);
        Mail.MailSender.Check(options);
        _ = Observability.MetricsListener.Addresses(options.Metrics);
        Observability.ObservabilityFeature.CheckTelemetry(options.Telemetry);
        Between("Telemetry:TracesPercent", options.Telemetry.TracesPercent, 0, 100);
        if (options.Http.TrustedProxies.Split(' ', StringSplitOptions.RemoveEmptyEntries).FirstOrDefault(word => !IPAddress.TryParse(word, out _)) is { } wrong)
            throw new ConfigurationException($"Http:TrustedProxies has {PlainText.Quoted(wrong)}: it must be IP addresses, separated by spaces.");
    }

    private static void Between(string name, int value, int least, int most)
    {
        if (value < least || value > most) throw new ConfigurationException($"{name} is {value}: it must be {least} to {most}.");
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
