using System.Text;

namespace IdP.Protocol.OAuth;

/// <summary>The client id and secret of an <c>Authorization: Basic</c> header.</summary>
internal readonly record struct BasicCredentials(string ClientId, string Secret)
{
    private const int Longest = 8 * 1024;

    public static bool IsBasic(string authorization) =>
        authorization.StartsWith("Basic", StringComparison.OrdinalIgnoreCase) && (authorization.Length == 5 || authorization[5] is ' ' or '\t');

    /// <summary>RFC 6749 §2.3.1: both parts are form-encoded, joined by a colon, then base64. RFC 7235 §2.1: one space.</summary>
    public static Result<BasicCredentials> Parse(string authorization)
    {
        if (authorization.Length > Longest) return OAuthError.InvalidClient("Basic: longer than 8 kB");
        if (authorization.Length < 7 || authorization[5] != ' ') return OAuthError.InvalidClient("Basic: not one space after the scheme");
        Span<byte> bytes = authorization.Length <= 1024 ? stackalloc byte[1024] : new byte[Longest];
        if (!Convert.TryFromBase64Chars(authorization.AsSpan(6), bytes, out var length) || authorization.AsSpan(6).ContainsAny(" \t\r\n"))
            return OAuthError.InvalidClient("Basic: not base64");
        bytes = bytes[..length];
        var colon = bytes.IndexOf((byte)':');
        if (colon < 0) return OAuthError.InvalidClient("Basic: no colon");
        if (!FormParameters.TryDecode(bytes[..colon], out var id) || !FormParameters.TryDecode(bytes[(colon + 1)..], out var secret))
            return OAuthError.InvalidClient("Basic: id or secret is not form-encoded UTF-8");
        if (id.Length == 0 || ContainsControl(id) || ContainsControl(secret)) return OAuthError.InvalidClient("Basic: empty id or control characters");
        return new BasicCredentials(id, secret);
    }

    private static bool ContainsControl(string value) => value.AsSpan().IndexOfAnyInRange('\0', '\x1f') >= 0 || value.Contains('\x7f');
}
