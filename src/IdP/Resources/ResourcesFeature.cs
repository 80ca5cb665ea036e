namespace IdP.Resources;

/// <summary>
/// Owns resources (APIs) and their scopes. <see cref="ResourceCatalog"/> has them all in memory; <see cref="GrantedScopes"/> decides
/// what a request gets: the <c>resource</c> parameter, else the one owner of the scopes, is the token's audience. <see cref="ResourceStatements"/> adds them.
/// </summary>
internal static class ResourcesFeature
{
    public static void AddResources(this IServiceCollection services)
    {
        services.AddSingleton<ResourceCatalog>();
        services.AddSingleton<SharedSecrets>();
        services.AddSingleton<ResourceStatements>();
    }
}
