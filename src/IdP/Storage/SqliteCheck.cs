using Microsoft.Data.Sqlite;

namespace IdP.Storage;

/// <summary>Whether a file of the embedded database is whole.</summary>
internal static class SqliteCheck
{
    /// <summary>What is wrong with it first; null when nothing is.</summary>
    public static string? Problem(SqliteConnection connection)
    {
        try
        {
            if (First(connection, "PRAGMA integrity_check(1)") is var found and not "ok") return found;
            return First(connection, """SELECT "table" || ' has a row without its ' || parent FROM pragma_foreign_key_check LIMIT 1""");
        }
        catch (SqliteException failure) when (failure.SqliteErrorCode is 11 or 26)
        {
            return failure.SqliteErrorCode == 26 ? "it is not a database" : "a page of it is torn";
        }
    }

    private static string? First(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteScalar() as string;
    }
}
