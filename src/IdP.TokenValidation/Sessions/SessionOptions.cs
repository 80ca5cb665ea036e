namespace IdP.TokenValidation;

/// <summary>How people sign in with a browser, for schemes added by <c>AddIdPSession</c>.</summary>
public sealed class SessionOptions
{
    /// <summary>The scopes that are asked for; <c>openid</c> must be among them, and is there by default.</summary>
    public IList<string> Scopes { get; set; } = ["openid"];

    /// <summary>
    /// The address by which browsers reach this application, without a slash at its end, for example <c>https://app.example</c>. Null, the
    /// default, takes it from each request; behind a proxy set this, or have ASP.NET Core read the forwarded headers.
    /// </summary>
    public string? PublicUrl { get; set; }

    /// <summary>Where the endpoints are; <c>/session</c> by default. The redirect URI that is registered at the provider is this and <c>/callback</c>.</summary>
    public string Path { get; set; } = "/session";

    /// <summary>Where browsers go after signing out, registered at the provider as a post-logout redirect URI; <c>/</c> by default.</summary>
    public string SignedOutPath { get; set; } = "/";

    /// <summary>The name of the cookie; null, the default, is <c>__Host-session</c>, or <c>session</c> if <see cref="PublicUrl"/> is http on the loopback address.</summary>
    public string? CookieName { get; set; }

    /// <summary>How long a session lasts, used or not; 8 hours by default, 30 days at most.</summary>
    public TimeSpan Lifetime { get; set; } = TimeSpan.FromHours(8);

    /// <summary>How long a session lasts that is not used; 1 hour by default.</summary>
    public TimeSpan IdleTimeout { get; set; } = TimeSpan.FromHours(1);

    /// <summary>
    /// The greatest number of sessions; 10,000 by default (about 10 kB each). They are in the memory of this process: they end with it, and
    /// with several processes a browser must always reach the same one. At the limit the one that was not used for longest ends.
    /// </summary>
    public int MaximumSessions { get; set; } = 10_000;

    internal string SignInPath => Path + "/sign-in";

    internal string CallbackPath => Path + "/callback";

    internal bool IsSecure => PublicUrl is null || !PublicUrl.StartsWith("http:", StringComparison.Ordinal);

    internal string EffectiveCookieName => CookieName ?? (IsSecure ? "__Host-session" : "session");

    internal IEnumerable<string> Problems(TokenValidationOptions options)
    {
        if (!Scopes.Contains("openid") || !Scopes.All(Scope.IsToken)) yield return "Session.Scopes must be scopes, openid among them.";
        if (PublicUrl is { } url && (!Uri.TryCreate(url, UriKind.Absolute, out var uri) || !options.MayUse(uri) || url.EndsWith('/') || uri.Query.Length > 0 || uri.Fragment.Length > 0 || uri.AbsolutePath != "/"))
            yield return "Session.PublicUrl must be an https origin such as https://app.example (http on the loopback address).";
        if (!IsPath(Path) || Path.EndsWith('/')) yield return "Session.Path must begin with a slash and not end with one.";
        if (!IsPath(SignedOutPath)) yield return "Session.SignedOutPath must begin with one slash.";
        if (CookieName is { } name && (name.Length == 0 || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.'))) yield return "Session.CookieName must be letters, digits, hyphens, dots and underscores.";
        if (Lifetime <= TimeSpan.Zero || Lifetime > TimeSpan.FromDays(30)) yield return "Session.Lifetime must be more than 0 and at most 30 days.";
        if (IdleTimeout <= TimeSpan.Zero) yield return "Session.IdleTimeout must be more than 0.";
        if (MaximumSessions < 1) yield return "Session.MaximumSessions must be at least 1.";
    }

    /// <summary>Whether a text is a path on this host, and not the address of another (<c>//host</c>, <c>/\host</c>).</summary>
    internal static bool IsPath(string text) =>
        text.StartsWith('/') && !text.StartsWith("//", StringComparison.Ordinal) && !text.AsSpan().Contains('\\') && !text.AsSpan().ContainsAnyExceptInRange('!', '~');
}
