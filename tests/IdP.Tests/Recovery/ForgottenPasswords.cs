using IdP.Accounts;
using IdP.Audit;
using IdP.Testing;
using IdP.Tests.Account;
using IdP.Tests.Support;
using IdP.Upstream;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace IdP.Tests.Recovery;

/// <summary>Whoever has forgotten their password gets a link to their confirmed address, and nobody else learns or gets anything.</summary>
public abstract class ForgottenPasswords(PageServer fixture)
{
    private const string NewPassword = "a-new-Password-for-me";
    private readonly IdpServer _server = fixture.Server;

    [Fact]
    public async Task The_way_from_the_sign_in_page_and_back_to_the_app()
    {
        var user = await _server.AddUser("forgetful");
        using var browser = new Browser(_server);
        var signIn = await browser.Authorize(new CodeFlow().Parameters());
        var page = await browser.Get(signIn.All("#to-recovery")[0].GetAttribute("href")!);
        Assert.Contains("Web app", page.Body, StringComparison.Ordinal);

        var sent = await browser.Submit(page, "/recovery", ("username", "Forgetful"));
        Assert.Equal(200, sent.Status);
        Assert.NotNull(sent.Text("#recovery-sent"));
        var mail = await _server.NextMail(user.Email!);
        var form = await browser.Get(mail.Link);
        Assert.Contains("forgetful", form.Text(".lead"), StringComparison.Ordinal);
        foreach (var bad in (string[])["short", "password1", "forgetful!", new string('x', 257)])
        {
            var again = await browser.Submit(form, "/recovery/password", ("password", bad));
            Assert.Equal(400, again.Status);
            Assert.NotNull(again.Text("#problem"));
        }
        var done = await browser.Submit(form, "/recovery/password", ("password", NewPassword));

        Assert.NotNull(done.Text("#password-changed"));
        // Nobody is signed in by it: what else the account asks for is still asked for.
        var back = await browser.Get(done.All("#to-sign-in")[0].GetAttribute("href")!);
        Assert.True(back.AsksToSignIn());
        var answer = await browser.SignIn(back, "forgetful", NewPassword);
        Assert.Contains("consent-accept", answer.Body, StringComparison.Ordinal);
        await _server.Refused(400, "invalid_grant", "/connect/token", "app", ("grant_type", "password"), ("username", "forgetful"), ("password", IdpServer.Password), ("scope", "items:read"));
        // Those of one transaction in any order.
        Assert.Equal(["recovery.completed", "recovery.requested", "sign_in.succeeded", "user.password_changed"],
            (await Events(user)).Where(type => type is not "sign_in.failed").Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task In_another_browser_the_link_leads_to_the_account_instead_of_the_app()
    {
        var user = await _server.AddUser("elsewhere");
        using var browser = new Browser(_server);
        using var phone = new Browser(_server);
        await Ask(browser, "elsewhere", await browser.Authorize(new CodeFlow().Parameters()));

        var form = await phone.Get((await _server.NextMail(user.Email!)).Link);
        var done = await phone.Submit(form, "/recovery/password", ("password", NewPassword));

        Assert.Equal("/account", done.All("#to-sign-in")[0].GetAttribute("href"));
    }

    [Fact]
    [Trait("Case", "PWR-01")]
    public async Task Of_fifty_uses_of_a_link_at_once_one_counts_and_none_later()
    {
        var user = await _server.AddUser("fifty");
        using var browser = new Browser(_server);
        await Ask(browser, "fifty");
        var link = (await _server.NextMail(user.Email!)).Link;
        // Whatever opens links on its way to the person: HEAD, GET, several times.
        for (var i = 0; i < 3; i++) await browser.Send(new HttpRequestMessage(i == 0 ? HttpMethod.Head : HttpMethod.Get, link));
        var form = await browser.Get(link);

        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(i => browser.Submit(form, "/recovery/password", ("password", $"{NewPassword}-{i}"))));

        Assert.Single(answers, answer => answer.Text("#password-changed") is not null);
        Assert.All(answers, answer => Assert.Contains(answer.Status, (int[])[200, 400, 503]));
        Assert.Single(await Events(user), type => type == "recovery.completed");
        await Dead(browser, link);
        var again = await browser.Submit(form, "/recovery/password", ("password", NewPassword));
        Assert.Equal(400, again.Status);
        Assert.NotNull(again.Text("#link-dead"));
    }

    [Theory]
    [InlineData("a newer one"), InlineData("password"), InlineData("e-mail"), InlineData("disabled"), InlineData("30 minutes"), InlineData("signed out")]
    [Trait("Case", "PWR-02")]
    [Trait("Case", "STA-01")]
    [Trait("Case", "STA-03")]
    public async Task What_ends_a_link(string what)
    {
        var name = "ends-" + what.Replace(' ', '-');
        var user = await _server.AddUser(name);
        using var browser = new Browser(_server);
        await Ask(browser, name);
        var link = (await _server.NextMail(user.Email!)).Link;
        var form = await browser.Get(link);
        var users = _server.App.Services.GetRequiredService<UserStatements>();

        switch (what)
        {
            case "a newer one": await Ask(browser, name); await _server.NextMail(user.Email!); break;
            case "password":
                var other = await _server.NewPassword("another-Password-1", name);
                await _server.Change((db, _) => users.ChangePassword(db, name, other, "cli", CancellationToken.None));
                break;
            case "e-mail": await _server.Change((db, _) => users.ChangeEmail(db, name, "other@example.com", "cli", null, CancellationToken.None)); break;
            case "disabled": await _server.Change((db, _) => users.Disable(db, name, "cli", CancellationToken.None)); break;
            case "signed out": await _server.Change((db, _) => users.SignOut(db, name, "cli", CancellationToken.None)); break;
            default: _server.Clock.Advance(TimeSpan.FromMinutes(30)); break;
        }

        await Dead(browser, link);
        Assert.Equal(400, (await browser.Submit(form, "/recovery/password", ("password", NewPassword))).Status);
        Assert.DoesNotContain("recovery.completed", await Events(user));
    }

    [Fact]
    [Trait("Case", "PWR-03")]
    public async Task A_link_has_the_configured_address_whatever_the_request_says()
    {
        var user = await _server.AddUser("poisoned");
        using var browser = new Browser(_server);
        foreach (var (name, value) in ((string, string)[])[("X-Forwarded-Host", "evil.example"), ("Forwarded", "host=evil.example;proto=http"), ("X-Original-Host", "evil.example"), ("X-Forwarded-Proto", "http"), ("X-Host", "evil.example"), ("Origin", "https://evil.example"), ("Referer", "https://evil.example/")])
        {
            var fields = (await browser.Get("/recovery")).Fields();
            using var request = new HttpRequestMessage(HttpMethod.Post, "/recovery") { Content = new FormUrlEncodedContent(new Dictionary<string, string>(fields) { ["username"] = "poisoned" }) };
            request.Headers.TryAddWithoutValidation(name, value);
            Assert.Equal(200, (await browser.Send(request)).Status);
            Assert.StartsWith(_server.Issuer + "/recovery/password?link=", (await _server.NextMail(user.Email!)).Link, StringComparison.Ordinal);
            _server.Clock.Advance(TimeSpan.FromHours(1));
        }
        using var wrong = new HttpRequestMessage(HttpMethod.Get, "/recovery") { Headers = { Host = "evil.example" } };
        Assert.Equal(400, (await browser.Send(wrong)).Status);
    }

    [Fact]
    [Trait("Case", "PWR-04")]
    [Trait("Case", "LGN-03")]
    public async Task Who_can_be_helped_and_who_cannot_get_the_same_answer_and_only_one_a_mail()
    {
        var helped = await _server.AddUser("helped");
        await _server.AddUser("is-disabled", configure: u => u.DisabledAt = _server.Clock.GetUtcNow());
        await _server.AddUser("not-confirmed", configure: u => u.EmailConfirmed = false);
        await _server.AddUser("no-address", configure: u => (u.Email, u.NormalizedEmail, u.EmailConfirmed) = (null, null, false));
        var external = await _server.AddUser("from-elsewhere", configure: u => u.PasswordHash = null);
        await _server.Change(async (db, version) =>
        {
            var provider = new UpstreamProvider { Name = "elsewhere", DisplayName = "Elsewhere", Issuer = "https://elsewhere.example", ClientId = "here", CreatedAt = _server.Clock.GetUtcNow(), Version = version };
            db.Add(provider);
            await db.SaveChangesAsync();
            db.Add(new UpstreamLogin { Id = Guid.CreateVersion7(_server.Clock.GetUtcNow()), ProviderId = provider.Id, Subject = "1", UserId = external.Id, CreatedAt = _server.Clock.GetUtcNow(), LastUsedAt = _server.Clock.GetUtcNow() });
            await db.SaveChangesAsync();
        });
        using var browser = new Browser(_server);
        var before = await _server.Count("MailLinks");

        var answers = new List<string>();
        foreach (var name in (string[])["nobody-at-all", "nobody@example.com", "is-disabled", "not-confirmed", "not-confirmed@example.com", "no-address", "from-elsewhere", "helped", "HELPED@example.com"])
        {
            var answer = await browser.Submit(await browser.Get("/recovery"), "/recovery", ("username", name));
            answers.Add($"{answer.Status} {answer.Body}");
        }

        Assert.Single(answers.Distinct());
        // They are worked on in their order: when the last one has its mail, nothing more comes for the others.
        await _server.NextMail(helped.Email!);
        await _server.NextMail(helped.Email!);
        Assert.Equal(before + 1, await _server.Count("MailLinks"));
        foreach (var name in (string[])["is-disabled", "not-confirmed", "from-elsewhere", "nobody"]) Assert.Empty(_server.Mails($"{name}@example.com"));
    }

    [Theory]
    [InlineData(""), InlineData(" "), InlineData("with\0nul")]
    public async Task Without_a_name_nothing_is_sent(string name)
    {
        using var browser = new Browser(_server);
        var answer = await browser.Submit(await browser.Get("/recovery"), "/recovery", ("username", name));
        Assert.Equal(400, answer.Status);
        // A form with a NUL in it is refused before any page sees it.
        Assert.Equal(!name.Contains('\0', StringComparison.Ordinal), answer.Text("#problem") is not null);
    }

    [Fact]
    [Trait("Case", "PWR-05")]
    public async Task A_link_is_good_for_nothing_but_its_purpose_and_its_owner()
    {
        var (mine, theirs) = (await _server.AddUser("purpose-mine"), await _server.AddUser("purpose-theirs"));
        using var browser = new Browser(_server);
        await Ask(browser, "purpose-mine");
        var reset = (await _server.NextMail(mine.Email!)).Secret();
        using var owner = new Browser(_server);
        await owner.Press(await owner.Enter("/account/email", "purpose-theirs"), "/account/email", ("email", "purpose-new@example.com"));
        var confirm = (await _server.NextMail("purpose-new@example.com")).Secret();

        // Neither opens the other's page, nor one of another purpose, nor anything like a session.
        foreach (var address in (string[])[$"/recovery/password?link={confirm}", $"/sign-up/complete?link={reset}", $"/sign-up/complete?link={confirm}", $"/account/email/confirm?link={reset}"])
            Assert.Contains((await owner.Get(address)).Status, (int[])[400, 404]);
        foreach (var text in (string[])["", "x", reset + "A", reset[..^1], new string('A', 43), reset.ToUpperInvariant()]) Assert.Equal(400, (await browser.Get($"/recovery/password?link={text}")).Status);
        // Somebody else who is signed in: the address is not put on their account, and not on the other's behind their back.
        using var other = new Browser(_server);
        await other.Enter("/account", "purpose-mine");
        Assert.NotNull((await other.Get($"/account/email/confirm?link={confirm}")).Text("#link-dead"));
        var form = (await other.Get("/account/email")).Fields();
        Assert.Equal(400, (await other.Post("/account/email/confirm", new Dictionary<string, string>(form) { ["link"] = confirm })).Status);
        using var cookie = new HttpRequestMessage(HttpMethod.Get, "/account");
        cookie.Headers.TryAddWithoutValidation("Cookie", $"__Host-idp_session={reset}");
        Assert.Equal(303, (await browser.Send(cookie)).Status);
        // The form of one's own, with the secret of another's link.
        Assert.Equal(400, (await browser.Post("/recovery/password", new Dictionary<string, string>((await browser.Get($"/recovery/password?link={reset}")).Fields()) { ["link"] = confirm, ["password"] = NewPassword })).Status);
        await using var db = _server.Database.OpenForReading();
        Assert.Equal(theirs.Email, (await db.Users.SingleAsync(u => u.Id == theirs.Id)).Email);
    }

    [Fact]
    [Trait("Case", "PWR-07")]
    [Trait("Case", "STA-03")]
    public async Task After_a_reset_every_session_and_token_has_ended_and_the_owner_is_told()
    {
        var user = await _server.AddUser("ended");
        using var browser = new Browser(_server);
        var flow = new CodeFlow { Scope = "openid offline_access" };
        var tokens = await flow.Redeem(_server, (await browser.Complete(flow.Parameters(), "ended")).ResponseParameters()["code"]);
        var pending = (await browser.Complete(new CodeFlow().Parameters(), "ended")).ResponseParameters()["code"];
        Assert.False((await browser.Get("/account")).AsksToSignIn());
        using var stranger = new Browser(_server);
        await Ask(stranger, "ended");
        var mail = await _server.NextMail(user.Email!);
        var link = mail.Link;
        // A thief who guessed until the account was locked for strangers does not keep its owner out.
        for (var i = 0; i < 6; i++) await _server.PasswordGrant("ended", "wrong");

        await stranger.Submit(await stranger.Get(link), "/recovery/password", ("password", NewPassword));

        Assert.Equal(303, (await browser.Get("/account")).Status);
        Assert.Equal("invalid_grant", (await _server.Post("/connect/token", "web", ("grant_type", "refresh_token"), ("refresh_token", tokens.Json["refresh_token"]!.GetValue<string>()))).Error);
        Assert.False((await _server.Introspect(tokens.AccessToken, "web")).Active);
        Assert.NotEqual(200, (await new CodeFlow().Redeem(_server, pending)).Status);
        Assert.DoesNotContain("link=", (await _server.NextMail(user.Email!)).Plain, StringComparison.Ordinal);
        Assert.Equal(200, (await _server.PasswordGrant("ended", NewPassword)).Status);
        // What the mail had in it is nowhere but there.
        Assert.DoesNotContain(await _server.Text(), text => text.Contains(mail.Secret(), StringComparison.Ordinal));
        Assert.DoesNotContain(_server.Log.Lines, line => line.Contains(mail.Secret(), StringComparison.Ordinal));
    }

    [Fact]
    [Trait("Case", "PWR-08")]
    public async Task A_flood_of_requests_sends_five_mails_an_hour_and_answers_the_same()
    {
        await using var server = await IdpServer.Start(options => options.Limits.MailsPerAddress = 30, https: true);
        var user = await server.AddUser("flooded");
        using var browser = new Browser(server);
        var page = await browser.Get("/recovery");
        var answers = new List<PageAnswer>();
        for (var i = 0; i < 40; i++) answers.Add(await browser.Submit(page, "/recovery", ("username", i < 20 ? "flooded" : $"nobody-{i}")));

        Assert.All(answers[..30], answer => Assert.Equal(200, answer.Status));
        Assert.All(answers[30..], answer => Assert.Equal(429, answer.Status));
        for (var i = 0; i < 5; i++) await server.NextMail(user.Email!);
        // Another's comes after whatever was still to come for this one.
        server.Clock.Advance(TimeSpan.FromHours(1));
        await browser.Submit(page, "/recovery", ("username", "alice"));
        await server.NextMail("alice@example.com");
        Assert.Equal(5, server.Mails(user.Email!).Count);
        await browser.Submit(await browser.Get("/recovery"), "/recovery", ("username", "flooded"));
        await server.NextMail(user.Email!);
    }

    private static async Task Ask(Browser browser, string name, PageAnswer? from = null)
    {
        var page = await browser.Get(from?.All("#to-recovery")[0].GetAttribute("href") ?? "/recovery");
        Assert.NotNull((await browser.Submit(page, "/recovery", ("username", name))).Text("#recovery-sent"));
    }

    private static async Task Dead(Browser browser, string link)
    {
        var answer = await browser.Get(link);
        Assert.Equal(400, answer.Status);
        Assert.NotNull(answer.Text("#link-dead"));
        Assert.Empty(answer.All("#password"));
    }

    private async Task<List<string>> Events(User user)
    {
        await using var db = _server.Database.OpenForReading();
        return await db.Set<AuditEvent>().Where(e => e.Target == $"user:{user.Subject}").OrderBy(e => e.Id).Select(e => e.Type).ToListAsync();
    }
}

public sealed class ForgottenPasswordsOnSqlite(PageServer fixture) : ForgottenPasswords(fixture), IClassFixture<PageServer>;

public sealed class ForgottenPasswordsOnPostgres(PostgresPageServer fixture) : ForgottenPasswords(fixture), IClassFixture<PostgresPageServer>;
