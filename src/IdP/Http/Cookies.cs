namespace IdP.Http;

/// <summary>The cookies of this provider: for this host alone, not for scripts, and over https with the prefix that browsers enforce (RFC 6265bis §4.1.3.2).</summary>
internal sealed class Cookies(Issuer issuer)
{
    public const string Session = "idp_session";

    /// <summary>Ties what is sealed for a browser to that browser.</summary>
    public const string Browser = "idp_browser";

    /// <summary>Tells a device that an account has signed in from, so that a stranger's wrong passwords do not lock its owner out.</summary>
    public const string Device = "idp_device";

    /// <summary>Somebody here did not want a passkey when they were last offered one.</summary>
    public const string NoPasskey = "idp_no_passkey";

    /// <summary>Browsers that are trusted after a second factor.</summary>
    public const string Factor = "idp_factor";

    /// <summary>The antiforgery token's other half.</summary>
    public const string Form = "idp_form";

    public string Name(string name) => issuer.IsHttps ? $"__Host-{name}" : name;

    public string? Read(HttpContext http, string name) => http.Request.Cookies[Name(name)];

    /// <param name="http">The request that is answered.</param>
    /// <param name="name">One of the names above.</param>
    /// <param name="value">Characters that need no quoting.</param>
    /// <param name="life">How long the browser keeps it; null until it is closed.</param>
    public void Set(HttpContext http, string name, string value, TimeSpan? life = null) => http.Response.Cookies.Append(Name(name), value, Options(life));

    public void Delete(HttpContext http, string name) => http.Response.Cookies.Delete(Name(name), Options(life: null));

    // Lax: a request that an app sends here by redirect carries them, a form of another site does not.
    private CookieOptions Options(TimeSpan? life) =>
        new() { HttpOnly = true, Secure = issuer.IsHttps, SameSite = SameSiteMode.Lax, Path = "/", MaxAge = life, IsEssential = true };
}
