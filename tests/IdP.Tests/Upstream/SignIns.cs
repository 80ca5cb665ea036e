using System.Web;
using IdP.Accounts;
using IdP.Roles;
using IdP.Sessions;
using IdP.Testing;
using IdP.Tests.Account;
using IdP.Tests.Commands;
using IdP.Tests.Passkeys;
using IdP.Tests.Support;
using IdP.Upstream;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace IdP.Tests.Upstream;

/// <summary>People who sign in with another provider: whom it names is who they are here, once both were proved.</summary>
public sealed class SignIns(OtherProvider other) : IClassFixture<OtherProvider>
{
    private IdpServer Server => other.Server;

    [Fact]
    public async Task Somebody_new_signs_in_here_once_and_from_then_on_there()
    {
        other.Subject = "alice-over-there";
        using var browser = new Browser(Server);
        var flow = new CodeFlow();
        var page = await other.Return(browser, flow);
        FrontChannel.IsSignIn(page);
        Assert.Contains("id=\"link-notice\"", page.Body, StringComparison.Ordinal);
        Assert.Contains("The &lt;b&gt;other&lt;/b&gt;", page.Body, StringComparison.Ordinal);
        // A wrong password connects nothing and loses nothing.
        page = await browser.SignIn(page, password: "wrong-wrong-wrong");
        FrontChannel.IsPage(page, "id=\"link-notice\"", status: 400);
        page = await browser.SignIn(page);
        var tokens = await flow.Redeem(Server, FrontChannel.IsCode(Server, await browser.Accept(page), flow));
        Assert.Equal("urn:idp:acr:password", IdToken.Claims(tokens)["acr"]!.GetValue<string>());

        using var later = new Browser(Server);
        flow = new CodeFlow();
        var answer = await other.Return(later, flow);
        var again = IdToken.Claims(await flow.Redeem(Server, FrontChannel.IsCode(Server, answer, flow)));
        Assert.Equal(IdToken.Claims(tokens)["sub"]!.GetValue<string>(), again["sub"]!.GetValue<string>());
        // What the token says of the sign-in is true.
        Assert.Equal("urn:idp:acr:upstream", again["acr"]!.GetValue<string>());
        Assert.Equal(["fed"], again["amr"]!.AsArray().Select(value => value!.GetValue<string>()));
    }

