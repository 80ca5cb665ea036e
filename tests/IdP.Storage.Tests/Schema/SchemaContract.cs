using IdP.Testing;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace IdP.Storage.Tests.Schema;

public sealed class SchemaContractOnSqlite(SqliteFixture fixture) : SchemaContractSuite(fixture), IClassFixture<SqliteFixture>
{
    protected override string Engine => "sqlite";

    protected override string Listing =>
        """
        SELECT 'table ' || m.name AS "Value" FROM sqlite_master m WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite\_%' ESCAPE '\' AND m.name NOT LIKE '\_\_EF%' ESCAPE '\'
        UNION ALL
        SELECT 'column ' || m.name || '.' || c.name || ' ' || lower(c.type) || CASE WHEN c."notnull" OR c.pk THEN ' not null' ELSE ' null' END
          || CASE WHEN c.dflt_value IS NOT NULL OR (c.pk AND c.type = 'INTEGER' AND (SELECT count(*) FROM pragma_table_info(m.name) k WHERE k.pk) = 1) THEN ' default' ELSE '' END
        FROM sqlite_master m JOIN pragma_table_info(m.name) c
        WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite\_%' ESCAPE '\' AND m.name NOT LIKE '\_\_EF%' ESCAPE '\'
        UNION ALL
        SELECT CASE WHEN i."unique" THEN 'unique index ' ELSE 'index ' END || m.name || ' ('
          || (SELECT group_concat(name, ', ') FROM (SELECT name FROM pragma_index_info(i.name) ORDER BY seqno)) || ')' || CASE WHEN i.partial THEN ' where' ELSE '' END
        FROM sqlite_master m JOIN pragma_index_list(m.name) i
        WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite\_%' ESCAPE '\' AND m.name NOT LIKE '\_\_EF%' ESCAPE '\' AND i.origin = 'c'
        """;
}

public sealed class SchemaContractOnPostgres(PostgresFixture fixture) : SchemaContractSuite(fixture), IClassFixture<PostgresFixture>
{
    protected override string Engine => "postgres";

    protected override string Listing =>
        """
        SELECT 'table ' || table_name AS "Value" FROM information_schema.tables WHERE table_schema = 'public' AND table_name NOT LIKE '\_\_EF%'
        UNION ALL
        SELECT 'column ' || table_name || '.' || column_name || ' ' || data_type || CASE WHEN is_nullable = 'NO' THEN ' not null' ELSE ' null' END
          || CASE WHEN column_default IS NOT NULL OR is_identity = 'YES' THEN ' default' ELSE '' END
        FROM information_schema.columns WHERE table_schema = 'public' AND table_name NOT LIKE '\_\_EF%'
        UNION ALL
        SELECT CASE WHEN x.indisunique THEN 'unique index ' ELSE 'index ' END || t.relname || ' ('
          || (SELECT string_agg(pg_get_indexdef(x.indexrelid, k.position::int, true), ', ' ORDER BY k.position) FROM generate_series(1, x.indnkeyatts) AS k(position)) || ')'
          || CASE WHEN x.indpred IS NOT NULL THEN ' where' ELSE '' END
        FROM pg_index x JOIN pg_class t ON t.oid = x.indrelid JOIN pg_namespace n ON n.oid = t.relnamespace
        WHERE n.nspname = 'public' AND NOT x.indisprimary AND t.relname NOT LIKE '\_\_EF%'
        """;
}

/// <summary>
/// During an upgrade the previous release runs beside this one on the migrated database. So migrations may only add (expand); what the
/// previous release still uses goes one release later (contract). The listings in Schema/contract are those of the last release: they are
/// rewritten when one is made (IDP_WRITE_SCHEMA_CONTRACT=1), and never to make this test pass.
/// </summary>
public abstract class SchemaContractSuite(StorageFixture fixture)
{
    protected abstract string Engine { get; }

    /// <summary>One line for each table, column and index.</summary>
    protected abstract string Listing { get; }

    private string File => Path.Combine(ChildProcess.Repository, "tests", "IdP.Storage.Tests", "Schema", "contract", Engine + ".txt");

    [Fact]
    public async Task The_last_release_can_work_on_the_schema_of_this_one()
    {
        await using var db = fixture.Database.OpenForReading();
        var now = (await db.Database.SqlQueryRaw<string>(Listing).ToListAsync()).Order(StringComparer.Ordinal).ToList();
        if (Environment.GetEnvironmentVariable("IDP_WRITE_SCHEMA_CONTRACT") is { Length: > 0 }) await System.IO.File.WriteAllLinesAsync(File, now);

        var broken = SchemaChanges.Breaking(await System.IO.File.ReadAllLinesAsync(File), now);

        Assert.True(broken.Count == 0, "Nodes of the last release could not work on this schema:" + string.Concat(broken.Select(b => "\n- " + b)));
    }
}

