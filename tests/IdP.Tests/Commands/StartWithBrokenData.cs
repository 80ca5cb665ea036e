using System.Security.Cryptography;
using IdP.Testing;
using IdP.Tests.Support;
using Microsoft.Data.Sqlite;
using Npgsql;
using Xunit;

namespace IdP.Tests.Commands;

public sealed class StartWithBrokenData(DatabaseTemplate template) : FailingStart(template)
{
    [Fact]
    public async Task A_database_that_another_process_holds_locked()
    {
        using var connection = Open();
        Execute(connection, "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; UPDATE ServerState SET ChangeStamp = ChangeStamp");

        await ServeFails($"The database {Database} is locked by another program: stop it");
        await Fails($"The database {Database} is locked by another program: stop it", "client", "list", "--data", Folder);
    }

    [Fact]
    public async Task A_database_that_another_process_writes_for_too_long()
    {
        // Old enough that the start has to write: the highest time seen is stored once a minute.
        using var connection = Open();
        Execute(connection, "UPDATE ServerState SET ClockHighWater = 0; BEGIN IMMEDIATE");

        await ServeFails($"The database {Database} is locked by another program: stop it");
        await Fails($"The database {Database} is locked by another program: stop it", "client", "add", "x", "--data", Folder);
    }

    [Fact]
    public async Task A_database_whose_migration_was_killed()
    {
        File.Delete(Database);
        using (var connection = Open(SqliteOpenMode.ReadWriteCreate))
            Execute(connection, "CREATE TABLE __EFMigrationsLock (Id INTEGER PRIMARY KEY, Timestamp TEXT NOT NULL); INSERT INTO __EFMigrationsLock VALUES (1, '2026-01-01')");

        await Fails($"Another program brings the database {Database} up to date", "migrate", "--data", Folder);
        await ServeFails($"Another program brings the database {Database} up to date");
    }

    [PermissionsFact]
    public async Task A_database_file_that_is_read_only()
    {
        using var only = Permissions.Only(Database, UnixFileMode.UserRead);

        await ServeFails($"The database {Database} is read-only: give this user write access");
        await Fails("The database is read-only: give this user write access", "client", "add", "x", "--data", Folder);
    }

    [PermissionsFact]
    public async Task A_data_folder_that_is_read_only()
    {
        using var only = Permissions.Only(Folder, UnixFileMode.UserRead | UnixFileMode.UserExecute);

        await ServeFails($"The database {Database} is read-only: give this user write access to the file and to its folder");
    }

    [PermissionsFact]
    public async Task A_new_database_in_a_folder_that_is_read_only()
    {
        File.Delete(Database);
        using var only = Permissions.Only(Folder, UnixFileMode.UserRead | UnixFileMode.UserExecute);

        await ServeFails($"The database {Database} cannot be opened: check that the folder exists and that this user may read and write it");
    }

    [PermissionsFact]
    public async Task A_master_key_that_cannot_be_read()
    {
        using var only = Permissions.Only(MasterKey, UnixFileMode.None);

        await ServeFails($"The master key file {MasterKey} cannot be read: give this user read access");
    }

    [Fact]
    public async Task A_data_folder_that_is_missing()
    {
        var missing = Path.Combine(Folder, "missing");

        await Fails($"The data folder {missing} does not exist: create it", "serve", "--data", missing, "--urls", Url);
        await Fails($"The data folder {missing} does not exist: create it", "migrate", "--data", missing);
        await Fails($"The data folder {missing} does not exist: create it", "client", "list", "--data", missing);
    }

    [Fact]
    public async Task A_demo_whose_folder_cannot_be_made() =>
        await Fails("cannot be created: name one", "serve", "--demo", "--data", Path.Combine(MasterKey, "data"), "--urls", Url);

    [Fact]
    public async Task A_folder_without_a_database_for_a_command_that_needs_one()
    {
        File.Delete(Database);

        await Fails("run 'IdP migrate' or 'IdP serve'", "client", "list", "--data", Folder);
    }

    [Fact]
    public async Task A_database_from_which_a_newer_program_has_taken_something_away()
    {
        using (var connection = Open()) Execute(connection, "INSERT INTO __EFMigrationsHistory VALUES ('20991231235959_Future_After20990101000000', '99')");

        await ServeFails("20991231235959_Future_After20990101000000, which this program does not know: start the newer program");
        await Fails("20991231235959_Future_After20990101000000, which this program does not know: start the newer program", "migrate", "--data", Folder);
        await Fails("20991231235959_Future_After20990101000000, which this program does not know: start the newer program", "client", "list", "--data", Folder);
    }

    [Fact]
    public async Task A_database_to_which_a_newer_program_has_added_something_is_not_broken()
    {
        using (var connection = Open()) Execute(connection, "INSERT INTO __EFMigrationsHistory VALUES ('20991231235959_Future', '99'); ALTER TABLE Clients ADD COLUMN Future TEXT");

        foreach (var command in (string[][])[["migrate"], ["migrate", "--check"], ["client", "list"], ["doctor"]])
        {
            var ended = await IdpProcess.Run([.. command, "--data", Folder]);
            Assert.True(ended.ExitCode == 0, ended.Error + ended.Output);
        }
    }

