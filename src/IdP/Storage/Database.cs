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
    SqlServer,
}

/// <summary>The way to the database. See <see cref="StorageFeature"/>.</summary>
internal sealed class Database : IDisposable
{
    /// <summary>How often a transaction is tried that the server undid for others' sake.</summary>
    internal const int Tries = 5;

    // What a request waits for a database that hangs, in seconds: what is under way when it begins to. New ones are refused by ChangePoll.
    private const int ConnectTimeout = 3;
    private const int CommandTimeout = 8;

    private readonly SqliteWriter? _writer;
    private readonly DbDataSource? _pool;
    private readonly Func<IdpDbContext> _open;
    private readonly string _sqlServer = "";

    /// <param name="options">Which engine, and where.</param>
    /// <param name="isServing">Whether callers wait for the answers: then a server that hangs is given up sooner than the drivers do by themselves. What the connection string says counts.</param>
    public Database(IdpOptions options, bool isServing = false)
    {
        Engine = ParseEngine(options.Storage.Provider);
        switch (Engine)
        {
            case Engine.Sqlite:
                File = Path.Combine(Path.GetFullPath(options.Storage.DataDirectory), "idp.db");
                SqliteConnectionString = new SqliteConnectionStringBuilder
                {
                    DataSource = File,
                    DefaultTimeout = options.Storage.BusyTimeoutSeconds,
                    ForeignKeys = true,
                    Mode = SqliteOpenMode.ReadWrite,
                }.ToString();
                var reads = new DbContextOptionsBuilder<SqliteIdpDbContext>().UseSqlite(SqliteConnectionString).Options;
                _open = () => new SqliteIdpDbContext(reads);
                _writer = new SqliteWriter(SqliteConnectionString, options.Storage.BusyTimeoutSeconds);
                break;
            case Engine.Postgres:
                var source = Pool(Parse(Given(options), isServing));
                _pool = source;
                var postgres = new DbContextOptionsBuilder<PostgresIdpDbContext>().UseNpgsql(source, engine =>
                {
                    if (options.Storage.MaxBatchSize is { } size) engine.MaxBatchSize(size);
                }).Options;
                _open = () => new PostgresIdpDbContext(postgres);
                break;
            default:
                _sqlServer = SqlServer.Parse(Given(options), isServing ? (ConnectTimeout, CommandTimeout) : null);
                _pool = SqlServer.Pool(_sqlServer);
                var sqlServer = SqlServer.Options(_sqlServer, options.Storage.MaxBatchSize);
                _open = () => new SqlServerIdpDbContext(sqlServer);
                break;
        }
    }

    /// <summary>A database that somebody else opens.</summary>
    internal Database(Engine engine, Func<IdpDbContext> open) => (Engine, _open) = (engine, open);

    public Engine Engine { get; }

    /// <summary>The embedded database's file; empty for a database server.</summary>
    public string File { get; } = "";

    public string SqliteConnectionString { get; } = "";

    /// <summary>Opens a context for reading.</summary>
    public IdpDbContext OpenForReading()
    {
        var db = _open();
        db.ChangeTracker.QueryTrackingBehavior = QueryTrackingBehavior.NoTracking;
        return db;
    }

    /// <summary>Opens a plain connection for a prepared statement.</summary>
    public DbConnection OpenConnection()
    {
        if (_pool is not null) return _pool.OpenConnection();
        var connection = new SqliteConnection(SqliteConnectionString);
        connection.Open();
        return connection;
    }

    /// <summary>A pooled connection to a database server.</summary>
    public ValueTask<DbConnection> Connect(CancellationToken ct) => _pool!.OpenConnectionAsync(ct);

    /// <summary>
    /// Runs a change in a transaction and returns when it is durable. An exception undoes this change and no other. A database server may undo
    /// it because of a deadlock, and then it runs again: what it does besides the database must bear that.
    /// </summary>
    public Task<T> Write<T>(Func<IdpDbContext, Task<T>> change, CancellationToken ct) =>
        DatabaseWatch.Writing(DatabaseWatch.Start(), _writer is not null ? _writer.Write(change, ct) : WriteToServer(change, ct));

    /// <summary>Changes that wait for the one writer of the embedded database.</summary>
    public int WaitingWrites => _writer?.Waiting ?? 0;

