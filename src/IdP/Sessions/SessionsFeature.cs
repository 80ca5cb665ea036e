namespace IdP.Sessions;

/// <summary>
/// Owns sign-ins in browsers: one row each, named by a cookie that is a handle of it. <see cref="SignInSteps"/> is the one way from a proof
/// to a session. <see cref="BrowserSessions"/> finds and begins
/// them, <see cref="SessionEnd"/> ends them with all that hangs on them, <see cref="SessionStatements"/> are the few hot statements.
/// </summary>
internal static class SessionsFeature
{
    public static void AddSessions(this IServiceCollection services)
    {
        services.AddSingleton<SessionStatements>();
        services.AddSingleton<BrowserSessions>();
        services.AddSingleton<SignInSteps>();
    }
}
