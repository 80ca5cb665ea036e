using IdP.TokenValidation;

namespace ResourceApi;

/// <summary>A setting is missing or wrong; the message is for people.</summary>
internal sealed class SettingException(string message) : Exception(message);

/// <summary>
/// What can be set, on the command line (<c>--Provider:Issuer https://idp.example</c>) or in the environment
/// (<c>Provider__Issuer=https://idp.example</c>). The defaults are those of the provider's demo.
/// </summary>
/// <param name="Urls">Where to listen; <c>--urls</c>, on the loopback address unless told otherwise.</param>
/// <param name="Issuer">The provider's address; required.</param>
/// <param name="Audiences">The names of this API, <c>Provider:Audience</c>, separated by spaces.</param>
/// <param name="ClientId">The client that introspects.</param>
/// <param name="ClientSecret">Its secret.</param>
/// <param name="SessionClientId">The client that people with a browser sign in with.</param>
/// <param name="SessionClientSecret">Its secret.</param>
/// <param name="DocsClientId">The public client of the interactive documents.</param>
/// <param name="SharedSecret">The secret of <c>resource secret</c> for tokens with HS256; without it that way is left out.</param>
/// <param name="LegacyAudience">The one audience of those tokens.</param>
internal sealed record Settings(
    string Urls, string Issuer, string[] Audiences, string ClientId, string ClientSecret, string SessionClientId, string SessionClientSecret, string DocsClientId, string? SharedSecret, string LegacyAudience)
{
    private const string DemoAudience = "urn:demo:api";
    private static readonly string[] Known =
        ["Issuer", "Audience", "ClientId", "ClientSecret", "SessionClientId", "SessionClientSecret", "DocsClientId", "SharedSecret", "LegacyAudience", "PublicUrl"];

    /// <summary>Where browsers find this API: the first address that it listens on, unless a proxy stands before it.</summary>
    public required string PublicUrl { get; init; }

    public static Settings Read(IConfiguration configuration)
    {
        var provider = configuration.GetSection("Provider");
        if (provider.GetChildren().FirstOrDefault(child => !Known.Contains(child.Key, StringComparer.OrdinalIgnoreCase)) is { } unknown)
            throw new SettingException($"{unknown.Path} is unknown; there are {string.Join(", ", Known.Select(name => "Provider:" + name))}.");
        if (provider["Issuer"] is not { Length: > 0 } issuer)
            throw new SettingException("Provider:Issuer is missing; give the provider's address, for example --Provider:Issuer http://localhost:5000.");
        var urls = configuration["urls"] is { Length: > 0 } given ? given : "http://localhost:7001";
        var publicUrl = (provider["PublicUrl"] ?? urls.Split(';')[0]).TrimEnd('/');
        if (!Uri.TryCreate(publicUrl, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https"))
            throw new SettingException($"'{publicUrl}' is no address that a browser could open: give --urls one such as http://localhost:7001, or name it with Provider:PublicUrl.");
        string[] audiences = provider["Audience"] is { Length: > 0 } names
            ? names.Split(' ', StringSplitOptions.RemoveEmptyEntries)
            : [DemoAudience, publicUrl];
        return new Settings(
            urls, issuer, audiences, provider["ClientId"] ?? "demo-api", provider["ClientSecret"] ?? "demo-api-secret", provider["SessionClientId"] ?? "demo-bff",
            provider["SessionClientSecret"] ?? "demo-bff-secret", provider["DocsClientId"] ?? "demo-docs", provider["SharedSecret"], provider["LegacyAudience"] ?? "urn:demo:legacy")
        { PublicUrl = publicUrl };
    }

    public void Apply(TokenValidationOptions options)
    {
        options.Issuer = Issuer;
        foreach (var audience in Audiences) options.Audiences.Add(audience);
        (options.ClientId, options.ClientSecret) = (ClientId, ClientSecret);
    }
}
