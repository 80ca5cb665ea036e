namespace IdP.Upstream;

/// <summary>
/// Owns sign-in through other OpenID Connect providers. The sign-in page lists them (<see cref="UpstreamCatalog"/>);
/// <see cref="UpstreamFlow"/> sends the person there with state, nonce and PKCE and takes the answer at an address of the provider's own,
/// once, in the same browser. Whom the provider names is known by (provider, subject) alone: <see cref="UpstreamLogin"/>. Somebody new
/// signs in here as well to connect the two, or gets an account where the operator lets the provider create them.
/// <see cref="UpstreamStatements"/> is what operators may do.
/// </summary>
internal static class UpstreamFeature
{
    public static void AddUpstreamStatements(this IServiceCollection services)
    {
        services.AddSingleton<UpstreamCatalog>();
        services.AddSingleton<UpstreamSecrets>();
        services.AddSingleton<UpstreamStatements>();
    }

    public static void AddUpstream(this IServiceCollection services)
    {
        services.AddSingleton<UpstreamMetadata>();
        services.AddSingleton<UpstreamFlow>();
        services.AddSingleton<UpstreamAccounts>();
        services.AddSingleton<UpstreamCallback>();
    }

    public static void MapUpstream(this WebApplication app) =>
        app.MapGet(UpstreamCallback.Path, (RequestDelegate)app.Services.GetRequiredService<UpstreamCallback>().Handle);
}
