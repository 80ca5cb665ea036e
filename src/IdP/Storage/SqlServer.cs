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

    public static string Parse(string connectionString)
    {
        try
        {
            return new SqlConnectionStringBuilder(connectionString).ConnectionString;
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
        3906 => "The database is read-only: name the primary server in Storage:ConnectionString.",
        1105 or 9002 => "SQL Server's disk or log is full: free some space.",
        _ => "SQL Server does not answer as it should: check Storage:ConnectionString and that the server runs.",
    };
}
