using System.Buffers;
using System.Text.Json;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace IdP.TokenValidation;

/// <summary>Serves the metadata of a protected resource (RFC 9728): who issues its tokens, and which scopes there are.</summary>
public static class ResourceMetadata
{
    private const string WellKnown = "/.well-known/oauth-protected-resource";

    /// <summary>
    /// Maps <c>/.well-known/oauth-protected-resource</c>, followed by the path of the API's URL identifier if it has one. The scopes are those
    /// that the application's endpoints ask for.
    /// </summary>
    /// <param name="endpoints">The application, not a group: the address begins at the root of the host.</param>
    /// <param name="authenticationScheme">The bearer scheme whose <see cref="TokenValidationOptions.Resource"/> is described.</param>
    /// <exception cref="InvalidOperationException">The scheme has no <see cref="TokenValidationOptions.Resource"/>.</exception>
    public static IEndpointConventionBuilder MapIdPResourceMetadata(
        this IEndpointRouteBuilder endpoints, string authenticationScheme = TokenValidationDefaults.AuthenticationScheme)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        var options = endpoints.ServiceProvider.GetRequiredService<IOptionsMonitor<TokenValidationOptions>>().Get(authenticationScheme);
        if (options.Resource is not { } resource) throw new InvalidOperationException($"Resource of the scheme {authenticationScheme} must be set: it is what the metadata is about.");
        return endpoints.MapGet(new Uri(AddressOf(resource)).AbsolutePath, async http =>
        {
            var scopes = await Scopes(http.RequestServices);
            http.Response.ContentType = "application/json";
            await http.Response.Body.WriteAsync(Document(options, resource, scopes), http.RequestAborted);
        }).AllowAnonymous().ExcludeFromDescription();
    }

    // RFC 9728 §3.1: between the host and the path.
    internal static string AddressOf(string resource)
    {
        var uri = new Uri(resource);
        return $"{uri.GetLeftPart(UriPartial.Authority)}{WellKnown}{uri.AbsolutePath.TrimEnd('/')}";
    }

    private static async Task<SortedSet<string>> Scopes(IServiceProvider services)
    {
        SortedSet<string> scopes = new(StringComparer.Ordinal);
        var policies = services.GetRequiredService<IAuthorizationPolicyProvider>();
        foreach (var endpoint in services.GetRequiredService<EndpointDataSource>().Endpoints)
        {
            var policy = await AuthorizationPolicy.CombineAsync(
                policies, endpoint.Metadata.GetOrderedMetadata<IAuthorizeData>(), endpoint.Metadata.GetOrderedMetadata<AuthorizationPolicy>());
            Add(scopes, policy?.Requirements ?? []);
        }

        return scopes;
    }

    private static void Add(SortedSet<string> scopes, IEnumerable<IAuthorizationRequirement> requirements)
    {
        foreach (var requirement in requirements)
        {
            if (requirement is ClaimRequirement { ClaimType: ClaimRequirement.ScopeClaim } scope) scopes.UnionWith(scope.Values);
            if (requirement is AnyOfRequirement any) Add(scopes, any.Alternatives.SelectMany(policy => policy.Requirements));
        }
    }

    // RFC 9728 §2.
    private static ReadOnlyMemory<byte> Document(TokenValidationOptions options, string resource, IEnumerable<string> scopes)
    {
        var body = new ArrayBufferWriter<byte>(256);
        using var json = new Utf8JsonWriter(body);
        json.WriteStartObject();
        json.WriteString("resource"u8, resource);
        WriteArray(json, "authorization_servers", [options.Issuer!]);
        WriteArray(json, "bearer_methods_supported", ["header"]);
        WriteArray(json, "scopes_supported", scopes);
        json.WriteEndObject();
        json.Flush();
        return body.WrittenMemory;
    }

    private static void WriteArray(Utf8JsonWriter json, string name, IEnumerable<string> values)
    {
        json.WriteStartArray(name);
        foreach (var value in values) json.WriteStringValue(value);
        json.WriteEndArray();
    }
}
