using System.Security.Claims;
using IdP.TokenValidation;

namespace ResourceApi;

/// <summary>
/// How callers prove who they are: one scheme for each way, and the same items behind each. An API of your own needs one or two of them:
/// <c>builder.Services.AddIdPTokenValidation(o => { o.Issuer = ...; o.Audiences.Add(...); })</c> makes access tokens the default.
/// </summary>
internal static class Ways
{
    public const string Local = "local", Introspected = "introspected", Basic = "basic", KeyInHeader = "key-header", KeyInQuery = "key-query", KeyInCookie = "key-cookie";
    public const string Session = "session", SharedSecret = "shared-secret";

    public static void AddWays(this IServiceCollection services, Settings settings)
    {
        // Access tokens, checked here with the provider's published keys, or about which the provider is asked each time.
        var schemes = services.AddIdPTokenValidation(Local, o => { settings.Apply(o); o.Resource = settings.PublicUrl; });
        schemes.AddIdPTokenValidation(Introspected, o => { settings.Apply(o); o.Mode = TokenValidationMode.Introspection; });
        // API keys of the provider: as user name and password, in a header, in the query (unwise: addresses are logged) or in a cookie.
        schemes.AddIdPBasic(settings.Apply, Basic);
        schemes.AddIdPApiKeys(KeyInHeader, settings.Apply);
        schemes.AddIdPApiKeys(KeyInQuery, o => { settings.Apply(o); (o.ApiKeys.HeaderName, o.ApiKeys.QueryName) = (null, "api_key"); });
        schemes.AddIdPApiKeys(KeyInCookie, o => { settings.Apply(o); (o.ApiKeys.HeaderName, o.ApiKeys.CookieName) = (null, "api_key"); });
        // People with a browser: they sign in at the provider, the tokens stay here, the browser gets a cookie.
        schemes.AddIdPSession(o =>
        {
            settings.Apply(o);
            (o.ClientId, o.ClientSecret, o.Session.PublicUrl) = (settings.SessionClientId, settings.SessionClientSecret, settings.PublicUrl);
            o.Session.Scopes = ["openid", "profile", "items:read", "items:write"];
        }, Session);
        // A secret that the provider shares with this API, if there must be one: whoever checks such a token could make it. `local` is the better way.
        if (settings.SharedSecret is not null)
        {
            schemes.AddIdPTokenValidation(SharedSecret, o =>
            {
                (o.Issuer, o.SharedSecret) = (settings.Issuer, settings.SharedSecret);
                o.Audiences.Add(settings.LegacyAudience);
            });
        }
    }

    public static void MapWays(this WebApplication app, Settings settings)
    {
        Items("/local", "Access tokens, checked here", Local);
        Items("/introspected", "Access tokens, the provider is asked", Introspected);
        Items("/basic", "API keys by HTTP Basic", Basic);
        Items("/key-header", "API keys in a header", KeyInHeader);
        Items("/key-query", "API keys in the query", KeyInQuery);
        Items("/key-cookie", "API keys in a cookie", KeyInCookie);
        Items("/site", "A session of a browser", Session);
        // Any of several: whoever sends two credentials is refused, because nobody could say which counts.
        Items("/any", "Any of several ways", Local, KeyInHeader, Session);
        app.MapGet("/open/items", (ItemStore items) => TypedResults.Ok(items.All())).WithTags("Open").WithSummary("Lists the items, for anybody");
        if (settings.SharedSecret is not null)
        {
            app.MapGet("/shared-secret/hello", (ClaimsPrincipal user) => TypedResults.Text($"Hello {user.Identity!.Name}")).RequireSchemes(SharedSecret).RequireScope("legacy:read")
                .WithTags("A shared secret (HS256)").WithSummary("Greets the owner of a token under the shared secret");
        }

        // Sign-in, callback and sign-out of the browser's session; what the API says of itself (RFC 9728).
        app.MapIdPSession(Session);
        app.MapIdPResourceMetadata(Local);

        void Items(string path, string tag, params string[] schemes) => app.MapGroup(path).RequireSchemes(schemes).WithTags(tag).MapItems();
    }
}
