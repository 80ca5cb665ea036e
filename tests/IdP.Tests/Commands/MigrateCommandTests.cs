using System.Text.Json;
using IdP.Testing;
using Npgsql;
using Xunit;

namespace IdP.Tests.Commands;

/// <summary>The database's version, for people who run the SQL themselves: what is missing, and the script of it.</summary>
public sealed class MigrateCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("idp-migrate-").FullName;
    private readonly Dictionary<string, string> _environment = [];

    [Fact]
    public async Task Check_lists_what_is_missing_and_changes_nothing()
    {
        var absent = await Run("migrate", "--check");
        Assert.Equal(1, absent.ExitCode);
        Assert.Contains("_Initial", absent.Output, StringComparison.Ordinal);
        Assert.Contains("run 'IdP migrate'", absent.Output, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(_folder));

        Assert.Equal(0, (await Run("migrate")).ExitCode);
        var current = await Run("migrate", "--check", "--json");
        Assert.Equal(0, current.ExitCode);
        var json = JsonDocument.Parse(current.Output).RootElement;
        Assert.True(json.GetProperty("current").GetBoolean());
        Assert.Equal(0, json.GetProperty("pending").GetArrayLength());
        Assert.Contains("up to date", (await Run("migrate", "--check")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_script_makes_the_database_and_may_be_run_again()
    {
        await using var database = await PostgresCluster.CreateDatabase();
        (_environment["IDP__Storage__Provider"], _environment["IDP__Storage__ConnectionString"]) = ("postgres", database.ConnectionString);
        var file = Path.Combine(_folder, "idp.sql");

        Assert.Equal(0, (await Run("migrate", "--script", file)).ExitCode);
        // It asked no database, and what goes to standard output is the same.
        Assert.Equal(1, (await Run("migrate", "--check")).ExitCode);
        var script = await File.ReadAllTextAsync(file);
        Assert.Equal(script, (await Run("migrate", "--script")).Output);
        Assert.Equal(script, JsonDocument.Parse((await Run("migrate", "--script", "--json")).Output).RootElement.GetProperty("script").GetString());

        for (var i = 0; i < 2; i++)
        {
            await using var connection = new NpgsqlConnection(database.ConnectionString);
            await connection.OpenAsync();
            await using var command = new NpgsqlCommand(script, connection);
            await command.ExecuteNonQueryAsync();
        }

        var check = await Run("migrate", "--check", "--json");
        Assert.True(check.ExitCode == 0, check.Output + check.Error);
        var options = new IdpOptions();
        (options.Storage.Provider, options.Storage.ConnectionString, options.Storage.MigrateAtStart, options.Keys.MasterKey) =
            ("postgres", database.ConnectionString, false, Convert.ToBase64String(new byte[32]));
        await using var server = await IdpServer.Start(o => (o.Storage, o.Keys) = (options.Storage, options.Keys));
        Assert.Equal(200, (await server.ClientCredentials()).Status);
    }

    [Fact]
    public async Task The_script_for_sql_server_needs_no_sql_server()
    {
        (_environment["IDP__Storage__Provider"], _environment["IDP__Storage__ConnectionString"]) = ("sqlserver", "Server=127.0.0.1,1");
        var ended = await Run("migrate", "--script");
        Assert.True(ended.ExitCode == 0, ended.Error);
        Assert.Contains("CREATE TABLE [Grants]", ended.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_cannot_be_done_is_said()
    {
        Assert.Contains("There is no script for the embedded database", (await Fails(1, "migrate", "--script")).Error, StringComparison.Ordinal);
        Assert.Contains("give one of them", (await Fails(2, "migrate", "--script", "--check")).Error, StringComparison.Ordinal);
        (_environment["IDP__Storage__Provider"], _environment["IDP__Storage__ConnectionString"]) = ("sqlserver", "Server=127.0.0.1,1;Connect Timeout=1;Password=canary");
        Assert.Contains("cannot be written", (await Fails(1, "migrate", "--script", Path.Combine(_folder, "none", "x.sql"))).Error, StringComparison.Ordinal);
        var unreachable = await Fails(1, "migrate", "--check");
        Assert.Contains("SQL Server does not answer", unreachable.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("canary", unreachable.Error, StringComparison.Ordinal);
        _environment["IDP__Storage__ConnectionString"] = "canary";
        var broken = await Fails(1, "migrate");
        Assert.Contains("not one that SQL Server's driver reads", broken.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("canary", broken.Error, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private async Task<EndedProcess> Fails(int exitCode, params string[] arguments)
    {
        var ended = await Run(arguments);
        Assert.True(exitCode == ended.ExitCode, $"{ended.ExitCode} {ended.Output} {ended.Error}");
        Assert.DoesNotContain("   at ", ended.Error, StringComparison.Ordinal);
        return ended;
    }

    private Task<EndedProcess> Run(params string[] arguments) => IdpProcess.Run(_environment, [], [.. arguments, "--data", _folder]);
}
