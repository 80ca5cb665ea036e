using IdP.Clients;
using IdP.Http;

namespace IdP.UserInfo;

/// <summary>
/// Owns what is told of a person: <see cref="UserInfoEndpoint"/> answers whoever holds an access token that was granted openid,
/// <see cref="UserClaims"/> decides which claims its scopes open.
/// </summary>
internal static class UserInfoFeature
{
    public static void AddUserInfo(this IServiceCollection services) => services.AddSingleton<UserInfoEndpoint>();

    public static void MapUserInfo(this WebApplication app)
    {
        var endpoint = app.Services.GetRequiredService<UserInfoEndpoint>();
        app.MapMethods(UserInfoEndpoint.Path, ["GET", "POST"], (RequestDelegate)endpoint.Handle);
        app.MapPreflight(UserInfoEndpoint.Path, app.Services.GetRequiredService<ClientDirectory>(), "GET, POST");
    }
}
