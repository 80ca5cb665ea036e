using System.Buffers;
using System.Globalization;
using IdP.Protocol;

namespace IdP.Accounts;

internal static class EmailAddress
{
    private const int Longest = 254;
    private static readonly SearchValues<char> Forbidden = SearchValues.Create(" \"(),:;<>[\\]");
    private static readonly IdnMapping Idn = new() { UseStd3AsciiRules = true };

    /// <summary>
    /// The address in the one form that is stored (domain in lower case and ASCII), or null when it is not one. Quoted local parts and
    /// address literals are refused: they hide more attacks than they serve people (RFC 5321 §4.1.2 advises against them too).
    /// </summary>
    public static string? Canonical(string address)
    {
        var at = address.IndexOf('@', StringComparison.Ordinal);
        if (at is < 1 or > 64 || at != address.LastIndexOf('@') || !PlainText.IsFine(address, Longest)) return null;
        var local = address[..at];
        if (local.StartsWith('.') || local.EndsWith('.') || local.Contains("..", StringComparison.Ordinal) || local.AsSpan().ContainsAny(Forbidden)) return null;
        try
        {
            var domain = Idn.GetAscii(address[(at + 1)..]).ToLowerInvariant();
            if (domain.EndsWith('.')) return null;
            return local.Length + 1 + domain.Length <= Longest ? $"{local}@{domain}" : null;
        }
        catch (ArgumentException)
        {
            return null;
        }
    }
}
