using IdP.Accounts;
using IdP.Testing;
using IdP.Tests.Account;
using IdP.Tests.Support;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace IdP.Tests.Registration;

/// <summary>An address becomes an account's when its owner has shown that they read mail there; the old one is told.</summary>
public abstract class ChangingTheAddress(PageServer fixture)
{
    private readonly IdpServer _server = fixture.Server;

    [Fact]
    public async Task The_new_address_takes_the_place_of_the_old_and_both_are_told()
    {
        var user = await _server.AddUser("mover");
        using var browser = new Browser(_server);
        var page = await browser.Enter("/account/email", "mover");
        Assert.Contains("mover@example.com", page.Text("#current-email"), StringComparison.Ordinal);

        var asked = await browser.Press(page, "/account/email", ("email", "Moved@Example.ORG"));
        Assert.NotNull(asked.Text("#notice"));
        Assert.DoesNotContain("link=", (await _server.NextMail("mover@example.com")).Plain, StringComparison.Ordinal);
        var confirm = await browser.Get((await _server.NextMail("Moved@example.org")).Link);
        Assert.Equal("mover@example.com", (await Stored(user)).Email);
        var done = await browser.Press(confirm, "/account/email/confirm");

        Assert.Contains("Moved@example.org", done.Text("#current-email"), StringComparison.Ordinal);
        Assert.DoesNotContain("link=", (await _server.NextMail("mover@example.com")).Plain, StringComparison.Ordinal);
        Assert.Equal(("Moved@example.org", true, "mover"), ((await Stored(user)).Email, (await Stored(user)).EmailConfirmed, (await Stored(user)).UserName));
        Assert.Equal(200, (await _server.PasswordGrant("moved@example.org")).Status);
        Assert.Equal(400, (await _server.PasswordGrant("mover@example.com")).Status);
        Assert.Equal(400, (await browser.Submit(confirm, "/account/email/confirm")).Status);
    }

    [Fact]
    public async Task A_user_name_that_is_the_address_goes_with_it()
    {
        var user = await _server.AddUser("named", configure: u => (u.UserName, u.NormalizedUserName) = ("named@example.com", "NAMED@EXAMPLE.COM"));
        using var browser = new Browser(_server);
        await browser.Press(await browser.Enter("/account/email", "named@example.com"), "/account/email", ("email", "renamed@example.com"));
        await browser.Press(await browser.Get((await _server.NextMail("renamed@example.com")).Link), "/account/email/confirm");

        Assert.Equal("renamed@example.com", (await Stored(user)).UserName);
    }

    [Fact]
    public async Task An_address_that_is_not_confirmed_can_be()
    {
        var user = await _server.AddUser("unconfirmed", configure: u => u.EmailConfirmed = false);
        using var browser = new Browser(_server);
        var page = await browser.Enter("/account/email", "unconfirmed");
        Assert.NotEmpty(page.All("#email-confirm"));

        await browser.Press(page, "/account/email", ("email", user.Email!));
        await browser.Press(await browser.Get((await _server.NextMail(user.Email!)).Link), "/account/email/confirm");

        Assert.True((await Stored(user)).EmailConfirmed);
        Assert.Single(_server.Mails(user.Email!));
    }

    [Fact]
    [Trait("Case", "LGN-03")]
    public async Task Whose_an_address_is_already_the_page_does_not_tell()
    {
        await _server.AddUser("curious");
        using var browser = new Browser(_server);
        var page = await browser.Enter("/account/email", "curious");
        var answers = new List<string>();
        foreach (var address in (string[])["alice@example.com", "free@example.com"])
        {
            var answer = await browser.Press(page, "/account/email", ("email", address));
            answers.Add($"{answer.Status} {answer.Text("#notice")}");
        }

        Assert.Single(answers.Distinct());
        await _server.NextMail("free@example.com");
        Assert.Empty(_server.Mails("alice@example.com"));
    }

    [Fact]
    public async Task An_address_that_somebody_else_got_meanwhile_stays_theirs()
    {
        var user = await _server.AddUser("slow");
        using var browser = new Browser(_server);
        await browser.Press(await browser.Enter("/account/email", "slow"), "/account/email", ("email", "contested@example.com"));
        var confirm = await browser.Get((await _server.NextMail("contested@example.com")).Link);
        await _server.AddUser("contested");

        Assert.Equal(400, (await browser.Submit(confirm, "/account/email/confirm")).Status);
        Assert.Equal("slow@example.com", (await Stored(user)).Email);
    }

    [Fact]
    [Trait("Case", "LGN-21")]
    public async Task A_sign_in_of_long_ago_is_not_enough_and_nor_is_an_open_browser()
    {
        await _server.AddUser("old-session");
        using var browser = new Browser(_server);
        var page = await browser.Enter("/account/email", "old-session");
        _server.Clock.Advance(TimeSpan.FromMinutes(6));

        Assert.True((await browser.Follow(await browser.Get("/account/email"))).AsksToSignIn());
        Assert.True((await browser.Press(page, "/account/email", ("email", "thief@example.com"))).AsksToSignIn());
        Assert.Empty(_server.Mails("thief@example.com"));
    }

    [Fact]
    public async Task The_same_address_no_address_and_too_many_are_refused()
    {
        await _server.AddUser("refused");
        using var browser = new Browser(_server);
        var page = await browser.Enter("/account/email", "refused");

        foreach (var address in (string[])["refused@example.com", "nobody", "", "a\r\nBcc: x@example.com"]) Assert.Equal(400, (await browser.Submit(page, "/account/email", ("email", address))).Status);
        for (var i = 0; i < 5; i++) Assert.Equal(303, (await browser.Submit(page, "/account/email", ("email", $"many-{i}@example.com"))).Status);
        Assert.Equal(429, (await browser.Submit(page, "/account/email", ("email", "many-6@example.com"))).Status);
    }

    private async Task<User> Stored(User user)
    {
        await using var db = _server.Database.OpenForReading();
        return await db.Users.SingleAsync(u => u.Id == user.Id);
    }
}

public sealed class ChangingTheAddressOnSqlite(PageServer fixture) : ChangingTheAddress(fixture), IClassFixture<PageServer>;

public sealed class ChangingTheAddressOnPostgres(PostgresPageServer fixture) : ChangingTheAddress(fixture), IClassFixture<PostgresPageServer>;
