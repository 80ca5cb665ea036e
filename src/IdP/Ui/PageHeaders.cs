using IdP.Clients;
using IdP.Protocol.OAuth;

namespace IdP.Ui;

/// <summary>What every page says to the browser: never in a frame, never kept, nothing loaded but what the policy names.</summary>
internal static class PageHeaders
{
    private const string ScriptAllowed = "script allowed";

    /// <summary>A page with forms and our style.</summary>
    /// <param name="http">The request.</param>
    /// <param name="client">The client whose logo the page shows.</param>
    /// <param name="redirectUri">Where the page's forms may lead in the end.</param>
    public static void Set(HttpContext http, Client? client = null, ValidRedirectUri? redirectUri = null)
    {
        var images = client?.LogoUri is { } logo && WebOrigin.Of(logo) is { } origin ? $"; img-src {origin}" : "";
        // Browsers apply form-action to redirects too, and not only to ours: an app may lead on from its redirect_uri to another host of its
        // own, a broker to the app behind it, which may be on the person's own machine.
        var target = redirectUri is null ? "" : $" {redirectUri.PolicySource} https: http://localhost:* http://127.0.0.1:*";
        Set(http, $"default-src 'none'; style-src 'self'{images}; form-action 'self'{target}; base-uri 'none'; frame-ancestors 'none'");
    }

    /// <summary>A page that has our script: it may run and talk to us, and to nobody else.</summary>
    public static void AllowScript(HttpContext http)
    {
        // Twice on a page that has two: a browser complains of a directive that comes again.
        if (http.Items.TryAdd(ScriptAllowed, true)) http.Response.Headers.ContentSecurityPolicy += "; script-src 'self'; connect-src 'self'";
    }

    public static void Set(HttpContext http, string contentSecurityPolicy)
    {
        var headers = http.Response.Headers;
        headers.ContentSecurityPolicy = contentSecurityPolicy;
        headers.XFrameOptions = "DENY";
        // RFC 9700 §4.2.4
        headers["Referrer-Policy"] = "no-referrer";
        // Last of all: antiforgery has its own idea of this header while the page is made, and warns if it finds another.
        if (http.Items.TryAdd(typeof(PageHeaders), true)) http.Response.OnStarting(KeepNowhere, headers);
    }

    private static Task KeepNowhere(object state)
    {
        var headers = (IHeaderDictionary)state;
        headers.CacheControl = "no-store";
        headers.Remove("Pragma");
        return Task.CompletedTask;
    }
}
