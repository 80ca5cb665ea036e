using IdP.Clients;
using IdP.Testing;
using IdP.Tests.Support;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace IdP.Tests.UserInfo;

/// <summary>OpenID Connect Core §5.3-§5.5, §8: what a person agreed to in the browser is told, and no more.</summary>
public sealed class GrantedInTheBrowser(PageServer fixture) : IClassFixture<PageServer>
{
    private IdpServer Server => fixture.Server;

    [Theory]
    [Trait("Case", "USR-03")]
    [InlineData("openid", null, "sub")]
    [InlineData("openid email", null, "email email_verified sub")]
    [InlineData("openid", """{"userinfo":{"email":null}}""", "email sub")]
    [InlineData("openid", """{"id_token":{"email":null}}""", "sub")]
    [InlineData("openid", """{"userinfo":{"password":null,"passwordhash":null,"security_stamp":{"essential":true},"id":null,"sub":null,"iss":null,"__proto__":null}}""", "sub")]
    public async Task Exactly_what_was_granted_is_told(string scope, string? claims, string told)
    {
        using var browser = new Browser(Server);
        var answer = await UserInfo(await Tokens(browser, new CodeFlow { Scope = scope, With = { ["claims"] = claims } }));
        Assert.Equal(told.Split(' '), answer.Json.Select(member => member.Key).Order(StringComparer.Ordinal));
    }

    [Fact]
    [Trait("Case", "USR-03")]
    public async Task A_client_gets_no_claim_by_name_that_none_of_its_scopes_would_open()
    {
        await Server.AddClient("modest", "authorization_code refresh_token", "openid profile offline_access", c => c.RedirectUris = ["https://modest.test/cb"]);
        using var browser = new Browser(Server);
        const string claims = """{"userinfo":{"email":{"essential":true},"phone_number":null,"preferred_username":null},"id_token":{"email":{"essential":true},"preferred_username":null}}""";
        var flow = new CodeFlow { ClientId = "modest", RedirectUri = "https://modest.test/cb", Scope = "openid offline_access", With = { ["claims"] = claims } };
        var tokens = await Tokens(browser, flow);
        Assert.Equal(["preferred_username", "sub"], (await UserInfo(tokens)).Json.Select(member => member.Key).Order(StringComparer.Ordinal));
        Assert.Equal((false, true), (IdToken.Claims(tokens).ContainsKey("email"), IdToken.Claims(tokens).ContainsKey("preferred_username")));
        // A right that the client loses is lost for what was granted before.
        await Server.Change(async (db, version) =>
        {
            var client = await db.Set<Client>().AsTracking().SingleAsync(c => c.ClientId == "modest");
            (client.Scopes, client.Version) = (["openid", "offline_access"], version);
            await db.SaveChangesAsync();
        });
        Assert.Equal(["sub"], (await UserInfo(tokens)).Json.Select(member => member.Key));
        var refreshed = await Server.Post("/connect/token", "modest", ("grant_type", "refresh_token"), ("refresh_token", tokens.Json["refresh_token"]!.GetValue<string>()));
        Assert.False(IdToken.Claims(refreshed).ContainsKey("preferred_username"));
    }

    [Theory]
    [Trait("Case", "USR-03")]
    [InlineData("[]")]
    [InlineData("{")]
    [InlineData("null")]
    [InlineData("\"x\"")]
    [InlineData("""{"userinfo":[]}""")]
    [InlineData("""{"userinfo":{"email":1}}""")]
    [InlineData("""{"userinfo":{"email":{"essential":"yes"}}}""")]
    [InlineData("""{"id_token":{"acr":{"values":"x"}}}""")]
    [InlineData("""{"userinfo":{"email":null,"email":{"essential":true}}}""")]
    [InlineData("""{"userinfo":{"a":{"value":[[[[[[[[[[1]]]]]]]]]]}}}""")]
    public async Task A_broken_claims_parameter_is_told_to_the_client(string claims)
    {
        using var browser = new Browser(Server);
        await browser.RefusedToClient(Server, new CodeFlow { With = { ["claims"] = claims } }, "invalid_request");
        await browser.RefusedToClient(Server, new CodeFlow { With = { ["claims"] = "{\"userinfo\":{\"" + new string('c', 4000) + "\":null}}" } }, "invalid_request");
    }

    [Fact]
    [Trait("Case", "USR-02")]
    public async Task A_token_without_openid_is_not_for_userinfo()
    {
        using var browser = new Browser(Server);
        var tokens = await Tokens(browser, new CodeFlow { Scope = "items:read", With = { ["claims"] = """{"userinfo":{"email":null}}""" } });
        Assert.False(tokens.Json.ContainsKey("id_token"));
        var answer = await UserInfo(tokens);
        Assert.Equal((403, "insufficient_scope"), (answer.Status, answer.Error));
    }

