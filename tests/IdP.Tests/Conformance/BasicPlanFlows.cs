using IdP.Testing;
using Xunit;

namespace IdP.Tests.Conformance;

/// <summary>Modules of the Basic plan that go well: the flow itself, userinfo, scopes, and parameters that change nothing.</summary>
public abstract class FlowModules(ConformanceProvider provider, string mode)
{
    private static readonly string[] Profile =
    [
        "name", "family_name", "given_name", "middle_name", "nickname", "preferred_username", "profile", "picture", "website", "gender", "birthdate", "zoneinfo", "locale", "updated_at",
    ];

    [Fact]
    [Trait("Module", "oidcc-server")]
    public async Task The_code_flow_gives_tokens_and_tells_nothing_that_nobody_asked_for()
    {
        using var party = await Party();
        var flown = await party.Fly(party.Request());
        Assert.Equal(["sub"], Names(flown));
        // Required of the provider by its own choice: the suite leaves the hash of a token endpoint's ID token open.
        Assert.True(flown.IdToken.ContainsKey("at_hash"));
    }

    [Fact]
    [Trait("Module", "oidcc-server")]
    public async Task A_redirect_address_keeps_its_query()
    {
        using var party = await RelyingParty.Start(provider.Server, mode, SuiteClient.Second);
        await party.Fly(party.Request());
    }

    [Fact]
    [Trait("Module", "oidcc-idtoken-signature")]
    public async Task An_id_token_is_signed_with_RS256_unless_the_client_says_otherwise_and_names_its_key()
    {
        using var party = await Party();
        var header = Microsoft.IdentityModel.Tokens.Base64UrlEncoder.Decode((await party.Fly(party.Request())).RawIdToken.Split('.')[0]);
        var json = System.Text.Json.Nodes.JsonNode.Parse(header)!;
        Assert.Equal("RS256", json["alg"]!.GetValue<string>());
        Assert.Contains(json["kid"]!.GetValue<string>(), party.Jwks["keys"]!.AsArray().Select(key => key!["kid"]!.GetValue<string>()));
    }

    [Fact]
    [Trait("Module", "oidcc-idtoken-unsigned")]
    public async Task Unsigned_id_tokens_are_not_offered()
    {
        using var party = await Party();
        Assert.DoesNotContain("none", CommonChecks.List(party.Metadata, "id_token_signing_alg_values_supported"));
    }

    [Fact]
    [Trait("Module", "oidcc-userinfo-get")]
    public async Task Userinfo_answers_a_GET_with_the_token_in_the_header()
    {
        using var party = await Party();
        var flown = await party.Fly(party.Request());
        CommonChecks.UserInfo(await party.UserInfo(HttpMethod.Get, flown.Tokens.AccessToken), flown.Subject);
    }

    [Fact]
    [Trait("Module", "oidcc-userinfo-post-header")]
    public async Task Userinfo_answers_a_POST_with_the_token_in_the_header_and_an_empty_form()
    {
        using var party = await Party();
        var flown = await party.Fly(party.Request());
        CommonChecks.UserInfo(await party.UserInfo(HttpMethod.Post, flown.Tokens.AccessToken), flown.Subject);
    }

    [Fact]
    [Trait("Module", "oidcc-userinfo-post-body")]
    public async Task Userinfo_answers_a_POST_with_the_token_in_the_form()
    {
        using var party = await Party();
        var flown = await party.Fly(party.Request());
        CommonChecks.UserInfo(await party.UserInfo(HttpMethod.Post, inHeader: null, inBody: flown.Tokens.AccessToken), flown.Subject);
    }

    [Fact]
    [Trait("Module", "oidcc-ensure-request-without-nonce-succeeds-for-code-flow")]
    public async Task Without_a_nonce_the_id_token_has_none()
    {
        using var party = await Party();
        Assert.False((await party.Fly(party.Request(("nonce", null)))).IdToken.ContainsKey("nonce"));
    }

    [Fact]
    [Trait("Module", "oidcc-scope-profile")]
    public Task The_scope_profile_opens_its_fourteen_claims() => Opens("openid profile", Profile);

    [Fact]
    [Trait("Module", "oidcc-scope-email")]
    public Task The_scope_email_opens_its_claims() => Opens("openid email", "email", "email_verified");

    [Fact]
    [Trait("Module", "oidcc-scope-address")]
    public Task The_scope_address_opens_its_claim() => Opens("openid address", "address");

