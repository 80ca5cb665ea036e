using IdP.Accounts;
using IdP.Protocol.OpenId;
using IdP.Roles;
using IdP.Testing;
using IdP.Tests.Account;
using IdP.Tests.SecondFactors;
using IdP.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace IdP.Tests.Passkeys;

/// <summary>A role or a client that takes nothing but a passkey: <c>amr</c> says hwk or swk.</summary>
public sealed class DemandedPasskeys(PageServer fixture) : IClassFixture<PageServer>
{
    private readonly IdpServer _server = fixture.Server;
    private readonly VirtualAuthenticator _authenticator = new(fixture.Server.Issuer);

    [Fact]
    [Trait("Case", "MFA-11")]
    public async Task A_session_of_an_app_does_not_do_for_a_client_that_demands_a_passkey()
    {
        var user = await _server.AddUser("anna");
        using var browser = new Browser(_server);
        var app = await PhoneApp.SetUp(browser, _server, user.UserName!);
        var passkey = await Passkey(app, "anna");
        await Client("bank");

        using var next = new Browser(_server);
        await next.Confirm(await next.SignIn(await next.Authorize(new CodeFlow().Parameters()), "anna"), app.NextCode());
        var flow = new CodeFlow { ClientId = "bank" };
        Assert.Equal("login_required", FrontChannel.Parameters(await next.Authorize(new CodeFlow { ClientId = "bank", With = { ["prompt"] = "none" } }.Parameters()))["error"]);
        var asked = await next.Authorize(flow.Parameters());
        Assert.True(asked.AsksForPasskey(), asked.Body);
        // No code is taken, and none leads past the page.
        Assert.False(asked.AsksForCode());
        Assert.Equal(400, (await next.Submit(asked, "/sign-in/second-factor", ("code", app.NextCode()))).Status);
        Assert.True((await next.Authorize(flow.Parameters())).AsksForPasskey());

        Assert.Equal(["hwk", "user", "mfa"], await Methods(next, flow, await next.SignInBy(asked, _authenticator, passkey)));
        // The session has it now: nobody is asked again.
        var again = new CodeFlow { ClientId = "bank" };
        Assert.Equal(["hwk", "user", "mfa"], await Methods(next, again, await next.Authorize(again.Parameters())));
    }

    [Fact]
    [Trait("Case", "MFA-01")]
    public async Task Whoever_has_none_makes_one_right_after_signing_in_and_uses_it()
    {
        await _server.AddUser("berta");
        await Client("vault");
        using var browser = new Browser(_server);
        var flow = new CodeFlow { ClientId = "vault" };
        var asked = await browser.SignIn(await browser.Authorize(flow.Parameters()), "berta");
        Assert.True(asked.MakesPasskey(), asked.Body);
        Assert.DoesNotContain("passkey-later", asked.Body, StringComparison.Ordinal);
        // There is no putting it off, but another account may be meant.
        Assert.True((await browser.Follow(await browser.Submit(asked, asked.All("form[action*='handler=Other']").Single().GetAttribute("action")!))).AsksToSignIn());
        Assert.True((await browser.Follow(await browser.Submit(asked, "/account/passkeys/offer?handler=Later"))).MakesPasskey());

        var passkey = new VirtualPasskey();
        var used = await Make(browser, asked, passkey);
        Assert.True(used.AsksForPasskey(), used.Body);
        Assert.Equal(["hwk", "user", "mfa"], await Methods(browser, flow, await browser.SignInBy(used, _authenticator, passkey)));
    }

    [Fact]
    [Trait("Case", "MFA-07")]
    public async Task Nobody_makes_one_by_a_session_of_long_ago_or_less_than_the_account_can_prove()
    {
        var user = await _server.AddUser("carla");
        await Client("safe");
        using var browser = new Browser(_server);
        await browser.SignIn(await browser.Follow(await browser.Get("/account")), "carla");
        _server.Clock.Advance(TimeSpan.FromMinutes(6));
        var flow = new CodeFlow { ClientId = "safe" };
        var asked = await browser.Authorize(flow.Parameters());
        Assert.True(asked.AsksToSignIn(), asked.Body);
        Assert.True((await browser.SignIn(asked, "carla")).MakesPasskey());

        using var phone = new Browser(_server);
        var app = await PhoneApp.SetUp(phone, _server, user.UserName!);
        using var trusted = new Browser(_server);
        await trusted.Confirm(await trusted.SignIn(await trusted.Authorize(new CodeFlow().Parameters()), "carla"), app.NextCode(), remember: true);
        asked = await trusted.SignIn(await trusted.Authorize(new CodeFlow { ClientId = "safe", With = { ["prompt"] = "login" } }.Parameters()), "carla");
        Assert.True(asked.AsksForCode(), asked.Body);
        Assert.True((await trusted.Confirm(asked, app.NextCode())).MakesPasskey());
    }

