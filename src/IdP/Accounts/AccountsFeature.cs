namespace IdP.Accounts;

/// <summary>
/// Owns people and their passwords. <see cref="PasswordCheck"/> decides whether a name and a password belong together: it reserves an
/// attempt (<see cref="AttemptCounts"/>), has the hash computed in the <see cref="HashPool"/>, and gives the same answer at the same
/// cost whether the account exists, is locked or is disabled. <see cref="HashedPassword"/> is the one way to a new password, by the
/// <see cref="PasswordRules"/>. <see cref="UserStatements"/> is what operators may do to accounts.
/// </summary>
internal static class AccountsFeature
{
    // Half of what the host gives requests to end in.
    private static readonly TimeSpan HashingWhileStopping = TimeSpan.FromSeconds(15);

    public static void AddAccounts(this IServiceCollection services)
    {
        services.AddSingleton<HashPool>();
        services.AddSingleton<BreachedPasswords>();
        services.AddSingleton<PasswordRules>();
        services.AddSingleton<AttemptCounts>();
        services.AddSingleton<PasswordCheck>();
        services.AddSingleton<MailLinks>();
        services.AddSingleton<KnownDevices>();
        services.AddSingleton<UserStatements>();
        services.AddSingleton<Subjects>();
    }

    public static void UseAccounts(this WebApplication app) =>
        app.Lifetime.ApplicationStopping.Register(() => app.Services.GetRequiredService<HashPool>().EndAfter(HashingWhileStopping));
}
