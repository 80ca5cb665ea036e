using IdP.Clients;
using IdP.Commands;
using IdP.Testing;
using IdP.Tests.Commands;
using IdP.Tests.Support;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace IdP.Tests.Backups;

/// <summary>The commands backup and restore: what they refuse, and that a file or a database is there whole or as it was.</summary>
public sealed class BackupAndRestore : IAsyncLifetime
{
    private readonly Cli _cli = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("idp-backup-").FullName;

    private string File => Path.Combine(_folder, "idp.backup");

    private string Database => Path.Combine(_cli.Data, "idp.db");

    private string MasterKey => Path.Combine(_cli.Data, "master.key");

    public async Task InitializeAsync()
    {
        await _cli.InitializeAsync();
        await _cli.Done("client", "add", "kept", "--grant", "client_credentials", "--scope", "cli:read", "--secret", "the-secret-of-before-the-backup-1");
        SqliteConnection.ClearAllPools();
    }

    public Task DisposeAsync()
    {
        _cli.Dispose();
        Directory.Delete(_folder, recursive: true);
        return Task.CompletedTask;
    }

    [Fact]
    public async Task A_backup_is_consistent_while_a_server_writes()
    {
        await using var server = await IdpServer.Start();
        using var cli = Cli.Beside(server);
        using var stop = new CancellationTokenSource();
        // Two rows in one transaction, again and again: a copy has both or none.
        var writing = Task.Run(async () =>
        {
            var number = 0;
            while (!stop.IsCancellationRequested)
            {
                var name = $"pair-{number++}";
                await server.Database.Write(async db =>
                {
                    foreach (var end in (string[])["a", "b"]) db.Add(new Grants.RevokedToken { JwtId = $"{name}-{end}", ExpiresAt = server.Clock.GetUtcNow().AddDays(1) });
                    await db.SaveChangesAsync();
                }, CancellationToken.None);
            }
            return number;
        });

        var counts = new List<long>();
        for (var i = 0; i < 5; i++)
        {
            await cli.Done("backup", File, "--replace");
            using var copy = Open(File);
            counts.Add(Scalar(copy, "SELECT COUNT(*) FROM RevokedTokens"));
            Assert.Equal(0, counts[^1] % 2);
            Assert.Equal("ok", Text(copy, "PRAGMA integrity_check"));
        }
        await stop.CancelAsync();

        Assert.True(await writing > 0);
        Assert.True(counts[^1] > counts[0], string.Join(' ', counts));
    }

    [Fact]
    public async Task A_backup_says_where_it_comes_from_is_its_owner_s_alone_and_replaces_nothing_unless_told()
    {
        var said = await _cli.Json("backup", File);

        Assert.Equal(["file", "bytes", "created_at", "migration", "program", "master_key"], Printed.Names(said));
        Assert.False(said.GetProperty("master_key").GetBoolean());
        if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, System.IO.File.GetUnixFileMode(File));
        var key = (await System.IO.File.ReadAllTextAsync(MasterKey)).Trim();
        Assert.DoesNotContain(key, await System.IO.File.ReadAllTextAsync(File, System.Text.Encoding.Latin1), StringComparison.Ordinal);

        await _cli.Refused(ExitCodes.Conflict, $"The file {File} is there already", "backup", File);
        await _cli.Done("backup", File, "--replace", "--with-master-key");
        Assert.Contains(key, await System.IO.File.ReadAllTextAsync(File, System.Text.Encoding.Latin1), StringComparison.Ordinal);
        Assert.Equal([File], Directory.GetFiles(_folder));
        // Who has copied the master key out is in the audit.
        Assert.Equal(["{\"master_key\":\"no\"}", "{\"master_key\":\"yes\"}"],
            (await _cli.Json("audit", "list", "--type", "database.backed_up")).EnumerateArray().Select(one => one.GetProperty("details").GetRawText().Replace(" ", "", StringComparison.Ordinal).Replace("\n", "", StringComparison.Ordinal)));

