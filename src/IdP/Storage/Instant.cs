using System.Data.Common;

namespace IdP.Storage;

/// <summary>Instants as they are stored: Unix milliseconds in every engine.</summary>
internal static class Instant
{
    public static DateTimeOffset Later(DateTimeOffset a, DateTimeOffset b) => a > b ? a : b;

    /// <summary>An instant of a row that raw SQL has read.</summary>
    public static DateTimeOffset Read(DbDataReader row, int column) => DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(column));

    public static DateTimeOffset? ReadOrNull(DbDataReader row, int column) => row.IsDBNull(column) ? null : Read(row, column);
}