/// <summary>What one listing of a schema takes away from a program that was written for another.</summary>
internal static class SchemaChanges
{
    public static List<string> Breaking(IReadOnlyCollection<string> before, IReadOnlyCollection<string> after)
    {
        var (old, now) = (Columns(before), Columns(after));
        var tables = Of(before, "table ");
        var broken = new List<string>();
        foreach (var table in tables.Except(Of(after, "table ")))
            broken.Add($"the table {table} is gone or renamed: keep it for one release, and write to both where a new one takes its place");
        foreach (var (name, column) in old)
        {
            if (tables.Except(Of(after, "table ")).Contains(Table(name))) continue;
            if (!now.TryGetValue(name, out var changed)) broken.Add($"the column {name} is gone or renamed: keep it, nullable or with a default, and drop it in the release after the next");
            else if (changed.Type != column.Type) broken.Add($"the column {name} was {column.Type} and is {changed.Type}: add a new column and fill both");
            else if (column.IsNullable && !changed.IsNullable) broken.Add($"the column {name} has become NOT NULL, and the last release writes NULL: demand it in the release after the next");
            else if (!column.IsNullable && changed.IsNullable) broken.Add($"the column {name} has become nullable, and the last release reads it as never NULL: write no NULL before the release after the next");
            else if (column.HasDefault && !changed.HasDefault) broken.Add($"the column {name} has lost its default, and the last release may leave it out: keep the default");
        }
        foreach (var (name, column) in now)
            if (tables.Contains(Table(name)) && !old.ContainsKey(name) && !column.IsNullable && !column.HasDefault)
                broken.Add($"the new column {name} is NOT NULL without a default, and the last release does not write it: give it a default");
        foreach (var index in before.Where(IsIndex).Except(after, StringComparer.Ordinal))
            broken.Add($"the {index} is gone: the last release looks by it, or relies on it being unique: drop it in the release after the next");
        foreach (var index in after.Where(l => l.StartsWith("unique index ", StringComparison.Ordinal)).Except(before, StringComparer.Ordinal))
        {
            var table = index["unique index ".Length..index.IndexOf(" (", StringComparison.Ordinal)];
            var columns = index[(index.IndexOf('(', StringComparison.Ordinal) + 1)..index.IndexOf(')', StringComparison.Ordinal)].Split(", ").Select(c => $"{table}.{c.Trim('"')}");
            if (tables.Contains(table) && columns.All(old.ContainsKey))
                broken.Add($"the {index} is new, and the last release may write what it forbids: make columns unique one release after the code keeps them so");
        }
        return broken;
    }

    private static bool IsIndex(string line) => line.StartsWith("index ", StringComparison.Ordinal) || line.StartsWith("unique index ", StringComparison.Ordinal);

    private static HashSet<string> Of(IEnumerable<string> lines, string kind) =>
        lines.Where(l => l.StartsWith(kind, StringComparison.Ordinal)).Select(l => l[kind.Length..]).ToHashSet(StringComparer.Ordinal);

    private static string Table(string column) => column[..column.IndexOf('.', StringComparison.Ordinal)];

    private static Dictionary<string, Column> Columns(IEnumerable<string> lines)
    {
        var columns = new Dictionary<string, Column>(StringComparer.Ordinal);
        foreach (var line in Of(lines, "column "))
        {
            var text = line.EndsWith(" default", StringComparison.Ordinal) ? line[..^" default".Length] : line;
            var isNullable = !text.EndsWith(" not null", StringComparison.Ordinal);
            text = text[..^(isNullable ? " null" : " not null").Length];
            var space = text.IndexOf(' ', StringComparison.Ordinal);
            columns[text[..space]] = new Column(text[(space + 1)..], isNullable, line.EndsWith(" default", StringComparison.Ordinal));
        }
        return columns;
    }

    private sealed record Column(string Type, bool IsNullable, bool HasDefault);
}

public sealed class SchemaChangesThatBreak
{
    private static readonly string[] Release =
    [
        "table Apps", "column Apps.Id text not null", "column Apps.Name text null", "column Apps.Kind integer not null default", "index Apps (Name)", "unique index Apps (Id, Name)",
    ];

    [Fact]
    public void A_schema_can_follow_itself() => Assert.Empty(SchemaChanges.Breaking(Release, Release));

    [Fact]
    public void What_is_only_added_breaks_nothing() =>
        Assert.Empty(SchemaChanges.Breaking(Release,
        [
            .. Release, "column Apps.Note text null", "column Apps.Size integer not null default", "table Logs", "column Logs.Id text not null", "unique index Logs (Id)", "index Apps (Kind)",
            "unique index Apps (Note)",
        ]));

    [Theory]
    [InlineData("column Apps.Name text null", "", "Apps.Name is gone or renamed")]
    [InlineData("column Apps.Name text null", "column Apps.Title text null", "Apps.Name is gone or renamed")]
    [InlineData("column Apps.Name text null", "column Apps.Name text not null", "Apps.Name has become NOT NULL")]
    [InlineData("column Apps.Name text null", "column Apps.Name text not null default", "Apps.Name has become NOT NULL")]
    [InlineData("column Apps.Id text not null", "column Apps.Id text null", "Apps.Id has become nullable")]
    [InlineData("column Apps.Id text not null", "column Apps.Id uuid not null", "was text and is uuid")]
    [InlineData("column Apps.Kind integer not null default", "column Apps.Kind integer not null", "Apps.Kind has lost its default")]
    [InlineData("table Apps", "", "table Apps is gone")]
    [InlineData("index Apps (Name)", "", "the index Apps (Name) is gone")]
    [InlineData("unique index Apps (Id, Name)", "index Apps (Id, Name)", "the unique index Apps (Id, Name) is gone")]
    [InlineData("", "column Apps.Size integer not null", "new column Apps.Size is NOT NULL without a default")]
    [InlineData("", "unique index Apps (Kind)", "unique index Apps (Kind) is new")]
    public void What_the_last_release_needs_must_stay(string was, string becomes, string explanation)
    {
        var after = Release.Where(line => line != was).Append(becomes).Where(line => line.Length > 0).ToList();

        Assert.Contains(explanation, Assert.Single(SchemaChanges.Breaking(Release, after)), StringComparison.Ordinal);
    }
}
