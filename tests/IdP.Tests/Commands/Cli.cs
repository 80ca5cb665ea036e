using System.Text.Json;
using IdP.Clients;
using IdP.Commands;
using IdP.Testing;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace IdP.Tests.Commands;

/// <summary>The program's commands, run in this process on a database of the test or beside a running server.</summary>
public sealed class Cli : IAsyncLifetime, IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("idp-cli-").FullName;
    private readonly string _settings;
    private readonly string _data;

    public Cli()
    {
        _data = Path.Combine(_folder, "data");
        _settings = WriteFile("settings.json", """{"Passwords":{"Iterations":1000}}""");
    }

    private Cli(IdpOptions options) : this()
    {
        _data = options.Storage.DataDirectory;
        _settings = WriteFile("settings.json", JsonSerializer.Serialize(new
        {
            Passwords = new { options.Passwords.Iterations },
            Storage = new { options.Storage.Provider, options.Storage.ConnectionString },
            Keys = new { options.Keys.MasterKey },
            Registration = new { options.Registration.Mode },
        }));
    }

    public string Data => _data;

    /// <summary>Commands on the data of a running server.</summary>
    internal static Cli Beside(IdpServer server) => new(server.App.Services.GetRequiredService<IdpOptions>());

    public string WriteFile(string name, string text)
    {
        var path = Path.Combine(_folder, name);
        File.WriteAllText(path, text);
        return path;
    }

    public async Task InitializeAsync()
    {
        Directory.CreateDirectory(_data);
        await Done("migrate");
        await Done("resource", "add", "urn:cli:api", "--identifier", "https://api.cli.example");
        await Done("scope", "add", "cli:read", "--resource", "urn:cli:api");
        await Done("scope", "add", "cli:write", "--resource", "urn:cli:api");
    }

    /// <summary>Whether this is a secret of the client.</summary>
    internal async Task<bool> SecretMatches(string clientId, string secret)
    {
        using var offline = await Offline.Open(_data);
        var client = await offline.Get<ClientDirectory>().FindStored(clientId, CancellationToken.None);
        return offline.Get<SecretHash>().Matches(client, secret);
    }

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    internal async Task<Ran> Run(params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = await CommandLine.Run([.. arguments, "--data", _data, "--config", _settings], output, error);
        return new Ran(code, output.ToString(), error.ToString());
    }

    /// <summary>Runs a command that must succeed.</summary>
    internal async Task<Ran> Done(params string[] arguments)
    {
        var ran = await Run(arguments);
        Assert.True(ran.ExitCode == ExitCodes.Ok, $"{string.Join(' ', arguments)}: {ran.ExitCode} {ran.Error}");
        return ran;
    }

    /// <summary>Runs a command with --json that must succeed, and reads what it prints.</summary>
    internal async Task<JsonElement> Json(params string[] arguments) => JsonDocument.Parse((await Done([.. arguments, "--json"])).Output).RootElement;

    /// <summary>Runs a command that must be refused: this exit code, one sentence that has this text, and nothing else.</summary>
    internal async Task Refused(int exitCode, string text, params string[] arguments)
    {
        var ran = await Run(arguments);
        Assert.Equal(exitCode, ran.ExitCode);
        Assert.Contains(text, ran.Error, StringComparison.Ordinal);
        ran.AssertOneSentence();
    }
}

internal sealed record Ran(int ExitCode, string Output, string Error)
{
    public void AssertOneSentence()
    {
        Assert.Empty(Output);
        Assert.Single(Error.TrimEnd().Split('\n'));
        Assert.EndsWith(".", Error.TrimEnd(), StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", Error, StringComparison.Ordinal);
    }
}

/// <summary>Short ways to read printed JSON.</summary>
internal static class Printed
{
    public static string[] Names(JsonElement element) => element.EnumerateObject().Select(property => property.Name).ToArray();

    public static string[] Strings(JsonElement element, string name) => element.GetProperty(name).EnumerateArray().Select(item => item.GetString()!).ToArray();

    public static string? Text(JsonElement element, string name) => element.GetProperty(name).GetString();
}
