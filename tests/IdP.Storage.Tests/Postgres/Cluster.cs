using IdP.Testing;
using Npgsql;
using Xunit;

namespace IdP.Storage.Tests.Postgres;

public sealed class Cluster
{
    [Fact]
    public async Task Databases_are_empty_apart_and_gone_after_disposal()
    {
        var first = await PostgresCluster.CreateDatabase();
        await using var second = await PostgresCluster.CreateDatabase();
        await Run(first, "CREATE TABLE t (x int)");

        await Run(second, "CREATE TABLE t (x int)");
        await first.DisposeAsync();

        var error = await Assert.ThrowsAsync<PostgresException>(() => Run(first, "SELECT 1"));
        Assert.Equal(PostgresErrorCodes.InvalidCatalogName, error.SqlState);
    }

    [Fact]
    public async Task Databases_can_be_created_at_the_same_time()
    {
        var databases = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => PostgresCluster.CreateDatabase()));

        Assert.Equal(4, databases.Select(database => database.ConnectionString).Distinct(StringComparer.Ordinal).Count());
        foreach (var database in databases) await database.DisposeAsync();
    }

    private static async Task Run(PostgresDatabase database, string sql)
    {
        await using var connection = new NpgsqlConnection(database.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
