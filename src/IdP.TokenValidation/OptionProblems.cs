using System.Buffers;
using IdP.Protocol.Jose;

namespace IdP.TokenValidation;

/// <summary>What is wrong with options: sentences that name the option.</summary>
internal static class OptionProblems
{
    private static readonly SearchValues<char> Unquotable = SearchValues.Create("\"\\");

    // RFC 9110 §5.6.2, which also makes the name of a cookie (RFC 6265 §4.1.1) and needs no escape in a query.
    private static readonly SearchValues<char> NameCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._");

    public static IEnumerable<string> Of(TokenValidationOptions options) =>
        Provider(options).Concat(Tokens(options)).Concat(Times(options)).Concat(Texts(options)).Concat(Carriers(options))
            .Concat(options.Kind == CredentialKind.Session ? options.Session.Problems(options) : []);

    private static IEnumerable<string> Provider(TokenValidationOptions options)
    {
        if (string.IsNullOrEmpty(options.Issuer)) yield return "Issuer is required: the provider's issuer, as in its discovery document.";
        else if (!Uri.TryCreate(options.Issuer, UriKind.Absolute, out var issuer) || issuer.Query.Length > 0 || issuer.Fragment.Length > 0 || issuer.UserInfo.Length > 0)
            yield return "Issuer must be an absolute URL without user, query or fragment.";
        else if (!options.MayUse(issuer)) yield return "Issuer must be an https URL, unless it is on the loopback address or RequireHttps is false.";

        if (options.Audiences.Count == 0 || options.Audiences.Any(string.IsNullOrEmpty)) yield return "Audiences must name this API at least once.";
        if (!Enum.IsDefined(options.Mode)) yield return "Mode must be Local or Introspection.";
        var isKey = options.Kind is CredentialKind.ApiKey or CredentialKind.Basic;
        if (isKey && options.Mode != TokenValidationMode.Introspection) yield return "Mode must be Introspection: API keys cannot be checked locally.";
        var hasClient = !string.IsNullOrEmpty(options.ClientId) && !string.IsNullOrEmpty(options.ClientSecret);
        if (options.Mode == TokenValidationMode.Introspection && !hasClient) yield return "ClientId and ClientSecret are required for introspection.";
        else if (options.Kind == CredentialKind.Session && !hasClient) yield return "ClientId and ClientSecret are required for sessions: a client with the code flow.";
    }

    private static IEnumerable<string> Tokens(TokenValidationOptions options)
    {
        if (options.AllowedAlgorithms.Count == 0 || !options.AllowedAlgorithms.All(SigningAlgorithms.IsSupported))
            yield return $"AllowedAlgorithms must be some of {string.Join(", ", SigningAlgorithms.All)}.";
        if (options.SharedSecret is null) yield break;
        if (SharedSecretKey.ParseSecret(options.SharedSecret) is null) yield return "SharedSecret must be 32 random bytes in base64url, as the provider shows it.";
        if (options.Mode != TokenValidationMode.Local || options.Kind != CredentialKind.Bearer) yield return "SharedSecret is for bearer tokens that are checked locally.";
        if (options.Audiences.Count != 1) yield return "Audiences must be exactly one with a SharedSecret, which says nothing about any other.";
    }

    private static IEnumerable<string> Times(TokenValidationOptions options)
    {
        if (options.ClockSkew < TimeSpan.Zero || options.ClockSkew > TimeSpan.FromMinutes(5)) yield return "ClockSkew must be 0 to 5 minutes.";
        if (options.MinimumRefreshInterval < TimeSpan.FromSeconds(1)) yield return "MinimumRefreshInterval must be 1 second or more.";
        if (options.RefreshInterval < options.MinimumRefreshInterval) yield return "RefreshInterval must not be shorter than MinimumRefreshInterval.";
        if (options.MaximumKeyAge < options.RefreshInterval) yield return "MaximumKeyAge must not be shorter than RefreshInterval.";
        if (options.BackchannelTimeout <= TimeSpan.Zero || options.BackchannelTimeout > TimeSpan.FromMinutes(1)) yield return "BackchannelTimeout must be more than 0 and at most 1 minute.";
        if (options.IntrospectionCacheDuration < TimeSpan.Zero || options.IntrospectionCacheDuration > TimeSpan.FromMinutes(5)) yield return "IntrospectionCacheDuration must be 0 to 5 minutes.";
        if (options.SignatureCacheSize < 0 || options.IntrospectionCacheSize < 0) yield return "SignatureCacheSize and IntrospectionCacheSize must not be negative.";
    }

    private static IEnumerable<string> Texts(TokenValidationOptions options)
    {
        if (options.Realm is { } realm && !IsQuotable(realm)) yield return "Realm must be printable ASCII without quotes and backslashes.";
        else if (options.Realm is null && options.Audiences is [var first, ..] && !IsQuotable(first)) yield return "Realm must be set, because the first of the Audiences cannot stand in a header.";

        // RFC 9728 §1.2: an https URL without a fragment. A query would have to be looked for by its identifier: nobody needs that.
        if (options.Resource is { } resource
            && (!IsQuotable(resource) || !Uri.TryCreate(resource, UriKind.Absolute, out var uri) || !options.MayUse(uri) || uri.Query.Length > 0 || uri.Fragment.Length > 0 || uri.UserInfo.Length > 0))
            yield return "Resource must be an absolute https URL without user, query or fragment (http on the loopback address).";
    }

    private static IEnumerable<string> Carriers(TokenValidationOptions options)
    {
        if (!IsName(options.CsrfHeader)) yield return "CsrfHeader must be the name of a header.";
        if (options.Kind != CredentialKind.ApiKey) yield break;
        string?[] names = [options.ApiKeys.HeaderName, options.ApiKeys.QueryName, options.ApiKeys.CookieName];
        if (Array.TrueForAll(names, name => name is null)) yield return "ApiKeys must have a HeaderName, a QueryName or a CookieName.";
        if (names.Any(name => name is not null && !IsName(name))) yield return "ApiKeys: names must be letters, digits, hyphens, dots and underscores.";
        if (string.Equals(options.ApiKeys.HeaderName, "Authorization", StringComparison.OrdinalIgnoreCase) || string.Equals(options.ApiKeys.HeaderName, "Cookie", StringComparison.OrdinalIgnoreCase))
            yield return "ApiKeys.HeaderName must be a header of its own.";
    }

    private static bool IsName(string name) => name.Length is > 0 and <= 100 && !name.AsSpan().ContainsAnyExcept(NameCharacters);

    private static bool IsQuotable(string text) => !text.AsSpan().ContainsAny(Unquotable) && !text.AsSpan().ContainsAnyExceptInRange(' ', '~');
}