    [Fact]
    [Trait("Module", "oidcc-scope-phone")]
    public Task The_scope_phone_opens_its_claims() => Opens("openid phone", "phone_number", "phone_number_verified");

    [Fact]
    [Trait("Module", "oidcc-scope-all")]
    public Task All_scopes_together_open_all_claims() => Opens("openid profile email address phone", [.. Profile, "email", "email_verified", "address", "phone_number", "phone_number_verified"]);

    [Fact]
    [Trait("Module", "oidcc-alternate-happy-flow")]
    public async Task A_longer_state_and_nonce_and_another_scope_go_as_well()
    {
        using var party = await Party();
        var flown = await party.Fly(party.Request(("scope", "openid email"), ("state", CodeFlow.Random() + CodeFlow.Random()), ("nonce", CodeFlow.Random() + CodeFlow.Random())));
        Assert.Equal(["email", "email_verified", "sub"], Names(flown));
    }

    [Fact]
    [Trait("Module", "oidcc-display-page")]
    public Task Display_page_goes() => Goes(("display", "page"));

    [Fact]
    [Trait("Module", "oidcc-display-popup")]
    public Task Display_popup_goes() => Goes(("display", "popup"));

    [Fact]
    [Trait("Module", "oidcc-ensure-request-with-unknown-parameter-succeeds")]
    public Task A_parameter_that_nobody_knows_is_ignored() => Goes(("extra", "foobar"));

    [Fact]
    [Trait("Module", "oidcc-login-hint")]
    public Task A_login_hint_that_names_nobody_changes_nothing() => Goes(("login_hint", $"buffy@{new Uri(provider.Server.Issuer).Host}"));

    [Fact]
    [Trait("Module", "oidcc-ui-locales")]
    public Task A_language_that_there_is_not_changes_nothing() => Goes(("ui_locales", "se"));

    [Fact]
    [Trait("Module", "oidcc-claims-locales")]
    public Task Languages_of_claims_change_nothing() => Goes(("claims_locales", "se"));

    [Fact]
    [Trait("Module", "oidcc-ensure-request-with-acr-values-succeeds")]
    public async Task Of_the_acr_values_that_are_supported_the_id_token_has_one()
    {
        using var party = await Party();
        var supported = CommonChecks.List(party.Metadata, "acr_values_supported");
        Assert.Contains((await party.Fly(party.Request(("acr_values", string.Join(' ', supported))))).IdToken["acr"]!.GetValue<string>(), supported);
    }

    [Fact]
    [Trait("Module", "oidcc-claims-essential")]
    public async Task A_claim_that_is_essential_in_userinfo_is_there_and_only_there()
    {
        using var party = await Party();
        var flown = await party.Fly(party.Request(("claims", """{"userinfo":{"name":{"essential":true}}}""")));
        Assert.Equal(["name", "sub"], Names(flown));
        Assert.False(flown.IdToken.ContainsKey("name"));
    }

    private Task<RelyingParty> Party() => RelyingParty.Start(provider.Server, mode);

    private async Task Goes((string Name, string? Value) parameter)
    {
        using var party = await Party();
        Assert.Equal(["sub"], Names(await party.Fly(party.Request(parameter))));
    }

    // Each claim of the scope is in userinfo, and no other; none is in the ID token.
    private async Task Opens(string scope, params string[] claims)
    {
        using var party = await Party();
        foreach (var name in scope.Split(' ')) Assert.Contains(name, CommonChecks.List(party.Metadata, "scopes_supported"));
        var flown = await party.Fly(party.Request(("scope", scope)));
        Assert.Equal(claims.Append("sub").Order(StringComparer.Ordinal), Names(flown));
        Assert.Empty(flown.IdToken.Select(claim => claim.Key).Intersect(claims));
    }

    private static IEnumerable<string> Names(Flown flown) => flown.UserInfo.Select(claim => claim.Key).Order(StringComparer.Ordinal);
}

[Trait("Plan", "oidcc-basic")]
public sealed class BasicPlanFlows(ConformanceProvider provider) : FlowModules(provider, "query"), IClassFixture<ConformanceProvider>;

[Trait("Plan", "oidcc-formpost-basic")]
public sealed class FormPostPlanFlows(ConformanceProvider provider) : FlowModules(provider, "form_post"), IClassFixture<ConformanceProvider>;
