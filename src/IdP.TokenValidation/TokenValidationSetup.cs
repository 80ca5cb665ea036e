using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace IdP.TokenValidation;

/// <summary>Adds the checking of access tokens to an application.</summary>
public static class TokenValidationSetup
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

    /// <summary>Adds a scheme with a name of its own; an API may have several, for example one that checks locally and one that asks.</summary>
    /// <param name="builder">What <c>AddAuthentication</c> returns.</param>
    /// <param name="authenticationScheme">The name of the scheme.</param>
    /// <param name="configure">Sets the options. What is missing or out of range stops the application at its start.</param>
    public static AuthenticationBuilder AddIdPTokenValidation(
        this AuthenticationBuilder builder, string authenticationScheme, Action<TokenValidationOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(configure);
        builder.Services.AddAuthorization();
        builder.Services.TryAddEnumerable(ServiceDescriptor.Singleton<IPostConfigureOptions<TokenValidationOptions>, MakeValidator>());
        builder.Services.AddOptions<TokenValidationOptions>(authenticationScheme).ValidateOnStart();
        return builder.AddScheme<TokenValidationOptions, TokenValidationHandler>(authenticationScheme, configure);
    }

    // The keys, the connections and the caches of a scheme live as long as its options.
    private sealed class MakeValidator(IServiceProvider services, ILoggerFactory logs) : IPostConfigureOptions<TokenValidationOptions>
    {
        public void PostConfigure(string? name, TokenValidationOptions options)
        {
            options.TimeProvider ??= services.GetService<TimeProvider>() ?? TimeProvider.System;
            options.Validator ??= new TokenValidator(options, logs.CreateLogger("IdP.TokenValidation"));
        }
    }
}
