namespace IdP.Protocol.OAuth;

/// <summary>The form of a resource identifier (RFC 8707 §2).</summary>
internal static class ResourceIndicator
{
    /// <summary>An absolute URI without a fragment, at most 500 characters of ASCII.</summary>
    public static bool IsWellFormed(string value) =>
        value.Length is > 0 and <= 500 && value.AsSpan().IndexOfAnyExceptInRange('\x21', '\x7e') < 0 && !value.Contains('#') &&
        Uri.TryCreate(value, UriKind.Absolute, out var uri) && uri.Scheme != Uri.UriSchemeFile;
}
