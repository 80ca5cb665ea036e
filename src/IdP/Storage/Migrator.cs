using System.Data.Common;
using System.Text.RegularExpressions;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql;

namespace IdP.Storage;

/// <summary>Brings the database to this program's version, or says in one sentence why it cannot be used.</summary>
internal static partial class Migrator
{
    // For a migration elsewhere that has not committed yet.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);
    private const int LockTries = 60;

    /// <summary>The migrations that a database has; none if it does not exist yet. Refuses one that this program cannot use or write; changes nothing.</summary>
    public static Task<IReadOnlyList<string>> Inspect(Database database, CancellationToken ct) => Explained(database, async () =>
    {
        if (database.Engine == Engine.Sqlite && !FileExists(database.File)) return [];
        await using var db = database.OpenForReading();
        if (database.Engine != Engine.Sqlite) db.Database.SetCommandTimeout(Patience);
        await RequireWritable(db, ct);
        return await Applied(db, ct);
    });

    /// <summary>Refuses a database that a newer version has changed, even in a way that this one can work with.</summary>
    public static async Task RequireNoneNewer(Database database, CancellationToken ct)
    {
        var applied = await Inspect(database, ct);
        await using var db = database.OpenForReading();
        if (applied.Except(db.Database.GetMigrations(), StringComparer.Ordinal).FirstOrDefault() is { } newer) throw TooNew(newer);
    }

    /// <summary>The migrations that a database lacks; all of them if it does not exist yet. Changes nothing.</summary>
    public static async Task<IReadOnlyList<string>> Missing(Database database, CancellationToken ct)
    {
        var applied = await Inspect(database, ct);
        await using var db = database.OpenForReading();
        return db.Database.GetMigrations().Except(applied, StringComparer.Ordinal).ToList();
    }

    /// <summary>What brings a database of this engine from whatever version to this program's, for people who run SQL themselves. Asks no database.</summary>
    public static string Script(Database database)
    {
        if (database.Engine == Engine.Sqlite)
            throw new StorageException("There is no script for the embedded database, which this program makes and changes itself: run 'IdP migrate', or set Storage:Provider.");
        using var db = database.OpenForReading();
        var script = db.GetService<IMigrator>().GenerateScript(options: MigrationsSqlGenerationOptions.Idempotent).ReplaceLineEndings("\n").Trim('\ufeff', '\n');
        return (database.Engine == Engine.SqlServer ? SqlServerPreamble : PostgresPreamble) + script + "\n";
    }

    private const string PostgresPreamble =
        """
        -- Brings the database to this version of the program, whatever version it has. Made by 'IdP migrate --script'.
        -- Run it so that it ends at the first failure: psql -v ON_ERROR_STOP=1 -f FILE


        """;

    // sqlcmd has QUOTED_IDENTIFIER off unless told, and with it off an index on a computed column cannot be made.
    private const string SqlServerPreamble =
        """
        -- Brings the database to this version of the program, whatever version it has. Made by 'IdP migrate --script'.
        -- Run it so that it ends at the first failure: sqlcmd -b -I -i FILE
        SET ANSI_NULLS, ANSI_PADDING, ANSI_WARNINGS, ARITHABORT, CONCAT_NULL_YIELDS_NULL, QUOTED_IDENTIFIER, XACT_ABORT ON;
        SET NUMERIC_ROUNDABORT OFF;
        GO


        """;

    /// <summary>Creates the embedded database if it is absent and applies what is missing.</summary>
    public static Task<IReadOnlyList<string>> Migrate(Database database, CancellationToken ct) => Explained(database, async () =>
    {
        if (database.Engine == Engine.Sqlite && !FileExists(database.File)) CreateFile(database.File);
        await using var db = database.OpenForReading();
        if (database.Engine != Engine.Sqlite)
        {
            // A database of a server that does not exist is an error here; EF would try to create it.
            await db.Database.OpenConnectionAsync(ct);
            // An index on a large table takes its time.
            db.Database.SetCommandTimeout(0);
        }
        var pending = await Pending(db, ct);
        if (pending.Count == 0) return pending;
        if (database.Engine == Engine.Sqlite) await RequireUnlocked(db, database.File, ct);
        await using var turn = database.Engine == Engine.Postgres ? await TakeTurn(database, ct) : null;
        pending = await Pending(db, ct);
        if (database.Engine == Engine.Postgres) await MigrateBetweenOthers(db, ct);
        else await db.Database.MigrateAsync(ct);
        return pending;
    });

