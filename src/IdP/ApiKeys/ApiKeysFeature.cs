namespace IdP.ApiKeys;

/// <summary>
/// Owns API keys: credentials of a person or a service client for one API, with scopes of that API and an end. The text of a key is
/// <see cref="Protocol.ApiKeyText"/>; stored is a keyed hash. An API checks a key by introspection like a token: <see cref="ApiKeyLookup"/>
/// finds it with one statement, so that it counts exactly as long as key, owner and scope do; <see cref="LastUses"/> notes the use without
/// making anybody wait. <see cref="ApiKeyStatements"/> is what operators and owners may do.
/// </summary>
internal static class ApiKeysFeature
{
    public static void AddApiKeyStatements(this IServiceCollection services) => services.AddSingleton<ApiKeyStatements>();

    public static void AddApiKeys(this IServiceCollection services)
    {
        services.AddSingleton<ApiKeyLookup>();
        services.AddSingleton<ApiKeyIntrospection>();
        services.AddSingleton<LastUses>();
        services.AddHostedService(provider => provider.GetRequiredService<LastUses>());
    }
}
