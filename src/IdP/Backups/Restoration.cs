using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using IdP.Audit;
using IdP.Keys;
using IdP.Storage;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;

namespace IdP.Backups;

/// <summary>What a restore was asked to do.</summary>
internal sealed record RestoreRequest(string File, bool Replaces, bool KeepsTokens, bool KeepsApiKeys);

/// <summary>What a restore has done.</summary>
internal sealed record Restored(BackupManifest? Backup, IReadOnlyList<string> Migrations, Ended? Ended, string? KeptAside, bool WroteMasterKey);

/// <summary>
/// Puts a backup in the place of the embedded database. All that can fail happens on a copy in a folder beside it; then one rename. Whoever
/// pulls the plug at any moment finds the old database or the new one.
/// </summary>
internal static class Restoration
{
    /// <summary>The folder, in that of the data, in which a copy is prepared.</summary>
    public const string Preparing = "restoring";

    /// <summary>A file that tells the next start that nothing was ended.</summary>
    public static string KeptMark(IdpOptions options) => Path.Combine(Path.GetFullPath(options.Storage.DataDirectory), "restored-with-tokens");

    public static async Task<Restored> Run(IdpOptions options, RestoreRequest request, DateTimeOffset now, CancellationToken ct)
    {
        var folder = Path.GetFullPath(options.Storage.DataDirectory);
        var target = Path.Combine(folder, "idp.db");
        if (!Directory.Exists(folder)) throw new StorageException($"The data folder {folder} does not exist: create it, or name another with --data.");
        if (!File.Exists(request.File)) throw ChangeRefusedException.NotFound($"There is no file {request.File}.");
        if (File.Exists(target) && !request.Replaces)
            throw ChangeRefusedException.Conflict($"There is a database in {folder}: name an empty folder with --data, or say --replace, which keeps the old one beside the new one.");

        // 1. Nobody works with the old one from here on.
        using var old = File.Exists(target) ? Take(target) : null;
        string? kept = null;
        var aside = Path.Combine(folder, Preparing);
        if (Directory.Exists(aside)) Directory.Delete(aside, recursive: true);
        try
        {
            // 2. Prepare the new one.
            var (backup, copy) = Copy(request.File, aside);
            var (masters, masterKeyFile) = Masters(options, copy, backup);
            var (migrations, ended) = await Prepare(options, aside, masters, request, backup, now, ct);

            FolderOwner.Give(copy, folder);

            // 3. Change over. The master keys first: the file then opens the old database and the new one.
            if (masterKeyFile is not null) Replace(MasterKeys.FileOf(options), masterKeyFile);
            if (request.KeepsTokens) Replace(KeptMark(options), now.UtcDateTime.ToString("u", CultureInfo.InvariantCulture));
            else File.Delete(KeptMark(options));
            kept = Swap(copy, target, now);
            // Whoever has opened the old file meanwhile waits for its lock. If it got it, it would write the log of the new one, which has its name:
            // it gives up first.
            if (old is not null) await Task.Delay(TimeSpan.FromSeconds(options.Storage.BusyTimeoutSeconds + 1), CancellationToken.None);
            return new Restored(backup, migrations, ended, kept, masterKeyFile is not null);
        }
        finally
        {
            if (Directory.Exists(aside)) Directory.Delete(aside, recursive: true);
            old?.Dispose();
            if (old is not null) UseLog(kept ?? target);
        }
    }

    // As servers have it.
    private static void UseLog(string file)
    {
        using var connection = BackupFile.Open(file, SqliteOpenMode.ReadWrite);
        BackupFile.Execute(connection, "PRAGMA journal_mode = WAL");
    }

