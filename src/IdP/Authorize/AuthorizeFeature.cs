using IdP.Clients;
using IdP.Http;

namespace IdP.Authorize;

/// <summary>
/// Owns the front channel. A request runs through <see cref="AuthorizeEndpoint.Handle"/>: the checks of
/// <see cref="AuthorizationRequestPipeline"/> (one table, the same for a pushed request), then <see cref="NextSteps"/>, a pure function,
/// says whether a page is due or the code can be issued (<see cref="Codes"/>). Pages do not know one another: each returns here with the
/// request sealed (<see cref="Interactions"/>, opened by <see cref="PageRequests"/>). <see cref="AuthorizationResponse"/> is the one writer of answers to clients.
/// </summary>
internal static class AuthorizeFeature
{
    public static void AddAuthorize(this IServiceCollection services)
    {
        services.AddSingleton<AuthorizationRequestPipeline>();
        services.AddSingleton<Interactions>();
        services.AddSingleton<Codes>();
        services.AddSingleton<AuthorizationResponse>();
        services.AddSingleton<AuthorizeEndpoint>();
        services.AddSingleton<PageRequests>();
        services.AddSingleton<PushedAuthorizationEndpoint>();
    }

    public static void MapAuthorize(this WebApplication app)
    {
        // No preflight: browsers are sent here, scripts have no business with it (RFC 9700 §2.6).
        app.MapMethods(AuthorizeEndpoint.Path, ["GET", "POST"], (RequestDelegate)app.Services.GetRequiredService<AuthorizeEndpoint>().Handle);
        app.MapPost(PushedAuthorizationEndpoint.Path, (RequestDelegate)app.Services.GetRequiredService<PushedAuthorizationEndpoint>().Handle);
        app.MapPreflight(PushedAuthorizationEndpoint.Path, app.Services.GetRequiredService<ClientDirectory>());
    }
}
