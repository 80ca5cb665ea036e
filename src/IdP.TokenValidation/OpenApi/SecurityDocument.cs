using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.OpenApi;

namespace IdP.TokenValidation;

/// <summary>
/// Writes into every document of Microsoft.AspNetCore.OpenApi how callers prove who they are and what each endpoint asks for. Registered with
/// the first scheme; an application does nothing for it.
/// </summary>
internal sealed class SecurityDocument(SchemeDescriptions schemes, ProviderAddresses providers, IAuthorizationPolicyProvider policies)
    : IOpenApiDocumentTransformer, IOpenApiOperationTransformer
{
    private const string Problem = "application/problem+json";

    public static void AddTo(IServiceCollection services)
    {
        if (services.Any(service => service.ServiceType == typeof(SecurityDocument))) return;
        services.AddSingleton<SchemeDescriptions>();
        services.AddSingleton<ProviderAddresses>();
        services.AddSingleton<SecurityDocument>();
        services.AddOptions();
        services.ConfigureAll<OpenApiOptions>(options =>
        {
            options.AddOperationTransformer<SecurityDocument>();
            options.AddDocumentTransformer<SecurityDocument>();
        });
    }

    /// <summary>The schemes. It runs after the operations, so that the scopes that they ask for are known.</summary>
    public async Task TransformAsync(OpenApiDocument document, OpenApiDocumentTransformerContext context, CancellationToken cancellationToken)
    {
        foreach (var (name, options) in await schemes.All())
        {
            foreach (var (id, scheme) in SchemeDescriptions.Describe(name, options)) document.AddComponent<IOpenApiSecurityScheme>(id, scheme);
        }

        if (await SignIn() is not { } signIn) return;
        document.AddComponent<IOpenApiSecurityScheme>(SchemeDescriptions.OpenIdConnect, new OpenApiSecurityScheme
        {
            Type = SecuritySchemeType.OpenIdConnect,
            OpenIdConnectUrl = new Uri(signIn.Issuer!.TrimEnd('/') + "/.well-known/openid-configuration"),
            Description = "The provider's own description of how to sign in.",
        });
        document.AddComponent<IOpenApiSecurityScheme>(SchemeDescriptions.OAuth2, new OpenApiSecurityScheme
        {
            Type = SecuritySchemeType.OAuth2,
            Description = "Sign in at the provider and get an access token.",
            Flows = Flows(await providers.Find(signIn, cancellationToken), Scopes(document)),
        });
    }

    /// <summary>What one endpoint asks for, and what it answers whoever lacks it.</summary>
    public async Task TransformAsync(OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken cancellationToken)
    {
        if (await EndpointRequirements.Of(policies, context.Description.ActionDescriptor.EndpointMetadata) is not { } required) return;
        var accepted = required.Schemes.Count > 0 ? required.Schemes : await schemes.Default() is { } standard ? [standard] : [];
        operation.Security ??= [];
        var hasSignIn = false;
        foreach (var (name, options) in await schemes.All())
        {
            if (!accepted.Contains(name)) continue;
            // A token of the provider's ordinary kind can be had by signing in, in the document itself.
            if (options is { Kind: CredentialKind.Bearer, SharedSecret: null } && !hasSignIn)
            {
                hasSignIn = true;
                operation.Security.Add(new() { [new(SchemeDescriptions.OAuth2, context.Document)] = [.. required.Scopes] });
                operation.Security.Add(new() { [new(SchemeDescriptions.OpenIdConnect, context.Document)] = [.. required.Scopes] });
            }

            // OpenAPI 3.1 §4.8.30: for other types than these two the list may name roles that are needed; scopes are as good.
            foreach (var (id, _) in SchemeDescriptions.Describe(name, options)) operation.Security.Add(new() { [new(id, context.Document)] = [] });
        }

        var sentence = required.Sentences.Count == 0 ? null : $"Needs {string.Join("; ", required.Sentences)}.";
        if (sentence is not null) operation.Description = string.IsNullOrEmpty(operation.Description) ? sentence : $"{operation.Description}\n\n{sentence}";
        operation.Responses ??= [];
        operation.Responses.TryAdd("401", Answer($"There is no valid credential ({string.Join(", ", accepted)}); WWW-Authenticate says how to get one."));
        if (sentence is not null) operation.Responses.TryAdd("403", Answer($"The credential does not allow this. {sentence}"));
    }

    private static OpenApiResponse Answer(string description) => new()
    {
        Description = description,
        Content = new Dictionary<string, OpenApiMediaType>(StringComparer.Ordinal)
        {
            [Problem] = new() { Schema = new OpenApiSchema { Type = JsonSchemaType.Object, Description = "Problem details (RFC 9457)." } },
        },
    };

    // One provider is what a document can describe; an API with several says so in its own words.
    private async Task<TokenValidationOptions?> SignIn() =>
        (await schemes.All()).Select(scheme => scheme.Options).FirstOrDefault(options => options is { Kind: CredentialKind.Bearer, SharedSecret: null });

    private static Dictionary<string, string> Scopes(OpenApiDocument document)
    {
        var names = document.Paths.Values.SelectMany(path => path.Operations?.Values ?? Enumerable.Empty<OpenApiOperation>())
            .SelectMany(operation => operation.Security ?? []).SelectMany(alternative => alternative.Values).SelectMany(scopes => scopes);
        return names.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToDictionary(name => name, _ => "", StringComparer.Ordinal);
    }

    private static OpenApiOAuthFlows Flows(ProviderAddresses.Addresses? provider, Dictionary<string, string> scopes)
    {
        if (provider is null) return new OpenApiOAuthFlows();
        OpenApiOAuthFlow Flow(Uri? authorization = null) => new() { AuthorizationUrl = authorization, TokenUrl = provider.Token, Scopes = new Dictionary<string, string>(scopes, StringComparer.Ordinal) };
        OpenApiOAuthFlow? IfTaken(string grant) => provider.Grants.Contains(grant) ? Flow() : null;
        return new OpenApiOAuthFlows { AuthorizationCode = Flow(provider.Authorization), Password = IfTaken("password"), ClientCredentials = IfTaken("client_credentials") };
    }
}
