using IdP.Http;

namespace IdP.Registration;

/// <summary>Who may make an account for themselves.</summary>
internal enum RegistrationMode
{
    Off,
    Open,
    Invitation,
}

/// <summary>
/// Owns how accounts come to their owners: the sign-up page, which takes an address and always says the same; the page behind the link in the
/// mail, on which the account is made (<see cref="SignUps"/>), so that there is none whose address is not confirmed; invitations by operators;
/// and the change of an address (<see cref="EmailChanges"/>), of which the old and the new one are told.
/// </summary>
internal static class RegistrationFeature
{
    public static void AddRegistration(this IServiceCollection services)
    {
        services.AddSingleton<SignUps>();
        services.AddSingleton<EmailChanges>();
    }

    /// <summary>What commands need of it.</summary>
    public static void AddInvitations(this IServiceCollection services) => services.AddSingleton<Invitations>();

    public static RegistrationMode Mode(this IdpOptions options) => Enum.TryParse<RegistrationMode>(options.Registration.Mode, ignoreCase: true, out var mode) && Enum.IsDefined(mode)
        ? mode : throw new ConfigurationException($"Registration:Mode is '{options.Registration.Mode}': use off, open or invitation.");
}
