using System.CommandLine.Parsing;
using IdP.Testing;
using IdP.Tests.Commands;
using Xunit;

namespace IdP.Tests.Docs;

/// <summary>docs/roles.md: every command in it does what it is for, in that order.</summary>
public sealed class RolesDocument : IAsyncLifetime
{
    private readonly Cli _cli = new();

    public Task InitializeAsync() => _cli.InitializeAsync();

    public Task DisposeAsync()
    {
        _cli.Dispose();
        return Task.CompletedTask;
    }

    [Fact]
    public async Task Its_commands_run_as_they_stand()
    {
        await _cli.Done("resource", "add", "urn:example:api");
        await _cli.Done("client", "add", "my-service", "--grant", "client_credentials", "--scope", "cli:read");
        await _cli.Done("user", "add", "alice", "--password", "alice-Wonderland-42");
        var document = await File.ReadAllLinesAsync(Path.Combine(ChildProcess.Repository, "docs", "roles.md"));
        var commands = document.Where(line => line.StartsWith("IdP ", StringComparison.Ordinal)).Select(line => line.Split('#')[0]).ToList();
        Assert.Equal(11, commands.Count);
        foreach (var command in commands)
        {
            var words = CommandLineParser.SplitCommandLine(command).Skip(1).ToList();
            // The test has a folder of its own.
            Assert.Equal(["--data", "data"], words.TakeLast(2));
            await _cli.Done([.. words.SkipLast(2)]);
        }
    }
}
