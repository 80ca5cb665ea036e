using IdP.Accounts;
using IdP.Audit;
using IdP.Grants;
using IdP.Protocol.OpenId;
using IdP.Roles;
using IdP.SecondFactors;
using IdP.Sessions;
using IdP.Testing;
using IdP.Tests.Account;
using IdP.Tests.Support;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace IdP.Tests.SecondFactors;

/// <summary>Signing in with two factors: what opens, and what does not.</summary>
public sealed class AfterThePassword(PageServer fixture) : IClassFixture<PageServer>
{
    private readonly IdpServer _server = fixture.Server;

    [Fact]
    [Trait("Case", "MFA-01")]
    [Trait("Case", "MFA-11")]
    public async Task Nothing_opens_after_the_password_alone_and_tokens_tell_both_factors_in_the_end()
    {
        var (user, app) = await Person("anna");
        using var browser = new Browser(_server);
        var flow = new CodeFlow();
        var asked = await browser.SignIn(await browser.Authorize(flow.Parameters()), user.UserName!);
        Assert.True(asked.AsksForCode());

        // The other ways lead to a sign-in: there is no session at all.
        Assert.DoesNotContain("idp_session", browser.Cookies.GetAllCookies().Select(cookie => cookie.Name.Replace("__Host-", "", StringComparison.Ordinal)));
        foreach (var page in (string[])["/account", "/account/sessions", "/account/second-factors"]) Assert.True((await browser.Follow(await browser.Get(page))).AsksToSignIn(), page);
        Assert.True((await browser.Authorize(new CodeFlow().Parameters())).AsksToSignIn());
        var continued = asked.Fields()["continue"];
        Assert.True((await browser.Follow(await browser.Get($"/connect/authorize?continue={continued}"))).AsksForCode());
        Assert.True((await browser.Follow(await browser.Get($"/consent?continue={continued}"))).AsksForCode());
        Assert.False((await browser.Follow(await browser.Get($"/sign-in/set-up?continue={continued}"))).AsksToSetUp());
        foreach (var changed in (string[])["", continued[..^4] + "AAAA", "x"])
            Assert.Equal(400, (await browser.Submit(asked, "/sign-in/second-factor", ("continue", changed), ("code", app.Code()))).Status);
        using var other = new Browser(_server);
        await other.Authorize(new CodeFlow().Parameters());
        Assert.Equal(400, (await other.Get($"/sign-in/second-factor?continue={continued}")).Status);

        var answer = await browser.Confirm(asked, app.NextCode());
        if (answer.Body.Contains("id=\"consent-accept\"", StringComparison.Ordinal)) answer = await browser.Accept(answer);
        var code = FrontChannel.Parameters(answer)["code"];
        var claims = IdToken.Claims(await flow.Redeem(_server, code));
        Assert.Equal(Acr.MultiFactor, claims["acr"]!.GetValue<string>());
        Assert.Equal(["pwd", "otp", "mfa"], claims["amr"]!.AsArray().Select(method => method!.GetValue<string>()));
    }

    [Fact]
    public async Task A_password_that_one_node_has_seen_counts_at_the_next_whose_clock_is_a_little_behind()
    {
        // A server's keys are not as young as this one's may be: none is in use before it was made.
        _server.Clock.Advance(TimeSpan.FromMinutes(1));
        var (user, _) = await Person("bernd");
        using var browser = new Browser(_server);
        var page = await browser.Authorize(new CodeFlow().Parameters());
        var proved = await browser.Submit(page, "/sign-in", ("username", user.UserName!), ("password", IdpServer.Password));
        _server.Clock.Step(TimeSpan.FromSeconds(-2));
        try
        {
            Assert.True((await browser.Follow(proved)).AsksForCode());
        }
        finally
        {
            _server.Clock.Step(TimeSpan.FromSeconds(2));
        }
    }

