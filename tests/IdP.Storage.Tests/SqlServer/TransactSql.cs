using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.SqlServer.TransactSql.ScriptDom;
using Xunit;

namespace IdP.Storage.Tests.SqlServer;

/// <summary>Reads Transact-SQL as Microsoft's own parser of SQL Server 2022 does, with quoted identifiers as the driver has them.</summary>
internal static class TransactSql
{
    private static readonly HashSet<string> Columns = Names();

    public static TSqlFragment Parse(string sql)
    {
        var fragment = new TSql160Parser(initialQuotedIdentifiers: true).Parse(new StringReader(sql), out var problems);
        Assert.True(problems.Count == 0, $"{string.Join("; ", problems.Select(p => $"line {p.Line}: {p.Message}"))} in\n{sql}");
        return fragment;
    }

    /// <summary>The same for a statement of the product, whose columns must be those of the model: TRUE would be taken for one.</summary>
    public static void ParseStatement(string sql)
    {
        var seen = new Seen();
        Parse(sql).Accept(seen);
        Assert.True(seen.Statements > 0, $"nothing in {sql}");
        Assert.All(seen.Read, name => Assert.True(Columns.Contains(name) || seen.Named.Contains(name), $"{name} is no column, in\n{sql}"));
    }

    public static SqlServerIdpDbContext Context() => new(Storage.SqlServer.Options("Server=127.0.0.1", maxBatchSize: null));

    private static HashSet<string> Names()
    {
        using var db = Context();
        return [.. db.Model.GetRelationalModel().Tables.SelectMany(table => table.Columns).Select(column => column.Name), "MigrationId", "ProductVersion", "is_read_committed_snapshot_on", "database_id"];
    }

    private sealed class Seen : TSqlFragmentVisitor
    {
        public int Statements { get; private set; }
        public List<string> Read { get; } = [];
        public HashSet<string> Named { get; } = [];

        public override void Visit(TSqlStatement node) => Statements++;

        public override void Visit(ColumnReferenceExpression node)
        {
            if (node.MultiPartIdentifier is { } name) Read.Add(name.Identifiers[^1].Value);
        }

        public override void Visit(SelectScalarExpression node)
        {
            if (node.ColumnName is { } name) Named.Add(name.Value);
        }

        public override void Visit(TableReferenceWithAliasAndColumns node) => Named.UnionWith(node.Columns.Select(column => column.Value));
    }
}
