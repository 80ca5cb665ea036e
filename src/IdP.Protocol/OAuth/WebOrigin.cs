namespace IdP.Protocol.OAuth;

/// <summary>The origin of a web page as a browser sends it in the header Origin (RFC 6454 §6.2, with the host as ASCII).</summary>
internal static class WebOrigin
{
    /// <summary>The origin that a browser sends for pages at this address; null when it is no http or https address.</summary>
    public static string? Of(string address)
    {
        if (!Uri.TryCreate(address, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https") || url.UserInfo.Length > 0) return null;
        var host = url.HostNameType == UriHostNameType.IPv6 ? url.Host : url.IdnHost;
        return url.IsDefaultPort ? $"{url.Scheme}://{host}" : $"{url.Scheme}://{host}:{url.Port}";
    }
}
