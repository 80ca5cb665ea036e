namespace IdP.Protocol.OAuth;

/// <summary>A redirect_uri that is registered for the client that sent it. Only <see cref="RedirectUri.Prove"/> makes one.</summary>
internal sealed class ValidRedirectUri
{
    private ValidRedirectUri(string value) => Value = value;

    /// <summary>The address exactly as the client sent it.</summary>
    public string Value { get; }

    /// <summary>What a Content-Security-Policy calls the place that it leads to: an origin, or the scheme of an app.</summary>
    public string PolicySource => WebOrigin.Of(Value) ?? Value[..(Value.IndexOf(':') + 1)];

    internal static ValidRedirectUri Proven(string value) => new(value);
}

/// <summary>What may be registered as a redirect_uri, and which sent one matches.</summary>
internal static class RedirectUri
{
    public const int Longest = 2000;

    /// <summary>What the response adds; an address that brings one along would make it appear twice.</summary>
    private static readonly string[] ResponseParameters = ["code", "state", "iss", "error", "error_description", "error_uri", "response", "id_token", "access_token"];

    /// <summary>Null when the address may be registered, else what is wrong with it.</summary>
    /// <param name="value">The address.</param>
    /// <param name="isNative">Whether the client is an app on a device (application_type native).</param>
    public static string? Problem(string value, bool isNative)
    {
        if (value.Length is 0 or > Longest || value.AsSpan().IndexOfAnyExceptInRange('\x21', '\x7e') >= 0) return $"it must be 1 to {Longest} printable ASCII characters without spaces";
        if (value.Contains('\\') || !Uri.TryCreate(value, UriKind.Absolute, out var uri)) return "it must be an absolute URI";
        // RFC 6749 §3.1.2
        if (value.Contains('#')) return "it must have no fragment";
        if (uri.Scheme is "http" or "https")
        {
            if (uri.UserInfo.Length > 0 || value.Contains('@', StringComparison.Ordinal)) return "it must not carry a user name";
            if (WebOrigin.Of(value) is not { } origin || !(value.Length == origin.Length || (value.StartsWith(origin, StringComparison.Ordinal) && value[origin.Length] is '/' or '?')))
                return $"it must be written as browsers write it: a scheme and host in lower case, no default port{(WebOrigin.Of(value) is { } right ? $" ({right}...)" : "")}";
            // RFC 9700 §2.6: over plain http the code could be read on the way, except on the device itself.
            if (uri.Scheme == "http" && !uri.IsLoopback) return "plain http is for addresses of the device itself (localhost, 127.0.0.1): use https";
        }
        // RFC 8252 §7.1: private-use schemes are reversed domain names; a scheme without a dot may be a script or anybody's.
        else if (!isNative || !uri.Scheme.Contains('.', StringComparison.Ordinal))
            return isNative ? "an app's own scheme is a reversed domain name, such as com.example.app:/callback" : "its scheme must be https";
        return QueryProblem(uri);
    }

    /// <summary>The proof that an address is registered; null when it is not. Compared as text, character by character (RFC 9700 §4.1.3).</summary>
    public static ValidRedirectUri? Prove(IEnumerable<string> registered, string sent, bool isNative)
    {
        if (sent.Length > Longest) return null;
        foreach (var one in registered)
            if (one == sent || (isNative && DiffersInLoopbackPortOnly(one, sent))) return ValidRedirectUri.Proven(sent);
        return null;
    }

    /// <summary>Whether consent may not be remembered for it: another app on the device could be listening there (RFC 8252 §8.6).</summary>
    public static bool CanBeImpersonated(string value) => !value.StartsWith("https://", StringComparison.Ordinal);

    // RFC 8252 §7.3: an app listens on whatever port is free; everything else stays as registered.
    private static bool DiffersInLoopbackPortOnly(string registered, string sent)
    {
        foreach (var host in (ReadOnlySpan<string>)["http://127.0.0.1", "http://[::1]"])
        {
            if (!registered.StartsWith(host, StringComparison.Ordinal) || !sent.StartsWith(host, StringComparison.Ordinal)) continue;
            return AfterPort(registered.AsSpan(host.Length)) is { } a && AfterPort(sent.AsSpan(host.Length)) is { } b && a == b;
        }
        return false;
    }

    private static string? AfterPort(ReadOnlySpan<char> text)
    {
        if (text.Length == 0 || text[0] != ':') return text.Length == 0 || text[0] is '/' or '?' ? text.ToString() : null;
        var end = text[1..].IndexOfAnyExceptInRange('0', '9');
        var digits = end < 0 ? text.Length - 1 : end;
        if (digits is 0 or > 5) return null;
        if (int.Parse(text.Slice(1, digits), System.Globalization.CultureInfo.InvariantCulture) > 65535) return null;
        var rest = text[(1 + digits)..];
        return rest.Length == 0 || rest[0] is '/' or '?' ? rest.ToString() : null;
    }

    private static string? QueryProblem(Uri uri)
    {
        foreach (var pair in uri.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var name = Uri.UnescapeDataString(pair.Split('=')[0].Replace('+', ' '));
            if (ResponseParameters.Contains(name)) return $"its query has '{name}', which the answer adds itself";
        }
        return null;
    }
}
