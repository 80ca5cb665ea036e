using System.Reflection;
using System.Text.Json;
using System.Xml.Linq;
using IdP.Commands;
using IdP.Testing;
using Xunit;

namespace IdP.Tests.Commands;

/// <summary>config show and config check, as the program that an operator runs.</summary>
public sealed class ConfigCommandsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("idp-config-").FullName;
    private readonly Dictionary<string, string> _environment = [];

    private string Data => Path.Combine(_folder, "data");

    public ConfigCommandsTests() => Directory.CreateDirectory(Data);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Every_setting_is_shown_with_its_origin_and_secrets_are_masked()
    {
        var settings = Write("idp.json", """{"Tokens":{"CodeLifetimeSeconds":30},"Passwords":{"LockoutAttempts":7},"Mail":{"SmtpHost":"smtp.example.com","SmtpUser":"idp","SmtpPassword":"canary-in-file"},"Serilog":{"MinimumLevel":"Warning"}}""");
        var key = Write("key", "canary-in-key-file");
        _environment["IDP__Passwords__LockoutAttempts"] = "9";
        _environment["IDP__Storage__ConnectionString"] = "Password=canary-in-environment";
        _environment["IDP__Keys__MasterKey_FILE"] = key;

        var shown = await Run("config", "show", "--config", settings, "--issuer", "https://login.example.com", "--json");

        Assert.Equal(0, shown.ExitCode);
        Assert.DoesNotContain("canary", shown.Output.Replace(_folder, "", StringComparison.Ordinal), StringComparison.Ordinal);
        var all = JsonDocument.Parse(shown.Output).RootElement.EnumerateArray().ToDictionary(one => Printed.Text(one, "key")!, one => (Printed.Text(one, "value"), Printed.Text(one, "origin")));
        Assert.Equal(("https://login.example.com", "command line"), all["Issuer"]);
        Assert.Equal(("30", settings), all["Tokens:CodeLifetimeSeconds"]);
        // The environment wins over the file.
        Assert.Equal(("9", "IDP__Passwords__LockoutAttempts"), all["Passwords:LockoutAttempts"]);
        Assert.Equal(("3600", "default"), all["Tokens:AccessTokenLifetimeSeconds"]);
        Assert.Equal(("********", $"IDP__Keys__MasterKey_FILE, which names {key}"), all["Keys:MasterKey"]);
        Assert.Equal(("********", "IDP__Storage__ConnectionString"), all["Storage:ConnectionString"]);
        Assert.Equal(("********", settings), all["Mail:SmtpPassword"]);
        Assert.Equal(((string?)null, "default"), all["Keys:MasterKeyCertificatePassword"]);
        Assert.Equal(("Warning", settings), all["Serilog:MinimumLevel"]);
        var text = await Run("config", "show", "--config", settings);
        Assert.Contains("Tokens:CodeLifetimeSeconds", text.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("canary", text.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_called_a_secret_in_the_documentation_is_masked()
    {
        var comments = XDocument.Load(Path.Combine(AppContext.BaseDirectory, "IdP.xml")).Descendants("member").ToDictionary(m => m.Attribute("name")!.Value, m => m.Value);
        var secrets = new List<string>();
        Collect(typeof(IdpOptions), "");
        Assert.True(secrets.Count >= 4);

        void Collect(Type type, string path)
        {
            foreach (var property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance))
            {
                if (property.PropertyType.Namespace == typeof(IdpOptions).Namespace)
                {
                    Collect(property.PropertyType, $"{path}{property.Name}:");
                    continue;
                }
                var isSecret = comments[$"P:{type.FullName}.{property.Name}"].TrimEnd().EndsWith("Secret.", StringComparison.Ordinal);
                Assert.True(isSecret == ConfigCommands.IsSecret(path + property.Name), path + property.Name);
                if (isSecret) secrets.Add(property.Name);
            }
        }
    }

    [Fact]
    public async Task The_defaults_are_not_fit_for_production_and_it_is_said_why()
    {
        var ended = await Run("config", "check");

        Assert.Equal(1, ended.ExitCode);
        Assert.Contains("unsafe  Issuer: http://localhost:8080 is this machine only", ended.Output, StringComparison.Ordinal);
        Assert.Contains("note    database: there is none yet", ended.Output, StringComparison.Ordinal);
        // It has looked, and made nothing.
        Assert.Empty(Directory.GetFileSystemEntries(Data));
    }

    [Fact]
    public async Task Unsafe_settings_are_each_named()
    {
        _environment["IDP__Http__AllowPrivateTargets"] = "true";
        _environment["IDP__Passwords__Iterations"] = "1000";
        _environment["IDP__Serilog__MinimumLevel"] = "Debug";
        _environment["IDP__Mail__SmtpHost"] = "smtp.example.com";
        _environment["IDP__Mail__SmtpStartTls"] = "false";
        _environment["IDP__Keys__MasterKeyCertificatePassword"] = "canary";
        _environment["IDP__Metrics__Urls"] = "http://127.0.0.1:9464;http://0.0.0.0:9465";
        _environment["IDP__Telemetry__OtlpEndpoint"] = "http://collector.example:4318";
        _environment["IDP__Telemetry__OtlpHeaders"] = "key=canary";

        var ended = await Run("config", "check", "--issuer", "http://login.example.com");

        Assert.Equal(1, ended.ExitCode);
        foreach (var about in (string[])["Issuer: http://login.example.com is plain http", "Http:AllowPrivateTargets", "Passwords:Iterations", "Mail:SmtpStartTls", "Telemetry:OtlpHeaders: they travel in the clear"])
            Assert.Contains($"unsafe  {about}", ended.Output, StringComparison.Ordinal);
        foreach (var about in (string[])["Serilog:MinimumLevel", "Http:TrustedProxies", "Keys:MasterKeyCertificatePassword: stands in the environment", "Metrics:Urls: whoever reaches 0.0.0.0:9465 reads the figures"])
            Assert.Contains($"note    {about}", ended.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("canary", ended.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Files_with_secrets_that_others_may_read_are_named_until_they_may_not()
    {
        if (OperatingSystem.IsWindows()) return;
        await Succeeds("migrate");
        await Succeeds("keys", "list");
        var masterKey = Path.Combine(Data, "master.key");
        Assert.Equal(0, (await Run("config", "check", "--issuer", "https://login.example.com")).ExitCode);

        File.SetUnixFileMode(masterKey, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead);
        var ended = await Run("config", "check", "--issuer", "https://login.example.com");
        Assert.Equal(1, ended.ExitCode);
        Assert.Contains($"unsafe  Keys:MasterKeyFile: every user of this machine may read or write {masterKey}: run 'chmod o= {masterKey}'", ended.Output, StringComparison.Ordinal);

        await ChildProcess.Run(["chmod", "o=", masterKey]);
        Assert.Equal(0, (await Run("config", "check", "--issuer", "https://login.example.com")).ExitCode);
    }

    [Fact]
    public async Task Another_master_key_is_found_before_the_start_fails()
    {
        await Succeeds("migrate");
        await Succeeds("keys", "list");
        await File.WriteAllTextAsync(Path.Combine(Data, "master.key"), Convert.ToBase64String(new byte[32]));

        var ended = await Run("config", "check", "--issuer", "https://login.example.com");

        Assert.Equal(1, ended.ExitCode);
        Assert.Contains("unsafe  database: The keys in the database are sealed with master key", ended.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Demo_data_and_its_passwords_are_found()
    {
        var url = $"http://localhost:{ChildProcess.FreePort()}";
        await using (await ChildProcess.Serve(new Uri($"{url}/health/ready"), [.. ChildProcess.Provider, "serve", "--demo", "--data", Data, "--urls", url])) { }

        var ended = await Run("config", "check", "--issuer", "https://login.example.com");

        Assert.Equal(1, ended.ExitCode);
        Assert.Contains("unsafe  demo data: the clients demo-api, demo-bff,", ended.Output, StringComparison.Ordinal);
        Assert.Contains("unsafe  default password: alice still has the demo's password", ended.Output, StringComparison.Ordinal);
        // A disabled account is no way in.
        Assert.DoesNotContain("mallory", ended.Output, StringComparison.Ordinal);

        await Succeeds("user", "disable", "bob");
        Assert.DoesNotContain("bob", (await Run("config", "check", "--issuer", "https://login.example.com")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_setting_that_stops_the_start_is_said_in_one_sentence()
    {
        _environment["IDP__Tokens__AccesTokenLifetimeSeconds"] = "60";

        foreach (var verb in (string[])["show", "check"])
        {
            var ended = await Run("config", verb);
            Assert.Equal(1, ended.ExitCode);
            Assert.Contains("use Tokens:AccessTokenLifetimeSeconds", ended.Error, StringComparison.Ordinal);
            new Ran(ended.ExitCode, ended.Output, ended.Error).AssertOneSentence();
        }
    }

    private string Write(string name, string text)
    {
        var path = Path.Combine(_folder, name);
        File.WriteAllText(path, text);
        return path;
    }

    private Task<EndedProcess> Run(params string[] arguments) => IdpProcess.Run(_environment, [], [.. arguments, "--data", Data]);

    private async Task Succeeds(params string[] arguments)
    {
        var ended = await Run(arguments);
        Assert.True(ended.ExitCode == 0, ended.Error);
    }
}
