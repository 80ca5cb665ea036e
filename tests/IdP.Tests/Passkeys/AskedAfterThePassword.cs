using IdP.Accounts;
using IdP.Audit;
using IdP.Protocol.OpenId;
using IdP.SecondFactors;
using IdP.Sessions;
using IdP.Testing;
using IdP.Tests.Account;
using IdP.Tests.SecondFactors;
using IdP.Tests.Support;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace IdP.Tests.Passkeys;

/// <summary>Passkeys:AskAsSecondFactor: whoever has a passkey is asked for it after a password.</summary>
public sealed class AskedAfterThePassword(AskingServer fixture) : IClassFixture<AskingServer>
{
    private readonly IdpServer _server = fixture.Server;
    private readonly VirtualAuthenticator _authenticator = new(fixture.Server.Issuer);

    [Fact]
    [Trait("Case", "MFA-01")]
    [Trait("Case", "MFA-11")]
    public async Task Nothing_opens_after_the_password_alone_and_the_passkey_signs_in()
    {
        var passkey = await Person("anna");
        using var browser = new Browser(_server);
        var flow = new CodeFlow();
        var asked = await browser.SignIn(await browser.Authorize(flow.Parameters()), "anna");
        Assert.True(asked.AsksForPasskey(), asked.Body);
        Assert.False(asked.AsksForCode());
        foreach (var page in (string[])["/account", "/account/passkeys", "/account/second-factors"]) Assert.True((await browser.Follow(await browser.Get(page))).AsksToSignIn(), page);
        Assert.Equal(400, (await browser.Submit(asked, "/sign-in/second-factor", ("code", "000000"))).Status);

        var answer = await browser.SignInBy(asked, _authenticator, passkey);
        if (answer.Body.Contains("id=\"consent-accept\"", StringComparison.Ordinal)) answer = await browser.Accept(answer);
        Assert.Equal(Acr.MultiFactor, IdToken.Claims(await flow.Redeem(_server, FrontChannel.Parameters(answer)["code"]))["acr"]!.GetValue<string>());
    }

    [Fact]
    public async Task Whoever_has_no_passkey_signs_in_by_password_and_is_asked_from_their_first_one_on()
    {
        await _server.AddUser("berta");
        using var browser = new Browser(_server);
        var signedIn = await browser.SignIn(await browser.Authorize(new CodeFlow().Parameters()), "berta");
        Assert.False(signedIn.AsksForPasskey() || signedIn.AsksToSignIn(), signedIn.Body);
        var passkey = new VirtualPasskey();
        await browser.Add(_authenticator, passkey, user: "berta");

        using var next = new Browser(_server);
        Assert.True((await next.SignIn(await next.Authorize(new CodeFlow().Parameters()), "berta")).AsksForPasskey());
        // The session from before the passkey is not as strong as the account can prove now: it changes no factor.
        var door = await browser.Follow(await browser.Get("/account/second-factors"));
        Assert.True(door.AsksForPasskey(), door.Body);
        Assert.NotNull((await browser.SignInBy(door, _authenticator, passkey)).Text("#otp-secret"));
    }

    [Fact]
    [Trait("Case", "MFA-01")]
    public async Task The_password_grant_is_not_for_whoever_has_a_passkey()
    {
        await Person("carla");
        var refused = await _server.Refused(400, "invalid_grant", "/connect/token", "app", ("grant_type", "password"), ("username", "carla"), ("password", IdpServer.Password));
        Assert.Contains("second factor", refused.Body, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Case", "STA-04")]
    public async Task An_operator_takes_a_lost_passkey_away_and_with_it_every_session()
    {
        var passkey = await Person("dora");
        using var browser = new Browser(_server);
        await browser.SignInBy(await browser.Authorize(new CodeFlow().Parameters()), _authenticator, passkey);
        Assert.False((await browser.Follow(await browser.Get("/account"))).AsksToSignIn());

        Assert.True(await Reset("dora"));
        Assert.False(await Reset("dora"));

        Assert.True((await browser.Follow(await browser.Get("/account"))).AsksToSignIn());
        using var other = new Browser(_server);
        var page = await other.Authorize(new CodeFlow().Parameters());
        Assert.NotNull((await other.SignInBy(page, _authenticator, passkey)).Text("#problem"));
        Assert.False((await other.SignIn(page, "dora")).AsksForPasskey());
        await using var db = _server.Database.OpenForReading();
        Assert.Equal(1, await db.Set<AuditEvent>().CountAsync(e => e.Type == "passkey.removed" && e.Actor == "cli" && e.UserId == db.Users.Single(u => u.UserName == "dora").Id));
    }

    [Fact]
    [Trait("Case", "STA-04")]
    public async Task A_session_that_a_passkey_began_stays_what_it_is_when_the_app_is_removed()
    {
        var passkey = await Person("elsa");
        using (var phone = new Browser(_server))
        {
            var setUp = await SignIn(phone);
            await phone.Press(setUp, "/account/second-factors", ("code", PhoneApp.Read(setUp, _server).Code()));
        }
        using var browser = new Browser(_server);
        await SignIn(browser);
        var removed = await browser.Press(await browser.Enter("/account/second-factors"), "/account/second-factors?handler=Remove");
        Assert.Equal("The second factor is removed.", removed.Text("#notice"));

        // Proved by the passkey, so it may still change factors, and tokens say so.
        Assert.NotNull((await browser.Enter("/account/second-factors")).Text("#otp-secret"));
        await using var db = _server.Database.OpenForReading();
        var session = await db.Set<Session>().SingleAsync(s => s.EndedAt == null && s.UserId == db.Users.Single(u => u.UserName == "elsa").Id);
        Assert.Equal((Acr.MultiFactor, "hwk user mfa"), (session.Acr, session.Amr));

        async Task<PageAnswer> SignIn(Browser own) =>
            await own.SignInBy(await own.SignIn(await own.Follow(await own.Get("/account/second-factors")), "elsa"), _authenticator, passkey);
    }

    [Fact]
    public async Task Where_no_browser_has_passkeys_the_setting_stops_the_start()
    {
        var failure = await Assert.ThrowsAsync<IdP.Http.ConfigurationException>(() => IdpServer.Start(options => (options.Issuer, options.Passkeys.AskAsSecondFactor) = ("https://192.0.2.1", true)));
        Assert.StartsWith("Passkeys:AskAsSecondFactor is set, but no browser has passkeys for https://192.0.2.1", failure.Message, StringComparison.Ordinal);
    }

    private async Task<bool> Reset(string name)
    {
        var changed = false;
        await _server.Change(async (db, _) => changed = await _server.App.Services.GetRequiredService<SecondFactorStatements>().Reset(
            db, await UserStatements.Require(db, name, CancellationToken.None), "cli", _server.Clock.GetUtcNow(), CancellationToken.None));
        return changed;
    }

    private async Task<VirtualPasskey> Person(string name)
    {
        await _server.AddUser(name);
        return await _server.Register(_authenticator, name);
    }
}

/// <summary>A server that asks for passkeys after passwords.</summary>
public sealed class AskingServer : PageServer
{
    private protected override void Configure(IdpOptions options) => options.Passkeys.AskAsSecondFactor = true;
}
