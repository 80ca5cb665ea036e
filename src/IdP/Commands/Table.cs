using System.Globalization;
using System.Text;

namespace IdP.Commands;

/// <summary>Aligned text for people.</summary>
internal static class Table
{
    /// <summary>Rows under headings. A null is shown as a dash.</summary>
    public static string Of(string[] headings, IReadOnlyList<string?[]> rows)
    {
        var cells = rows.Select(row => Array.ConvertAll(row, Shown)).Prepend(headings).ToList();
        var widths = headings.Select((_, column) => cells.Max(row => row[column].Length)).ToArray();
        return string.Join(Environment.NewLine, cells.Select(row => string.Join("  ", row.Select((cell, i) => cell.PadRight(widths[i]))).TrimEnd()));
    }

    /// <summary>Names and values, one a line; values that are null or empty are left out.</summary>
    public static string Of(IEnumerable<(string Name, string? Value)> lines)
    {
        var shown = lines.Where(line => !string.IsNullOrEmpty(line.Value)).ToList();
        var width = shown.Max(line => line.Name.Length);
        return string.Join(Environment.NewLine, shown.Select(line => $"{line.Name.PadRight(width)}  {Shown(line.Value)}"));
    }

    /// <summary>One row by itself.</summary>
    public static string Line(string?[] cells) => string.Join("  ", cells.Select(Shown));

    public static string? Time(DateTimeOffset? instant) => instant?.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    // What came into the database by another way must not steer a terminal.
    private static string Shown(string? cell)
    {
        if (string.IsNullOrEmpty(cell)) return "-";
        if (!cell.Any(char.IsControl)) return cell;
        var safe = new StringBuilder(cell.Length);
        foreach (var c in cell) safe.Append(char.IsControl(c) ? '?' : c);
        return safe.ToString();
    }
}
