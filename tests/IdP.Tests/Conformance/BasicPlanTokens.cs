using IdP.Testing;
using Xunit;

namespace IdP.Tests.Conformance;

/// <summary>Modules of the Basic plan about the token endpoint: codes used twice, refresh, PKCE, the client's ways to authenticate.</summary>
public abstract class TokenModules(ConformanceProvider provider, string mode)
{
    [Fact]
    [Trait("Module", "oidcc-codereuse")]
    public async Task A_code_used_twice_at_once_is_invalid_grant()
    {
        using var party = await Party();
        var flown = await party.Fly(party.Request());
        CommonChecks.TokenError(await party.Redeem(flown.Code), "invalid_grant");
    }

    [Fact]
    [Trait("Module", "oidcc-codereuse-30seconds")]
    public async Task A_code_used_again_later_is_invalid_grant_and_its_first_tokens_end()
    {
        using var party = await Party();
        var flown = await party.Fly(party.Request());
        provider.Server.Clock.Advance(TimeSpan.FromSeconds(30));
        CommonChecks.TokenError(await party.Redeem(flown.Code), "invalid_grant");
        Assert.Equal(401, (await party.UserInfo(flown.Tokens.AccessToken)).Status);
    }

    [Fact]
    [Trait("Module", "oidcc-server-client-secret-post")]
    public async Task A_client_may_send_its_secret_in_the_form()
    {
        using var party = await RelyingParty.Start(provider.Server, mode, SuiteClient.Post);
        await party.Fly(party.Request());
    }

    [Fact]
    [Trait("Module", "oidcc-ensure-request-with-valid-pkce-succeeds")]
    public async Task A_challenge_with_its_verifier_goes()
    {
        using var party = await Party();
        Assert.Contains("S256", CommonChecks.List(party.Metadata, "code_challenge_methods_supported"));
        var verifier = CodeFlow.Random();
        await party.Fly(party.Request(("code_challenge", CodeFlow.Challenge(verifier)), ("code_challenge_method", "S256")), verifier);
    }

    [Fact]
    [Trait("Module", "oidcc-refresh-token")]
    public async Task A_refresh_token_gives_tokens_to_its_own_client_and_to_no_other()
    {
        using var party = await Party();
        Assert.Contains("refresh_token", CommonChecks.List(party.Metadata, "grant_types_supported"));
        Assert.Contains("offline_access", CommonChecks.List(party.Metadata, "scopes_supported"));
        var flown = await party.Fly(party.Request(("scope", "openid offline_access"), ("prompt", "consent")));
        await Refreshes(party, flown, ("scope", "openid offline_access"));

        using var other = await RelyingParty.Start(provider.Server, mode, SuiteClient.Second);
        var others = await other.Fly(other.Request(("scope", "openid offline_access"), ("prompt", "consent")));
        CommonChecks.TokenError(await party.Token(("grant_type", "refresh_token"), ("refresh_token", RefreshToken(others.Tokens))), "invalid_grant");
        // The attempt of a stranger has taken nothing from its owner.
        await Refreshes(other, others);
    }

    private async Task Refreshes(RelyingParty party, Flown flown, params (string, string)[] more)
    {
        provider.Server.Clock.Advance(TimeSpan.FromSeconds(2));
        var refreshed = await party.Token([("grant_type", "refresh_token"), ("refresh_token", RefreshToken(flown.Tokens)), .. more]);
        CommonChecks.TokenResponse(refreshed);
        Assert.NotEqual(flown.Tokens.AccessToken, refreshed.AccessToken);
        Assert.NotEmpty(RefreshToken(refreshed));
        // OpenID Connect Core §12.2
        var idToken = await party.IdToken(refreshed, nonce: null);
        foreach (var name in (string[])["iss", "sub", "aud", "azp", "auth_time", "sid"]) Assert.Equal(flown.IdToken[name]?.ToJsonString(), idToken[name]?.ToJsonString());
        Assert.True(idToken["iat"]!.GetValue<long>() > flown.IdToken["iat"]!.GetValue<long>());
        CommonChecks.NothingElse(idToken);
        CommonChecks.UserInfo(await party.UserInfo(refreshed.AccessToken), flown.Subject);
    }

    private Task<RelyingParty> Party() => RelyingParty.Start(provider.Server, mode);

    private static string RefreshToken(Answer tokens) => tokens.Json["refresh_token"]!.GetValue<string>();
}

[Trait("Plan", "oidcc-basic")]
public sealed class BasicPlanTokens(ConformanceProvider provider) : TokenModules(provider, "query"), IClassFixture<ConformanceProvider>;

[Trait("Plan", "oidcc-formpost-basic")]
public sealed class FormPostPlanTokens(ConformanceProvider provider) : TokenModules(provider, "form_post"), IClassFixture<ConformanceProvider>;