    [Fact]
    [Trait("Case", "MFA-01")]
    public async Task A_role_demands_it_everywhere_and_the_password_grant_is_refused()
    {
        await _server.AddUser("dora");
        var passkey = await _server.Register(_authenticator, "dora");
        await _server.Demand(RoleDemand.Passkey, "keeper", "dora");
        using var browser = new Browser(_server);
        var flow = new CodeFlow();
        var asked = await browser.SignIn(await browser.Authorize(flow.Parameters()), "dora");
        Assert.True(asked.AsksForPasskey(), asked.Body);
        Assert.True((await browser.Follow(await browser.Get("/account"))).AsksToSignIn());
        Assert.Equal(["hwk", "user", "mfa"], await Methods(browser, flow, await browser.SignInBy(asked, _authenticator, passkey)));
        var refused = await _server.Refused(400, "invalid_grant", "/connect/token", "app", ("grant_type", "password"), ("username", "dora"), ("password", IdpServer.Password));
        Assert.Contains("second factor", refused.Body, StringComparison.Ordinal);

        await _server.Change((db, _) => _server.App.Services.GetRequiredService<RoleStatements>().Demand(db, "keeper", RoleDemand.Nothing, "cli", CancellationToken.None));
        using var later = new Browser(_server);
        Assert.False((await later.SignIn(await later.Authorize(new CodeFlow().Parameters()), "dora")).AsksForPasskey());
    }

    [Fact]
    [Trait("Case", "MFA-01")]
    public async Task Nobodys_session_is_judged_by_the_factors_of_another_account_that_waits_with_its_password()
    {
        await _server.AddUser("emma");
        using (var phone = new Browser(_server)) await PhoneApp.SetUp(phone, _server, (await _server.AddUser("fanny")).UserName!);
        using var browser = new Browser(_server);
        var flow = new CodeFlow();
        var answer = await browser.SignIn(await browser.Authorize(flow.Parameters()), "emma");
        if (answer.Body.Contains("id=\"consent-accept\"", StringComparison.Ordinal)) answer = await browser.Accept(answer);
        var hint = (await flow.Redeem(_server, FrontChannel.Parameters(answer)["code"])).Json["id_token"]!.GetValue<string>();
        await _server.Register(_authenticator, "emma");
        await _server.Demand(RoleDemand.Passkey, "watcher", "emma");

        var asked = await browser.Authorize(new CodeFlow { With = { ["id_token_hint"] = hint } }.Parameters());
        Assert.True(asked.AsksForPasskey(), asked.Body);
        var signIn = await browser.Follow(await browser.Submit(asked, "/sign-in/second-factor?handler=Other"));
        Assert.True(signIn.AsksToSignIn(), signIn.Body);
        var after = await browser.SignIn(signIn, "fanny");
        Assert.True(after.AsksToSignIn(), after.Body);
    }

    private Task Client(string id) => _server.AddClient(id, "authorization_code", "openid", client => (client.RedirectUris, client.RequiresPasskey) = (["https://web.test/callback"], true));

    private async Task<VirtualPasskey> Passkey(PhoneApp app, string user)
    {
        using var browser = new Browser(_server);
        var page = await browser.Confirm(await browser.SignIn(await browser.Follow(await browser.Get(PasskeyPages.Account)), user), app.NextCode());
        var passkey = new VirtualPasskey();
        var added = await browser.Submit(page, PasskeyPages.Account, ("credential", _authenticator.Create(await browser.Options(page, PasskeyPages.Account), passkey)), ("name", "Key"));
        Assert.Equal($"{PasskeyPages.Account}?done=passkey-added", added.Location);
        return passkey;
    }

    private async Task<PageAnswer> Make(Browser browser, PageAnswer page, VirtualPasskey passkey) =>
        await browser.Follow(await browser.Submit(page, "/account/passkeys/offer", ("credential", _authenticator.Create(await browser.Options(page, PasskeyPages.Account), passkey))));

    private async Task<string[]> Methods(Browser browser, CodeFlow flow, PageAnswer answer)
    {
        if (answer.Body.Contains("id=\"consent-accept\"", StringComparison.Ordinal)) answer = await browser.Accept(answer);
        var claims = IdToken.Claims(await flow.Redeem(_server, FrontChannel.Parameters(answer)["code"]));
        Assert.Equal(Acr.MultiFactor, claims["acr"]!.GetValue<string>());
        return [.. claims["amr"]!.AsArray().Select(method => method!.GetValue<string>())];
    }
}
