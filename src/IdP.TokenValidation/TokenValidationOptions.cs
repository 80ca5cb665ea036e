using System.Buffers;
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

/// <summary>Defaults of this library.</summary>
public static class TokenValidationDefaults
{
    /// <summary>The name of the authentication scheme if none is given.</summary>
    public const string AuthenticationScheme = "Bearer";
}

/// <summary>Which tokens an API accepts, and how it finds out. Checked when the application starts.</summary>
public sealed class TokenValidationOptions : AuthenticationSchemeOptions
{
    private static readonly SearchValues<char> Unquotable = SearchValues.Create("\"\\");

    /// <summary>The provider's issuer, exactly as it stands in its tokens and its discovery document. Required.</summary>
    public string? Issuer { get; set; }

    /// <summary>The names of this API: a token is accepted if one of them is in its <c>aud</c>, compared ordinally. At least one is required.</summary>
    public IList<string> Audiences { get; } = [];

    /// <summary>How tokens are checked; locally by default.</summary>
    public TokenValidationMode Mode { get; set; } = TokenValidationMode.Local;

    /// <summary>The client that introspects. Required for <see cref="TokenValidationMode.Introspection"/>.</summary>
    public string? ClientId { get; set; }

    /// <summary>That client's secret. Required for <see cref="TokenValidationMode.Introspection"/>.</summary>
    public string? ClientSecret { get; set; }

    /// <summary>How far the provider's clock may be off; 30 seconds by default, 5 minutes at most.</summary>
    public TimeSpan ClockSkew { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>The signature algorithms that are accepted locally, of <see cref="SigningAlgorithms"/>; all three by default.</summary>
    public IList<string> AllowedAlgorithms { get; } = [.. SigningAlgorithms.All];

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

    internal string EffectiveRealm => Realm ?? Audiences[0];

    /// <inheritdoc/>
    /// <exception cref="OptionsValidationException">An option is missing or out of range; the message names it.</exception>
    public override void Validate(string scheme)
    {
        List<string> problems = [.. Problems()];
        if (problems.Count > 0) throw new OptionsValidationException(scheme, typeof(TokenValidationOptions), problems);
    }

    internal bool MayUse(Uri uri) =>
        uri.Scheme == Uri.UriSchemeHttps || (uri.Scheme == Uri.UriSchemeHttp && (uri.IsLoopback || !RequireHttps));

    private IEnumerable<string> Problems()
    {
        if (string.IsNullOrEmpty(Issuer)) yield return "Issuer is required: the provider's issuer, as in its discovery document.";
        else if (!Uri.TryCreate(Issuer, UriKind.Absolute, out var issuer) || issuer.Query.Length > 0 || issuer.Fragment.Length > 0 || issuer.UserInfo.Length > 0)
            yield return "Issuer must be an absolute URL without user, query or fragment.";
        else if (!MayUse(issuer)) yield return "Issuer must be an https URL, unless it is on the loopback address or RequireHttps is false.";

        if (Audiences.Count == 0 || Audiences.Any(string.IsNullOrEmpty)) yield return "Audiences must name this API at least once.";
        if (!Enum.IsDefined(Mode)) yield return "Mode must be Local or Introspection.";
        if (Mode == TokenValidationMode.Introspection && (string.IsNullOrEmpty(ClientId) || string.IsNullOrEmpty(ClientSecret)))
            yield return "ClientId and ClientSecret are required for introspection.";
        if (AllowedAlgorithms.Count == 0 || !AllowedAlgorithms.All(SigningAlgorithms.IsSupported))
            yield return $"AllowedAlgorithms must be some of {string.Join(", ", SigningAlgorithms.All)}.";
        if (ClockSkew < TimeSpan.Zero || ClockSkew > TimeSpan.FromMinutes(5)) yield return "ClockSkew must be 0 to 5 minutes.";
        if (MinimumRefreshInterval < TimeSpan.FromSeconds(1)) yield return "MinimumRefreshInterval must be 1 second or more.";
        if (RefreshInterval < MinimumRefreshInterval) yield return "RefreshInterval must not be shorter than MinimumRefreshInterval.";
        if (MaximumKeyAge < RefreshInterval) yield return "MaximumKeyAge must not be shorter than RefreshInterval.";
        if (BackchannelTimeout <= TimeSpan.Zero || BackchannelTimeout > TimeSpan.FromMinutes(1)) yield return "BackchannelTimeout must be more than 0 and at most 1 minute.";
        if (IntrospectionCacheDuration < TimeSpan.Zero || IntrospectionCacheDuration > TimeSpan.FromMinutes(5)) yield return "IntrospectionCacheDuration must be 0 to 5 minutes.";
        if (SignatureCacheSize < 0 || IntrospectionCacheSize < 0) yield return "SignatureCacheSize and IntrospectionCacheSize must not be negative.";
        if (Realm is not null && (Realm.AsSpan().ContainsAny(Unquotable) || Realm.AsSpan().ContainsAnyExceptInRange(' ', '~')))
            yield return "Realm must be printable ASCII without quotes and backslashes.";
        else if (Realm is null && Audiences is [var first, ..] && (first.AsSpan().ContainsAny(Unquotable) || first.AsSpan().ContainsAnyExceptInRange(' ', '~')))
            yield return "Realm must be set, because the first of the Audiences cannot stand in a header.";
    }
}