    [Fact]
    [Trait("Case", "USR-04")]
    public async Task Sectors_cannot_compare_notes()
    {
        foreach (var (id, sector) in ((string, string)[])[("pair-a1", "a.test"), ("pair-a2", "a.test"), ("pair-b", "b.test")])
            await Server.AddClient(id, "authorization_code", "openid items:read", c => (c.RedirectUris, c.Sector) = ([$"https://{id}.{sector}/cb"], sector));
        using var browser = new Browser(Server);
        var subjects = new Dictionary<string, string>(StringComparer.Ordinal);
        var hints = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (id, sector) in ((string, string)[])[("pair-a1", "a.test"), ("pair-a2", "a.test"), ("pair-b", "b.test")])
        {
            var tokens = await Tokens(browser, new CodeFlow { ClientId = id, RedirectUri = $"https://{id}.{sector}/cb", Scope = "openid items:read" });
            hints[id] = tokens.Json["id_token"]!.GetValue<string>();
            subjects[id] = IdToken.Claims(tokens)["sub"]!.GetValue<string>();
            Assert.Equal(subjects[id], tokens.Claims["sub"]!.GetValue<string>());
            Assert.Equal(subjects[id], (await UserInfo(tokens)).Json["sub"]!.GetValue<string>());
            Assert.Equal(subjects[id], (await Server.Introspect(tokens.AccessToken)).Json["sub"]!.GetValue<string>());
        }
        var real = IdToken.Claims(await Tokens(browser, new CodeFlow()))["sub"]!.GetValue<string>();
        Assert.Equal(subjects["pair-a1"], subjects["pair-a2"]);
        Assert.Equal(3, subjects.Values.Append(real).Distinct().Count());
        // What one sector knows a person by means nobody to another.
        var flow = new CodeFlow { ClientId = "pair-b", RedirectUri = "https://pair-b.b.test/cb", With = { ["prompt"] = "none", ["claims"] = "{\"id_token\":{\"sub\":{\"value\":\"" + subjects["pair-a1"] + "\"}}}" } };
        await browser.RefusedToClient(Server, flow, "login_required");
        flow = new CodeFlow { ClientId = "pair-b", RedirectUri = "https://pair-b.b.test/cb", With = { ["prompt"] = "none", ["id_token_hint"] = hints["pair-a1"] } };
        await browser.RefusedToClient(Server, flow, "login_required");
    }

    [Fact]
    [Trait("Case", "USR-06")]
    public async Task A_signed_answer_says_who_made_it_and_for_whom_and_is_no_other_token()
    {
        await Server.AddClient("signed", "authorization_code", "openid email", c => (c.RedirectUris, c.UserInfoAlgorithm) = (["https://signed.test/cb"], "RS256"));
        using var browser = new Browser(Server);
        var tokens = await Tokens(browser, new CodeFlow { ClientId = "signed", RedirectUri = "https://signed.test/cb", Scope = "openid email" });
        using var request = new HttpRequestMessage(HttpMethod.Get, "/connect/userinfo") { Headers = { { "Authorization", "Bearer " + tokens.AccessToken } } };
        var answer = await Server.Send(request);
        Assert.Equal("application/jwt", answer.Header("Content-Type"));
        var claims = IdToken.Claims(answer.Body);
        Assert.Equal((Server.Issuer, "signed"), (claims["iss"]!.GetValue<string>(), claims["aud"]!.GetValue<string>()));
        Assert.Equal(IdToken.Claims(tokens)["sub"]!.GetValue<string>(), claims["sub"]!.GetValue<string>());
        await browser.RefusedToClient(Server, new CodeFlow { ClientId = "signed", RedirectUri = "https://signed.test/cb", With = { ["prompt"] = "none", ["id_token_hint"] = answer.Body } }, "login_required");
        Assert.False((await Server.Introspect(answer.Body, "signed")).Active);
    }

    private async Task<Answer> Tokens(Browser browser, CodeFlow flow)
    {
        var tokens = await flow.Redeem(Server, FrontChannel.IsCode(Server, await browser.Complete(flow.Parameters()), flow));
        Assert.True(tokens.Status == 200, tokens.Body);
        return tokens;
    }

    private Task<Answer> UserInfo(Answer tokens)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, "/connect/userinfo") { Headers = { { "Authorization", "Bearer " + tokens.AccessToken } } };
        return Server.Sent(request);
    }
}
