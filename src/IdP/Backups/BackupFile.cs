using System.Globalization;
using System.Reflection;
using IdP.Storage;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;

namespace IdP.Backups;

/// <summary>Where a backup comes from.</summary>
internal sealed record BackupManifest(string Program, string Engine, string Migration, DateTimeOffset CreatedAt, string? MasterKey)
{
    public static string ThisProgram { get; } = typeof(BackupManifest).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;
}

/// <summary>A copy of the embedded database with a table that says where it comes from.</summary>
internal static class BackupFile
{
    private const string Table = "BackupManifest";

    /// <summary>Writes a copy of the database as it is at one moment, while others write to it. The file is there whole or not at all.</summary>
    public static async Task<BackupManifest> Write(Database database, string? masterKey, string file, bool replaces, DateTimeOffset now, CancellationToken ct)
    {
        if (!replaces && File.Exists(file)) throw ChangeRefusedException.Conflict($"The file {file} is there already: name another, or say --replace.");
        var partial = $"{file}.partial";
        CreateEmpty(partial);
        try
        {
            var manifest = new BackupManifest(BackupManifest.ThisProgram, "sqlite", await LastMigration(database, ct), now, masterKey);
            // One read transaction: whoever writes goes on writing.
            using (var connection = (SqliteConnection)database.OpenConnection()) Execute(connection, "VACUUM INTO $file", ("$file", partial));
            using (var copy = Open(partial, SqliteOpenMode.ReadWrite))
            {
                RequireIntact(copy, partial);
                Execute(copy, "PRAGMA journal_mode = DELETE");
                Describe(copy, manifest);
            }
            using (var written = new FileStream(partial, FileMode.Open, FileAccess.ReadWrite)) written.Flush(flushToDisk: true);
            File.Move(partial, file, replaces);
            return manifest;
        }
        catch
        {
            File.Delete(partial);
            throw;
        }
    }

    /// <summary>Where a file comes from; null when it is a database that was copied by other means.</summary>
    public static BackupManifest? Read(string file)
    {
        using var connection = Open(file, SqliteOpenMode.ReadOnly);
        using var exists = connection.CreateCommand();
        exists.CommandText = "SELECT COUNT(*) FROM sqlite_master WHERE name = '" + Table + "'";
        if ((long)exists.ExecuteScalar()! == 0) return null;
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT Name, Value FROM " + Table;
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        using var rows = command.ExecuteReader();
        while (rows.Read()) values[rows.GetString(0)] = rows.GetString(1);
        return new BackupManifest(values["program"], values["engine"], values["migration"],
            DateTimeOffset.Parse(values["created_at"], CultureInfo.InvariantCulture), values.GetValueOrDefault("master_key"));
    }

    /// <summary>Folds a copy's write-ahead log into it.</summary>
    public static void TakeInLog(string file)
    {
        using var copy = Open(file, SqliteOpenMode.ReadWrite);
        Execute(copy, "PRAGMA wal_checkpoint(TRUNCATE)");
    }

    /// <summary>Makes a plain database of a copy.</summary>
    public static void Strip(string file)
    {
        using var copy = Open(file, SqliteOpenMode.ReadWrite);
        // The master key that may stand there does not stay in a free page.
        Execute(copy, "PRAGMA secure_delete = ON");
        Execute(copy, "DROP TABLE IF EXISTS " + Table);
        RequireIntact(copy, file);
        Execute(copy, "PRAGMA journal_mode = WAL");
    }

    private static void RequireIntact(SqliteConnection connection, string file)
    {
        if (SqliteCheck.Problem(connection) is { } problem)
            throw new StorageException($"The copy {file} is damaged ({problem}): try again, and if it stays so restore an older backup.");
    }

    private static void Describe(SqliteConnection copy, BackupManifest manifest)
    {
        Execute(copy, "DROP TABLE IF EXISTS " + Table);
        Execute(copy, "CREATE TABLE " + Table + " (Name TEXT PRIMARY KEY, Value TEXT NOT NULL)");
        Add("program", manifest.Program);
        Add("engine", manifest.Engine);
        Add("migration", manifest.Migration);
        Add("created_at", manifest.CreatedAt.UtcDateTime.ToString("O", CultureInfo.InvariantCulture));
        if (manifest.MasterKey is { } key) Add("master_key", key);

        void Add(string name, string value) => Execute(copy, "INSERT INTO " + Table + " VALUES ($name, $value)", ("$name", name), ("$value", value));
    }

    private static void CreateEmpty(string file)
    {
        try
        {
            PrivateFile.Open(file, FileMode.CreateNew).Dispose();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new StorageException(File.Exists(file)
                ? $"There is {file}: another backup is being written there, or one was interrupted; delete that file when there is none."
                : $"The file {file} cannot be written: name one in a folder that is there and that this user may write.", failure);
        }
    }

    private static async Task<string> LastMigration(Database database, CancellationToken ct)
    {
        await using var db = database.OpenForReading();
        return (await db.Database.GetAppliedMigrationsAsync(ct)).Last();
    }

    internal static SqliteConnection Open(string file, SqliteOpenMode mode)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = file, Mode = mode, Pooling = false }.ToString());
        connection.Open();
        return connection;
    }

    internal static void Execute(SqliteConnection connection, string sql, params (string Name, string Value)[] parameters)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        foreach (var (name, value) in parameters) command.Parameters.AddWithValue(name, value);
        command.ExecuteNonQuery();
    }
}
