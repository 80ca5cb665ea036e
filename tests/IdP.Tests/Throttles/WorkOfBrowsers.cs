using System.Globalization;
using IdP.Testing;
using IdP.Tests.Account;
using IdP.Tests.Support;
using IdP.Throttles;
using Xunit;

namespace IdP.Tests.Throttles;

/// <summary>Work in place of a puzzle: one answer for one form of one browser, once; or waiting.</summary>
public sealed class WorkOfBrowsers : IAsyncLifetime
{
    private const int Bits = 8;
    private IdpServer _server = null!;

    public async Task InitializeAsync() => _server = await IdpServer.Start(options =>
    {
        (options.Limits.ProofOfWorkBits, options.Registration.Mode) = (Bits, "open");
        (options.Limits.WrongPasswordsPerNetwork, options.Passwords.LockoutAttempts) = (2, 100);
    }, https: true);

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Theory]
    [InlineData("/recovery", "username", "alice", "#recovery-sent")]
    [InlineData("/sign-up", "email", "somebody@example.com", "#sign-up-sent")]
    public async Task A_form_that_sends_mails_takes_one_answer_once(string path, string field, string value, string sent)
    {
        using var browser = new Browser(_server);
        using var other = new Browser(_server);
        var page = await browser.Get(path);
        Assert.Equal($"{Bits}", page.All("[data-work]").Single().GetAttribute("data-work"));
        Assert.Contains("script-src 'self'", page.Header("Content-Security-Policy"), StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", page.Header("Content-Security-Policy"), StringComparison.Ordinal);
        Assert.Contains("30", page.Text("#work-without-script"), StringComparison.Ordinal);

        await Refused(browser, page, "");
        await Refused(browser, page, Wrong(page));
        await Refused(browser, page, new string('0', 17));
        // Another browser's, and one that was made for another form.
        var answer = Solve(page);
        await Refused(other, await other.Get(path), answer, page.Fields()["work"]);
        var elsewhere = await browser.Get(path == "/recovery" ? "/sign-up" : "/recovery");
        await Refused(browser, page, Solve(elsewhere), elsewhere.Fields()["work"]);

        Assert.NotNull((await browser.Submit(page, path, (field, value), ("work_answer", answer))).Text(sent));
        await Refused(browser, page, answer);
        // Of several at once one counts.
        page = await browser.Get(path);
        var answers = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => browser.Submit(page, path, (field, value), ("work_answer", Solve(page)))));
        Assert.Single(answers, one => one.Text(sent) is not null);
        // Too old.
        page = await browser.Get(path);
        answer = Solve(page);
        _server.Clock.Advance(ProofOfWork.Life);
        await Refused(browser, page, answer);

        async Task Refused(Browser from, PageAnswer form, string given, string? challenge = null)
        {
            var refused = await from.Submit(form, path, (field, value), ("work_answer", given), ("work", challenge ?? form.Fields()["work"]));
            Assert.Equal(400, refused.Status);
            Assert.Null(refused.Text(sent));
            Assert.NotEmpty(refused.All("[data-work]"));
        }
    }

    [Fact]
    public async Task Without_a_script_half_a_minute_does_and_coming_too_early_does_not_begin_it_anew()
    {
        using var browser = new Browser(_server);
        var page = await browser.Get("/recovery");
        _server.Clock.Advance(ProofOfWork.Wait - TimeSpan.FromSeconds(1));
        page = await browser.Submit(page, "/recovery", ("username", "alice"));
        Assert.Equal(400, page.Status);
        _server.Clock.Advance(TimeSpan.FromSeconds(1));
        Assert.NotNull((await browser.Submit(page, "/recovery", ("username", "alice"))).Text("#recovery-sent"));
        Assert.Equal(400, (await browser.Submit(page, "/recovery", ("username", "alice"))).Status);
    }

    [Fact]
    [Trait("Case", "LGN-08")]
    public async Task Where_a_network_has_to_wait_a_browser_may_work_instead_and_each_guess_costs_that()
    {
        using var browser = new Browser(_server);
        var page = await browser.Authorize(new CodeFlow().Parameters());
        Assert.Empty(page.All("[data-work]"));
        for (var i = 0; i < 2; i++) page = await browser.SignIn(page, $"nobody-{i}", "wrong-wrong-wrong");
        page = await LongWaits.Of(browser, page, _server);
        Assert.Equal(429, (page = await browser.SignIn(page, "alice")).Status);

        page = await SignIn(page, "alice", "wrong-wrong-wrong");
        Assert.Equal(400, page.Status);
        // The work of before is used up: the new page has other work.
        var signedIn = await SignIn(page, "alice", IdpServer.Password);
        Assert.Contains("consent-accept", signedIn.Body, StringComparison.Ordinal);
        using var again = new Browser(_server);
        var refused = await again.SignIn(await again.Authorize(new CodeFlow().Parameters()), "bob");
        Assert.Equal(429, refused.Status);
        Assert.Equal(429, (await again.Follow(await again.Submit(refused, "/sign-in", ("username", "bob"), ("password", IdpServer.Password), ("work_answer", Wrong(refused))))).Status);

        async Task<PageAnswer> SignIn(PageAnswer form, string user, string password) =>
            await browser.Follow(await browser.Submit(form, "/sign-in", ("username", user), ("password", password), ("work_answer", Solve(form))));
    }

    [Fact]
    public async Task Nobody_works_unless_the_operator_says_so()
    {
        await using var server = await IdpServer.Start(options => options.Limits.WrongPasswordsPerNetwork = 1, https: true);
        using var browser = new Browser(server);
        Assert.Empty((await browser.Get("/recovery")).All("[data-work]"));
        var page = await browser.SignIn(await browser.Authorize(new CodeFlow().Parameters()), "nobody", "wrong-wrong-wrong");
        page = await LongWaits.Of(browser, page, server);
        page = await browser.SignIn(page, "alice");
        Assert.Equal(429, page.Status);
        Assert.Empty(page.All("[data-work]"));
    }

    private static string Solve(PageAnswer page) => Numbers().First(answer => ProofOfWork.IsAnswer(page.Fields()["work"], answer, Bits));

    private static string Wrong(PageAnswer page) => Numbers().First(answer => !ProofOfWork.IsAnswer(page.Fields()["work"], answer, Bits));

    private static IEnumerable<string> Numbers() => Enumerable.Range(0, int.MaxValue).Select(number => number.ToString(CultureInfo.InvariantCulture));
}

/// <summary>Guesses until the wait is so long that it does not pass while a test runs.</summary>
internal static class LongWaits
{
    public const int Seconds = 128;

    public static async Task<PageAnswer> Of(Browser browser, PageAnswer page, IdpServer server, string name = "nobody-else")
    {
        for (var seconds = 1; seconds < Seconds; seconds *= 2)
        {
            server.Clock.Advance(TimeSpan.FromSeconds(seconds));
            page = await browser.SignIn(page, name, "wrong-wrong-wrong");
            Assert.Equal(400, page.Status);
        }
        return page;
    }
}
