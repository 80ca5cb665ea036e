using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;

namespace IdP.Storage;

/// <summary>Whether a database has what the model wants, whatever its list of migrations says: tables, columns, indexes, and how text compares.</summary>
internal static class SchemaCheck
{
    /// <summary>What is missing or otherwise; nothing when the database is as the migrations made it.</summary>
    public static async Task<List<string>> Problems(Database database, CancellationToken ct)
    {
        await using var db = database.OpenForReading();
        var model = db.GetService<IDesignTimeModel>().Model.GetRelationalModel();
        var columns = await Names(db, Columns(database.Engine), ct);
        var indexes = await Names(db, Indexes(database.Engine), ct);
        var problems = new List<string>();
        foreach (var table in model.Tables)
        {
            var missing = table.Columns.Select(column => column.Name).Where(name => !columns.Contains($"{table.Name}.{name}")).ToList();
            if (missing.Count == table.Columns.Count()) problems.Add($"the table {table.Name} is missing");
            else if (missing.Count > 0) problems.Add($"the table {table.Name} lacks {string.Join(", ", missing)}");
            else problems.AddRange(table.Indexes.Where(index => !indexes.Contains(index.Name)).Select(index => $"the {(index.IsUnique ? "unique index" : "index")} {index.Name} is missing"));
        }
        problems.AddRange((await Names(db, OtherCollations(database.Engine), ct)).Order(StringComparer.Ordinal).Select(name => $"the column {name} does not compare by code points"));
        return problems;
    }

    private static async Task<HashSet<string>> Names(IdpDbContext db, string sql, CancellationToken ct) => [.. await db.Database.SqlQueryRaw<string>(sql).ToListAsync(ct)];

    private static string Columns(Engine engine) => engine switch
    {
        Engine.Sqlite => """SELECT m.name || '.' || c.name AS "Value" FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table'""",
        Engine.Postgres => """SELECT table_name || '.' || column_name AS "Value" FROM information_schema.columns WHERE table_schema = current_schema()""",
        _ => """SELECT TABLE_NAME + '.' + COLUMN_NAME AS "Value" FROM INFORMATION_SCHEMA.COLUMNS WHERE TABLE_SCHEMA = SCHEMA_NAME()""",
    };

    private static string Indexes(Engine engine) => engine switch
    {
        Engine.Sqlite => """SELECT name AS "Value" FROM sqlite_master WHERE type = 'index'""",
        Engine.Postgres => """SELECT indexname::text AS "Value" FROM pg_indexes WHERE schemaname = current_schema()""",
        _ => """SELECT name AS "Value" FROM sys.indexes WHERE name IS NOT NULL""",
    };

    // UNI-07: identifiers and credentials must not match by case or accent.
    private static string OtherCollations(Engine engine) => engine switch
    {
        // Without a word a column of SQLite compares bytes.
        Engine.Sqlite =>
            """
            SELECT m.name || '.' || c.name AS "Value" FROM sqlite_master m JOIN pragma_table_info(m.name) c
            WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name NOT LIKE '\_\_EF%' ESCAPE '\'
            AND c.type = 'TEXT' AND m.sql LIKE '%"' || c.name || '" TEXT%COLLATE%' AND m.sql NOT LIKE '%"' || c.name || '" TEXT%COLLATE BINARY%'
            """,
        Engine.Postgres =>
            """
            SELECT table_name || '.' || column_name AS "Value" FROM information_schema.columns
            WHERE table_schema = current_schema() AND table_name NOT LIKE '\_\_EF%' AND data_type IN ('text', 'character varying') AND collation_name IS DISTINCT FROM 'C'
            """,
        _ =>
            """
            SELECT TABLE_NAME + '.' + COLUMN_NAME AS "Value" FROM INFORMATION_SCHEMA.COLUMNS
            WHERE TABLE_SCHEMA = SCHEMA_NAME() AND TABLE_NAME NOT LIKE '[_][_]EF%' AND COLLATION_NAME IS NOT NULL AND COLLATION_NAME NOT LIKE '%[_]BIN2'
            """,
    };
}
