using Microsoft.Data.SqlClient;

namespace IdP.Testing;

/// <summary>
/// The one database that <c>IDP_TEST_SQLSERVER</c> names: it exists, it is empty, and it is empty again afterwards. No database is created or
/// dropped, and tests that use it run one after the other.
/// </summary>
public sealed class SqlServerDatabase
{
    /// <summary>Collection of the test classes that share it.</summary>
    public const string Collection = "SQL Server";

    // Who finds it knows that what else is in the database was made by a test that was killed.
    private const string Marker = "IdpTestSuite";

    private SqlServerDatabase(string connectionString) => ConnectionString = connectionString;

    /// <summary>Why there is none; null when there is one.</summary>
    public static string? Missing => Given is { Length: > 0 } ? null : "IDP_TEST_SQLSERVER is not set: give the connection string of an existing, empty SQL Server database";

    private static string? Given => Environment.GetEnvironmentVariable("IDP_TEST_SQLSERVER");

    public string ConnectionString { get; }

    /// <summary>Takes the database; refuses one with anybody's tables.</summary>
    public static async Task<SqlServerDatabase> Take()
    {
        var database = new SqlServerDatabase(Given ?? throw new InvalidOperationException(Missing));
        await database.Execute(
            $"""
            IF OBJECT_ID(N'{Marker}') IS NULL AND EXISTS (SELECT 1 FROM sys.tables)
                THROW 50000, 'The database that IDP_TEST_SQLSERVER names has tables: give an empty one.', 1;
            """);
        await database.Clean();
        await database.Execute($"CREATE TABLE {Marker} (Id int NOT NULL);");
        return database;
    }

    /// <summary>Removes every table; only ever called where the marker is, or there is none.</summary>
    public Task Clean() => Execute(RemoveTables);

    /// <summary>Keys first, so that no table stands in the way of another.</summary>
    public const string RemoveTables =
        """
        DECLARE @sql nvarchar(max) = N'';
        SELECT @sql += N'ALTER TABLE ' + QUOTENAME(OBJECT_SCHEMA_NAME(parent_object_id)) + N'.' + QUOTENAME(OBJECT_NAME(parent_object_id)) + N' DROP CONSTRAINT ' + QUOTENAME(name) + N';' FROM sys.foreign_keys;
        SELECT @sql += N'DROP TABLE ' + QUOTENAME(SCHEMA_NAME(schema_id)) + N'.' + QUOTENAME(name) + N';' FROM sys.tables;
        EXEC sp_executesql @sql;
        """;

    private async Task Execute(string sql)
    {
        await using var connection = new SqlConnection(ConnectionString);
        await connection.OpenAsync();
        await using var command = new SqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