    [Fact]
    [Trait("Case", "MFA-04")]
    public async Task Codes_of_the_steps_beside_this_one_count_and_no_others()
    {
        var (user, app) = await Person("carla");
        using var browser = new Browser(_server);
        _server.Clock.Advance(TimeSpan.FromMinutes(5));
        var asked = await browser.SignIn(await browser.Authorize(new CodeFlow().Parameters()), user.UserName!);
        foreach (var away in (int[])[-3, -2, 2, 3]) Assert.Equal(400, (await browser.Confirm(asked, app.Code(away))).Status);
        Assert.False((await browser.Confirm(asked, app.Code(-1))).AsksForCode());
    }

    [Fact]
    [Trait("Case", "MFA-06")]
    public async Task A_recovery_code_counts_once_however_it_is_typed_and_the_database_has_its_hash_only()
    {
        var (user, app) = await Person("dora");
        var check = _server.App.Services.GetRequiredService<SecondFactorCheck>();
        var facts = new IdP.Http.RequestFacts { Address = "192.0.2.1", Method = "POST", Path = "/" };
        var typed = app.RecoveryCodes[0].Replace("-", " ", StringComparison.Ordinal).ToUpperInvariant();
        var tries = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => check.Prove(user, typed, facts, device: null))));
        Assert.Equal("mfa", Assert.Single(tries, methods => methods is not null));
        await using var db = _server.Database.OpenForReading();
        var stored = await db.Set<RecoveryCode>().Where(c => c.UserId == user.Id).ToListAsync();
        Assert.Equal(9, stored.Count);
        Assert.All(stored, code => Assert.Equal(32, code.Hash.Length));
        Assert.Single(await db.Set<AuditEvent>().Where(e => e.UserId == user.Id && e.Type == "recovery_code.used").ToListAsync());
    }

    [Fact]
    [Trait("Case", "LGN-04")]
    public async Task Wrong_codes_lock_like_wrong_passwords_and_the_right_one_does_not_help_before_the_window_ends()
    {
        var (user, app) = await Person("edda");
        using var browser = new Browser(_server);
        var asked = await browser.SignIn(await browser.Authorize(new CodeFlow().Parameters()), user.UserName!);
        for (var i = 0; i < 5; i++) Assert.Equal(400, (await browser.Confirm(asked, "000000")).Status);
        Assert.Equal(400, (await browser.Confirm(asked, app.NextCode())).Status);
        _server.Clock.Advance(TimeSpan.FromMinutes(16));
        asked = await browser.SignIn(await browser.Authorize(new CodeFlow().Parameters()), user.UserName!);
        Assert.False((await browser.Confirm(asked, app.NextCode())).AsksForCode());
    }

    [Fact]
    public async Task A_first_factor_runs_out_and_ends_with_another_password()
    {
        var (user, app) = await Person("frida");
        using var browser = new Browser(_server);
        var asked = await browser.SignIn(await browser.Authorize(new CodeFlow().Parameters()), user.UserName!);
        _server.Clock.Advance(TimeSpan.FromMinutes(11));
        Assert.True((await browser.Confirm(asked, app.Code())).AsksToSignIn());

        asked = await browser.SignIn(await browser.Authorize(new CodeFlow().Parameters()), user.UserName!);
        var hashed = await _server.NewPassword("another-Password-42", user.UserName!);
        await _server.Change((db, _) => _server.App.Services.GetRequiredService<UserStatements>().ChangePassword(db, user.UserName!, hashed, "cli", CancellationToken.None));
        Assert.True((await browser.Confirm(asked, app.NextCode())).AsksToSignIn());
    }

    [Fact]
    [Trait("Case", "MFA-12")]
    public async Task A_trusted_browser_is_not_asked_again_until_the_password_changes_and_its_cookie_is_nobody_elses()
    {
        var (user, app) = await Person("gerda");
        using var browser = new Browser(_server);
        var asked = await browser.SignIn(await browser.Authorize(new CodeFlow().Parameters()), user.UserName!);
        await browser.Confirm(asked, app.NextCode(), remember: true);
        var again = new CodeFlow { With = { ["prompt"] = "login" } };
        Assert.False((await browser.SignIn(await browser.Authorize(again.Parameters()), user.UserName!)).AsksForCode());

        // In another browser the cookie is worth nothing, with its own device cookie or none.
        using var thief = new Browser(_server);
        foreach (var cookie in browser.Cookies.GetAllCookies().Where(cookie => cookie.Name.EndsWith("idp_factor", StringComparison.Ordinal))) thief.Cookies.Add(cookie);
        Assert.True((await thief.SignIn(await thief.Authorize(new CodeFlow().Parameters()), user.UserName!)).AsksForCode());

        // Where factors are changed it does not count.
        _server.Clock.Advance(TimeSpan.FromMinutes(6));
        Assert.True((await browser.SignIn(await browser.Follow(await browser.Get("/account/second-factors")), user.UserName!)).AsksForCode());

        var hashed = await _server.NewPassword("another-Password-42", user.UserName!);
        await _server.Change((db, _) => _server.App.Services.GetRequiredService<UserStatements>().ChangePassword(db, user.UserName!, hashed, "cli", CancellationToken.None));
        Assert.True((await browser.SignIn(await browser.Authorize(new CodeFlow().Parameters()), user.UserName!, "another-Password-42")).AsksForCode());
    }

    [Fact]
    [Trait("Case", "MFA-11")]
    public async Task A_client_that_asks_for_two_factors_gets_the_session_raised_and_another_gets_it_as_it_is()
    {
        var (user, app) = await Person("hedda");
        using var browser = new Browser(_server);
        await browser.Confirm(await browser.SignIn(await browser.Authorize(new CodeFlow().Parameters()), user.UserName!), app.NextCode(), remember: true);
        await browser.SignIn(await browser.Authorize(new CodeFlow { With = { ["prompt"] = "login" } }.Parameters()), user.UserName!);
        Assert.Equal(Acr.Password, (await Session(user)).Acr);

        var raised = new CodeFlow { With = { ["acr_values"] = Acr.MultiFactor } };
        var asked = await browser.Authorize(raised.Parameters());
        Assert.True(asked.AsksForCode());
        Assert.Equal("login_required", FrontChannel.Parameters(await browser.Authorize(new CodeFlow { With = { ["acr_values"] = Acr.MultiFactor, ["prompt"] = "none" } }.Parameters()))["error"]);
        var answer = await browser.Confirm(asked, app.NextCode());
        if (answer.Body.Contains("id=\"consent-accept\"", StringComparison.Ordinal)) answer = await browser.Accept(answer);
        Assert.Equal(Acr.MultiFactor, IdToken.Claims(await raised.Redeem(_server, FrontChannel.Parameters(answer)["code"]))["acr"]!.GetValue<string>());
    }

    [Fact]
    public async Task Whoever_must_have_a_second_factor_sets_one_up_on_the_way()
    {
        var user = await _server.AddUser("ida");
        await _server.AddClient("strict", "authorization_code", "openid", client => (client.RedirectUris, client.RequiresSecondFactor) = (["https://web.test/callback"], true));
        using var browser = new Browser(_server);
        var flow = new CodeFlow { ClientId = "strict" };
        var offered = await browser.SignIn(await browser.Authorize(flow.Parameters()), user.UserName!);
        Assert.True(offered.AsksToSetUp());
        var app = PhoneApp.Read(offered, _server);
        var wrong = await browser.Press(offered, "/sign-in/set-up", ("code", "000000"));
        Assert.Equal((400, offered.Text("#otp-secret")), (wrong.Status, wrong.Text("#otp-secret")));
        var codes = await browser.Press(wrong, "/sign-in/set-up", ("code", app.Code()));
        Assert.Equal(10, codes.All("#recovery-codes code").Length);
        var answer = await browser.Follow(await browser.Get(codes.All("#codes-kept").Single().GetAttribute("href")!));
        if (answer.Body.Contains("id=\"consent-accept\"", StringComparison.Ordinal)) answer = await browser.Accept(answer);
        Assert.Equal(Acr.MultiFactor, IdToken.Claims(await flow.Redeem(_server, FrontChannel.Parameters(answer)["code"]))["acr"]!.GetValue<string>());
    }

    [Fact]
    [Trait("Case", "MFA-01")]
    public async Task A_set_up_that_waits_begins_anew_when_an_operator_signs_the_person_out()
    {
        await _server.AddUser("quinn");
        await _server.Demand(RoleDemand.SecondFactor, "guard", "quinn");
        using var browser = new Browser(_server);
        var offered = await browser.SignIn(await browser.Authorize(new CodeFlow().Parameters()), "quinn");
        Assert.True(offered.AsksToSetUp());
        await _server.Change((db, _) => _server.App.Services.GetRequiredService<UserStatements>().SignOut(db, "quinn", "cli", CancellationToken.None));
        Assert.True((await browser.Follow(await browser.Get($"/connect/authorize?continue={offered.Fields()["continue"]}"))).AsksToSignIn());
    }

    [Fact]
    [Trait("Case", "MFA-07")]
    public async Task Nobody_sets_a_factor_up_by_a_session_of_long_ago()
    {
        var user = await _server.AddUser("olga");
        await _server.AddClient("stricter", "authorization_code", "openid", client => (client.RedirectUris, client.RequiresSecondFactor) = (["https://web.test/callback"], true));
        using var browser = new Browser(_server);
        await browser.SignIn(await browser.Follow(await browser.Get("/account")), user.UserName!);
        var flow = new CodeFlow { ClientId = "stricter" };
        Assert.True((await browser.Authorize(flow.Parameters())).AsksToSetUp());
        _server.Clock.Advance(TimeSpan.FromMinutes(6));
        var asked = await browser.Authorize(flow.Parameters());
        Assert.True(asked.AsksToSignIn());
        Assert.False((await browser.Follow(await browser.Get($"/sign-in/set-up?continue={asked.Fields()["continue"]}"))).AsksToSetUp());
        Assert.True((await browser.SignIn(asked, user.UserName!)).AsksToSetUp());
    }

    [Fact]
    [Trait("Case", "MFA-01")]
    public async Task The_password_grant_is_not_for_whoever_has_or_must_have_a_second_factor()
    {
        var (user, _) = await Person("jana");
        var refused = await _server.Refused(400, "invalid_grant", "/connect/token", "app", ("grant_type", "password"), ("username", user.UserName!), ("password", IdpServer.Password));
        Assert.Contains("second factor", refused.Body, StringComparison.Ordinal);
        // A wrong password learns nothing of it.
        var wrong = await _server.Refused(400, "invalid_grant", "/connect/token", "app", ("grant_type", "password"), ("username", user.UserName!), ("password", "wrong-Password-1"));
        Assert.DoesNotContain("second factor", wrong.Body, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Case", "STA-04")]
    [Trait("Case", "LGN-21")]
    public async Task A_removed_factor_ends_what_was_proved_by_it()
    {
        var (user, app) = await Person("karla");
        using var here = new Browser(_server);
        using var there = new Browser(_server);
        var flow = new CodeFlow { Scope = "openid offline_access" };
        await here.Confirm(await here.SignIn(await here.Follow(await here.Get("/account/second-factors")), user.UserName!), app.NextCode());
        var answer = await there.Confirm(await there.SignIn(await there.Authorize(flow.Parameters()), user.UserName!), app.NextCode(), remember: true);
        if (answer.Body.Contains("id=\"consent-accept\"", StringComparison.Ordinal)) answer = await there.Accept(answer);
        var tokens = await flow.Redeem(_server, FrontChannel.Parameters(answer)["code"]);
        var access = tokens.Json["access_token"]!.GetValue<string>();
        Assert.True((await _server.Introspect(access, "web")).Active);

        var removed = await here.Press(await here.Enter("/account/second-factors"), "/account/second-factors?handler=Remove");
        Assert.Equal("The second factor is removed.", removed.Text("#notice"));
        Assert.False((await _server.Introspect(access, "web")).Active);
        Assert.True((await there.Follow(await there.Get("/account"))).AsksToSignIn());
        Assert.Equal(Acr.Password, (await Session(user)).Acr);

        // One set up later does not trust the browser that was trusted before.
        await PhoneApp.SetUp(here, _server, user.UserName!);
        Assert.True((await there.SignIn(await there.Authorize(new CodeFlow().Parameters()), user.UserName!)).AsksForCode());
    }

    [Fact]
    [Trait("Case", "MFA-07")]
    [Trait("Case", "MFA-09")]
    public async Task Factors_are_changed_after_a_fresh_sign_in_and_their_secret_is_read_once()
    {
        var (user, app) = await Person("lena");
        using var browser = new Browser(_server);
        await browser.Confirm(await browser.SignIn(await browser.Follow(await browser.Get("/account/second-factors")), user.UserName!), app.NextCode());
        var page = await browser.Enter("/account/second-factors");
        Assert.Null(page.Text("#otp-secret"));
        _server.Clock.Advance(TimeSpan.FromMinutes(6));
        foreach (var handler in (string[])["Remove", "Codes"]) Assert.True((await browser.Press(page, $"/account/second-factors?handler={handler}")).AsksToSignIn(), handler);
        await using (var db = _server.Database.OpenForReading()) Assert.Equal(10, await db.Set<RecoveryCode>().CountAsync(c => c.UserId == user.Id));

        // A secret that was offered to somebody else, or in another browser, sets nothing up.
        await _server.AddUser("mona");
        using var other = new Browser(_server);
        var offered = await other.Enter("/account/second-factors", "mona");
        using var stranger = new Browser(_server);
        await _server.AddUser("nora");
        var theirs = await stranger.Enter("/account/second-factors", "nora");
        await stranger.Press(theirs, "/account/second-factors", ("authenticator", offered.Fields()["authenticator"]), ("code", PhoneApp.Read(offered, _server).Code()));
        await using (var db = _server.Database.OpenForReading()) Assert.Equal(0, await db.Set<Authenticator>().CountAsync(a => a.UserId == db.Users.Single(u => u.UserName == "nora").Id));
    }

    [Fact]
    [Trait("Case", "LOG-02")]
    public async Task The_secret_the_codes_and_the_session_are_in_no_log_and_no_table()
    {
        var (user, app) = await Person("petra");
        using var browser = new Browser(_server);
        var asked = await browser.SignIn(await browser.Authorize(new CodeFlow().Parameters()), user.UserName!);
        await browser.Confirm(asked, app.RecoveryCodes[1] + "x");
        await browser.Confirm(asked, app.RecoveryCodes[0], remember: true);
        var cookies = browser.Cookies.GetAllCookies().Where(cookie => cookie.Name.EndsWith("idp_session", StringComparison.Ordinal) || cookie.Name.EndsWith("idp_factor", StringComparison.Ordinal)).ToList();
        Assert.Equal(2, cookies.Count);

        string[] secrets = [.. app.Secrets, .. app.RecoveryCodes, .. app.RecoveryCodes.Select(code => code.Replace("-", "", StringComparison.Ordinal).ToUpperInvariant()), .. cookies.Select(cookie => cookie.Value)];
        var tables = await _server.Text();
        foreach (var secret in secrets)
        {
            Assert.DoesNotContain(_server.Log.Lines, line => line.Contains(secret, StringComparison.OrdinalIgnoreCase));
            Assert.DoesNotContain(tables, text => text.Contains(secret, StringComparison.OrdinalIgnoreCase));
        }
    }

    private async Task<(User User, PhoneApp App)> Person(string name)
    {
        var user = await _server.AddUser(name);
        using var browser = new Browser(_server);
        return (user, await PhoneApp.SetUp(browser, _server, name));
    }

    private async Task<Session> Session(User user)
    {
        await using var db = _server.Database.OpenForReading();
        return await db.Set<Session>().Where(s => s.UserId == user.Id && s.EndedAt == null).OrderByDescending(s => s.AuthenticatedAt).FirstAsync();
    }
}
