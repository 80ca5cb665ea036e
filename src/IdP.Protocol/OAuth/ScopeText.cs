namespace IdP.Protocol.OAuth;

/// <summary>The grammar of scope (RFC 6749 §3.3): tokens of printable ASCII but quote and backslash, one space between them.</summary>
internal static class ScopeText
{
    public static bool IsToken(string name) =>
        name.Length is > 0 and <= 200 && name.AsSpan().IndexOfAnyExceptInRange('\x21', '\x7e') < 0 && name.AsSpan().IndexOfAny('"', '\\') < 0;

    /// <summary>The distinct scopes in the order in which they were asked for; an error when the text breaks the grammar.</summary>
    public static Result<string[]> Parse(string? scope)
    {
        if (string.IsNullOrEmpty(scope)) return Array.Empty<string>();
        var names = scope.Split(' ');
        foreach (var name in names)
            if (!IsToken(name)) return OAuthError.InvalidScope("scope is malformed: names of printable ASCII, one space between them");
        return names.Length == 1 ? names : names.Distinct(StringComparer.Ordinal).ToArray();
    }
}
