using System.Text.Json;
using IdP.Authorize;
using IdP.Clients;
using IdP.Http;
using IdP.Keys;
using IdP.Logout;
using IdP.Protocol.Jose;
using IdP.Protocol.OAuth;
using IdP.Protocol.OpenId;
using IdP.Registration;
using IdP.Resources;
using IdP.Tokens;
using IdP.Ui;
using IdP.UserInfo;

namespace IdP.Discovery;

/// <summary>
/// Owns what the provider says of itself: its metadata (OpenID Connect Discovery 1.0, RFC 8414) and its public keys (RFC 7517). Both are
/// derived from what is registered, never typed twice, and answered from ready bytes with an ETag.
/// </summary>
internal static class DiscoveryFeature
{
    private const string JwksPath = "/.well-known/jwks.json";

    public static void MapDiscovery(this WebApplication app)
    {
        var services = app.Services;
        var keys = services.GetRequiredService<KeyRing>();
        var catalog = services.GetRequiredService<ResourceCatalog>();
        var clock = services.GetRequiredService<TimeProvider>();
        var metadata = new PublishedDocument(() => catalog.Current, writer => WriteMetadata(writer, services, catalog.Current));
        // By the minute as well: a key leaves the set when its last token has expired, and nothing else tells.
        var jwks = new PublishedDocument(() => (keys.Edition, clock.GetUtcNow().ToUnixTimeSeconds() / 60), writer => WriteKeys(writer, keys));

        string[] methods = ["GET", "HEAD"];
        app.MapMethods("/.well-known/openid-configuration", methods, (RequestDelegate)metadata.Respond);
        app.MapMethods("/.well-known/oauth-authorization-server", methods, (RequestDelegate)metadata.Respond);
        app.MapMethods(JwksPath, methods, (RequestDelegate)jwks.Respond);
    }

    private static void WriteMetadata(Utf8JsonWriter writer, IServiceProvider services, ResourceCatalog.Snapshot catalog)
    {
        var issuer = services.GetRequiredService<Issuer>();
        var methods = services.GetRequiredService<ClientAuthentication>().MethodNames.ToList();
        writer.WriteStartObject();
        writer.WriteString("issuer", issuer.Value);
        writer.WriteString("authorization_endpoint", issuer.Url(AuthorizeEndpoint.Path));
        writer.WriteString("pushed_authorization_request_endpoint", issuer.Url(PushedAuthorizationEndpoint.Path));
        writer.WriteString("token_endpoint", issuer.Url(TokenEndpoint.Path));
        writer.WriteString("userinfo_endpoint", issuer.Url(UserInfoEndpoint.Path));
        writer.WriteString("introspection_endpoint", issuer.Url(IntrospectionEndpoint.Path));
        writer.WriteString("revocation_endpoint", issuer.Url(RevocationEndpoint.Path));
        writer.WriteString("end_session_endpoint", issuer.Url(LogoutEndpoint.Path));
        writer.WriteString("jwks_uri", issuer.Url(JwksPath));
        writer.WriteList("response_types_supported", ["code"]);
        writer.WriteList("response_modes_supported", ResponseMode.All);
        writer.WriteList("code_challenge_methods_supported", [Pkce.Method]);
        // Initiating User Registration via OpenID Connect §3: create only where people sign up by themselves.
        writer.WriteList("prompt_values_supported", Prompts.All.Where(prompt => prompt != "create" || services.GetRequiredService<SignUps>().IsOpen));
        writer.WriteList("acr_values_supported", Acr.All);
        writer.WriteList("display_values_supported", ["page", "popup"]);
        writer.WriteList("ui_locales_supported", Texts.Languages);
        writer.WriteList("id_token_signing_alg_values_supported", SigningAlgorithms.All);
        writer.WriteList("userinfo_signing_alg_values_supported", SigningAlgorithms.All);
        writer.WriteBoolean("authorization_response_iss_parameter_supported", true);
        // Back-Channel Logout §2.1, Front-Channel Logout §3: both always say which session it was.
        writer.WriteBoolean("backchannel_logout_supported", true);
        writer.WriteBoolean("backchannel_logout_session_supported", true);
        writer.WriteBoolean("frontchannel_logout_supported", true);
        writer.WriteBoolean("frontchannel_logout_session_supported", true);
        writer.WriteBoolean("claims_parameter_supported", true);
        writer.WriteBoolean("request_parameter_supported", false);
        writer.WriteBoolean("request_uri_parameter_supported", false);
        writer.WriteList("grant_types_supported", services.GetRequiredService<TokenEndpoint>().GrantTypes);
        writer.WriteList("scopes_supported", catalog.ScopeNames.Order(StringComparer.Ordinal));
        writer.WriteList("subject_types_supported", ["public", "pairwise"]);
        writer.WriteList("claims_supported", IdTokenClaims.Concat(UserClaims.Names).Order(StringComparer.Ordinal));
        writer.WriteList("token_endpoint_auth_methods_supported", methods);
        writer.WriteList("introspection_endpoint_auth_methods_supported", methods.Where(m => m != AuthenticationMethodNames.None));
        writer.WriteList("revocation_endpoint_auth_methods_supported", methods);
        writer.WriteEndObject();
    }

    private static readonly string[] IdTokenClaims = ["sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "sid"];

    private static void WriteKeys(Utf8JsonWriter writer, KeyRing keys)
    {
        writer.WriteStartObject();
        writer.WriteStartArray("keys");
        foreach (var key in keys.Published()) key.WritePublicJwk(writer);
        writer.WriteEndArray();
        writer.WriteEndObject();
    }
}
