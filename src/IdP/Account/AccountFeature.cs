namespace IdP.Account;

/// <summary>
/// Owns the pages on which people look after their accounts. <see cref="AccountDoor"/> lets them in: every page asks it first, and what
/// changes a factor, the password or an address asks it for a fresh sign-in. <see cref="AccountPage"/> sees to that. <see cref="AccountSection"/>
/// lists the pages, those of other features too.
/// </summary>
internal static class AccountFeature
{
    public static void AddAccount(this IServiceCollection services)
    {
        services.AddSingleton<AccountDoor>();
        services.AddSingleton<SessionsOfPerson>();
        services.AddSingleton<AppsOfPerson>();
        services.AddSingleton<ApiKeysOfPerson>();
        services.AddSingleton<OnceForm>();
        services.AddSingleton<EventsOfPerson>();
        services.AddSingleton<ProfileOfPerson>();
        services.AddSingleton<PasswordOfPerson>();
        services.AddSingleton<PersonalData>();
    }

    public static void MapAccount(this WebApplication app) =>
        app.MapGet(AccountDoor.Path, (RequestDelegate)app.Services.GetRequiredService<AccountDoor>().Handle);
}