    [Fact]
    public async Task A_database_that_was_not_migrated()
    {
        File.Delete(Database);
        using (var connection = Open(SqliteOpenMode.ReadWriteCreate)) Execute(connection, "CREATE TABLE Other (Id INTEGER)");
        Variables["IDP__Storage__MigrateAtStart"] = "false";

        await ServeFails("run 'IdP migrate' with the same settings first");
        await Fails("run 'IdP migrate' with the same settings first", "client", "list", "--data", Folder);
    }

    [Theory]
    [InlineData("hello")]
    [InlineData(null)]
    public async Task A_file_that_is_no_database(string? text)
    {
        if (text is null) await File.WriteAllBytesAsync(Database, RandomNumberGenerator.GetBytes(20_000));
        else await File.WriteAllTextAsync(Database, text);

        await ServeFails($"The database {Database} is damaged or not one of this program's: restore a backup");
    }

    [Theory]
    [InlineData("cut off"), InlineData("its list of tables"), InlineData("everything after its first page")]
    public async Task A_database_that_is_torn(string where)
    {
        var bytes = await File.ReadAllBytesAsync(Database);
        if (where == "cut off") bytes = bytes[..(bytes.Length / 8)];
        else if (where == "its list of tables") Array.Fill(bytes, (byte)7, 100, 3000);
        else Array.Fill(bytes, (byte)7, 4096, bytes.Length - 4096);
        await File.WriteAllBytesAsync(Database, bytes);

        await ServeFails($"The database {Database} is damaged or not one of this program's: restore a backup");
        await Fails("is damaged or not one of this program's: restore a backup", "client", "list", "--data", Folder);
    }

    [Fact]
    public async Task A_folder_in_the_place_of_the_database()
    {
        File.Delete(Database);
        Directory.CreateDirectory(Database);

        await ServeFails($"The database {Database} cannot be opened");
    }

    [Fact]
    public async Task A_master_key_that_is_missing_while_keys_are_sealed_with_it()
    {
        File.Delete(MasterKey);

        await ServeFails($"The master key file {MasterKey} is missing, and the database holds keys sealed with it: restore the file");
        await Fails($"The master key file {MasterKey} is missing, and the database holds keys sealed with it: restore the file", "keys", "list", "--data", Folder);
    }

    [Fact]
    public async Task A_master_key_that_is_another()
    {
        await File.WriteAllTextAsync(MasterKey, Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)));

        await ServeFails("which is not among the configured ones: set the right Keys:MasterKey");
    }

    [Theory]
    [InlineData("not base64!", "it must be 32 random bytes as base64")]
    [InlineData("dG9vIHNob3J0", "it must be 32 random bytes as base64")]
    [InlineData("", "is empty: put 32 random bytes as base64 there")]
    public async Task A_master_key_that_is_malformed(string key, string text)
    {
        await File.WriteAllTextAsync(MasterKey, key);

        await ServeFails(text);
    }

    [Fact]
    public async Task A_malformed_master_key_before_there_is_a_database()
    {
        File.Delete(Database);
        File.Delete(MasterKey);
        Variables["IDP__Keys__MasterKey"] = "c2VjcmV0LWNhbmFyeQ==";

        var ended = await ServeFails("Keys:MasterKey is not a master key");
        Assert.DoesNotContain("c2VjcmV0LWNhbmFyeQ==", ended.Error, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(Folder));
    }

    [Theory]
    [InlineData("", "Storage:ConnectionString is empty")]
    [InlineData("canary-password", "Storage:ConnectionString is not one that PostgreSQL's driver reads")]
    [InlineData("Host=127.0.0.1;Port=1;Password=canary-password", "PostgreSQL does not answer: check Storage:ConnectionString")]
    public async Task A_database_server_that_cannot_be_reached(string connectionString, string text)
    {
        (Variables["IDP__Storage__Provider"], Variables["IDP__Storage__ConnectionString"]) = ("postgres", connectionString);

        var ended = await ServeFails(text);
        Assert.DoesNotContain("canary-password", ended.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_database_server_that_knows_neither_the_user_nor_the_database()
    {
        await using var database = await PostgresCluster.CreateDatabase();
        var given = new NpgsqlConnectionStringBuilder(database.ConnectionString);
        Variables["IDP__Storage__Provider"] = "postgres";
        Variables["IDP__Storage__ConnectionString"] = new NpgsqlConnectionStringBuilder(given.ConnectionString) { Password = "canary-password" }.ConnectionString;
        Assert.DoesNotContain("canary-password", (await ServeFails("PostgreSQL refused the user name or password")).Error, StringComparison.Ordinal);

        Variables["IDP__Storage__ConnectionString"] = new NpgsqlConnectionStringBuilder(given.ConnectionString) { Database = "no_such_database" }.ConnectionString;
        await ServeFails("The database that Storage:ConnectionString names does not exist: create it first");

        Variables["IDP__Storage__ConnectionString"] = new NpgsqlConnectionStringBuilder(given.ConnectionString) { Options = "-c default_transaction_read_only=on" }.ConnectionString;
        await ServeFails("PostgreSQL is read-only: name the primary server");
    }
}
