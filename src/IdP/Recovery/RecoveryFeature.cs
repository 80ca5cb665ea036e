using IdP.Accounts;

namespace IdP.Recovery;

/// <summary>
/// Owns the way back for people who have forgotten their password: a page that takes a name and always says the same, a link that goes to the
/// confirmed address (<see cref="PasswordReset"/>), and the page on which they choose another password. It signs nobody in: whatever else the
/// account asks for at sign-in is still asked for, and every session, token and earlier link ends.
/// </summary>
internal static class RecoveryFeature
{
    public static void AddRecovery(this IServiceCollection services)
    {
        services.AddSingleton<AnswerFirst>();
        services.AddHostedService(provider => provider.GetRequiredService<AnswerFirst>());
        services.AddSingleton<PasswordReset>();
    }
}
