using IdP.Accounts;
using IdP.Commands;
using IdP.Testing;
using IdP.Tests.Account;
using IdP.Tests.Commands;
using IdP.Tests.Support;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace IdP.Tests.Registration;

public sealed class OpenServer : PageServer
{
    private protected override void Configure(IdpOptions options) => options.Registration.Mode = "open";
}

public sealed class OpenPostgresServer : PostgresPageServer
{
    private protected override void Configure(IdpOptions options)
    {
        base.Configure(options);
        options.Registration.Mode = "open";
    }
}

/// <summary>People make accounts for themselves where they may; an account begins with a confirmed address.</summary>
public abstract class SigningUp(PageServer fixture)
{
    private const string Password = "a-Password-of-my-own";
    private readonly IdpServer _server = fixture.Server;

    [Theory]
    [InlineData(false), InlineData(true)]
    public async Task From_the_app_through_the_mail_back_to_the_app(bool isAskedFor)
    {
        var address = $"New.Person-{isAskedFor}@Example.com";
        using var browser = new Browser(_server);
        var page = await browser.Authorize(new CodeFlow { With = { ["prompt"] = isAskedFor ? "create" : null } }.Parameters());
        if (!isAskedFor) page = await browser.Get(page.All("#to-sign-up")[0].GetAttribute("href")!);
        var sent = await browser.Submit(page, "/sign-up", ("email", address));
        Assert.NotNull(sent.Text("#sign-up-sent"));
        var canonical = $"New.Person-{isAskedFor}@example.com";
        var form = await browser.Get((await _server.NextMail(canonical)).Link);
        Assert.Contains("Web app", form.Body, StringComparison.Ordinal);
        foreach (var (name, password) in ((string, string)[])[("Néw", "short"), ("Néw", "password1"), ("two\u202elines", Password), ("Néw", canonical)])
            Assert.NotNull((await browser.Submit(form, "/sign-up/complete", ("name", name), ("password", password))).Text("#problem"));

        var answer = await browser.Follow(await browser.Submit(form, "/sign-up/complete", ("name", "Néw Person"), ("password", Password)));

        Assert.Contains("consent-accept", answer.Body, StringComparison.Ordinal);
        Assert.StartsWith("https://web.test/callback?code=", (await browser.Accept(answer)).Location, StringComparison.Ordinal);
        await using var db = _server.Database.OpenForReading();
        var user = await db.Users.SingleAsync(u => u.Email == canonical);
        Assert.Equal((canonical, true, "Néw Person"), (user.UserName, user.EmailConfirmed, user.Name));
        Assert.Equal(200, (await _server.PasswordGrant(canonical, Password)).Status);
        Assert.Equal(400, (await browser.Submit(form, "/sign-up/complete", ("password", Password))).Status);
    }

    [Fact]
    public async Task In_another_browser_one_is_signed_in_to_ones_account()
    {
        using var browser = new Browser(_server);
        using var phone = new Browser(_server);
        await browser.Submit(await browser.Authorize(new CodeFlow { With = { ["prompt"] = "create" } }.Parameters()), "/sign-up", ("email", "phone@example.com"));

        var form = await phone.Get((await _server.NextMail("phone@example.com")).Link);
        var answer = await phone.Follow(await phone.Submit(form, "/sign-up/complete", ("password", Password)));

        Assert.Equal(200, answer.Status);
        Assert.Contains("phone@example.com", answer.Body, StringComparison.Ordinal);
        Assert.True((await browser.Follow(await browser.Get("/account"))).AsksToSignIn());
    }

