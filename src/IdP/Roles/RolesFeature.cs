namespace IdP.Roles;

/// <summary>
/// Owns roles and permissions. A permission belongs to one API; a role holds permissions; people and service clients hold roles. A token for
/// an API carries the roles that mean something there and the permissions there that come of them, and nothing of other APIs
/// (<see cref="Rights"/>). <see cref="RoleCatalog"/> has the roles in memory, <see cref="HeldRoles"/> knows who holds which,
/// <see cref="RoleStatements"/> is what operators may do.
/// </summary>
internal static class RolesFeature
{
    public static void AddRoles(this IServiceCollection services)
    {
        services.AddSingleton<RoleCatalog>();
        services.AddSingleton<HeldRoles>();
        services.AddSingleton<RoleStatements>();
    }
}