    // Whoever waits for a table's lock has everybody wait who comes after: behind a dump, all that serve. So it is waited for shortly and often.
    private static async Task MigrateBetweenOthers(IdpDbContext db, CancellationToken ct)
    {
        await db.Database.ExecuteSqlRawAsync("SET lock_timeout = '2s'", ct);
        try
        {
            for (var attempt = 1; ; attempt++)
            {
                try
                {
                    await db.Database.MigrateAsync(ct);
                    return;
                }
                catch (PostgresException failure) when (failure.SqlState == PostgresErrorCodes.LockNotAvailable && attempt < LockTries)
                {
                    await Task.Delay(TimeSpan.FromSeconds(1), ct);
                }
            }
        }
        finally
        {
            // The connection goes back into the pool as it is.
            await db.Database.ExecuteSqlRawAsync("RESET lock_timeout", CancellationToken.None);
        }
    }

    // Several nodes that start at once: on SQL Server EF's own lock holds for all of it, but on PostgreSQL one of each migration, between which
    // another node may begin with what it saw before. This one ends with its connection, however that ends.
    private static async Task<DbConnection> TakeTurn(Database database, CancellationToken ct)
    {
        var connection = await database.Connect(ct);
        try
        {
            await using var command = connection.CreateCommand();
            command.Transaction = await connection.BeginTransactionAsync(ct);
            command.CommandText = "SELECT pg_advisory_xact_lock(5290190134230180449)";
            // A large migration takes its time.
            command.CommandTimeout = 0;
            await command.ExecuteNonQueryAsync(ct);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>Refuses a database that is absent, older or newer than this program.</summary>
    public static Task RequireCurrent(Database database, CancellationToken ct) => Explained(database, async () =>
    {
        if (database.Engine == Engine.Sqlite && !FileExists(database.File))
            throw new StorageException($"There is no database at {database.File}: run 'IdP migrate' or 'IdP serve' with the same --data first.");
        await using var db = database.OpenForReading();
        if (database.Engine != Engine.Sqlite) db.Database.SetCommandTimeout(Patience);
        var pending = await Pending(db, ct);
        if (pending.Count > 0)
            throw new StorageException($"The database lacks {pending.Count} migration(s): run 'IdP migrate' with the same settings first.");
        return pending;
    });

    /// <summary>Whether who reads waits for who writes: only SQL Server does, unless it is told to keep versions of rows.</summary>
    public static async Task<bool> ReadersWait(IdpDbContext db, CancellationToken ct) =>
        db.Engine == Engine.SqlServer && (await db.Database.SqlQueryRaw<int>(SnapshotSql).ToListAsync(ct))[0] == 0;

    private const string SnapshotSql = """SELECT CAST(is_read_committed_snapshot_on AS int) AS "Value" FROM sys.databases WHERE database_id = DB_ID()""";

    // Otherwise a start would succeed and the first change fail.
    private static async Task RequireWritable(IdpDbContext db, CancellationToken ct)
    {
        await db.Database.OpenConnectionAsync(ct);
        if (db.Database.GetDbConnection() is SqliteConnection { Handle: { } file } sqlite && SQLitePCL.raw.sqlite3_db_readonly(file, "main") == 1)
            throw new StorageException(ReadOnly($"database {sqlite.DataSource}"));
    }

    // On SQLite EF's lock is a row, which a program that is killed leaves behind; EF would wait for it for ever and say nothing.
    private static async Task RequireUnlocked(IdpDbContext db, string file, CancellationToken ct)
    {
        for (var attempt = 0; await Count("""SELECT COUNT(*) AS "Value" FROM sqlite_master WHERE name = '__EFMigrationsLock'""") > 0 &&
            await Count("""SELECT COUNT(*) AS "Value" FROM "__EFMigrationsLock" """) > 0; attempt++)
        {
            if (attempt == 10)
                throw new StorageException($"Another program brings the database {file} up to date, or was killed while it did: wait for it, or if there is none, run sqlite3 on the file with 'DROP TABLE __EFMigrationsLock'.");
            await Task.Delay(500, ct);
        }

        async Task<int> Count(string sql) => (await db.Database.SqlQueryRaw<int>(sql).ToListAsync(ct))[0];
    }

    private static async Task<IReadOnlyList<string>> Pending(IdpDbContext db, CancellationToken ct) =>
        db.Database.GetMigrations().Except(await Applied(db, ct), StringComparer.Ordinal).ToList();

    private static async Task<IReadOnlyList<string>> Applied(IdpDbContext db, CancellationToken ct)
    {
        var applied = (await db.GetService<IHistoryRepository>().GetAppliedMigrationsIfPresent(ct)).ToList();
        if (Forbidding(applied, db.Database.GetMigrations().ToList()) is { } newer) throw TooNew(newer);
        return applied;
    }

    private static StorageException TooNew(string migration) =>
        new($"The database has the migration {migration}, which this program does not know: start the newer program, or restore a backup made by this one.");

    /// <summary>
    /// The migration by which a database can no longer be used by a program that knows these; null when it can. The next version's migrations only
    /// add. One that takes something away ends its name in After and the number of the last migration of the version that has ceased to use it
    /// (DropOldNames_After20270301120000): who knows that one can work without.
    /// </summary>
    public static string? Forbidding(IReadOnlyCollection<string> applied, IReadOnlyCollection<string> known) => applied.Except(known, StringComparer.Ordinal)
        .FirstOrDefault(unknown => TakesAway().Match(unknown) is { Success: true } match && !known.Any(one => one.StartsWith(match.Groups["last"].Value, StringComparison.Ordinal)));

    [GeneratedRegex("_After(?<last>[0-9]{14})$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex TakesAway();

    private static async Task<IEnumerable<string>> GetAppliedMigrationsIfPresent(this IHistoryRepository history, CancellationToken ct) =>
        await history.ExistsAsync(ct) ? (await history.GetAppliedMigrationsAsync(ct)).Select(row => row.MigrationId) : [];

    private static bool FileExists(string file)
    {
        var folder = Path.GetDirectoryName(file)!;
        if (!Directory.Exists(folder))
            throw new StorageException($"The data folder {folder} does not exist: create it, or name another with --data.");
        return File.Exists(file);
    }

    private static void CreateFile(string file)
    {
        using var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = file, Pooling = false }.ToString());
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "PRAGMA journal_mode = WAL";
        command.ExecuteNonQuery();
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    private static async Task<T> Explained<T>(Database database, Func<Task<T>> work)
    {
        try
        {
            return await work();
        }
        catch (Exception failure) when (Explain(Name(database), failure) is { } sentence)
        {
            throw new StorageException(sentence, failure);
        }
    }

    private static string Name(Database database) => database.Engine == Engine.Sqlite ? $"database {database.File}" : "database";

    /// <summary>What an operator can do about a failure of the database, or null when we do not know.</summary>
    public static string? Explain(string database, Exception failure) => failure switch
    {
        StorageException => null,
        SqliteException { SqliteErrorCode: 5 or 6 } => $"The {database} is locked by another program: stop it, or try again when it has finished.",
        SqliteException { SqliteErrorCode: 8 } => ReadOnly(database),
        SqliteException { SqliteErrorCode: 14 } => $"The {database} cannot be opened: check that the folder exists and that this user may read and write it.",
        SqliteException { SqliteErrorCode: 26 or 11 } => $"The {database} is damaged or not one of this program's: restore a backup, or name another folder with --data.",
        SqliteException { SqliteErrorCode: 13 } => $"The disk of the {database} is full: free some space.",
        UnauthorizedAccessException => $"No access to the {database}: give this user write access to it and to its folder.",
        PostgresException { SqlState: "25006" } => ReadOnlyServer(Engine.Postgres),
        PostgresException { SqlState: PostgresErrorCodes.LockNotAvailable } => "A table stayed locked by others for minutes: let the dump or report that reads it end, or stop it, and try again.",
        PostgresException { SqlState: "28P01" or "28000" } => "PostgreSQL refused the user name or password of Storage:ConnectionString.",
        PostgresException { SqlState: "3D000" } => "The database that Storage:ConnectionString names does not exist: create it first.",
        PostgresException { SqlState: "42501" } => "The user of Storage:ConnectionString may not change the schema: grant it CREATE on the schema, or run 'IdP migrate' as one who may.",
        PostgresException { SqlState: PostgresErrorCodes.DuplicateTable or PostgresErrorCodes.DuplicateColumn or PostgresErrorCodes.DuplicateObject } refused =>
            $"PostgreSQL refused ({refused.SqlState}: {refused.MessageText}): the database has a part of this schema without the record of it; name an empty database, or restore a backup.",
        PostgresException { SqlState: PostgresErrorCodes.TooManyConnections } => "PostgreSQL has no connection left: raise its max_connections, or lower Maximum Pool Size in Storage:ConnectionString; every node has a pool of its own.",
        PostgresException { SqlState: PostgresErrorCodes.DiskFull } => "PostgreSQL's disk is full: free some space.",
        PostgresException { SqlState: PostgresErrorCodes.CannotConnectNow or PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown } => "PostgreSQL starts or stops at this moment: try again.",
        PostgresException refused => $"PostgreSQL refused ({refused.SqlState}): {refused.MessageText}",
        NpgsqlException => "PostgreSQL does not answer: check Storage:ConnectionString and that the server runs.",
        DbException when failure is not SqliteException => SqlServer.Explain(failure),
        { InnerException: { } inner } => Explain(database, inner),
        _ => null,
    };

    /// <summary>What is wrong with a server that answers and may not be written.</summary>
    public static string ReadOnlyServer(Engine engine) => $"{(engine == Engine.Postgres ? "PostgreSQL" : "The database")} is read-only: name the primary server in Storage:ConnectionString.";

    private static string ReadOnly(string database) => $"The {database} is read-only: give this user write access to the file and to its folder.";
}
