using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;

namespace IdP.Storage;

/// <summary>For 'dotnet ef' only: a context of each engine without a running server.</summary>
internal sealed class SqliteDesignTime : IDesignTimeDbContextFactory<SqliteIdpDbContext>
{
    public SqliteIdpDbContext CreateDbContext(string[] args) =>
        new(new DbContextOptionsBuilder<SqliteIdpDbContext>().UseSqlite("Data Source=:memory:").Options);
}

internal sealed class PostgresDesignTime : IDesignTimeDbContextFactory<PostgresIdpDbContext>
{
    public PostgresIdpDbContext CreateDbContext(string[] args) =>
        new(new DbContextOptionsBuilder<PostgresIdpDbContext>().UseNpgsql("Host=127.0.0.1").Options);
}

internal sealed class SqlServerDesignTime : IDesignTimeDbContextFactory<SqlServerIdpDbContext>
{
    public SqlServerIdpDbContext CreateDbContext(string[] args) =>
        new(new DbContextOptionsBuilder<SqlServerIdpDbContext>().UseSqlServer("Server=127.0.0.1").Options);
}