        await _cli.Refused(ExitCodes.Failed, "cannot be written: name one in a folder that is there", "backup", Path.Combine(_folder, "missing", "x"));
        await System.IO.File.WriteAllTextAsync($"{File}.partial", "");
        await _cli.Refused(ExitCodes.Failed, "another backup is being written there", "backup", File, "--replace");
    }

    [Fact]
    public async Task A_backup_with_its_master_key_makes_a_server_in_an_empty_folder()
    {
        await _cli.Done("backup", File, "--with-master-key");
        var folder = Path.Combine(_folder, "new");
        Directory.CreateDirectory(folder);

        var ended = await IdpProcess.Run("restore", File, "--data", folder);

        Assert.True(ended.ExitCode == 0, ended.Error);
        Assert.Contains("The master key file has the backup's master key now", ended.Output, StringComparison.Ordinal);
        Assert.Equal(["idp.db", "master.key"], Directory.GetFileSystemEntries(folder).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        if (!OperatingSystem.IsWindows())
            foreach (var file in Directory.GetFiles(folder)) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, System.IO.File.GetUnixFileMode(file));
        // Clients keep their secrets, and nothing of the key stays in the database.
        using var offline = await Offline.Open(folder);
        Assert.True(offline.Get<SecretHash>().Matches(await offline.Get<ClientDirectory>().FindStored("kept", CancellationToken.None), "the-secret-of-before-the-backup-1"));
        var key = (await System.IO.File.ReadAllTextAsync(MasterKey)).Trim();
        Assert.DoesNotContain(key, await System.IO.File.ReadAllTextAsync(Path.Combine(folder, "idp.db"), System.Text.Encoding.Latin1), StringComparison.Ordinal);
        using var database = Open(Path.Combine(folder, "idp.db"));
        Assert.Equal("wal", Text(database, "PRAGMA journal_mode"));
    }

    [SuperuserFact]
    public async Task What_the_superuser_restores_into_the_folder_of_the_service_belongs_to_the_service()
    {
        await _cli.Done("backup", File, "--with-master-key");
        var folder = Path.Combine(_folder, "of-the-service");
        Directory.CreateDirectory(folder);
        await ChildProcess.Run(["chown", "4711:4712", folder]);

        var ended = await IdpProcess.Run("restore", File, "--data", folder, "--unsafe-keep-tokens");
        Assert.True(ended.ExitCode == 0, ended.Error);
        // Once more over it: what is kept aside is the service's as well.
        ended = await IdpProcess.Run("restore", File, "--data", folder, "--replace", "--unsafe-keep-tokens");
        Assert.True(ended.ExitCode == 0, ended.Error);

        var files = Directory.GetFileSystemEntries(folder);
        Assert.Equal(["idp.db", "idp.db.replaced-TIME", "master.key", "restored-with-tokens"], Names(folder));
        foreach (var file in files) Assert.Equal("4711:4712", (await ChildProcess.Run(["stat", "--format=%u:%g", file])).Trim());
    }

    [Fact]
    public async Task What_cannot_be_restored_leaves_everything_as_it_was()
    {
        await _cli.Done("backup", File);
        SqliteConnection.ClearAllPools();
        var before = await Contents();
        var garbage = Path.Combine(_folder, "garbage");
        await System.IO.File.WriteAllTextAsync(garbage, "hello");
        var torn = Path.Combine(_folder, "torn");
        var bytes = await System.IO.File.ReadAllBytesAsync(File);
        Array.Fill(bytes, (byte)7, bytes.Length / 2, 20_000);
        await System.IO.File.WriteAllBytesAsync(torn, bytes);
        var foreign = Path.Combine(_folder, "foreign");
        using (var other = Open(foreign, SqliteOpenMode.ReadWriteCreate)) Execute(other, "CREATE TABLE Other (Id INTEGER)");
        var newer = Path.Combine(_folder, "newer");
        System.IO.File.Copy(File, newer);
        using (var future = Open(newer)) Execute(future, "INSERT INTO __EFMigrationsHistory VALUES ('20991231235959_Future', '99')");

        await _cli.Refused(ExitCodes.Conflict, "There is a database in", "restore", File);
        await _cli.Refused(ExitCodes.NotFound, "There is no file", "restore", Path.Combine(_folder, "missing"), "--replace");
        await _cli.Refused(ExitCodes.Failed, "is damaged or no backup", "restore", garbage, "--replace");
        await _cli.Refused(ExitCodes.Failed, "is damaged or no backup", "restore", torn, "--replace");
        await _cli.Refused(ExitCodes.Failed, "not one of this program's", "restore", foreign, "--replace");
        await _cli.Refused(ExitCodes.Failed, "20991231235959_Future, which this program does not know", "restore", newer, "--replace");
        await _cli.Refused(ExitCodes.Usage, "restore needs a FILE", "restore");
        await _cli.Refused(ExitCodes.Usage, "not both", "restore", File, "--after-external-restore");

        Assert.Equal(before, await Contents());
        using var database = Open(Database);
        Assert.Equal("wal", Text(database, "PRAGMA journal_mode"));
    }

    [Fact]
    public async Task Another_master_key_is_refused_unless_the_backup_has_its_own_which_then_joins_it()
    {
        var withKey = Path.Combine(_folder, "with-key");
        await _cli.Done("backup", File);
        await _cli.Done("backup", withKey, "--with-master-key");
        var old = (await System.IO.File.ReadAllTextAsync(MasterKey)).Trim();
        var folder = Path.Combine(_folder, "other");
        Directory.CreateDirectory(folder);
        var here = Convert.ToBase64String(new byte[32]);
        await System.IO.File.WriteAllTextAsync(Path.Combine(folder, "master.key"), here);

        var refused = await IdpProcess.Run("restore", File, "--data", folder);
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("The keys in the backup are sealed with master key", refused.Error, StringComparison.Ordinal);
        Assert.Equal(["master.key"], Directory.GetFileSystemEntries(folder).Select(Path.GetFileName));

        var done = await IdpProcess.Run("restore", withKey, "--data", folder);
        Assert.True(done.ExitCode == 0, done.Error);
        Assert.Equal([old, here], await System.IO.File.ReadAllLinesAsync(Path.Combine(folder, "master.key")));
        Assert.Equal(0, (await IdpProcess.Run("keys", "list", "--data", folder)).ExitCode);
    }

    [Fact]
    public async Task What_an_interrupted_restore_and_an_interrupted_server_left_is_in_nobody_s_way()
    {
        await _cli.Done("backup", File);
        SqliteConnection.ClearAllPools();
        Directory.CreateDirectory(Path.Combine(_cli.Data, "restoring"));
        await System.IO.File.WriteAllTextAsync(Path.Combine(_cli.Data, "restoring", "idp.db"), "half");
        // The database is gone, and the log of what was written to it last is not: it must not be applied to another one.
        System.IO.File.Delete(Database);
        await System.IO.File.WriteAllTextAsync($"{Database}-wal", "old");

        await _cli.Done("restore", File);

        await _cli.Done("client", "show", "kept");
        SqliteConnection.ClearAllPools();
        Assert.Equal("idp.db idp.db.replaced-TIME-wal master.key", string.Join(' ', Names(_cli.Data)));
    }

    [Fact]
    public async Task Who_opens_the_database_while_another_takes_its_place_never_gets_at_the_old_one()
    {
        await _cli.Done("backup", File);
        await _cli.Done("client", "add", "later", "--grant", "client_credentials", "--scope", "cli:read");
        SqliteConnection.ClearAllPools();

        var restoring = IdpProcess.Run("restore", File, "--data", _cli.Data, "--replace");
        while (!Directory.Exists(Path.Combine(_cli.Data, "restoring")) && !restoring.IsCompleted) await Task.Delay(1);
        using (var other = Open(Database))
        {
            try
            {
                using var command = other.CreateCommand();
                command.CommandTimeout = 5;
                command.CommandText = "BEGIN IMMEDIATE; SELECT COUNT(*) FROM Clients WHERE ClientId = 'later'";
                Assert.Equal(0L, command.ExecuteScalar());
            }
            catch (SqliteException refused)
            {
                Assert.Equal(5, refused.SqliteErrorCode);
            }
        }

        var ended = await restoring;
        Assert.True(ended.ExitCode == 0, ended.Error);
        ended = await IdpProcess.Run("doctor", "--data", _cli.Data);
        Assert.True(ended.ExitCode == 0, ended.Output + ended.Error);
    }

    [Fact]
    public async Task A_copy_that_was_made_by_other_means_is_restored_with_the_log_beside_it()
    {
        var copy = Path.Combine(_folder, "idp.db");
        using (var reader = Open(Database))
        {
            // Whoever has it open keeps the log from being folded into it.
            Execute(reader, "BEGIN");
            _ = Scalar(reader, "SELECT COUNT(*) FROM Clients");
            await _cli.Done("client", "add", "in-the-log", "--grant", "client_credentials", "--scope", "cli:read");
            foreach (var end in (string[])["", "-wal"]) System.IO.File.Copy(Database + end, copy + end);
        }
        var folder = Path.Combine(_folder, "new");
        Directory.CreateDirectory(folder);
        System.IO.File.Copy(MasterKey, Path.Combine(folder, "master.key"));

        var ended = await IdpProcess.Run("restore", copy, "--data", folder);

        Assert.True(ended.ExitCode == 0, ended.Error);
        ended = await IdpProcess.Run("client", "show", "in-the-log", "--data", folder);
        Assert.True(ended.ExitCode == 0, ended.Error);
    }

    [Fact]
    public async Task A_restore_that_was_killed_leaves_no_database_in_which_readers_and_writers_wait_for_each_other()
    {
        using (var left = Open(Database)) Execute(left, "PRAGMA journal_mode = DELETE");
        SqliteConnection.ClearAllPools();

        await _cli.Done("client", "add", "next", "--grant", "client_credentials", "--scope", "cli:read");

        using var database = Open(Database);
        Assert.Equal("wal", Text(database, "PRAGMA journal_mode"));
    }

    [Fact]
    public async Task A_damaged_database_is_replaced_and_kept()
    {
        await _cli.Done("backup", File);
        SqliteConnection.ClearAllPools();
        await System.IO.File.WriteAllTextAsync(Database, "no database any more");

        var said = await _cli.Json("restore", File, "--replace");

        Assert.Equal("no database any more", await System.IO.File.ReadAllTextAsync(said.GetProperty("kept_aside").GetString()!));
        await _cli.Done("client", "show", "kept");
    }

    [Fact]
    public async Task A_database_server_is_backed_up_by_its_own_tools()
    {
        var fixture = new PostgresServer();
        await fixture.InitializeAsync();
        try
        {
            using var cli = Cli.Beside(fixture.Server);
            var token = (await fixture.Server.ClientCredentials()).AccessToken;
            await cli.Refused(ExitCodes.Failed, "pg_dump", "backup", File);
            await cli.Refused(ExitCodes.Failed, "pg_restore", "restore", File);

            var ended = await cli.Json("restore", "--after-external-restore");

            // Signing, handles, pages, opaque tokens.
            Assert.True(ended.GetProperty("ended").GetProperty("keys").GetInt32() >= 4, ended.ToString());
            Assert.False((await fixture.Server.Introspect(token)).Active);
            Assert.True((await fixture.Server.Introspect((await fixture.Server.ClientCredentials()).AccessToken)).Active);
        }
        finally
        {
            await fixture.DisposeAsync();
        }
    }

    private async Task<string> Contents()
    {
        var files = Directory.GetFiles(_cli.Data, "*", SearchOption.AllDirectories).Where(file => !file.EndsWith("-shm", StringComparison.Ordinal) && !file.EndsWith("-wal", StringComparison.Ordinal));
        using var database = Open(Database);
        return $"{string.Join(' ', Names(_cli.Data))} {Scalar(database, "SELECT COUNT(*) FROM Keys WHERE RevokedAt IS NULL")} {Scalar(database, "SELECT COUNT(*) FROM AuditEvents")} {string.Join(' ', await Task.WhenAll(files.Where(file => file != Database).Select(file => System.IO.File.ReadAllTextAsync(file))))}";
    }

    private static IEnumerable<string> Names(string folder) => Directory.GetFileSystemEntries(folder).Select(Path.GetFileName)
        .Where(name => name is not ("idp.db-wal" or "idp.db-shm")).Select(name => System.Text.RegularExpressions.Regex.Replace(name!, @"replaced-[0-9TZ]+", "replaced-TIME", System.Text.RegularExpressions.RegexOptions.None, TimeSpan.FromSeconds(1))).Order(StringComparer.Ordinal);

    private static SqliteConnection Open(string file, SqliteOpenMode mode = SqliteOpenMode.ReadWrite)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = file, Pooling = false, Mode = mode }.ToString());
        connection.Open();
        return connection;
    }

    private static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private static long Scalar(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return (long)command.ExecuteScalar()!;
    }

    private static string? Text(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteScalar() as string;
    }
}
