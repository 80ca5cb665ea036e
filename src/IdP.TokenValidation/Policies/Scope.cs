using System.Buffers;

namespace IdP.TokenValidation;

/// <summary>The list of scopes as it stands in tokens.</summary>
internal static class Scope
{
    // RFC 6749 §3.3: %x21 / %x23-5B / %x5D-7E.
    private static readonly SearchValues<char> TokenCharacters =
        SearchValues.Create([.. Enumerable.Range(0x21, 0x7E - 0x20).Select(c => (char)c).Where(c => c is not ('"' or '\\'))]);

    public static bool IsToken(string? text) => !string.IsNullOrEmpty(text) && !text.AsSpan().ContainsAnyExcept(TokenCharacters);

    /// <summary>Scopes are separated by one space; what is not a scope between two spaces is no scope.</summary>
    public static IEnumerable<string> Split(string text) => text.Split(' ').Where(IsToken).Distinct(StringComparer.Ordinal);
}
