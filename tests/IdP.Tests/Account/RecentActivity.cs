using System.Globalization;
using System.Resources;
using IdP.Accounts;
using IdP.Audit;
using IdP.Testing;
using IdP.Tests.Support;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace IdP.Tests.Account;

/// <summary>What the owner of an account is told of what happened to it.</summary>
public sealed class RecentActivity(PageServer fixture) : IClassFixture<PageServer>
{
    private readonly IdpServer _server = fixture.Server;

    [Fact]
    [Trait("Case", "LOG-03")]
    public async Task Sign_ins_good_and_bad_and_what_apps_got_are_there_newest_first()
    {
        await _server.AddUser("ada");
        var app = await LogoutApp.Register(_server);
        using var browser = new Browser(_server);
        await _server.PasswordGrant("ada", "wrong");
        await app.SignIn(browser, "ada");

        var page = await browser.Enter("/account/events");

        string[] expected = ["You let an app have something", "You signed in", "Somebody failed to sign in"];
        Assert.Equal(expected, page.All("#events h2").Select(heading => heading.TextContent.Trim()));
        Assert.Contains($"App {app.Id}", page.Text("#events")!, StringComparison.Ordinal);
        Assert.Contains("127.0.0.0/24", page.Text("#events")!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_speaks_the_persons_language_and_names_what_it_has_no_words_for_plainly()
    {
        var user = await _server.AddUser("berta");
        await Record(user, new ClientCreated());
        await Record(user, new UserEnabled(), "cli");
        using var browser = new Browser(_server);
        await browser.Enter("/account", "berta");
        using var request = new HttpRequestMessage(HttpMethod.Get, "/account/events");
        request.Headers.Add("Accept-Language", "de");

        var page = await browser.Send(request);

        string[] expected = ["Sie haben sich angemeldet", "Ihr Konto wurde wieder freigegeben", "Eine Änderung an Ihrem Konto"];
        Assert.Equal(expected, page.All("#events h2").Select(heading => heading.TextContent.Trim()));
        Assert.Contains("durch die Verwaltung", page.Text("#events")!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_long_list_comes_in_pages_and_has_nobody_elses_events()
    {
        var (user, other) = (await _server.AddUser("cara"), await _server.AddUser("dora"));
        for (var i = 0; i < 70; i++)
        {
            _server.Clock.Advance(TimeSpan.FromSeconds(1));
            await Record(user, new UserEnabled(), "cli");
            await Record(other, new UserDisabled(), "cli");
        }
        using var browser = new Browser(_server);
        var page = await browser.Enter("/account/events", "cara");
        var seen = 0;
        while (true)
        {
            Assert.DoesNotContain("Your account was disabled", page.Body, StringComparison.Ordinal);
            seen += page.All("#events > li").Length;
            if (page.All("#older") is not [var older, ..]) break;
            page = await browser.Get(older.GetAttribute("href")!);
        }
        Assert.Equal(71, seen);
    }

    [Fact]
    public void Every_event_that_people_meet_has_its_words()
    {
        var texts = new ResourceManager("IdP.Ui.Texts", typeof(Ui.Texts).Assembly).GetResourceSet(CultureInfo.InvariantCulture, createIfNotExists: true, tryParents: false)!;
        foreach (var type in (string[])["sign_in.succeeded", "sign_in.failed", "sign_in.locked", "sign_out", "user.password_changed", "consent.given", "consent.withdrawn", "api_key.created"])
            Assert.NotNull(texts.GetString($"Event.{type}"));
    }

    private Task Record(User user, Event what, string actor = "server") => _server.Change(async (db, _) =>
    {
        AuditEvent.Record(db, _server.Clock.GetUtcNow(), what, actor, $"user:{user.Subject}");
        await db.SaveChangesAsync();
    });
}
