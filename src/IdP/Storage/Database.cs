using System.Data.Common;
using IdP.Observability;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace IdP.Storage;

internal enum Engine
{
    Sqlite,
    Postgres,
}

/// <summary>The way to the database. See <see cref="StorageFeature"/>.</summary>
internal sealed class Database : IDisposable
{
    private readonly SqliteWriter? _writer;
    private readonly NpgsqlDataSource? _postgres;
    private readonly DbContextOptions<SqliteIdpDbContext>? _sqliteReads;
    private readonly DbContextOptions<PostgresIdpDbContext>? _postgresOptions;

    public Database(IdpOptions options)
    {
        Engine = ParseEngine(options.Storage.Provider);
        if (Engine == Engine.Sqlite)
        {
            File = Path.Combine(Path.GetFullPath(options.Storage.DataDirectory), "idp.db");
            SqliteConnectionString = new SqliteConnectionStringBuilder
            {
                DataSource = File,
                DefaultTimeout = options.Storage.BusyTimeoutSeconds,
                ForeignKeys = true,
                Mode = SqliteOpenMode.ReadWrite,
            }.ToString();
            _sqliteReads = new DbContextOptionsBuilder<SqliteIdpDbContext>().UseSqlite(SqliteConnectionString).Options;
            _writer = new SqliteWriter(SqliteConnectionString, options.Storage.BusyTimeoutSeconds);
        }
        else
        {
            if (string.IsNullOrWhiteSpace(options.Storage.ConnectionString))
                throw new StorageException("Storage:ConnectionString is empty: Storage:Provider is postgres, so say where the database is.");
            _postgres = NpgsqlDataSource.Create(Parse(options.Storage.ConnectionString));
            _postgresOptions = new DbContextOptionsBuilder<PostgresIdpDbContext>().UseNpgsql(_postgres).Options;
        }
    }

    public Engine Engine { get; }

    /// <summary>The embedded database's file; empty for a database server.</summary>
    public string File { get; } = "";

    public string SqliteConnectionString { get; } = "";

    /// <summary>Opens a context for reading.</summary>
    public IdpDbContext OpenForReading()
    {
        IdpDbContext db = Engine == Engine.Sqlite ? new SqliteIdpDbContext(_sqliteReads!) : new PostgresIdpDbContext(_postgresOptions!);
        db.ChangeTracker.QueryTrackingBehavior = QueryTrackingBehavior.NoTracking;
        return db;
    }

    /// <summary>Opens a plain connection for a prepared statement.</summary>
    public DbConnection OpenConnection()
    {
        if (Engine == Engine.Postgres) return _postgres!.OpenConnection();
        var connection = new SqliteConnection(SqliteConnectionString);
        connection.Open();
        return connection;
    }

    public ValueTask<NpgsqlConnection> OpenPostgres(CancellationToken ct) => _postgres!.OpenConnectionAsync(ct);

    /// <summary>Runs a change in a transaction and returns when it is durable. An exception undoes this change and no other.</summary>
    public Task<T> Write<T>(Func<IdpDbContext, Task<T>> change, CancellationToken ct) =>
        DatabaseWatch.Writing(DatabaseWatch.Start(), _writer is not null ? _writer.Write(change, ct) : WritePostgres(change, ct));

    /// <summary>Changes that wait for the one writer of the embedded database.</summary>
    public int WaitingWrites => _writer?.Waiting ?? 0;

    /// <summary>Runs one statement on SQLite; see <see cref="PreparedStatements"/>.</summary>
    public Task<int> ExecuteSqlite(string sql, object[] values, CancellationToken ct) => _writer!.Execute(sql, values, ct);

    public Task<bool> ExecuteSqlite(IReadOnlyList<Statement> all, CancellationToken ct) => _writer!.Execute(all, ct);

    public Task Write(Func<IdpDbContext, Task> change, CancellationToken ct) =>
        Write<bool>(async db => { await change(db); return true; }, ct);

    private async Task<T> WritePostgres<T>(Func<IdpDbContext, Task<T>> change, CancellationToken ct)
    {
        await using var db = new PostgresIdpDbContext(_postgresOptions!);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var value = await change(db);
        await transaction.CommitAsync(ct);
        return value;
    }

    private static NpgsqlConnectionStringBuilder Parse(string connectionString)
    {
        try
        {
            return new NpgsqlConnectionStringBuilder(connectionString) { MaxAutoPrepare = 64 };
        }
        catch (Exception failure) when (failure is ArgumentException or FormatException)
        {
            // Not its text: that has the password.
            throw new StorageException("Storage:ConnectionString is not one that PostgreSQL's driver reads: it looks like Host=db.example;Username=idp;Password=...;Database=idp.");
        }
    }

    private static Engine ParseEngine(string provider) => provider.ToLowerInvariant() switch
    {
        "sqlite" => Engine.Sqlite,
        "postgres" or "postgresql" => Engine.Postgres,
        _ => throw new StorageException($"Storage:Provider is '{provider}': use sqlite or postgres."),
    };

    /// <summary>Whether the exception is a violated unique index or constraint, in the words of either engine.</summary>
    public static bool IsUniqueViolation(Exception exception) => exception is DbUpdateException
    {
        InnerException: SqliteException { SqliteExtendedErrorCode: 2067 or 1555 } or PostgresException { SqlState: PostgresErrorCodes.UniqueViolation },
    };

    public void Dispose()
    {
        _writer?.Dispose();
        _postgres?.Dispose();
        if (Engine == Engine.Sqlite) SqliteConnection.ClearAllPools();
    }
}
