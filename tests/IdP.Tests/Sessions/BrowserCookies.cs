using System.Net;
using IdP.Sessions;
using IdP.Testing;
using IdP.Tests.Support;
using Microsoft.EntityFrameworkCore;
using Xunit;
using Xunit.Abstractions;

namespace IdP.Tests.Sessions;

/// <summary>A session is its cookie, exactly, in its newest generation, and never anything else that this server makes.</summary>
public sealed class BrowserCookies(PageServer fixture, ITestOutputHelper output) : IClassFixture<PageServer>
{
    private const string SessionCookie = "__Host-idp_session";
    private IdpServer Server => fixture.Server;

    [Fact]
    [Trait("Case", "LGN-10")]
    public async Task A_session_that_an_attacker_planted_is_not_the_victims()
    {
        using var attacker = new Browser(Server);
        await attacker.Complete(new CodeFlow().Parameters(), "bob");
        using var victim = new Browser(Server);
        Plant(victim, SessionCookie, Value(attacker, SessionCookie));
        Plant(victim, "__Host-idp_browser", Value(attacker, "__Host-idp_browser"));
        await victim.Complete(new CodeFlow { With = { ["prompt"] = "login" } }.Parameters(), "alice");
        Assert.NotEqual(Value(attacker, SessionCookie), Value(victim, SessionCookie));
        // The planted one has ended, and did not become alice's.
        await attacker.RefusedToClient(Server, new CodeFlow { With = { ["prompt"] = "none" } }, "login_required");
        // Nor does a cookie of a value that nobody issued become anything.
        using var other = new Browser(Server);
        Plant(other, SessionCookie, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
        FrontChannel.IsSignIn(await other.Authorize(new CodeFlow().Parameters()));
    }

    [Fact]
    [Trait("Case", "LGN-20")]
    public async Task Signing_in_again_makes_a_new_cookie_of_the_same_person_and_a_new_session_of_another()
    {
        using var browser = new Browser(Server);
        var flow = new CodeFlow { With = { ["prompt"] = "login" } };
        async Task<(string Sid, string Sub, string Cookie, string Access)> As(string user)
        {
            var tokens = await flow.Redeem(Server, FrontChannel.IsCode(Server, await browser.Complete(flow.Parameters(), user), flow));
            return (IdToken.Claims(tokens)["sid"]!.GetValue<string>(), IdToken.Claims(tokens)["sub"]!.GetValue<string>(), Value(browser, SessionCookie), tokens.AccessToken);
        }
        var first = await As("alice");
        var again = await As("alice");
        Assert.Equal((first.Sid, first.Sub), (again.Sid, again.Sub));
        Assert.NotEqual(first.Cookie, again.Cookie);
        Assert.True((await Server.Introspect(first.Access, "web")).Active);
        var bob = await As("bob");
        Assert.NotEqual(first.Sid, bob.Sid);
        Assert.NotEqual(first.Sub, bob.Sub);
        // What alice's session had given ends with it; old cookies are worth nothing.
        Assert.False((await Server.Introspect(first.Access, "web")).Active);
        foreach (var old in (string[])[first.Cookie, again.Cookie])
        {
            using var thief = new Browser(Server);
            Plant(thief, SessionCookie, old);
            await thief.RefusedToClient(Server, new CodeFlow { With = { ["prompt"] = "none" } }, "login_required");
        }
        Assert.DoesNotContain(first.Sid, first.Cookie, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Two_tabs_that_sign_in_at_once_do_not_end_each_other()
    {
        for (var round = 0; round < 10; round++)
        {
            using var browser = new Browser(Server);
            await browser.Complete(new CodeFlow().Parameters());
            var flow = new CodeFlow { With = { ["prompt"] = "login" } };
            var pages = new[] { await browser.Authorize(flow.Parameters()), await browser.Authorize(flow.Parameters()) };
            // From the same cookies, as a browser sends them when both are under way.
            var tabs = pages.Select(_ => Copy(browser)).ToList();
            var answers = await Task.WhenAll(pages.Select((page, i) => tabs[i].Submit(page, "/sign-in", ("username", "alice"), ("password", IdpServer.Password))));
            Assert.All(answers, answer => Assert.Equal(303, answer.Status));
            var alive = 0;
            foreach (var tab in tabs)
            {
                var silent = new CodeFlow { With = { ["prompt"] = "none" } };
                if (FrontChannel.Raw(await tab.Get(Browser.Address(silent.Parameters())), "code") is not null) alive++;
                tab.Dispose();
            }
            Assert.InRange(alive, 1, 2);
        }
    }

    [Fact]
    [Trait("Case", "LGN-18")]
    public async Task No_spoiled_cookie_interaction_or_form_token_is_ever_accepted()
    {
        using var browser = new Browser(Server);
        await browser.Complete(new CodeFlow().Parameters());
        var page = await browser.Authorize(new CodeFlow { With = { ["prompt"] = "login" } }.Parameters());
        var (session, interaction, form) = (Value(browser, SessionCookie), page.Fields()["continue"], page.Fields()["form_token"]);
        var count = Volume.Of(output, full: 10_000, part: 300);
        var random = new Random(count);
        var rows = await Server.IssuedRows();
        for (var i = 0; i < count; i++)
        {
            using var thief = new Browser(Server);
            Plant(thief, SessionCookie, Spoiled(session, random));
            var flow = new CodeFlow { With = { ["prompt"] = "none" } };
            FrontChannel.IsRefusal(Server, await thief.Get(Browser.Address(flow.Parameters())), flow, "login_required");
            FrontChannel.IsErrorPage(await browser.Get($"/connect/authorize?continue={Spoiled(interaction, random)}"));
            FrontChannel.IsErrorPage(await browser.Submit(page, "/sign-in?handler=Cancel", ("form_token", Spoiled(form, random))));
        }
        Assert.Equal(rows, await Server.IssuedRows());
        FrontChannel.IsCode(Server, await browser.Authorize(new CodeFlow { State = "s", With = { ["prompt"] = "none" } }.Parameters()), new CodeFlow { State = "s" });
    }

    [Fact]
    [Trait("Case", "LGN-04")]
    public async Task Wrong_passwords_count_together_on_the_page_and_at_the_token_endpoint()
    {
        await Server.AddUser("guessed");
        using var browser = new Browser(Server);
        var page = await browser.Authorize(new CodeFlow().Parameters());
        for (var i = 0; i < 5; i++)
        {
            if (i % 2 == 0) FrontChannel.IsPage(await browser.Submit(page, "/sign-in", ("username", "guessed"), ("password", "wrong-Password-1")), "id=\"problem\"", 400);
            else Assert.Equal("invalid_grant", (await Server.PasswordGrant("guessed", "wrong-Password-1")).Error);
        }
        // Locked: the right one gets the same answer as a wrong one, on either way.
        var wrong = await browser.Submit(page, "/sign-in", ("username", "guessed"), ("password", "wrong-Password-1"));
        var right = await browser.Submit(page, "/sign-in", ("username", "guessed"), ("password", IdpServer.Password));
        FrontChannel.IsPage(right, "id=\"problem\"", 400);
        Assert.Equal(Text(wrong), Text(right));
        Assert.Equal("invalid_grant", (await Server.PasswordGrant("guessed")).Error);
        Server.Clock.Advance(TimeSpan.FromSeconds(901));
        page = await browser.Authorize(new CodeFlow().Parameters());
        FrontChannel.IsConsent(await browser.SignIn(page, "guessed"));
    }

    [Theory]
    [Trait("Case", "LGN-03")]
    [InlineData("alice", "wrong-Password-1")]
    [InlineData("nobody-at-all", "wrong-Password-1")]
    [InlineData("mallory", IdpServer.Password)]
    [InlineData("mallory", "wrong-Password-1")]
    public async Task Every_failed_sign_in_gets_the_same_page(string user, string password)
    {
        using var browser = new Browser(Server);
        var page = await browser.Authorize(new CodeFlow().Parameters());
        var reference = await browser.Submit(page, "/sign-in", ("username", $"unheard-of-{user}-{password.Length}"), ("password", "wrong-Password-2"));
        var answer = await browser.Submit(page, "/sign-in", ("username", user), ("password", password));
        FrontChannel.IsPage(answer, "id=\"problem\"", 400);
        Assert.Equal(Text(reference), Text(answer));
        Assert.Equal(reference.Response.Headers.Select(header => header.Key).Order(StringComparer.Ordinal), answer.Response.Headers.Select(header => header.Key).Order(StringComparer.Ordinal));
    }

    [Fact]
    [Trait("Case", "LGN-24")]
    public async Task Everybody_of_a_crowd_of_browsers_is_themselves()
    {
        var people = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var i = Volume.Of(output, full: 10_000, part: 60); i > 0; i--) people[$"crowd-{i}"] = (await Server.AddUser($"crowd-{i}")).Subject;
        await Parallel.ForEachAsync(people, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (person, _) =>
        {
            using var browser = new Browser(Server);
            var flow = new CodeFlow();
            var page = await browser.Authorize(flow.Parameters());
            PageAnswer answer;
            // The pool of hashes is small on purpose: a browser is told to come again.
            while ((answer = await browser.Submit(page, "/sign-in", ("username", person.Key), ("password", IdpServer.Password))).Status == 503) await Task.Delay(50, CancellationToken.None);
            answer = await browser.Follow(answer);
            Assert.Contains(person.Key, answer.Body, StringComparison.Ordinal);
            var tokens = await flow.Redeem(Server, FrontChannel.IsCode(Server, await browser.Accept(answer), flow));
            Assert.Equal((person.Value, flow.Nonce), (IdToken.Claims(tokens)["sub"]!.GetValue<string>(), IdToken.Claims(tokens)["nonce"]!.GetValue<string>()));
        });
    }

    private static string Spoiled(string text, Random random)
    {
        const string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        var at = random.Next(text.Length);
        return random.Next(6) switch
        {
            0 => text[..at],
            1 => text + alphabet[random.Next(64)],
            2 => text[..Math.Max(0, text.Length - 22)] + new string('A', Math.Min(22, text.Length)),
            _ => text[..at] + alphabet[(alphabet.IndexOf(text[at], StringComparison.Ordinal) + 1 + random.Next(63)) % 64] + text[(at + 1)..],
        };
    }

    // What a person sees, without what they typed and what is sealed.
    private static string Text(PageAnswer page)
    {
        var text = page.Body;
        foreach (var field in page.Fields()) if (field.Value.Length > 0) text = text.Replace($"value=\"{WebUtility.HtmlEncode(field.Value)}\"", "", StringComparison.Ordinal);
        return text;
    }

    private Browser Copy(Browser browser)
    {
        var copy = new Browser(Server);
        foreach (Cookie cookie in browser.Cookies.GetAllCookies()) Plant(copy, cookie.Name, cookie.Value);
        return copy;
    }

    private void Plant(Browser browser, string name, string value) => browser.Cookies.Add(new Uri(Server.Url), new Cookie(name, value, "/") { Secure = true });

    private static string Value(Browser browser, string name) => browser.Cookies.GetAllCookies().Single(cookie => cookie.Name == name).Value;
}
