using AngleSharp.Html.Parser;
using IdP.Accounts;
using IdP.Clients;
using IdP.Consents;
using IdP.Sessions;
using IdP.Storage;
using IdP.Testing;
using IdP.Tests.Support;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Xunit;
using Xunit.Abstractions;

namespace IdP.Tests.AuthorizationCodes;

/// <summary>RFC 6749 §4.1.3, §10.5: a code is redeemed once, by the client that it was issued to, as the request was made, within its minute.</summary>
public abstract class Redemption(ServerFixture fixture, ITestOutputHelper output)
{
    private IdpServer Server => fixture.Server;

    [Fact]
    [Trait("Case", "COD-02")]
    public async Task An_invalid_replay_takes_nothing_from_who_has_redeemed_the_code()
    {
        await AddOthers();
        using var browser = new Browser(Server);
        var flow = new CodeFlow { Scope = "openid offline_access items:read" };
        var code = await Code(browser, flow);
        var tokens = await flow.Redeem(Server, code);
        Assert.Equal(200, tokens.Status);

        await Refused("web", flow, code, 400, "invalid_grant", ("code_verifier", CodeFlow.Random()));
        await Refused("web", flow, code, 400, "invalid_grant");
        await Refused("other-web", flow, code, 400, "invalid_grant", ("code_verifier", flow.Verifier));
        await Refused(null, flow, code, 400, "invalid_grant", ("code_verifier", flow.Verifier), ("client_id", "other-spa"));
        await Refused(null, flow, code, 401, "invalid_client", ("code_verifier", flow.Verifier), ("client_id", "web"));
        Assert.Equal(401, (await Server.Post("/connect/token", "web", "wrong-secret", Form(flow, code, ("code_verifier", flow.Verifier)))).Status);
        await Server.Refused(400, "invalid_grant", "/connect/token", "web", ("grant_type", "authorization_code"), ("code", code), ("redirect_uri", "https://web.test/other"), ("code_verifier", flow.Verifier));

        Assert.True((await Server.Introspect(tokens.AccessToken)).Active);
        Assert.Equal(200, (await Refresh("web", tokens)).Status);

        // One that has everything right is a theft: all of it ends.
        await Refused("web", flow, code, 400, "invalid_grant", ("code_verifier", flow.Verifier));
        Assert.False((await Server.Introspect(tokens.AccessToken)).Active);
        Assert.Equal("invalid_grant", (await Refresh("web", tokens)).Error);
        await using var db = Server.Database.OpenForReading();
        Assert.True(await db.Set<IdP.Audit.AuditEvent>().AnyAsync(e => e.Type == "code.replayed"));
    }

    [Theory]
    [Trait("Case", "COD-04")]
    [InlineData("web", "other-web")]
    [InlineData("spa", "other-spa")]
    [InlineData("spa", "other-web")]
    [InlineData("web", "other-spa")]
    public async Task Another_client_cannot_redeem_a_code_and_spoils_nothing(string owner, string thief)
    {
        await AddOthers();
        using var browser = new Browser(Server);
        var flow = new CodeFlow { ClientId = owner, RedirectUri = $"https://{owner}.test/callback" };
        var code = await Code(browser, flow);
        for (var i = 0; i < 25; i++)
            await Refused(thief == "other-web" ? thief : null, flow, code, 400, "invalid_grant", [("code_verifier", flow.Verifier), .. thief == "other-web" ? [] : ((string, string)[])[("client_id", thief)]]);
        Assert.Equal(200, (await flow.Redeem(Server, code, isPublic: owner == "spa")).Status);
    }