    [Fact]
    public async Task Prompt_create_shows_the_sign_up_to_whoever_is_signed_in_and_an_account_that_exists_will_do()
    {
        using var browser = new Browser(_server);
        await browser.Complete(new CodeFlow().Parameters());

        var page = await browser.Authorize(new CodeFlow { With = { ["prompt"] = "create" } }.Parameters());
        Assert.NotEmpty(page.All("#sign-up-submit"));
        var signIn = await browser.Get(page.All("#to-sign-in")[0].GetAttribute("href")!);
        Assert.StartsWith("https://web.test/callback?code=", (await browser.SignIn(signIn)).Location, StringComparison.Ordinal);
        var cancelled = await browser.Follow(await browser.Submit(page, "/sign-up?handler=Cancel"));
        Assert.Equal("access_denied", cancelled.ResponseParameters()["error"]);
        var together = await browser.Authorize(new CodeFlow { With = { ["prompt"] = "create none" } }.Parameters());
        Assert.Equal("invalid_request", together.ResponseParameters()["error"]);
        Assert.Contains("create", (await browser.Get("/.well-known/openid-configuration")).Body, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Case", "LGN-03")]
    public async Task Nobody_learns_whose_address_has_an_account_but_who_reads_its_mail()
    {
        using var browser = new Browser(_server);
        var answers = new List<string>();
        foreach (var address in (string[])["alice@example.com", "somebody-new@example.com", "ALICE@EXAMPLE.COM"])
        {
            var answer = await browser.Submit(await browser.Get("/sign-up"), "/sign-up", ("email", address));
            answers.Add($"{answer.Status} {answer.Body}");
        }

        Assert.Single(answers.Distinct());
        var told = await _server.NextMail("alice@example.com");
        Assert.DoesNotContain("/sign-up/complete", told.Plain, StringComparison.Ordinal);
        Assert.Contains("/sign-up/complete?link=", (await _server.NextMail("somebody-new@example.com")).Plain, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_ten_at_once_one_gets_the_account_and_a_newer_link_ends_the_older()
    {
        using var browser = new Browser(_server);
        await browser.Submit(await browser.Get("/sign-up"), "/sign-up", ("email", "raced@example.com"));
        var first = await _server.NextMail("raced@example.com");
        await browser.Submit(await browser.Get("/sign-up"), "/sign-up", ("email", "raced@example.com"));
        var form = await browser.Get((await _server.NextMail("raced@example.com")).Link);
        Assert.Equal(400, (await browser.Get(first.Link)).Status);

        var answers = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => browser.Submit(form, "/sign-up/complete", ("password", Password))));

        Assert.Single(answers, answer => answer.Status == 303);
        await using var db = _server.Database.OpenForReading();
        Assert.Equal(1, await db.Users.CountAsync(u => u.Email == "raced@example.com"));
    }

    [Fact]
    public async Task An_address_that_somebody_else_got_meanwhile_makes_no_account()
    {
        using var browser = new Browser(_server);
        await browser.Submit(await browser.Get("/sign-up"), "/sign-up", ("email", "meanwhile@example.com"));
        var form = await browser.Get((await _server.NextMail("meanwhile@example.com")).Link);
        await _server.AddUser("meanwhile");

        var answer = await browser.Submit(form, "/sign-up/complete", ("password", Password));

        Assert.Equal(400, answer.Status);
        Assert.NotNull(answer.Text("#link-dead"));
    }

    [Theory]
    [InlineData(""), InlineData("nobody"), InlineData("a@b@c"), InlineData("x\r\nBcc: evil@example.com"), InlineData("<script>@example.com")]
    [Trait("Case", "UNI-03")]
    public async Task What_is_no_address_is_refused(string address)
    {
        using var browser = new Browser(_server);
        var answer = await browser.Submit(await browser.Get("/sign-up"), "/sign-up", ("email", address));
        Assert.Equal(400, answer.Status);
        Assert.NotNull(answer.Text("#problem"));
    }

    [Fact]
    [Trait("Case", "PWR-13")]
    public async Task An_invitation_makes_one_account_and_ends_after_a_week()
    {
        using var cli = Cli.Beside(_server);
        using var browser = new Browser(_server);
        foreach (var name in (string[])["invited", "late"]) await cli.Done("user", "invite", $"{name}@Example.com", "--language", "de");
        var mail = await _server.NextMail("invited@example.com");
        var form = await browser.Get(mail.Link);
        var answer = await browser.Submit(form, "/sign-up/complete", ("password", Password));
        Assert.Equal(303, answer.Status);

        // Used again, forged, of another place.
        Assert.Equal(400, (await browser.Get(mail.Link)).Status);
        Assert.Equal(400, (await browser.Submit(form, "/sign-up/complete", ("password", Password))).Status);
        Assert.Equal(400, (await browser.Get($"/sign-up/complete?link={CodeFlow.Random()}")).Status);
        await using var elsewhere = await IdpServer.Start(options => options.Registration.Mode = "open", https: true);
        var late = await _server.NextMail("late@example.com");
        Assert.Equal(200, (await browser.Get(late.Link)).Status);
        using var other = new Browser(elsewhere);
        Assert.Equal(400, (await other.Get($"/sign-up/complete?link={late.Secret()}")).Status);
        _server.Clock.Advance(TimeSpan.FromDays(7) + TimeSpan.FromSeconds(1));
        Assert.Equal(400, (await browser.Get(late.Link)).Status);

        await cli.Refused(ExitCodes.Conflict, "already", "user", "invite", "invited@example.com");
        await cli.Refused(ExitCodes.Usage, "not an e-mail address", "user", "invite", "nobody");
        await cli.Refused(ExitCodes.Usage, "no language", "user", "invite", "x@example.com", "--language", "xx");
    }
}

public sealed class SigningUpOnSqlite(OpenServer fixture) : SigningUp(fixture), IClassFixture<OpenServer>;

public sealed class SigningUpOnPostgres(OpenPostgresServer fixture) : SigningUp(fixture), IClassFixture<OpenPostgresServer>;

/// <summary>Where nobody may sign up, and where only who is invited may.</summary>
public sealed class NotSigningUp
{
    [Theory]
    [InlineData("off"), InlineData("invitation")]
    [Trait("Case", "PWR-13")]
    public async Task There_is_no_page_no_link_and_no_prompt(string mode)
    {
        await using var server = await IdpServer.Start(options => options.Registration.Mode = mode, https: true);
        using var browser = new Browser(server);

        Assert.Equal(404, (await browser.Get("/sign-up")).Status);
        Assert.Empty((await browser.Authorize(new CodeFlow().Parameters())).All("#to-sign-up"));
        Assert.Equal("invalid_request", (await browser.Authorize(new CodeFlow { With = { ["prompt"] = "create" } }.Parameters())).ResponseParameters()["error"]);
        Assert.DoesNotContain("\"create\"", (await browser.Get("/.well-known/openid-configuration")).Body, StringComparison.Ordinal);
        using var cli = Cli.Beside(server);
        if (mode == "off") await cli.Refused(ExitCodes.Usage, "Registration:Mode is off", "user", "invite", "x@example.com");
        else
        {
            await cli.Done("user", "invite", "x@example.com");
            var form = await browser.Get((await server.NextMail("x@example.com")).Link);
            Assert.Equal(303, (await browser.Submit(form, "/sign-up/complete", ("password", "a-Password-of-my-own"))).Status);
        }
    }
}
