using IdP.Clients;
using IdP.Http;
using IdP.Protocol.OAuth;
using IdP.Tokens.GrantTypes;

namespace IdP.Tokens;

/// <summary>
/// Owns the endpoints about tokens: issue, introspect, revoke. A token request runs through <see cref="TokenEndpoint.Handle"/>: read the
/// form, authenticate the client, choose the grant, let it prove what is authorized (one file each in GrantTypes/), issue and respond.
/// <see cref="TokenIssuer"/> makes tokens, <see cref="TokenReader"/> recognizes them, <see cref="Grants.Liveness"/> knows whether they
/// still count. No token is ever stored.
/// </summary>
internal static class TokensFeature
{
    public static void AddTokens(this IServiceCollection services)
    {
        services.AddSingleton<IGrant, ClientCredentialsGrant>();
        services.AddSingleton<IGrant, AuthorizationCodeGrant>();
        services.AddSingleton<IGrant, PasswordGrant>();
        services.AddSingleton<IGrant, RefreshTokenGrant>();
        services.AddSingleton<TokenIssuer>();
        services.AddSingleton<IdTokens>();
        services.AddSingleton<GrantedTokens>();
        services.AddSingleton<OpaqueTokens>();
        services.AddSingleton<TokenReader>();
        services.AddSingleton<TokenEndpoint>();
        services.AddSingleton<IntrospectionEndpoint>();
        services.AddSingleton<RevocationEndpoint>();
    }

    public static void MapTokens(this WebApplication app)
    {
        var clients = app.Services.GetRequiredService<ClientDirectory>();
        app.MapPost(TokenEndpoint.Path, (RequestDelegate)app.Services.GetRequiredService<TokenEndpoint>().Handle);
        app.MapPost(IntrospectionEndpoint.Path, (RequestDelegate)app.Services.GetRequiredService<IntrospectionEndpoint>().Handle);
        app.MapPost(RevocationEndpoint.Path, (RequestDelegate)app.Services.GetRequiredService<RevocationEndpoint>().Handle);
        // A browser calls these two; introspection is for servers.
        app.MapPreflight(TokenEndpoint.Path, clients);
        app.MapPreflight(RevocationEndpoint.Path, clients);
    }
}
