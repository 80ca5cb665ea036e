using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization.Policy;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace IdP.TokenValidation;

/// <summary>
/// Adds the checking of credentials to an application. What is missing or out of range stops the application at its start, with an
/// <see cref="OptionsValidationException"/> that names it.
/// </summary>
public static partial class TokenValidationSetup
{
    /// <summary>Adds authentication with access tokens as the default scheme <c>Bearer</c>, and authorization.</summary>
    /// <example><code>
    /// builder.Services.AddIdPTokenValidation(o =>
    /// {
    ///     o.Issuer = "https://idp.example";
    ///     o.Audiences.Add("urn:demo:api");
    /// });
    /// app.MapGet("/items", () => items).RequireScope("items:read");
    /// </code></example>
    public static AuthenticationBuilder AddIdPTokenValidation(this IServiceCollection services, Action<TokenValidationOptions> configure)
    {
        services.Configure<AuthenticationOptions>(options => options.DefaultScheme = TokenValidationDefaults.AuthenticationScheme);
        return services.AddIdPTokenValidation(TokenValidationDefaults.AuthenticationScheme, configure);
    }

    /// <summary>Adds a scheme with a name of its own, which endpoints ask for in their policy, and authorization.</summary>
    public static AuthenticationBuilder AddIdPTokenValidation(
        this IServiceCollection services, string authenticationScheme, Action<TokenValidationOptions> configure)
    {
        // AddAuthentication would also add data protection, which writes key files that no access token needs.
        services.AddAuthenticationCore();
        services.AddWebEncoders();
        services.TryAddSingleton(TimeProvider.System);
        return new AuthenticationBuilder(services).AddIdPTokenValidation(authenticationScheme, configure);
    }

    /// <summary>Adds the scheme <c>Bearer</c>.</summary>
    public static AuthenticationBuilder AddIdPTokenValidation(this AuthenticationBuilder builder, Action<TokenValidationOptions> configure) =>
        builder.AddIdPTokenValidation(TokenValidationDefaults.AuthenticationScheme, configure);

    /// <summary>Adds a scheme for access tokens with a name of its own; an API may have several, for example one that checks locally and one that asks.</summary>
    /// <param name="builder">What <c>AddAuthentication</c> returns.</param>
    /// <param name="authenticationScheme">The name of the scheme.</param>
    /// <param name="configure">Sets the options.</param>
    public static AuthenticationBuilder AddIdPTokenValidation(
        this AuthenticationBuilder builder, string authenticationScheme, Action<TokenValidationOptions> configure) =>
        builder.AddIdPScheme(authenticationScheme, CredentialKind.Bearer, configure);

    /// <summary>Adds a scheme for HTTP Basic: the id of an API key as the user name, its secret as the password; the provider is asked about it.</summary>
    /// <param name="builder">What <c>AddIdPTokenValidation</c> returns.</param>
    /// <param name="configure">Sets the options; <c>ClientId</c> and <c>ClientSecret</c> are required.</param>
    /// <param name="authenticationScheme">The name of the scheme.</param>
    public static AuthenticationBuilder AddIdPBasic(
        this AuthenticationBuilder builder, Action<TokenValidationOptions> configure, string authenticationScheme = TokenValidationDefaults.BasicScheme) =>
        builder.AddIdPScheme(authenticationScheme, CredentialKind.Basic, configure);

    /// <summary>Adds the scheme <c>ApiKey</c>: API keys, in the header <c>X-API-Key</c> unless <see cref="TokenValidationOptions.ApiKeys"/> says otherwise; the provider is asked about them.</summary>
    /// <param name="builder">What <c>AddIdPTokenValidation</c> returns.</param>
    /// <param name="configure">Sets the options; <c>ClientId</c> and <c>ClientSecret</c> are required.</param>
    public static AuthenticationBuilder AddIdPApiKeys(this AuthenticationBuilder builder, Action<TokenValidationOptions> configure) =>
        builder.AddIdPApiKeys(TokenValidationDefaults.ApiKeyScheme, configure);

    /// <summary>The same with a name of its own, for example one scheme for each carrier.</summary>
    public static AuthenticationBuilder AddIdPApiKeys(
        this AuthenticationBuilder builder, string authenticationScheme, Action<TokenValidationOptions> configure) =>
        builder.AddIdPScheme(authenticationScheme, CredentialKind.ApiKey, configure);

    /// <summary>
    /// Adds a scheme for people who sign in with a browser: the tokens stay in this application, the browser gets a cookie with a random handle.
    /// <c>MapIdPSession</c> maps its endpoints.
    /// </summary>
    /// <param name="builder">What <c>AddIdPTokenValidation</c> returns.</param>
    /// <param name="configure">Sets the options; <c>ClientId</c> and <c>ClientSecret</c> of a client with the code flow are required.</param>
    /// <param name="authenticationScheme">The name of the scheme.</param>
    public static AuthenticationBuilder AddIdPSession(
        this AuthenticationBuilder builder, Action<TokenValidationOptions> configure, string authenticationScheme = TokenValidationDefaults.SessionScheme) =>
        builder.AddIdPScheme(authenticationScheme, CredentialKind.Session, configure);

    private static AuthenticationBuilder AddIdPScheme(this AuthenticationBuilder builder, string scheme, CredentialKind kind, Action<TokenValidationOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(configure);
        var services = builder.Services;
        services.AddAuthorization();
        SecurityDocument.AddTo(services);
        services.TryAddSingleton<SchemesOfPolicies>();
        services.TryAddSingleton<PlainFramework>();
        services.Replace(ServiceDescriptor.Singleton<IPolicyEvaluator, CredentialPolicyEvaluator>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IPostConfigureOptions<TokenValidationOptions>, MakeValidator>());
        services.AddOptions<TokenValidationOptions>(scheme).ValidateOnStart();
        return builder.AddScheme<TokenValidationOptions, TokenValidationHandler>(scheme, options =>
        {
            options.Kind = kind;
            if (kind is CredentialKind.Basic or CredentialKind.ApiKey) options.Mode = TokenValidationMode.Introspection;
            configure(options);
        });
    }

    // The keys, the connections, the caches and the sessions of a scheme live as long as its options.
    private sealed partial class MakeValidator(IServiceProvider services, ILoggerFactory logs) : IPostConfigureOptions<TokenValidationOptions>
    {
        public void PostConfigure(string? name, TokenValidationOptions options)
        {
            var logger = logs.CreateLogger("IdP.TokenValidation");
            options.TimeProvider ??= services.GetService<TimeProvider>() ?? TimeProvider.System;
            options.Validator ??= new TokenValidator(options, logger);
            options.Carriers = options.Kind switch
            {
                CredentialKind.Basic => [Carrier.Basic],
                CredentialKind.ApiKey => [.. options.ApiKeys.All()],
                CredentialKind.Session => [new Carrier(CarrierPlace.Cookie, options.Session.EffectiveCookieName)],
                _ => [Carrier.Bearer],
            };
            if (options.SharedSecret is not null) LogSharedSecret(logger, name);
            if (options is { Kind: CredentialKind.ApiKey, ApiKeys.QueryName: not null }) LogQuery(logger, name);
        }

        [LoggerMessage(3, LogLevel.Warning, "The scheme {Scheme} checks tokens with a shared secret (HS256): this API could make such tokens itself. Have the provider sign them with a key of its own")]
        private static partial void LogSharedSecret(ILogger logger, string? scheme);

        [LoggerMessage(4, LogLevel.Warning, "The scheme {Scheme} takes API keys from the query: addresses are kept in logs and histories. Use a header")]
        private static partial void LogQuery(ILogger logger, string? scheme);
    }
}