    // Leaving the WAL takes every lock there is, so it fails while anybody has the file open; and it makes the database one file.
    private static SqliteConnection? Take(string target)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = target, Mode = SqliteOpenMode.ReadWrite, Pooling = false, DefaultTimeout = 2 }.ToString());
        try
        {
            connection.Open();
            using var leave = connection.CreateCommand();
            leave.CommandText = "PRAGMA journal_mode = DELETE";
            if (leave.ExecuteScalar() as string != "delete") throw InUse(target);
            BackupFile.Execute(connection, "PRAGMA locking_mode = EXCLUSIVE");
            BackupFile.Execute(connection, "BEGIN EXCLUSIVE");
            return connection;
        }
        catch (SqliteException failure) when (failure.SqliteErrorCode is 5 or 6)
        {
            connection.Dispose();
            throw InUse(target);
        }
        catch (SqliteException failure) when (failure.SqliteErrorCode is 11 or 26)
        {
            // Damaged: that is why it is replaced.
            connection.Dispose();
            return null;
        }
    }

    private static ChangeRefusedException InUse(string target) =>
        ChangeRefusedException.Conflict($"A program uses the database {target}: stop the server, and let commands finish, before it is replaced.");

    private static (BackupManifest? Backup, string Copy) Copy(string file, string aside)
    {
        var copy = Path.Combine(aside, "idp.db");
        try
        {
            CreateFolder(aside);
            File.Copy(file, copy);
            // A database that was copied by other means may have its last changes there.
            if (File.Exists($"{file}-wal")) File.Copy($"{file}-wal", $"{copy}-wal");
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new StorageException($"{file} cannot be copied into {aside}: give this user access to both, and see that there is room.", failure);
        }
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(copy, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        try
        {
            if (File.Exists($"{copy}-wal")) BackupFile.TakeInLog(copy);
            var backup = BackupFile.Read(copy);
            BackupFile.Strip(copy);
            return (backup, copy);
        }
        catch (Exception failure) when (failure is SqliteException { SqliteErrorCode: 11 or 26 } or StorageException)
        {
            throw new StorageException($"{file} is damaged or no backup: take another one.", failure);
        }
    }

    private static void CreateFolder(string folder)
    {
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(folder);
        else Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    /// <summary>The master keys that open the copy, and what must stand in the master key file for that; null when it does already.</summary>
    private static (MasterKeys Masters, string? File) Masters(IdpOptions options, string copy, BackupManifest? backup)
    {
        var sealedWith = SealedWith(copy);
        var here = MasterKeys.Find(options);
        if (here is not null && sealedWith.TrueForAll(here.Has)) return (here, null);
        if (backup?.MasterKey is not { } inBackup)
        {
            throw new StorageException(here is null
                ? $"There is no master key: put the one of the backup into {MasterKeys.FileOf(options)}, or set Keys:MasterKey."
                : $"The keys in the backup are sealed with master key {sealedWith.Find(id => !here.Has(id))}, which is not among the configured ones: add the master key of that time to the master key file or Keys:MasterKey.");
        }
        if (options.Keys.MasterKey is { Length: > 0 } || options.Keys.MasterKeyCertificate is { Length: > 0 })
            throw new StorageException("The master key in the backup is not the configured one: leave Keys:MasterKey and Keys:MasterKeyCertificate out for the restore, and the backup's is written into the master key file.");
        // All open: whoever takes the old database back needs the old one.
        var all = here is null ? inBackup : $"{inBackup} {here.Text}";
        return (MasterKeys.Parse(all, "The backup"), all.Replace(" ", Environment.NewLine, StringComparison.Ordinal) + Environment.NewLine);
    }

    private static List<string> SealedWith(string copy)
    {
        using var connection = BackupFile.Open(copy, SqliteOpenMode.ReadWrite);
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT DISTINCT MasterKeyId FROM Keys";
        var ids = new List<string>();
        try
        {
            using var rows = command.ExecuteReader();
            while (rows.Read()) ids.Add(rows.GetString(0));
        }
        catch (SqliteException failure) when (failure.SqliteErrorCode == 1)
        {
            throw new StorageException("The file is a database, but not one of this program's: take another one.", failure);
        }
        return ids;
    }

    private static async Task<(IReadOnlyList<string>, Ended?)> Prepare(IdpOptions options, string aside, MasterKeys masters, RestoreRequest request, BackupManifest? backup, DateTimeOffset now, CancellationToken ct)
    {
        using var database = new Database(new IdpOptions { Storage = new StorageOptions { DataDirectory = aside, BusyTimeoutSeconds = options.Storage.BusyTimeoutSeconds } });
        // What a newer version keeps could not be ended here.
        await Migrator.RequireNoneNewer(database, ct);
        var migrations = await Migrator.Migrate(database, ct);
        await using (var db = database.OpenForReading())
            foreach (var key in await db.Set<StoredKey>().ToListAsync(ct)) CryptographicOperations.ZeroMemory(masters.Open(key.Sealed, key.MasterKeyId, KeyStatements.Associated(key)));
        var ended = await database.Write(async db =>
        {
            // The clock of this machine may be behind the time that the backup has seen.
            var state = await db.Set<ServerState>().SingleAsync(ct);
            var at = Instant.Later(now, state.ClockHighWater);
            var ended = request.KeepsTokens ? null : await AfterRestore.End(db, masters, request.KeepsApiKeys, options, at, ct);
            AuditEvent.Record(db, at, new DatabaseRestored(
                Told.Of(request.KeepsTokens ? "kept" : "ended"), request.KeepsApiKeys ? Told.Of("kept") : null,
                backup is null ? null : Told.Of(backup.CreatedAt.UtcDateTime.ToString("u", CultureInfo.InvariantCulture))), "cli");
            await db.SaveChangesAsync(ct);
            return ended;
        }, ct);
        return (migrations, ended);
    }

    /// <summary>The rename; where the old one is now, if there was one.</summary>
    private static string? Swap(string copy, string target, DateTimeOffset now)
    {
        using (var written = new FileStream(copy, FileMode.Open, FileAccess.ReadWrite)) written.Flush(flushToDisk: true);
        var kept = $"{target}.replaced-{now.UtcDateTime:yyyyMMdd'T'HHmmss'Z'}";
        // A log that the old one has left, because it is damaged or was taken away, must not be applied to the new one.
        foreach (var end in (string[])["-wal", "-shm", "-journal"])
            if (File.Exists(target + end)) File.Move(target + end, kept + end, overwrite: true);
        if (!File.Exists(target))
        {
            File.Move(copy, target);
            return null;
        }
        // On Unix a link to the old one and a rename over it: at no moment is there no database.
        File.Replace(copy, target, kept);
        return kept;
    }

    private static void Replace(string file, string text)
    {
        var partial = $"{file}.partial";
        using (var stream = PrivateFile.Open(partial, FileMode.Create))
        {
            stream.Write(Encoding.ASCII.GetBytes(text));
            stream.Flush(flushToDisk: true);
        }
        FolderOwner.Give(partial, Path.GetDirectoryName(Path.GetFullPath(file))!);
        File.Move(partial, file, overwrite: true);
    }
}
