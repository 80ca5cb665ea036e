using IdP.Outbox;

namespace IdP.Logout;

/// <summary>
/// Owns signing out. An app sends the person to <see cref="LogoutEndpoint"/> (RP-Initiated Logout 1.0), which checks the request
/// (<see cref="LogoutRequests"/>) and either ends the session at once, because a hint proves that the app means it, or has the person
/// asked by the page /sign-out. <see cref="SignOut"/> ends the session: in that one transaction its grants are revoked and a notice for
/// every app that it ever signed in to goes into the outbox. The page /signed-out tells the apps that are told through the browser
/// (Front-Channel Logout 1.0) and leads on; <see cref="LogoutNotifier"/> tells the others later (Back-Channel Logout 1.0), so that
/// nobody waits for them. Between the pages everything travels sealed (<see cref="SignOutPages"/>).
/// </summary>
internal static class LogoutFeature
{
    public static void AddLogout(this IServiceCollection services)
    {
        services.AddSingleton<LogoutRequests>();
        services.AddSingleton<LogoutEndpoint>();
        services.AddSingleton<SignOut>();
        services.AddSingleton<SignOutPages>();
        services.AddSingleton<LogoutTokens>();
        services.AddSingleton<LogoutNotifier>();
    }

    public static void MapLogout(this WebApplication app) =>
        app.MapMethods(LogoutEndpoint.Path, ["GET", "POST"], (RequestDelegate)app.Services.GetRequiredService<LogoutEndpoint>().Handle);
}
