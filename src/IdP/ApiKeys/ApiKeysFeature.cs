using System.Text;
using IdP.Clients;
using IdP.Discovery;
using IdP.Http;

namespace IdP.ApiKeys;

/// <summary>
/// Owns API keys: credentials of a person or a service client for one API, with scopes of that API and an end. The text of a key is
/// <see cref="Protocol.ApiKeyText"/>; stored is a keyed hash. An API checks a key by introspection like a token: <see cref="ApiKeyLookup"/>
/// finds it with one statement, so that it counts exactly as long as key, owner and scope do; <see cref="LastUses"/> notes the use without
/// making anybody wait. <see cref="ApiKeyStatements"/> is what operators and owners may do, <see cref="ApiKeysEndpoint"/> the API of the
/// signed-in owner, which openapi.json describes.
/// </summary>
internal static class ApiKeysFeature
{
    public static void AddApiKeyStatements(this IServiceCollection services) => services.AddSingleton<ApiKeyStatements>();

    public static void AddApiKeys(this IServiceCollection services)
    {
        services.AddSingleton<ApiKeyLookup>();
        services.AddSingleton<ApiKeyIntrospection>();
        services.AddSingleton<ApiKeysEndpoint>();
        services.AddSingleton<LastUses>();
        services.AddHostedService(provider => provider.GetRequiredService<LastUses>());
    }

    public static void MapApiKeys(this WebApplication app)
    {
        var (endpoint, clients) = (app.Services.GetRequiredService<ApiKeysEndpoint>(), app.Services.GetRequiredService<ClientDirectory>());
        app.MapGet(ApiKeysEndpoint.Path, (RequestDelegate)endpoint.List);
        app.MapPost(ApiKeysEndpoint.Path, (RequestDelegate)endpoint.Create);
        app.MapGet(ApiKeysEndpoint.KeyPath, (RequestDelegate)endpoint.Show);
        app.MapDelete(ApiKeysEndpoint.KeyPath, (RequestDelegate)endpoint.Revoke);
        app.MapPost(ApiKeysEndpoint.RotationPath, (RequestDelegate)endpoint.Rotate);
        app.MapPreflight(ApiKeysEndpoint.Path, clients, "GET, POST");
        app.MapPreflight(ApiKeysEndpoint.KeyPath, clients, "GET, DELETE");
        app.MapPreflight(ApiKeysEndpoint.RotationPath, clients);
        var description = new PublishedDocument(() => 0, writer => writer.WriteRawValue(Description(app.Services.GetRequiredService<Issuer>())));
        app.MapGet(ApiKeysEndpoint.Path + "/openapi.json", (RequestDelegate)description.Respond);
    }

    private static string Description(Issuer issuer)
    {
        using var stream = typeof(ApiKeysFeature).Assembly.GetManifestResourceStream("IdP.ApiKeys.openapi.json")!;
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return reader.ReadToEnd().Replace("{issuer}", issuer.Value, StringComparison.Ordinal);
    }
}
