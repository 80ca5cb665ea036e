using IdP.Testing;
using Microsoft.EntityFrameworkCore;

namespace IdP.Tests.Support;

/// <summary>What is in the database, table by table.</summary>
internal static class Rows
{
    /// <summary>The number of rows of every table.</summary>
    public static async Task<SortedDictionary<string, long>> Count(this IdpServer server)
    {
        await using var db = server.Database.OpenForReading();
        var counts = new SortedDictionary<string, long>(StringComparer.Ordinal);
        foreach (var table in Tables(db)) counts[table] = await Scalar(db, $"""SELECT COUNT(*) AS "Value" FROM "{table}" """);
        return counts;
    }

    /// <summary>The number of rows of one table.</summary>
    public static async Task<long> Count(this IdpServer server, string table)
    {
        await using var db = server.Database.OpenForReading();
        return await Scalar(db, $"""SELECT COUNT(*) AS "Value" FROM "{table}" """);
    }

    /// <summary>Everything in every table as text: strings as they are, bytes as hexadecimal and as base64.</summary>
    public static async Task<List<string>> Text(this IdpServer server)
    {
        await using var db = server.Database.OpenForReading();
        var found = new List<string>();
        foreach (var table in Tables(db).ToList())
        {
            await using var connection = server.Database.OpenConnection();
            await using var command = connection.CreateCommand();
            command.CommandText = $"""SELECT * FROM "{table}" """;
            await using var reader = await command.ExecuteReaderAsync();
            while (await reader.ReadAsync())
                for (var column = 0; column < reader.FieldCount; column++)
                {
                    if (reader.GetValue(column) is byte[] bytes) found.AddRange([$"{table}: {System.Text.Encoding.UTF8.GetString(bytes)}", $"{table}: {Convert.ToBase64String(bytes)}"]);
                    else found.Add($"{table}: {reader.GetValue(column)}");
                }
        }
        return found;
    }

    /// <summary>Runs SQL beside the server, as an accident would.</summary>
    public static async Task Sql(this IdpServer server, string sql)
    {
        await using var connection = server.Database.OpenConnection();
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        await command.ExecuteNonQueryAsync();
    }

    private static IEnumerable<string> Tables(DbContext db) => db.Model.GetEntityTypes().Select(type => type.GetTableName()!).Distinct().Order(StringComparer.Ordinal);

    private static async Task<long> Scalar(DbContext db, string sql) => (await db.Database.SqlQueryRaw<long>(sql).ToListAsync())[0];
}