    [Fact]
    public async Task The_provider_is_asked_with_state_nonce_and_a_challenge_and_the_secret_stays_with_the_server()
    {
        using var browser = new Browser(Server);
        var pressed = await OtherProvider.Press(browser, await browser.Authorize(new CodeFlow().Parameters()));
        Assert.Equal(303, pressed.Status);
        Assert.StartsWith(other.Issuer + "/authorize?tenant=a&", pressed.Location!, StringComparison.Ordinal);
        var asked = HttpUtility.ParseQueryString(new Uri(pressed.Location!).Query);
        Assert.Equal(
            ["client_id", "code_challenge", "code_challenge_method", "nonce", "redirect_uri", "response_type", "scope", "state", "tenant"],
            asked.AllKeys.Order(StringComparer.Ordinal));
        Assert.Equal("openid profile email", asked["scope"]);
        Assert.Equal($"{Server.Issuer}/sign-in/upstream/other", asked["redirect_uri"]);
        await browser.Get(other.Callback(pressed));
        var redeemed = other.Redeemed!.Form();
        Assert.Equal(asked["code_challenge"], CodeFlow.Challenge(redeemed["code_verifier"]));
        Assert.Equal("Basic " + Convert.ToBase64String("here:s3cret+of+the+other%3A+provider"u8), other.Redeemed.Headers["Authorization"]);
        Assert.DoesNotContain("client_secret", redeemed.Keys);
        await using var db = Server.Database.OpenForReading();
        Assert.DoesNotContain(OtherProvider.Secret, (await db.Set<UpstreamProvider>().FirstAsync()).SealedSecret!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_account_is_made_where_the_provider_may_and_only_a_proved_address_is_kept()
    {
        await other.Add("open", createsAccounts: true);
        other.Subject = "newcomer";
        other.Claims = claims => (claims["preferred_username"], claims["email"], claims["email_verified"]) = ("Newcomer", "new@Example.COM", true);
        try
        {
            using var browser = new Browser(Server);
            var flow = new CodeFlow { Scope = "openid profile email" };
            var page = await other.Return(browser, flow, "open");
            FrontChannel.IsConsent(page);
            await using var db = Server.Database.OpenForReading();
            var user = await db.Users.SingleAsync(u => u.UserName == "Newcomer");
            Assert.Equal(("new@example.com", true, null), (user.Email, user.EmailConfirmed, user.PasswordHash));
            // Nobody signs in to it by a password.
            Assert.Equal("invalid_grant", (await Server.PasswordGrant("Newcomer", "some-password")).Error);

            // An address that nobody has proved may be anybody's: the account has none.
            other.Subject = "claimer";
            other.Claims = claims => (claims["preferred_username"], claims["email"], claims["email_verified"]) = ("claimer", "alice@example.com", false);
            using var second = new Browser(Server);
            FrontChannel.IsConsent(await other.Return(second, flow, "open"));
            Assert.Null((await db.Users.SingleAsync(u => u.UserName == "claimer")).Email);
        }
        finally
        {
            other.Claims = null;
        }
    }

    [Fact]
    public async Task An_address_connects_nothing_whoever_has_it_here_signs_in_here()
    {
        await other.Add("trusting", createsAccounts: true);
        other.Subject = "bob-over-there";
        other.Claims = claims => (claims["email"], claims["email_verified"]) = ("bob@example.com", true);
        try
        {
            using var browser = new Browser(Server);
            var page = await other.Return(browser, new CodeFlow(), "trusting");
            FrontChannel.IsPage(page, "id=\"link-notice\"");
            // The bidi-safe element holds what the provider told.
            Assert.Contains("<bdi>bob@example.com</bdi>", page.Body, StringComparison.Ordinal);
        }
        finally
        {
            other.Claims = null;
        }
    }

    [Fact]
    public async Task What_a_provider_knows_somebody_by_belongs_to_one_account()
    {
        other.Subject = "shared";
        using var alice = new Browser(Server);
        await alice.SignIn(await other.Return(alice, new CodeFlow()));
        // Bob's browser had been there before alice connected the two.
        using var bob = new Browser(Server);
        other.Subject = "shared-later";
        var page = await other.Return(bob, new CodeFlow());
        FrontChannel.IsPage(page, "id=\"link-notice\"");
        using var again = new Browser(Server);
        await again.SignIn(await other.Return(again, new CodeFlow()));
        page = await bob.SignIn(page, "bob");
        FrontChannel.IsPage(page, "id=\"problem\"", status: 400);
        await using var db = Server.Database.OpenForReading();
        var owner = await db.Set<UpstreamLogin>().Where(l => l.Subject == "shared-later").Join(db.Users, l => l.UserId, u => u.Id, (_, u) => u.UserName).SingleAsync();
        Assert.Equal("alice", owner);
    }

    [Fact]
    public async Task Whoever_must_sign_in_anew_must_do_so_there()
    {
        await Server.AddUser("anew");
        other.Subject = "anew-there";
        using var browser = new Browser(Server);
        await browser.SignIn(await other.Return(browser, new CodeFlow()), "anew");
        var flow = new CodeFlow { With = { ["prompt"] = "login" } };
        var pressed = await OtherProvider.Press(browser, await browser.Authorize(flow.Parameters()));
        var asked = HttpUtility.ParseQueryString(new Uri(pressed.Location!).Query);
        Assert.Equal(("login", "0"), (asked["prompt"], asked["max_age"]));
        // A session there is no proof.
        var stale = Server.Clock.GetUtcNow().AddHours(-1).ToUnixTimeSeconds();
        other.Claims = claims => claims["auth_time"] = stale;
        FrontChannel.IsPage(await browser.Follow(await browser.Get(other.Callback(pressed))), "id=\"problem\"");
        other.Claims = claims => claims.Remove("auth_time");
        pressed = await OtherProvider.Press(browser, await browser.Authorize(flow.Parameters()));
        FrontChannel.IsPage(await browser.Follow(await browser.Get(other.Callback(pressed))), "id=\"problem\"");
        other.Claims = null;
        pressed = await OtherProvider.Press(browser, await browser.Authorize(flow.Parameters()));
        FrontChannel.IsConsent(await browser.Follow(await browser.Get(other.Callback(pressed))));
    }

    [Fact]
    public async Task The_time_of_a_sign_in_there_is_what_counts_here()
    {
        other.Subject = "alice-earlier";
        using var browser = new Browser(Server);
        await browser.Accept(await browser.SignIn(await other.Return(browser, new CodeFlow())));
        var earlier = Server.Clock.GetUtcNow().AddMinutes(-30).ToUnixTimeSeconds();
        other.Claims = claims => claims["auth_time"] = earlier;
        try
        {
            using var later = new Browser(Server);
            var flow = new CodeFlow();
            var tokens = await flow.Redeem(Server, FrontChannel.IsCode(Server, await other.Return(later, flow), flow));
            Assert.Equal(earlier, IdToken.Claims(tokens)["auth_time"]!.GetValue<long>());
        }
        finally
        {
            other.Claims = null;
        }
    }

    [Fact]
    public async Task A_session_there_that_is_too_old_to_make_a_passkey_by_is_asked_to_be_renewed()
    {
        await Server.AddUser("renews");
        other.Subject = "renews-there";
        using (var first = new Browser(Server)) await first.SignIn(await other.Return(first, new CodeFlow()), "renews");
        await Server.Demand(RoleDemand.Passkey, "renewing", "renews");
        var earlier = Server.Clock.GetUtcNow().AddMinutes(-30).ToUnixTimeSeconds();
        other.Claims = claims => claims["auth_time"] = earlier;
        try
        {
            using var browser = new Browser(Server);
            var pressed = await OtherProvider.Press(browser, await browser.Authorize(new CodeFlow().Parameters()));
            Assert.Null(HttpUtility.ParseQueryString(new Uri(pressed.Location!).Query)["max_age"]);
            var again = await browser.Follow(await browser.Get(other.Callback(pressed)));
            Assert.True(again.AsksToSignIn(), again.Body);

            pressed = await OtherProvider.Press(browser, again);
            Assert.Equal("300", HttpUtility.ParseQueryString(new Uri(pressed.Location!).Query)["max_age"]);
            // They do not have to heed it; whoever does comes further.
            again = await browser.Follow(await browser.Get(other.Callback(pressed)));
            Assert.True(again.AsksToSignIn(), again.Body);
            pressed = await OtherProvider.Press(browser, again);
            other.Claims = null;
            Assert.True((await browser.Follow(await browser.Get(other.Callback(pressed)))).MakesPasskey());
        }
        finally
        {
            other.Claims = null;
        }
    }

    [Fact]
    [Trait("Case", "STA-12")]
    public async Task A_provider_that_is_disabled_lets_nobody_in_and_its_sessions_end()
    {
        await other.Add("leaving");
        other.Subject = "alice-leaving";
        using var browser = new Browser(Server);
        await browser.Accept(await browser.SignIn(await other.Return(browser, new CodeFlow(), "leaving")));
        using var signedIn = new Browser(Server);
        var flow = new CodeFlow();
        var tokens = await flow.Redeem(Server, FrontChannel.IsCode(Server, await other.Return(signedIn, flow, "leaving"), flow));
        using var onTheWay = new Browser(Server);
        var pressed = await OtherProvider.Press(onTheWay, await onTheWay.Authorize(new CodeFlow().Parameters()), "leaving");
        using var pending = new Browser(Server);
        other.Subject = "stranger-leaving";
        var linkPage = await other.Return(pending, new CodeFlow(), "leaving");

        using var cli = Cli.Beside(Server);
        await cli.Done("upstream", "disable", "leaving");
        // The session that began there, what hangs on it, whoever is on the way, and what waits to be connected.
        await signedIn.RefusedToClient(Server, new CodeFlow { With = { ["prompt"] = "none" } }, "login_required");
        Assert.False((await Server.Introspect(tokens.AccessToken, "web")).Active);
        FrontChannel.IsErrorPage(await onTheWay.Get(other.Callback(pressed, "leaving")), "not_found", 404);
        await pending.SignIn(linkPage);
        await using var db = Server.Database.OpenForReading();
        Assert.False(await db.Set<UpstreamLogin>().AnyAsync(l => l.Subject == "stranger-leaving"));
        using var fresh = new Browser(Server);
        Assert.DoesNotContain("upstream-leaving", (await fresh.Authorize(new CodeFlow().Parameters())).Body, StringComparison.Ordinal);
        // A session by password in another browser goes on.
        await browser.Complete(new CodeFlow().Parameters());
    }

    [Fact]
    [Trait("Case", "STA-01")]
    public async Task A_disabled_account_stays_out()
    {
        var user = await Server.AddUser("leaver");
        other.Subject = "leaver-there";
        using var browser = new Browser(Server);
        await browser.SignIn(await other.Return(browser, new CodeFlow()), "leaver");
        await Server.Change(async (db, _) => await db.Set<User>().Where(u => u.Id == user.Id).ExecuteUpdateAsync(set => set.SetProperty(u => u.DisabledAt, Server.Clock.GetUtcNow())));
        using var again = new Browser(Server);
        FrontChannel.IsPage(await other.Return(again, new CodeFlow()), "id=\"problem\"");
        await using var reading = Server.Database.OpenForReading();
        Assert.Equal(1, await reading.Set<Session>().CountAsync(s => s.UserId == user.Id));
    }

    [Fact]
    public async Task Two_instances_of_this_provider_work_with_each_other()
    {
        // An address of its own: cookies do not tell ports apart.
        await using var upstream = await IdpServer.StartEmpty(o => o.Urls = o.Urls.Replace("localhost", "127.0.0.1", StringComparison.Ordinal), clock: Server.Clock, https: true);
        await upstream.Seed();
        await upstream.AddClient(OtherProvider.ClientId, "authorization_code", "openid profile email", c => c.RedirectUris = [$"{Server.Issuer}/sign-in/upstream/twin"], OtherProvider.Secret);
        await Server.Change(async (db, _) => db.Add(await NewTwin(db, upstream.Issuer)));
        using var browser = new Browser(Server);
        var flow = new CodeFlow();
        var pressed = await OtherProvider.Press(browser, await browser.Authorize(flow.Parameters()), "twin");
        using var there = new Browser(upstream);
        var signIn = await there.Follow(await there.Get(pressed.Location!));
        var answer = await there.Accept(await there.SignIn(signIn, "bob"));
        var page = await browser.Follow(await browser.Get(answer.Location!));
        FrontChannel.IsPage(page, "id=\"link-notice\"");
        FrontChannel.IsCode(Server, await browser.Accept(await browser.SignIn(page, "bob")), flow);
    }

    private async Task<UpstreamProvider> NewTwin(IdP.Storage.IdpDbContext db, string issuer)
    {
        var statements = (UpstreamStatements)Server.App.Services.GetService(typeof(UpstreamStatements))!;
        return await statements.Add(db, new NewUpstream("twin", issuer, OtherProvider.ClientId) { Secret = OtherProvider.Secret, Scopes = ["email"] }, "test", CancellationToken.None);
    }
}
