using IdP.Testing;
using IdP.Tests.Support;
using Microsoft.Data.Sqlite;
using Xunit;

namespace IdP.Tests.Commands;

/// <summary>A database with its master key, made once; each test has a copy.</summary>
public sealed class DatabaseTemplate : IAsyncLifetime
{
    private readonly Cli _cli = new();

    public Task InitializeAsync() => _cli.InitializeAsync();

    public Task DisposeAsync()
    {
        _cli.Dispose();
        return Task.CompletedTask;
    }

    public string Copy()
    {
        var folder = Directory.CreateTempSubdirectory("idp-start-").FullName;
        SqliteConnection.ClearAllPools();
        foreach (var file in Directory.GetFiles(_cli.Data)) File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        return folder;
    }
}

/// <summary>
/// The program as a process of its own that cannot do what it is told: it ends with one sentence that says what to do, an exit code
/// that is not zero and no stack trace, and the data is as it was.
/// </summary>
public abstract class FailingStart(DatabaseTemplate template) : IClassFixture<DatabaseTemplate>, IDisposable
{
    protected string Folder { get; } = template.Copy();

    protected string Url { get; } = $"http://localhost:{ChildProcess.FreePort()}";

    protected Dictionary<string, string> Variables { get; } = new() { ["IDP__Storage__BusyTimeoutSeconds"] = "1" };

    protected string Database => Path.Combine(Folder, "idp.db");

    protected string MasterKey => Path.Combine(Folder, "master.key");

    public void Dispose()
    {
        Directory.Delete(Folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>The server on the data of this test does not start, and says this.</summary>
    protected Task<EndedProcess> ServeFails(string text) => Fails(text, "serve", "--data", Folder, "--urls", Url);

    /// <summary>A command fails and says this.</summary>
    protected async Task<EndedProcess> Fails(string text, params string[] arguments)
    {
        var before = await Contents();
        var ended = await IdpProcess.Run(Variables, Permissions.Counting, arguments);

        Assert.True(ended.ExitCode is 1 or 2, $"exit code {ended.ExitCode}: {ended.Output}{ended.Error}");
        Assert.Contains(text, ended.Error, StringComparison.Ordinal);
        new Ran(ended.ExitCode, ended.Output, ended.Error).AssertOneSentence();
        Assert.Equal(before, await Contents());
        return ended;
    }

    protected SqliteConnection Open(SqliteOpenMode mode = SqliteOpenMode.ReadWrite)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = Database, Pooling = false, Mode = mode }.ToString());
        connection.Open();
        return connection;
    }

    protected static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    /// <summary>Every file with a digest of what is in it. SQLite's own two files come and go with whoever reads.</summary>
    private async Task<string> Contents()
    {
        var files = Directory.GetFiles(Folder, "*", SearchOption.AllDirectories).Where(file => !file.EndsWith("-shm", StringComparison.Ordinal) && !file.EndsWith("-wal", StringComparison.Ordinal));
        // By another process: this one would lose SQLite's locks on a file by closing it. One that cannot be read is a line of its own.
        return (await ChildProcess.RunToEnd(["sha256sum", "--", "/dev/null", .. files.Order(StringComparer.Ordinal)])).Output;
    }
}
