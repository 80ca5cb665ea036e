using System.Globalization;
using System.Text;

namespace IdP.Protocol;

/// <summary>Text that people give to things: names of clients and users, descriptions.</summary>
internal static class PlainText
{
    /// <summary>
    /// Whether the text can be shown anywhere as it is: whole code points, no control characters or line breaks, nothing that turns the
    /// direction of what stands beside it, no space at either end.
    /// </summary>
    public static bool IsFine(string text, int longest)
    {
        if (text.Length is 0 || text.Length > longest || char.IsWhiteSpace(text[0]) || char.IsWhiteSpace(text[^1])) return false;
        for (var i = 0; i < text.Length; i++)
        {
            if (char.IsSurrogate(text[i]))
            {
                if (i + 1 >= text.Length || !char.IsSurrogatePair(text[i], text[++i])) return false;
            }
            else if (IsUnsafe(text[i])) return false;
        }
        return true;
    }

    /// <summary>The text in quotes, short and without anything that could harm a terminal or a log.</summary>
    public static string Quoted(string text)
    {
        const int longest = 80;
        var quoted = new StringBuilder("'");
        foreach (var rune in text.AsSpan(0, Math.Min(text.Length, longest)).EnumerateRunes())
            quoted.Append(rune.IsBmp && IsUnsafe((char)rune.Value) ? "?" : rune.ToString());
        return quoted.Append(text.Length > longest ? "...'" : "'").ToString();
    }

    private static bool IsUnsafe(char c) =>
        char.GetUnicodeCategory(c) is UnicodeCategory.Control or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator ||
        c is '\ufffd' or '\u061c' or '\u200e' or '\u200f' or (>= '\u202a' and <= '\u202e') or (>= '\u2066' and <= '\u2069');
}
