namespace IdP.SecondFactors;

/// <summary>
/// Owns what somebody proves besides the first factor: one-time passwords of an app (<see cref="Authenticator"/>), recovery codes, and the
/// browsers that are trusted after it (<see cref="RememberedDevices"/>). <see cref="SecondFactorCheck"/> judges codes. Who owes a second
/// factor has no session yet: a sealed <see cref="FirstFactor"/> travels with the interaction, and the pure function
/// <see cref="Authorize.NextSteps"/> says when it is due, by what the account has, its roles, the client and the request.
/// </summary>
internal static class SecondFactorsFeature
{
    /// <summary>What commands need as well.</summary>
    public static void AddSecondFactorStatements(this IServiceCollection services) => services.AddSingleton<SecondFactorStatements>();

    public static void AddSecondFactors(this IServiceCollection services)
    {
        services.AddSingleton<SecondFactorCheck>();
        services.AddSingleton<RememberedDevices>();
        services.AddSingleton<AuthenticatorSetUp>();
    }
}
