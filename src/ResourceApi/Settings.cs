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
internal sealed record Settings(string Urls, string Issuer, string[] Audiences, string ClientId, string ClientSecret)
{
    private const string DemoAudience = "urn:demo:api";
    private static readonly string[] Known = ["Issuer", "Audience", "ClientId", "ClientSecret"];

    public static Settings Read(IConfiguration configuration)
    {
        var provider = configuration.GetSection("Provider");
        if (provider.GetChildren().FirstOrDefault(child => !Known.Contains(child.Key, StringComparer.OrdinalIgnoreCase)) is { } unknown)
            throw new SettingException($"{unknown.Path} is unknown; there are {string.Join(", ", Known.Select(name => "Provider:" + name))}.");
        if (provider["Issuer"] is not { Length: > 0 } issuer)
            throw new SettingException("Provider:Issuer is missing; give the provider's address, for example --Provider:Issuer http://localhost:5000.");
        var urls = configuration["urls"] is { Length: > 0 } given ? given : "http://localhost:7001";
        string[] audiences = provider["Audience"] is { Length: > 0 } names
            ? names.Split(' ', StringSplitOptions.RemoveEmptyEntries)
            : [DemoAudience, urls.Split(';')[0].TrimEnd('/')];
        return new Settings(urls, issuer, audiences, provider["ClientId"] ?? "demo-api", provider["ClientSecret"] ?? "demo-api-secret");
    }

    public void Apply(TokenValidationOptions options)
    {
        options.Issuer = Issuer;
        foreach (var audience in Audiences) options.Audiences.Add(audience);
    }
}