    /// <summary>Runs one statement on SQLite; see <see cref="PreparedStatements"/>.</summary>
    public Task<int> ExecuteSqlite(string sql, object[] values, CancellationToken ct) => _writer!.Execute(sql, values, ct);

    public Task<bool> ExecuteSqlite(IReadOnlyList<Statement> all, CancellationToken ct) => _writer!.Execute(all, ct);

    public Task Write(Func<IdpDbContext, Task> change, CancellationToken ct) =>
        Write<bool>(async db => { await change(db); return true; }, ct);

    private Task<T> WriteToServer<T>(Func<IdpDbContext, Task<T>> change, CancellationToken ct) => UntilItStands(async () =>
    {
        await using var db = _open();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var value = await change(db);
        await transaction.CommitAsync(ct);
        return value;
    });

    /// <summary>Runs what is one transaction, and again when the server has undone all of it for the sake of others.</summary>
    internal static async Task<T> UntilItStands<T>(Func<Task<T>> transaction)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await transaction();
            }
            catch (Exception failure) when (attempt < Tries && IsUndone(failure))
            {
                // Whoever stood in the way has gone on, so nothing is to be waited for.
            }
        }
    }

    private static string Given(IdpOptions options) => string.IsNullOrWhiteSpace(options.Storage.ConnectionString)
        ? throw new StorageException($"Storage:ConnectionString is empty: Storage:Provider is {options.Storage.Provider.ToLowerInvariant()}, so say where the database is.")
        : options.Storage.ConnectionString;

    // Of several servers only the one that can be written: the others follow it, and know what was revoked a little later.
    private static NpgsqlDataSource Pool(NpgsqlConnectionStringBuilder parsed)
    {
        if (parsed.Host?.Contains(',', StringComparison.Ordinal) != true) return NpgsqlDataSource.Create(parsed);
        parsed.Remove("Target Session Attributes");
        return new NpgsqlDataSourceBuilder(parsed.ConnectionString).BuildMultiHost().WithTargetSession(TargetSessionAttributes.Primary);
    }

    private static NpgsqlConnectionStringBuilder Parse(string connectionString, bool isServing)
    {
        try
        {
            // Nothing here leaves state in a session, so there is nothing to reset between two uses: it takes seven statements and a commit each time.
            var parsed = new NpgsqlConnectionStringBuilder(connectionString) { MaxAutoPrepare = 64, NoResetOnClose = true };
            if (!isServing) return parsed;
            if (!parsed.ShouldSerialize("Timeout")) parsed.Timeout = ConnectTimeout;
            if (!parsed.ShouldSerialize("Command Timeout")) parsed.CommandTimeout = CommandTimeout;
            return parsed;
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
        "sqlserver" => Engine.SqlServer,
        _ => throw new StorageException($"Storage:Provider is '{provider}': use sqlite, postgres or sqlserver."),
    };

    /// <summary>Whether the exception is a violated unique index or constraint, in the words of any engine.</summary>
    public static bool IsUniqueViolation(Exception exception) => exception is DbUpdateException { InnerException: { } inner } && IsUniqueViolationOfEngine(inner);

    internal static bool IsUniqueViolationOfEngine(Exception exception) => exception switch
    {
        SqliteException { SqliteExtendedErrorCode: 2067 or 1555 } or PostgresException { SqlState: PostgresErrorCodes.UniqueViolation } => true,
        SqliteException or NpgsqlException => false,
        _ => SqlServer.IsUniqueViolation(exception),
    };

    /// <summary>
    /// Whether the server has undone the transaction for the sake of others: a deadlock, or a row that changed under a snapshot. Never what may
    /// have been committed, such as a connection that broke.
    /// </summary>
    internal static bool IsUndone(Exception? exception) => exception switch
    {
        null => false,
        PostgresException { SqlState: PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.SerializationFailure } => true,
        DbUpdateException or InvalidOperationException => IsUndone(exception.InnerException),
        NpgsqlException => false,
        DbException => SqlServer.IsUndone(exception),
        _ => false,
    };

    public void Dispose()
    {
        _writer?.Dispose();
        _pool?.Dispose();
        if (Engine == Engine.Sqlite) SqliteConnection.ClearAllPools();
        else if (_sqlServer.Length > 0) SqlServer.ClosePool(_sqlServer);
    }
}
