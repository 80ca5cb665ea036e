using System.Data;
using System.Data.Common;
using Microsoft.Data.SqlClient;
using Microsoft.EntityFrameworkCore;

namespace IdP.Storage;

/// <summary>What only SQL Server's driver knows. In a class of its own, so that the driver is loaded where it is used and nowhere else.</summary>
internal static class SqlServer
{
    private const int LongestText = 4000;
    private const int LongestBytes = 8000;

    /// <param name="connectionString">What the operator has given.</param>
    /// <param name="timeouts">In seconds, for what it does not say; null for the driver's own.</param>
    public static string Parse(string connectionString, (int Connect, int Command)? timeouts)
    {
        try
        {
            var parsed = new SqlConnectionStringBuilder(connectionString);
            if (timeouts is not { } given) return parsed.ConnectionString;
            if (!parsed.ShouldSerialize("Connect Timeout")) parsed.ConnectTimeout = given.Connect;
            if (!parsed.ShouldSerialize("Command Timeout")) parsed.CommandTimeout = given.Command;
            return parsed.ConnectionString;
        }
        catch (Exception failure) when (failure is ArgumentException or FormatException or KeyNotFoundException)
        {
            // Not its text: that has the password.
            throw new StorageException("Storage:ConnectionString is not one that SQL Server's driver reads: it looks like Server=db.example;User ID=idp;Password=...;Database=idp.");
        }
    }

    public static DbDataSource Pool(string connectionString) => SqlClientFactory.Instance.CreateDataSource(connectionString);

    public static void ClosePool(string connectionString)
    {
        using var connection = new SqlConnection(connectionString);
        SqlConnection.ClearPool(connection);
    }

    public static DbContextOptions<SqlServerIdpDbContext> Options(string connectionString, int? maxBatchSize) =>
        new DbContextOptionsBuilder<SqlServerIdpDbContext>().UseSqlServer(connectionString, engine =>
        {
            if (maxBatchSize is { } size) engine.MaxBatchSize(size);
        }).Options;

    /// <summary>A value with a type and a length that do not depend on it: the driver would take the value's own length, and the engine make a plan for each.</summary>
    public static DbParameter Parameter(string name, object value) => value switch
    {
        Guid id => new SqlParameter(name, SqlDbType.Binary, 16) { Value = id.ToByteArray(bigEndian: true) },
        byte[] bytes => new SqlParameter(name, SqlDbType.VarBinary, bytes.Length <= LongestBytes ? LongestBytes : -1) { Value = bytes },
        string text => new SqlParameter(name, SqlDbType.NVarChar, text.Length <= LongestText ? LongestText : -1) { Value = text },
        // Nothing but texts is ever NULL in these statements.
        DBNull => new SqlParameter(name, SqlDbType.NVarChar, LongestText) { Value = value },
        _ => new SqlParameter(name, value),
    };

    /// <summary>2601 is a unique index, 2627 a unique or primary-key constraint.</summary>
    public static bool IsUniqueViolation(Exception exception) => exception is SqlException { Number: 2601 or 2627 };

    /// <summary>1205 is a deadlock, 3960 a row that changed under a snapshot; the transaction is undone.</summary>
    public static bool IsUndone(Exception exception) => exception is SqlException { Number: 1205 or 3960 };

    public static string? Explain(Exception failure) => failure is not SqlException { Number: var number } ? null : number switch
    {
        4060 or 911 => "The database that Storage:ConnectionString names does not exist, or its user may not open it: create it first.",
        18456 => "SQL Server refused the user name or password of Storage:ConnectionString.",
        229 or 230 or 262 or 1088 or 2760 => "The user of Storage:ConnectionString may not do this: grant it db_datareader and db_datawriter, and db_ddladmin or a 'migrate --script' run by one who has it.",
        3906 => Migrator.ReadOnlyServer(Engine.SqlServer),
        1105 or 9002 => "SQL Server's disk or log is full: free some space.",
        2714 or 1913 or 2705 => "SQL Server refused: the database has a part of this schema without the record of it; name an empty database, or restore a backup.",
        < 50 or 53 or 64 or 121 or 233 or 258 or 10053 or 10054 or 10060 or 10061 or 11001 => "SQL Server does not answer: check Storage:ConnectionString and that the server runs.",
        _ => $"SQL Server refused (error {number}): {failure.Message}",
    };
}