    [Theory]
    [Trait("Case", "COD-04")]
    [Trait("Case", "COD-10")]
    [InlineData(1)]
    [InlineData(3)]
    public async Task Of_a_hundred_redemptions_at_once_one_succeeds(int nodes)
    {
        await using var group = await Nodes.Start(fixture, nodes);
        using var browser = new Browser(Server);
        foreach (var client in (string[])["web", "spa"])
        {
            var flow = new CodeFlow { ClientId = client, RedirectUri = $"https://{client}.test/callback", Scope = "openid offline_access items:read" };
            var code = await Code(browser, flow);
            var answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(i => flow.Redeem(group[i], code, isPublic: client == "spa")));
            var winner = Assert.Single(answers, answer => answer.Status == 200);
            Assert.All(answers.Where(answer => answer != winner), answer => Assert.Equal((400, "invalid_grant"), (answer.Status, answer.Error)));
            // The others had everything right: somebody has what only the client should have.
            foreach (var node in group.All) Assert.False((await node.Introspect(winner.AccessToken)).Active);
            Assert.Equal("invalid_grant", (await Refresh(client, winner)).Error);
        }
    }

    [Fact]
    [Trait("Case", "COD-04")]
    public async Task Of_a_hundred_at_once_of_which_one_is_the_owners_the_owner_succeeds()
    {
        await AddOthers();
        await using var group = await Nodes.Start(fixture, 2);
        using var browser = new Browser(Server);
        var flow = new CodeFlow();
        var code = await Code(browser, flow);
        var thieves = Enumerable.Range(0, 99).Select(i => group[i].Post("/connect/token", "other-web", Form(flow, code, ("code_verifier", flow.Verifier)))).ToList();
        var tokens = await flow.Redeem(Server, code);
        Assert.All(await Task.WhenAll(thieves), answer => Assert.Equal("invalid_grant", answer.Error));
        Assert.Equal(200, tokens.Status);
        Assert.True((await Server.Introspect(tokens.AccessToken, "web")).Active);
    }

    [Fact]
    [Trait("Case", "COD-10")]
    public async Task A_code_is_redeemed_on_another_node_at_once_and_replayed_on_none()
    {
        await using var group = await Nodes.Start(fixture, 3);
        using var browser = new Browser(Server);
        for (var round = 0; round < 10; round++)
        {
            var flow = new CodeFlow { Scope = "openid items:read" };
            var code = await Code(browser, flow);
            var tokens = await flow.Redeem(group[1], code);
            Assert.Equal(200, tokens.Status);
            Assert.True((await group[2].Introspect(tokens.AccessToken)).Active);
            Assert.Equal((400, "invalid_grant"), Outcome(await flow.Redeem(group[2], code)));
            Assert.False((await group[1].Introspect(tokens.AccessToken)).Active);
        }
    }

    [Theory]
    [Trait("Case", "COD-05")]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("https://web.test/callback/")]
    [InlineData("https://web.test/Callback")]
    [InlineData("https://web.test/second")]
    public async Task The_redirect_uri_is_the_one_of_the_request(string? address)
    {
        await Change("web", client => client.RedirectUris = ["https://web.test/callback", "https://web.test/second"]);
        using var browser = new Browser(Server);
        var flow = new CodeFlow();
        var code = await Code(browser, flow);
        (string, string)[] form = [("grant_type", "authorization_code"), ("code", code), ("code_verifier", flow.Verifier), .. address is null ? [] : ((string, string)[])[("redirect_uri", address)]];
        await Server.Refused(400, "invalid_grant", "/connect/token", "web", form);
        Assert.Equal(200, (await flow.Redeem(Server, code)).Status);
    }

    [Fact]
    [Trait("Case", "COD-06")]
    public async Task A_code_lasts_a_minute()
    {
        using var browser = new Browser(Server);
        var flow = new CodeFlow();
        var (early, late) = (await Code(browser, flow), await Code(browser, flow));
        Server.Clock.Advance(TimeSpan.FromSeconds(45));
        Assert.Equal(200, (await flow.Redeem(Server, early)).Status);
        Server.Clock.Advance(TimeSpan.FromSeconds(16));
        await Refused("web", flow, late, 400, "invalid_grant", ("code_verifier", flow.Verifier));
    }

    [Fact]
    [Trait("Case", "COD-11")]
    public async Task Nothing_around_the_redirect_tells_the_code_to_anybody_else()
    {
        using var browser = new Browser(Server);
        var flow = new CodeFlow { With = { ["prompt"] = "login consent" } };
        var signIn = await browser.Authorize(flow.Parameters());
        FrontChannel.IsSignIn(signIn);
        var consent = await browser.SignIn(signIn);
        FrontChannel.IsConsent(consent);
        foreach (var loaded in ((PageAnswer[])[signIn, consent]).SelectMany(page => new HtmlParser().ParseDocument(page.Body).QuerySelectorAll("[src], link[href]")))
            Assert.StartsWith("/ui/", loaded.GetAttribute("src") ?? loaded.GetAttribute("href"), StringComparison.Ordinal);
        var code = FrontChannel.IsCode(Server, await browser.Accept(consent), flow);
        await Refused("web", flow, code, 400, "invalid_grant", ("code_verifier", CodeFlow.Random()));
        Assert.Equal(200, (await flow.Redeem(Server, code)).Status);
        await Refused("web", flow, code, 400, "invalid_grant", ("code_verifier", flow.Verifier));

        Assert.DoesNotContain(Server.Log.Lines, line => line.Contains(code, StringComparison.Ordinal));
        Assert.DoesNotContain(await Server.Text(), text => text.Contains(code, StringComparison.Ordinal));
    }

    public static TheoryData<string, string> TakenAway => new()
    {
        { "person disabled", "invalid_grant" }, { "person deleted", "invalid_grant" }, { "password changed", "invalid_grant" }, { "consent withdrawn", "invalid_grant" }, { "session ended", "invalid_grant" },
        { "client disabled", "invalid_client" }, { "grant removed", "unauthorized_client" }, { "scopes removed", "invalid_scope" }, { "redirect removed", "invalid_grant" },
    };

    [Theory]
    [Trait("Case", "COD-09")]
    [Trait("Case", "STA-01")]
    [Trait("Case", "STA-03")]
    [Trait("Case", "STA-06")]
    [Trait("Case", "STA-07")]
    [Trait("Case", "STA-08")]
    [Trait("Case", "STA-09")]
    [MemberData(nameof(TakenAway))]
    public async Task A_code_is_worth_nothing_after_its_right_was_taken_away(string what, string error)
    {
        var name = what.Replace(' ', '-');
        var user = await Server.AddUser($"u-{name}");
        await Server.AddClient($"c-{name}", "authorization_code refresh_token", "openid offline_access items:read", c => c.RedirectUris = ["https://c.test/cb"]);
        using var browser = new Browser(Server);
        // Also the one that is for the time without the person.
        foreach (var scope in (string[])["openid items:read", "openid offline_access"])
        {
            var flow = new CodeFlow { ClientId = $"c-{name}", RedirectUri = "https://c.test/cb", Scope = scope };
            var code = await Code(browser, flow, user.UserName!);
            if (scope.EndsWith("offline_access", StringComparison.Ordinal))
            {
                await TakeAway(what, user, flow.ClientId, browser);
                await Server.Refused(error == "invalid_client" ? 401 : 400, error, "/connect/token", flow.ClientId, Form(flow, code, ("code_verifier", flow.Verifier)));
            }
            else if (what is "session ended")
            {
                await TakeAway(what, user, flow.ClientId, browser);
                await Server.Refused(400, error, "/connect/token", flow.ClientId, Form(flow, code, ("code_verifier", flow.Verifier)));
            }
        }
    }

    [Fact]
    [Trait("Case", "STA-09")]
    public async Task Of_a_session_that_ends_while_codes_are_issued_and_redeemed_nothing_is_left()
    {
        await using var group = await Nodes.Start(fixture, 2);
        for (var round = Volume.Of(output, full: 200, part: 12); round > 0; round--)
        {
            using var browser = new Browser(Server);
            var flow = new CodeFlow { Scope = "openid items:read" };
            var first = await Code(browser, flow);
            var redeem = flow.Redeem(group[1], first);
            var issues = Enumerable.Range(0, 4).Select(_ => browser.Authorize(flow.Parameters())).ToList();
            await EndSessions("alice");
            Assert.Contains((await redeem).Status, (int[])[200, 400]);
            if ((await redeem).Status == 200) Assert.False((await Server.Introspect((await redeem).AccessToken)).Active);
            foreach (var answer in await Task.WhenAll(issues))
            {
                if (answer.Location is null || FrontChannel.Raw(answer, "error") is not null) continue;
                Assert.Equal((400, "invalid_grant"), Outcome(await flow.Redeem(group[round], FrontChannel.IsCode(Server, answer, flow))));
            }
        }
    }

    [Fact]
    [Trait("Case", "STA-01")]
    public async Task Of_a_person_who_is_disabled_while_codes_are_issued_nothing_is_left_and_nothing_breaks()
    {
        await using var group = await Nodes.Start(fixture, 2);
        for (var round = Volume.Of(output, full: 100, part: 8); round > 0; round--)
        {
            var user = await Server.AddUser($"racer-{round}");
            using var browser = new Browser(Server);
            var flow = new CodeFlow { Scope = "openid offline_access items:read" };
            await Code(browser, flow, user.UserName!);
            var issues = Enumerable.Range(0, 6).Select(_ => browser.Authorize(flow.Parameters())).ToList();
            await Server.Change((db, _) => Server.App.Services.GetRequiredService<UserStatements>().Disable(db, user.UserName!, "cli", CancellationToken.None));
            foreach (var answer in await Task.WhenAll(issues))
            {
                Assert.True(answer.Status < 500, answer.Body);
                if (answer.Location is null || FrontChannel.Raw(answer, "error") is not null) continue;
                Assert.Equal((400, "invalid_grant"), Outcome(await flow.Redeem(group[round], FrontChannel.IsCode(Server, answer, flow))));
            }
        }
    }

    [Fact]
    [Trait("Case", "COD-12")]
    public async Task Guesses_never_hit_and_the_real_one_still_works_among_them()
    {
        using var browser = new Browser(Server);
        var flow = new CodeFlow();
        var code = await Code(browser, flow);
        var count = Volume.Of(output, full: 100_000, part: 1_000);
        await Parallel.ForAsync(0, count, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (i, _) =>
        {
            // Random texts of the right length, and the real one with one character changed.
            var guess = i % 2 == 0 ? System.Buffers.Text.Base64Url.EncodeToString(System.Security.Cryptography.RandomNumberGenerator.GetBytes(code.Length * 3 / 4)) : Flip(code, i / 2);
            var answer = await Server.Post("/connect/token", "web", Form(flow, guess, ("code_verifier", flow.Verifier)));
            Assert.Equal((400, "invalid_grant"), Outcome(answer));
        });
        Assert.Equal(200, (await flow.Redeem(Server, code)).Status);
    }

    private static string Flip(string text, int i)
    {
        const string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        var at = i % text.Length;
        return text[..at] + alphabet[(alphabet.IndexOf(text[at], StringComparison.Ordinal) + 1 + (i / text.Length % 63)) % 64] + text[(at + 1)..];
    }

    private async Task TakeAway(string what, User user, string clientId, Browser browser)
    {
        var services = Server.App.Services;
        var client = (await services.GetRequiredService<ClientDirectory>().Find(clientId, CancellationToken.None))!;
        await (what switch
        {
            "person disabled" => Server.Change((db, _) => services.GetRequiredService<UserStatements>().Disable(db, user.UserName!, "cli", CancellationToken.None)),
            "person deleted" => Server.Change((db, _) => db.Users.Where(u => u.Id == user.Id).ExecuteDeleteAsync()),
            "password changed" => Server.Change(async (db, _) => await services.GetRequiredService<UserStatements>().ChangePassword(
                db, user.UserName!, await Server.NewPassword("another-Password-1", user.UserName!), "cli", CancellationToken.None)),
            "consent withdrawn" => Server.Change((db, _) => Consent.Withdraw(db, user.Id, client, "cli", Server.Clock.GetUtcNow(), CancellationToken.None)),
            "session ended" => EndSessions(user.UserName!),
            "client disabled" => Server.Change((db, _) => services.GetRequiredService<ClientStatements>().Disable(db, clientId, "cli", CancellationToken.None)),
            "grant removed" => Change(clientId, c => c.GrantTypes = ["refresh_token"]),
            "scopes removed" => Change(clientId, c => c.Scopes = ["items:read"]),
            "redirect removed" => Change(clientId, c => c.RedirectUris = ["https://c.test/new"]),
            _ => throw new InvalidOperationException(what),
        });
    }

    private Task<int> EndSessions(string name) => Server.Database.Write(async db =>
        await SessionEnd.End(db, db.Set<Session>().Where(s => db.Users.Any(u => u.Id == s.UserId && u.UserName == name)), Server.Clock.GetUtcNow(), CancellationToken.None), CancellationToken.None);

    private Task Change(string clientId, Action<Client> change) => Server.Change(async (db, version) =>
    {
        var client = await db.Set<Client>().AsTracking().SingleAsync(c => c.ClientId == clientId);
        change(client);
        client.Version = version;
        await db.SaveChangesAsync();
    });

    private async Task AddOthers()
    {
        if ((await Server.Post("/connect/token", "other-web", ("grant_type", "none"))).Error != "invalid_client") return;
        await Server.AddClient("other-web", "authorization_code refresh_token", "openid items:read", c => c.RedirectUris = ["https://web.test/callback", "https://spa.test/callback"]);
        await Server.AddClient("other-spa", "authorization_code refresh_token", "openid items:read", c => c.RedirectUris = ["https://web.test/callback", "https://spa.test/callback"], secret: null);
    }

    private async Task<string> Code(Browser browser, CodeFlow flow, string user = "alice") => FrontChannel.IsCode(Server, await browser.Complete(flow.Parameters(), user), flow);

    private Task<Answer> Refused(string? client, CodeFlow flow, string code, int status, string error, params (string, string)[] more) =>
        Server.Refused(status, error, "/connect/token", client, Form(flow, code, more));

    private static (string, string)[] Form(CodeFlow flow, string code, params (string, string)[] more) =>
        [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", flow.RedirectUri), .. more];

    private Task<Answer> Refresh(string client, Answer tokens)
    {
        (string, string)[] form = [("grant_type", "refresh_token"), ("refresh_token", tokens.Json["refresh_token"]!.GetValue<string>())];
        return Server.Post("/connect/token", client == "spa" ? null : client, client == "spa" ? [.. form, ("client_id", client)] : form);
    }

    private static (int, string?) Outcome(Answer answer) => (answer.Status, answer.Error);
}

public sealed class RedemptionOnSqlite(SqliteServer fixture, ITestOutputHelper output) : Redemption(fixture, output), IClassFixture<SqliteServer>;

public sealed class RedemptionOnPostgres(PostgresServer fixture, ITestOutputHelper output) : Redemption(fixture, output), IClassFixture<PostgresServer>;

public sealed class RedemptionOnNodes(PostgresNodes fixture, ITestOutputHelper output) : Redemption(fixture, output), IClassFixture<PostgresNodes>;
