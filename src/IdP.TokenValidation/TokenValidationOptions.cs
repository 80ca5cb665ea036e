using IdP.Protocol.Jose;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;

namespace IdP.TokenValidation;

/// <summary>How access tokens are checked.</summary>
public enum TokenValidationMode
{
    /// <summary>
    /// JWTs are checked here with the provider's published keys: no request to the provider per token, but a token that is
    /// revoked stays good until it expires.
    /// </summary>
    Local,

    /// <summary>The provider is asked about each token (RFC 7662): exact at once, JWT or opaque, for one request each.</summary>
    Introspection,
}

/// <summary>What kind of credential a scheme reads.</summary>
public enum CredentialKind
{
    /// <summary>An access token in the Authorization header (RFC 6750 §2.1).</summary>
    Bearer,

    /// <summary>The id and the secret of an API key as user name and password (RFC 7617); the provider is asked.</summary>
    Basic,

    /// <summary>An API key in a header, the query or a cookie; the provider is asked.</summary>
    ApiKey,

    /// <summary>A cookie that stands for tokens which stay in this application.</summary>
    Session,
}

/// <summary>Defaults of this library.</summary>
public static class TokenValidationDefaults
{
    /// <summary>The name of the scheme for access tokens if none is given.</summary>
    public const string AuthenticationScheme = "Bearer";

    /// <summary>The name of the scheme for HTTP Basic if none is given.</summary>
    public const string BasicScheme = "Basic";

    /// <summary>The name of the scheme for API keys if none is given.</summary>
    public const string ApiKeyScheme = "ApiKey";

    /// <summary>The name of the scheme for sessions if none is given.</summary>
    public const string SessionScheme = "Session";
}

/// <summary>Which credentials a scheme accepts, and how it finds out. Checked when the application starts.</summary>
public sealed class TokenValidationOptions : AuthenticationSchemeOptions
{
    /// <summary>What kind of credential the scheme reads; set by the method that adds the scheme.</summary>
    public CredentialKind Kind { get; internal set; }

    /// <summary>The provider's issuer, exactly as it stands in its tokens and its discovery document. Required.</summary>
    public string? Issuer { get; set; }

    /// <summary>The names of this API: a token is accepted if one of them is in its <c>aud</c>, compared ordinally. At least one is required.</summary>
    public IList<string> Audiences { get; } = [];

    /// <summary>How tokens are checked; locally by default.</summary>
    public TokenValidationMode Mode { get; set; } = TokenValidationMode.Local;

    /// <summary>The client that introspects. Required for <see cref="TokenValidationMode.Introspection"/>, API keys and Basic; for a session the client that signs in.</summary>
    public string? ClientId { get; set; }

    /// <summary>That client's secret. Required whenever <see cref="ClientId"/> is.</summary>
    public string? ClientSecret { get; set; }

    /// <summary>How far the provider's clock may be off; 30 seconds by default, 5 minutes at most.</summary>
    public TimeSpan ClockSkew { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>The signature algorithms that are accepted locally, of <see cref="SigningAlgorithms"/>; all three by default.</summary>
    public IList<string> AllowedAlgorithms { get; } = [.. SigningAlgorithms.All];

    /// <summary>
    /// A secret of 256 bits in base64url that the provider and this API share. The scheme then accepts HS256 and nothing else, and has exactly one
    /// audience. Unwise, and logged as such: whoever can check a token can make one. Null, that is off, by default.
    /// </summary>
    public string? SharedSecret { get; set; }

    /// <summary>Where API keys stand, for schemes added by <c>AddIdPApiKeys</c>.</summary>
    public ApiKeyCarriers ApiKeys { get; } = new();

    /// <summary>How people sign in, for schemes added by <c>AddIdPSession</c>.</summary>
    public SessionOptions Session { get; } = new();

    /// <summary>
    /// The header that a request with a credential in a cookie must have, with any value, unless it has an antiforgery token or only reads (GET,
    /// HEAD, OPTIONS, TRACE): pages of other origins cannot send it. <c>X-CSRF</c> by default. CORS must not allow it to origins that are not trusted.
    /// </summary>
    public string CsrfHeader { get; set; } = "X-CSRF";

    /// <summary>
    /// The URL identifier of this API (RFC 9728 §1.2), for example <c>https://api.example</c>. Bearer challenges then tell where its metadata
    /// is; <c>MapIdPResourceMetadata</c> serves it. Null by default.
    /// </summary>
    public string? Resource { get; set; }

    /// <summary>Whether the provider must be reached by https; true by default. A provider on the loopback address is always excepted.</summary>
    public bool RequireHttps { get; set; } = true;

    /// <summary>The realm in challenges; the first audience if it is not set.</summary>
    public string? Realm { get; set; }

    /// <summary>How often discovery document and keys are read again; 10 minutes by default.</summary>
    public TimeSpan RefreshInterval { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>The least time between two readings that tokens with an unknown key cause; 10 seconds by default.</summary>
    public TimeSpan MinimumRefreshInterval { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How long the last good keys are used while the provider cannot be reached; 24 hours by default.</summary>
    public TimeSpan MaximumKeyAge { get; set; } = TimeSpan.FromHours(24);

    /// <summary>
    /// How many checked signatures are remembered (2 to 3 kB each), by digest, until the keys change; 5,000 by default, 0 for none.
    /// Issuer, audience, times and everything else are checked every time.
    /// </summary>
    public int SignatureCacheSize { get; set; } = 5_000;

    /// <summary>
    /// How long a positive answer of introspection is believed; zero, that is not at all, by default, 5 minutes at most.
    /// Within this time a revoked token is still accepted. Never longer than the token lives.
    /// </summary>
    public TimeSpan IntrospectionCacheDuration { get; set; } = TimeSpan.Zero;

    /// <summary>How many positive answers are remembered; 5,000 by default.</summary>
    public int IntrospectionCacheSize { get; set; } = 5_000;

    /// <summary>How long the provider may take for an answer; 5 seconds by default.</summary>
    public TimeSpan BackchannelTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Sends the requests to the provider, for a proxy or a private certificate authority; it is not disposed. It should not follow redirects.</summary>
    public HttpMessageHandler? BackchannelHttpHandler { get; set; }

    /// <summary>Made by the set-up, once for each scheme.</summary>
    internal TokenValidator? Validator { get; set; }

    /// <summary>Made by the set-up: the places where this scheme's credentials stand.</summary>
    internal Carrier[] Carriers { get; set; } = [];

    internal string EffectiveRealm => Realm ?? Audiences[0];

    /// <inheritdoc/>
    /// <exception cref="OptionsValidationException">An option is missing or out of range; the message names it.</exception>
    public override void Validate(string scheme)
    {
        List<string> problems = [.. OptionProblems.Of(this)];
        if (problems.Count > 0) throw new OptionsValidationException(scheme, typeof(TokenValidationOptions), problems);
    }

    internal bool MayUse(Uri uri) =>
        uri.Scheme == Uri.UriSchemeHttps || (uri.Scheme == Uri.UriSchemeHttp && (uri.IsLoopback || !RequireHttps));
}
