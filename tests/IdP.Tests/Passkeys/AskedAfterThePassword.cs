using IdP.Accounts;
using IdP.Audit;
using IdP.Protocol.OpenId;
using IdP.SecondFactors;
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
        Assert.True(AsksForPasskey(asked), asked.Body);
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
        Assert.True((await browser.SignIn(await browser.Authorize(new CodeFlow().Parameters()), "berta")).Status < 400);
        var passkey = new VirtualPasskey();
        await browser.Add(_authenticator, passkey, user: "berta");

        using var next = new Browser(_server);
        Assert.True(AsksForPasskey(await next.SignIn(await next.Authorize(new CodeFlow().Parameters()), "berta")));
        // The session from before the passkey is not as strong as the account can prove now: it changes no factor.
        var door = await browser.Follow(await browser.Get("/account/second-factors"));
        Assert.True(AsksForPasskey(door), door.Body);
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
        Assert.False(AsksForPasskey(await other.SignIn(page, "dora")));
        await using var db = _server.Database.OpenForReading();
        Assert.Equal(1, await db.Set<AuditEvent>().CountAsync(e => e.Type == "passkey.removed" && e.Actor == "cli" && e.UserId == db.Users.Single(u => u.UserName == "dora").Id));
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

    private static bool AsksForPasskey(PageAnswer page) => page.Body.Contains("id=\"passkey-form\"", StringComparison.Ordinal) && !page.AsksToSignIn();
}

/// <summary>A server that asks for passkeys after passwords.</summary>
public sealed class AskingServer : PageServer
{
    private protected override void Configure(IdpOptions options) => options.Passkeys.AskAsSecondFactor = true;
}
