using System.Text.Json;
using IdP.Commands;
using IdP.Testing;
using IdP.Tests.Support;
using Microsoft.Data.Sqlite;
using Xunit;

namespace IdP.Tests.Commands;

/// <summary>doctor says of a healthy database that it is, finds each thing that is wrong, says what to do, and changes nothing.</summary>
public sealed class DoctorTests : IAsyncLifetime
{
    private readonly Cli _cli = new();

    private string Database => Path.Combine(_cli.Data, "idp.db");

    public async Task InitializeAsync()
    {
        await _cli.InitializeAsync();
        await _cli.Done("client", "add", "web", "--grant", "authorization_code", "--redirect-uri", "https://web.example/callback", "--scope", "openid");
        SqliteConnection.ClearAllPools();
    }

    public Task DisposeAsync()
    {
        _cli.Dispose();
        return Task.CompletedTask;
    }

    [Fact]
    public async Task A_healthy_database_is_said_to_be_healthy()
    {
        var said = await _cli.Json("doctor");

        foreach (var one in said.EnumerateArray()) Assert.True(Printed.Text(one, "level") == "ok" || Printed.Text(one, "about") == "disk", one.ToString());
        var abouts = said.EnumerateArray().Select(one => Printed.Text(one, "about")).ToHashSet();
        Assert.Superset(new HashSet<string?> { "migrations", "database", "schema", "clock", "master key", "keys", "audit", "outbox", "leases", "retention", "disk" }, abouts);
        Assert.Contains("the next rotation is at", (await _cli.Done("doctor")).Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("DROP INDEX IX_Clients_ClientId", "schema", "the unique index IX_Clients_ClientId is missing")]
    [InlineData("ALTER TABLE Outbox DROP COLUMN Attempts", "schema", "the table Outbox lacks Attempts")]
    [InlineData("DROP TABLE Consents", "schema", "the table Consents is missing")]
    [InlineData("UPDATE ServerState SET ClockHighWater = 4000000000000", "clock", "ahead of this machine's clock, and until then nothing expires")]
    [InlineData("UPDATE Keys SET Sealed = X'00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff'", "master key", "is damaged: restore a backup")]
    [InlineData("UPDATE Keys SET MasterKeyId = 'another'", "master key", "sealed with master key another")]
    [InlineData("UPDATE Keys SET RevokedAt = 1 WHERE Algorithm = 'RS256'", "keys", "there is no RS256 signing key in use")]
    [InlineData("UPDATE Keys SET RevokedAt = 1 WHERE Purpose = 4", "keys", "there is no Handle key in use")]
    [InlineData("UPDATE Keys SET ActiveFrom = 1 WHERE Purpose = 1", "keys", "was due for rotation at 1970-04-01")]
    [InlineData("UPDATE Leases SET ExpiresAt = 4000000000000", "leases", "by a node whose clock was wrong")]
    [InlineData("INSERT INTO Outbox (Id, Kind, Target, Payload, Attempts, DueAt, CreatedAt) VALUES (X'00', 'mail', 'mail', 'x', 0, 1, 1)", "outbox", "1 items (mail) should have been sent at 1970-01-01")]
    [InlineData("PRAGMA foreign_keys = OFF; INSERT INTO UserRoles (UserId, RoleId) VALUES (X'00', 1)", "database", "UserRoles has a row without its")]
    [InlineData("INSERT INTO __EFMigrationsHistory VALUES ('20991231235959_Future_After20990101000000', '99')", "database", "20991231235959_Future_After20990101000000, which this program does not know")]
    public async Task What_is_wrong_is_found_and_said_with_what_to_do(string accident, string about, string text)
    {
        Execute(accident);
        var before = await Dump();

        var ran = await _cli.Run("doctor", "--json");

        Assert.Equal(ExitCodes.Failed, ran.ExitCode);
        Assert.Empty(ran.Error);
        var problems = JsonDocument.Parse(ran.Output).RootElement.EnumerateArray().Where(one => Printed.Text(one, "level") == "problem").ToList();
        Assert.Contains(problems, one => Printed.Text(one, "about") == about && Printed.Text(one, "text")!.Contains(text, StringComparison.Ordinal));
        Assert.All(problems, one => Assert.EndsWith(".", Printed.Text(one, "text"), StringComparison.Ordinal));
        Assert.Equal(before, await Dump());
    }

    [Fact]
    public async Task A_torn_database_and_one_that_is_not_there_are_problems()
    {
        SqliteConnection.ClearAllPools();
        var bytes = await File.ReadAllBytesAsync(Database);
        Array.Fill(bytes, (byte)7, bytes.Length / 2, 20_000);
        await File.WriteAllBytesAsync(Database, bytes);
        var torn = await _cli.Run("doctor");
        Assert.Equal((ExitCodes.Failed, ""), (torn.ExitCode, torn.Error));
        Assert.Contains("is damaged", torn.Output, StringComparison.Ordinal);

        SqliteConnection.ClearAllPools();
        foreach (var file in Directory.GetFiles(_cli.Data, "idp.db*")) File.Delete(file);
        var missing = await _cli.Run("doctor");
        Assert.Equal(ExitCodes.Failed, missing.ExitCode);
        Assert.Contains("problem  database: There is no database at", missing.Output, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(_cli.Data, "idp.db*"));
    }

    [Fact]
    public async Task Files_that_others_may_read_are_a_problem()
    {
        if (OperatingSystem.IsWindows()) return;
        File.SetUnixFileMode(Database, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead);

        var ran = await _cli.Run("doctor");

        Assert.Equal(ExitCodes.Failed, ran.ExitCode);
        Assert.Contains($"every user of this machine may read or write {Database}", ran.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_database_server_is_examined_too_with_its_clock()
    {
        var fixture = new PostgresServer();
        await fixture.InitializeAsync();
        try
        {
            using var cli = Cli.Beside(fixture.Server);
            var said = await cli.Done("doctor");
            Assert.DoesNotContain("problem", said.Output, StringComparison.Ordinal);
            Assert.Matches(@"ok +clock: this machine's is 0\.\d s (ahead of|behind) the database's", said.Output);
            Assert.Contains("ok       schema: tables, columns, indexes and collations are as this program made them", said.Output, StringComparison.Ordinal);

            await fixture.Server.Sql("""ALTER TABLE "Clients" ALTER COLUMN "ClientId" TYPE character varying(2048) COLLATE "en-x-icu" """);
            await fixture.Server.Sql("""DROP INDEX "IX_Keys_Version" """);
            var ran = await cli.Run("doctor");
            Assert.Equal(ExitCodes.Failed, ran.ExitCode);
            Assert.Contains("the column Clients.ClientId does not compare by code points", ran.Output, StringComparison.Ordinal);
            Assert.Contains("the index IX_Keys_Version is missing", ran.Output, StringComparison.Ordinal);
        }
        finally
        {
            await fixture.DisposeAsync();
        }
    }

    private void Execute(string sql)
    {
        using var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = Database, Pooling = false }.ToString());
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private async Task<string> Dump() => (await ChildProcess.RunToEnd(["python3", "-c", "import sqlite3,sys; print('\\n'.join(sqlite3.connect(sys.argv[1]).iterdump()))", Database])).Output;
}
