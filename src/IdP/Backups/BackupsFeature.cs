using IdP.Storage;

namespace IdP.Backups;

/// <summary>
/// Owns copies of the database and the way back. <see cref="BackupFile"/> is a copy of the embedded database, made while servers write to
/// it: a database of its own with one table more, which says where it comes from and has the master key if that was asked for. <see
/// cref="Restoration"/> prepares a copy aside, brings it up to date, and puts it in its place by one rename. A backup knows nothing of what
/// was used up or revoked after it was made, so <see cref="AfterRestore"/> ends everything that could come alive again; it also serves
/// databases that their own tools have restored. Database servers are backed up by their own tools.
/// </summary>
internal static class BackupsFeature
{
    /// <summary>Says so in the log if the database was restored with everything alive since the last start.</summary>
    public static void WarnOfKeptTokens(IdpOptions options, ILogger log)
    {
        var mark = Restoration.KeptMark(options);
        if (!File.Exists(mark)) return;
        log.LogWarning("The database was restored with --unsafe-keep-tokens ({When}): codes, refresh tokens, keys and sessions that were used up or revoked after the backup may work again. 'IdP restore --after-external-restore' ends them all", File.ReadAllText(mark).Trim());
        File.Delete(mark);
    }

    /// <summary>What to do about a database that has tools of its own.</summary>
    public static string OwnTools(Engine engine) => engine == Engine.Postgres
        ? "The database is PostgreSQL's: back it up with its own tools, such as 'pg_dump --format=custom --file=idp.dump \"$CONNECTION\"', keep the master key elsewhere, and after a restore run 'IdP restore --after-external-restore' before any server starts; deploy/README.md has the steps."
        : "The database is a server's: back it up with its own tools, such as 'BACKUP DATABASE idp TO DISK = ... WITH CHECKSUM', keep the master key elsewhere, and after a restore run 'IdP restore --after-external-restore' before any server starts; deploy/README.md has the steps.";
}
