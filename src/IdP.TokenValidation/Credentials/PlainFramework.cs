using System.Diagnostics.Metrics;
using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Authorization.Infrastructure;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace IdP.TokenValidation;

/// <summary>
/// Whether the framework's way from a policy to a scheme and to its requirements could change an answer, or be seen: by services or
/// authorization handlers of the application, claims transformation, forwarding, debug logs, metrics. If not, it need not be gone.
/// </summary>
internal sealed partial class PlainFramework(ILoggerFactory logs, IMeterFactory? meters = null)
{
    private readonly ILogger _authenticationLog = logs.CreateLogger<TokenValidationHandler>();
    private readonly ILogger _authorizationLog = logs.CreateLogger<DefaultAuthorizationService>();

    // By the framework's names: whoever listens to its instruments listens to these.
    private readonly Histogram<double>? _authentications = meters?.Create("Microsoft.AspNetCore.Authentication").CreateHistogram<double>(
        "aspnetcore.authentication.authenticate.duration", "s", "The authentication duration for a request.");

    private readonly Counter<long>? _authorizations = meters?.Create("Microsoft.AspNetCore.Authorization").CreateCounter<long>(
        "aspnetcore.authorization.attempts", "{attempt}", "The total number of authorization attempts.");

    // What is registered does not change once the application runs.
    private Registered? _registered;

    /// <summary>Whether a scheme may be asked without the framework, which keeps the answer for the rest of the request: only where asking again costs nothing.</summary>
    public bool MayAuthenticate(HttpContext context, TokenValidationOptions options) =>
        options is { Kind: CredentialKind.Bearer, Mode: TokenValidationMode.Local, ForwardAuthenticate: null, ForwardDefault: null, ForwardDefaultSelector: null }
        && _authentications is not { Enabled: true } && !_authenticationLog.IsEnabled(LogLevel.Debug) && Find(context).AuthenticationIsPlain;

    /// <summary>Whether these requirements are met, decided as the framework would; false also means that it has to be asked.</summary>
    public bool IsMet(AuthorizationPolicy policy, HttpContext context)
    {
        if (_authorizations is { Enabled: true } || _authorizationLog.IsEnabled(LogLevel.Debug) || !Find(context).AuthorizationIsPlain) return false;
        var user = context.User;
        var requirements = policy.Requirements;
        for (var i = 0; i < requirements.Count; i++)
        {
            var isMet = requirements[i] switch
            {
                ClaimRequirement claim => claim.IsMetBy(user),
                DenyAnonymousAuthorizationRequirement known when known.GetType() == typeof(DenyAnonymousAuthorizationRequirement) => IsAuthenticated(user),
                _ => false,
            };
            if (!isMet) return false;
        }

        return requirements.Count > 0;
    }

    /// <summary>Says of a refused credential what the framework would.</summary>
    public AuthenticateResult Logged(string scheme, AuthenticateResult result)
    {
        if (result.Failure is { } failure) LogRefused(_authenticationLog, scheme, failure.Message);
        return result;
    }

    private static bool IsAuthenticated(ClaimsPrincipal user)
    {
        if (user.Identity is null) return false;
        foreach (var identity in user.Identities)
        {
            if (identity.IsAuthenticated) return true;
        }

        return false;
    }

    private Registered Find(HttpContext context) => _registered ??= Registered.In(context.RequestServices);

    [LoggerMessage(7, LogLevel.Information, "{AuthenticationScheme} was not authenticated. Failure message: {FailureMessage}", EventName = "AuthenticationSchemeNotAuthenticatedWithFailure")]
    private static partial void LogRefused(ILogger logger, string authenticationScheme, string failureMessage);

    private sealed record Registered(bool AuthenticationIsPlain, bool AuthorizationIsPlain)
    {
        public static Registered In(IServiceProvider services) => new(
            services.GetService<IAuthenticationService>()?.GetType().Assembly == typeof(AuthenticationService).Assembly
                && services.GetService<IClaimsTransformation>()?.GetType() == typeof(NoopClaimsTransformation),
            services.GetService<IAuthorizationService>()?.GetType().Assembly == typeof(DefaultAuthorizationService).Assembly
                && services.GetService<IAuthorizationHandlerProvider>()?.GetType() == typeof(DefaultAuthorizationHandlerProvider)
                && services.GetService<IAuthorizationHandlerContextFactory>()?.GetType() == typeof(DefaultAuthorizationHandlerContextFactory)
                && services.GetService<IAuthorizationEvaluator>()?.GetType() == typeof(DefaultAuthorizationEvaluator)
                && services.GetServices<IAuthorizationHandler>().All(handler => handler is PassThroughAuthorizationHandler));
    }
}
