namespace IdP.Throttles;

/// <summary>
/// Owns what slows down whoever guesses at many accounts: <see cref="NetworkThrottle"/> counts wrong passwords of one network in the database,
/// so that every node and every start knows, and makes strangers there wait longer and longer. What protects one account is in Accounts, what
/// protects a node from floods is <see cref="Http.FailureLimiter"/>.
/// </summary>
internal static class ThrottlesFeature
{
    public static void AddThrottles(this IServiceCollection services) => services.AddSingleton<NetworkThrottle>();
}
