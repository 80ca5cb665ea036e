using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;
using Microsoft.OpenApi;

namespace IdP.TokenValidation;

/// <summary>What the document calls the schemes of the application, and which of them stand for one another.</summary>
internal sealed class SchemeDescriptions(IAuthenticationSchemeProvider schemes, IOptionsMonitor<TokenValidationOptions> options)
{
    /// <summary>Signing in at the provider, in the document, from where a bearer token comes.</summary>
    public const string OAuth2 = "OAuth2";

    /// <summary>The same by the provider's own description.</summary>
    public const string OpenIdConnect = "OpenIdConnect";

    /// <summary>The schemes of this library, in the order in which they were added.</summary>
    public async Task<IReadOnlyList<(string Name, TokenValidationOptions Options)>> All() =>
        [.. (await schemes.GetAllSchemesAsync()).Where(scheme => scheme.HandlerType == typeof(TokenValidationHandler)).Select(scheme => (scheme.Name, options.Get(scheme.Name)))];

    public async Task<string?> Default() => (await schemes.GetDefaultAuthenticateSchemeAsync())?.Name;

    /// <summary>A scheme as OpenAPI has it, one for each carrier.</summary>
    public static IEnumerable<(string Name, OpenApiSecurityScheme Scheme)> Describe(string name, TokenValidationOptions options)
    {
        foreach (var carrier in options.Carriers)
        {
            var isOnly = options.Carriers.Length == 1;
            yield return (isOnly ? name : $"{name}-{carrier.Place}", Describe(carrier, options));
        }
    }

    private static OpenApiSecurityScheme Describe(Carrier carrier, TokenValidationOptions options) => carrier.Place switch
    {
        CarrierPlace.Bearer => new OpenApiSecurityScheme
        {
            Type = SecuritySchemeType.Http,
            Scheme = "bearer",
            BearerFormat = options.Mode == TokenValidationMode.Local ? "JWT" : null,
            Description = options.SharedSecret is not null ? "An access token signed with a secret that provider and API share (HS256)."
                : options.Mode == TokenValidationMode.Local ? "An access token, checked here with the provider's published keys."
                : "An access token, about which the provider is asked each time.",
        },
        CarrierPlace.Basic => new OpenApiSecurityScheme { Type = SecuritySchemeType.Http, Scheme = "basic", Description = "An API key: its id as the user name, its secret as the password." },
        CarrierPlace.Header => new OpenApiSecurityScheme { Type = SecuritySchemeType.ApiKey, In = ParameterLocation.Header, Name = carrier.Name, Description = "An API key in a header." },
        CarrierPlace.Query => new OpenApiSecurityScheme { Type = SecuritySchemeType.ApiKey, In = ParameterLocation.Query, Name = carrier.Name, Description = "An API key in the address, where logs and histories keep it." },
        _ => new OpenApiSecurityScheme
        {
            Type = SecuritySchemeType.ApiKey,
            In = ParameterLocation.Cookie,
            Name = carrier.Name,
            Description = options.Kind == CredentialKind.Session
                ? $"A session of a browser: sign in at {options.Session.SignInPath}. What changes something needs the header {options.CsrfHeader} too."
                : $"An API key in a cookie. What changes something needs the header {options.CsrfHeader} too.",
        },
    };
}
