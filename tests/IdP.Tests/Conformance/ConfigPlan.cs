using System.Text.Json;
using System.Text.Json.Nodes;
using Xunit;

namespace IdP.Tests.Conformance;

/// <summary>The Config plan: what the provider says of itself, over TLS. A warning of the suite is a failure here.</summary>
[Trait("Plan", "oidcc-config")]
[Trait("Module", "oidcc-discovery-endpoint-verification")]
public sealed class ConfigPlan(ConformanceProvider provider) : IClassFixture<ConformanceProvider>
{
    private const string Language = "^[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?$";
    private const string WellKnown = "/.well-known/openid-configuration";

    // OpenID Connect Discovery 1.0 §3, the sign-out specifications, RFC 8414 §2, RFC 9126 §5, RFC 9207 §3, Initiating User Registration §5.
    private static readonly string[] Texts = ["issuer", "service_documentation", "op_policy_uri", "op_tos_uri"];
    private static readonly string[] Flags =
    [
        "claims_parameter_supported", "request_parameter_supported", "request_uri_parameter_supported", "require_request_uri_registration", "require_pushed_authorization_requests",
        "authorization_response_iss_parameter_supported", "backchannel_logout_supported", "backchannel_logout_session_supported", "frontchannel_logout_supported",
        "frontchannel_logout_session_supported",
    ];
    private static readonly string[] Lists =
    [
        "scopes_supported", "response_types_supported", "response_modes_supported", "grant_types_supported", "acr_values_supported", "subject_types_supported",
        "id_token_signing_alg_values_supported", "userinfo_signing_alg_values_supported", "token_endpoint_auth_methods_supported", "introspection_endpoint_auth_methods_supported",
        "revocation_endpoint_auth_methods_supported", "display_values_supported", "claim_types_supported", "claims_supported", "claims_locales_supported", "ui_locales_supported",
        "code_challenge_methods_supported", "prompt_values_supported",
    ];
    private static readonly string[] Endpoints =
    [
        "authorization_endpoint", "token_endpoint", "userinfo_endpoint", "introspection_endpoint", "revocation_endpoint", "pushed_authorization_request_endpoint", "end_session_endpoint",
    ];

    [Fact]
    public async Task The_document_is_JSON_over_TLS_at_the_address_that_follows_from_the_issuer()
    {
        var address = provider.Server.Url + WellKnown;
        Assert.StartsWith("https://", address, StringComparison.Ordinal);
        using var answer = await provider.Server.Http.GetAsync(new Uri(address));
        Assert.Equal(200, (int)answer.StatusCode);
        Assert.Equal("application/json", answer.Content.Headers.ContentType?.ToString());

        var issuer = (await Metadata())["issuer"]!.GetValue<string>();
        Assert.Equal(address[..^WellKnown.Length], issuer);
        var parsed = new Uri(issuer);
        Assert.Equal(("https", "", ""), (parsed.Scheme, parsed.Query, parsed.Fragment));
    }

    [Fact]
    public async Task Every_member_is_known_and_of_its_type()
    {
        foreach (var (name, value) in await Metadata())
        {
            if (Texts.Contains(name)) Assert.NotEmpty(value!.GetValue<string>());
            else if (Flags.Contains(name)) Assert.Contains(value!.GetValueKind(), (JsonValueKind[])[JsonValueKind.True, JsonValueKind.False]);
            else if (Lists.Contains(name)) Assert.All(value!.AsArray(), one => Assert.NotEmpty(one!.GetValue<string>()));
            else if (Endpoints.Contains(name) || name == "jwks_uri") Assert.StartsWith("https://", value!.GetValue<string>(), StringComparison.Ordinal);
            else Assert.Fail($"{name} is no member that the specifications know");
        }
    }

    [Fact]
    public async Task What_every_client_relies_on_is_there()
    {
        var metadata = await Metadata();
        foreach (var name in (string[])["authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri"]) Assert.True(metadata.ContainsKey(name), name);
        Assert.NotEmpty(List(metadata, "response_types_supported"));
        Assert.NotEmpty(List(metadata, "subject_types_supported"));
        Assert.Empty(List(metadata, "subject_types_supported").Except(["public", "pairwise"]));
        Assert.Contains("RS256", List(metadata, "id_token_signing_alg_values_supported"));
        Assert.DoesNotContain("none", List(metadata, "id_token_signing_alg_values_supported"));
        Assert.Contains("openid", List(metadata, "scopes_supported"));
        Assert.Contains("sub", List(metadata, "claims_supported"));
        Assert.Contains("authorization_code", List(metadata, "grant_types_supported"));
        Assert.Contains("RS256", List(metadata, "userinfo_signing_alg_values_supported"));
        Assert.Equal(["S256"], List(metadata, "code_challenge_methods_supported"));
        if (metadata.ContainsKey("request_object_signing_alg_values_supported")) Assert.Contains("RS256", List(metadata, "request_object_signing_alg_values_supported"));
    }

    [Fact]
    public async Task Languages_are_BCP_47_in_their_usual_spelling()
    {
        var metadata = await Metadata();
        foreach (var name in (string[])["ui_locales_supported", "claims_locales_supported"])
            if (metadata.ContainsKey(name)) Assert.All(List(metadata, name), tag => Assert.Matches(Language, tag));
        Assert.NotEmpty(List(metadata, "ui_locales_supported"));
    }

    [Fact]
    public async Task The_keys_can_be_fetched_and_are_well_formed()
    {
        using var answer = await provider.Server.Http.GetAsync(new Uri((await Metadata())["jwks_uri"]!.GetValue<string>()));
        Assert.Equal((200, "application/json"), ((int)answer.StatusCode, answer.Content.Headers.ContentType?.MediaType));
        var keys = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!.AsObject();
        CommonChecks.Keys(keys);
        Assert.Contains(keys["keys"]!.AsArray(), key => key!["alg"]!.GetValue<string>() == "RS256");
    }

    // A dynamic run of the plan wants more of a provider that registers clients by itself, which this one does not.
    [Fact]
    public async Task Registration_is_not_offered()
    {
        var metadata = await Metadata();
        Assert.False(metadata.ContainsKey("registration_endpoint"));
        Assert.Equal(["code"], List(metadata, "response_types_supported"));
    }

    private async Task<JsonObject> Metadata() => JsonNode.Parse(await provider.Server.Http.GetStringAsync(new Uri(WellKnown, UriKind.Relative)))!.AsObject();

    private static string[] List(JsonObject metadata, string name) => CommonChecks.List(metadata, name);
}
