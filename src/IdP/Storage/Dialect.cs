namespace IdP.Storage;

/// <summary>
/// Where the engines differ in the statements that are written by hand. Their text is the same for all, but for these words in braces:
/// <c>{held}</c> after each table whose row must stay as it is until the transaction ends, and <c>{share}</c> at the end of that SELECT;
/// <c>{client @p0}</c> for "the row c of Clients has the client_id @p0"; <c>{if absent}</c> at the end of an INSERT that adds nothing when
/// its key is there (see <see cref="PreparedStatements.AddIfAbsent"/>). What every request runs is resolved once.
/// </summary>
internal static class Dialect
{
    public static string Of(Engine engine, string sql) => engine switch
    {
        // A lock that a read keeps, also where reads see versions of rows (READ_COMMITTED_SNAPSHOT).
        Engine.SqlServer => Replace(sql, " WITH (REPEATABLEREAD)", "", """c."ClientIdHash" = CAST(HASHBYTES('SHA2_256', @p0) AS binary(32))""", ""),
        Engine.Postgres => Replace(sql, "", " FOR SHARE", """c."ClientId" = @p0""", " ON CONFLICT DO NOTHING"),
        // One writer: nothing changes beside it.
        _ => Replace(sql, "", "", """c."ClientId" = @p0""", " ON CONFLICT DO NOTHING"),
    };

    /// <summary>What asks a database server for its time, as a column "Value".</summary>
    public static string Time(Engine engine) => engine == Engine.SqlServer ? SqlServerTime : PostgresTime;

    // A copy that follows another server answers as well, and from what was true there some time ago.
    private const string PostgresTime = """SELECT CASE WHEN current_setting('transaction_read_only') = 'off' THEN clock_timestamp() END AS "Value" """;
    private const string SqlServerTime =
        """SELECT CASE WHEN DATABASEPROPERTYEX(DB_NAME(), 'Updateability') = 'READ_WRITE' THEN TODATETIMEOFFSET(SYSUTCDATETIME(), '+00:00') END AS "Value" """;

    private static string Replace(string sql, string held, string share, string client, string ifAbsent) => sql
        .Replace(" {held}", held, StringComparison.Ordinal).Replace(" {share}", share, StringComparison.Ordinal)
        .Replace("{client @p0}", client, StringComparison.Ordinal).Replace(" {if absent}", ifAbsent, StringComparison.Ordinal);
}
