namespace IdP.Grants;

/// <summary>
/// Owns grants: one row for what a person has authorized, none for a token. <see cref="Grant"/> holds the row and what may happen to
/// it, <see cref="RevokedToken"/> the few tokens revoked on their own, <see cref="Liveness"/> the question whether a token still counts.
/// Refresh tokens are <see cref="Handles"/>: sealed names of a grant and a generation, checked before the database is asked.
/// </summary>
internal static class GrantsFeature
{
    public static void AddGrants(this IServiceCollection services)
    {
        services.AddSingleton<Liveness>();
        services.AddSingleton<GrantStatements>();
        services.AddSingleton<Handles>();
        services.AddSingleton<RefreshTokens>();
    }
}
