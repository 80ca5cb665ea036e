using System.Diagnostics;
using IdP.Audit;
using IdP.Http;
using IdP.Outbox;
using IdP.Sessions;
using IdP.Testing;
using IdP.Tests.Support;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace IdP.Tests.Logout;

/// <summary>Back-Channel Logout §2.5, §2.8: apps are told beside everything else, however they behave.</summary>
public sealed class Notices(PageServer fixture) : IClassFixture<PageServer>
{
    private readonly IdpServer _server = fixture.Server;

    [Fact]
    [Trait("Case", "LGO-06")]
    public async Task An_app_that_hangs_keeps_nobody_waiting_and_is_told_again_later()
    {
        await using var receiver = await Receiver.Start(http => Task.Delay(TimeSpan.FromSeconds(30), http.RequestAborted));
        var (app, browser, signIn) = await SignedIn(receiver);
        var took = Stopwatch.StartNew();
        await SignOut(app, browser, signIn);
        // Whoever waits for the app waits for its five seconds at least.
        Assert.True(took.Elapsed < Outbound.Timeout, took.Elapsed.ToString());
        await receiver.Wait();
        Assert.True(await Eventually(async () => await Item(receiver) is { Attempts: 1 } item && item.DueAt > _server.Clock.GetUtcNow() && _server.Log.Lines.Any(line => line.Contains($"{receiver.Url}, attempt 1", StringComparison.Ordinal))));
        _server.Clock.Advance(OutboxSender.Pauses[0]);
        await receiver.Wait();
        // Each attempt has a token of its own, valid then.
        Assert.Equal(2, receiver.All.Select(one => LogoutApp.Payload(one.Form()["logout_token"])["jti"]!.GetValue<string>()).Distinct(StringComparer.Ordinal).Count());
    }

    [Fact]
    [Trait("Case", "LGO-06")]
    public async Task An_app_that_fails_is_tried_five_times_within_the_hour_and_then_given_up()
    {
        await using var receiver = await Receiver.Start(http => { http.Response.StatusCode = 500; return Task.CompletedTask; });
        var (app, browser, signIn) = await SignedIn(receiver);
        await SignOut(app, browser, signIn);
        Assert.InRange(OutboxSender.Pauses.Sum(pause => pause.TotalMinutes), 30, 60);
        foreach (var (pause, attempt) in OutboxSender.Pauses.Select((pause, i) => (pause, i + 1)))
        {
            await receiver.Wait();
            Assert.True(await Eventually(async () => await Item(receiver) is { } item && item.Attempts == attempt && item.DueAt > _server.Clock.GetUtcNow() + (pause / 2)), $"attempt {attempt}");
            _server.Clock.Advance(pause);
        }
        await receiver.Wait();
        Assert.True(await Eventually(async () => await Item(receiver) is null));
        Assert.Equal(5, receiver.All.Count);
        Assert.Contains(_server.Log.Lines, line => line.StartsWith("Warning", StringComparison.Ordinal) && line.Contains(receiver.Url, StringComparison.Ordinal) && line.Contains("given up", StringComparison.Ordinal));
        await using var db = _server.Database.OpenForReading();
        Assert.Equal("server", (await db.Set<AuditEvent>().SingleAsync(e => e.Type == "backchannel_logout.undelivered" && e.Target == $"client:{app.Id}")).Actor);
    }

    [Theory]
    [Trait("Case", "LGO-06")]
    [InlineData(301)]
    [InlineData(302)]
    [InlineData(307)]
    [InlineData(308)]
    public async Task A_redirect_is_not_followed_and_does_not_count_as_told(int status)
    {
        await using var elsewhere = await Receiver.Start();
        await using var receiver = await Receiver.Start(http =>
        {
            (http.Response.StatusCode, http.Response.Headers.Location) = (status, elsewhere.Url + "/backchannel_logout");
            return Task.CompletedTask;
        });
        var (app, browser, signIn) = await SignedIn(receiver);
        await SignOut(app, browser, signIn);
        await receiver.Wait();
        Assert.True(await Eventually(() => Task.FromResult(_server.Log.Lines.Any(line => line.Contains($"{receiver.Url}, attempt 1: it answered {status}", StringComparison.Ordinal)))));
        Assert.NotNull(await Item(receiver));
        Assert.Empty(elsewhere.All);
    }

    [Theory]
    [Trait("Case", "LGO-06")]
    [InlineData("https://169.254.169.254/latest/meta-data")]
    [InlineData("https://[fe80::1]/x")]
    [InlineData("https://0.0.0.0/x")]
    [InlineData("https://[::]/x")]
    [InlineData("https://[::ffff:169.254.169.254]/x")]
    [InlineData("https://10.0.0.1/x")]
    [InlineData("https://192.168.1.1/x")]
    [InlineData("https://[fd00::1]/x")]
    [InlineData("https://2852039166/x")]
    public async Task An_address_inside_is_not_called(string address)
    {
        var app = await LogoutApp.Register(_server, c => c.BackChannelLogoutUri = address);
        using var browser = new Browser(_server);
        await SignOut(app, browser, await app.SignIn(browser));
        Assert.True(await Eventually(async () =>
        {
            await using var db = _server.Database.OpenForReading();
            return await db.Set<OutboxItem>().AnyAsync(o => o.Target == address && o.Attempts == 1 && o.Payload.Contains(app.Id)) &&
                _server.Log.Lines.Any(line => line.Contains("may not call", StringComparison.Ordinal) && line.Contains(new Uri(address).Authority, StringComparison.Ordinal));
        }));
    }

    [Fact]
    [Trait("Case", "LGO-06")]
    public async Task A_name_that_leads_to_this_machine_is_not_called_unless_the_issuer_is_there_too_or_it_is_allowed()
    {
        await using var receiver = await Receiver.Start();
        foreach (var (isAllowed, calls) in ((bool, int)[])[(false, 0), (true, 1)])
        {
            await using var server = await IdpServer.Start(options => (options.Issuer, options.Http.AllowPrivateTargets) = ("https://login.test", isAllowed), https: true);
            var app = await LogoutApp.Register(server, c => c.BackChannelLogoutUri = $"{receiver.Url}/backchannel_logout");
            using var browser = new Browser(server);
            await SignOut(app, browser, await app.SignIn(browser));
            if (isAllowed) await receiver.Wait();
            else Assert.True(await Eventually(() => Task.FromResult(server.Log.Lines.Any(line => line.Contains("may not call", StringComparison.Ordinal)))));
            Assert.Equal(calls, receiver.All.Count);
        }
    }

    [Fact]
    [Trait("Case", "STA-09")]
    public async Task Every_app_of_the_session_is_told_once_and_no_other()
    {
        await using var receiver = await Receiver.Start();
        var apps = new List<LogoutApp>();
        foreach (var name in (string[])["one", "two", "pairwise", "disabled", "elsewhere"])
            apps.Add(await LogoutApp.Register(_server, c => (c.BackChannelLogoutUri, c.Sector) = ($"{receiver.Url}/{name}", name == "pairwise" ? "pairwise.test" : null)));
        using var browser = new Browser(_server);
        using var elsewhere = new Browser(_server);
        await apps[4].SignIn(elsewhere);
        var signIns = new List<AppSignIn>();
        foreach (var app in apps.Take(4)) signIns.Add(await app.SignIn(browser));
        // A second code of the same app is no second notice.
        await apps[0].SignIn(browser);
        await _server.Change(async (db, version) =>
        {
            var client = await Clients.ClientStatements.Require(db, apps[3].Id, CancellationToken.None);
            (client.DisabledAt, client.Version) = (_server.Clock.GetUtcNow(), version);
            await db.SaveChangesAsync();
        });
        await SignOut(apps[0], browser, signIns[0]);
        await receiver.Wait(3);
        Assert.True(await Eventually(async () => await Item(receiver) is null));
        Assert.Equal(["/one", "/pairwise", "/two"], receiver.All.Select(one => one.Path).Order(StringComparer.Ordinal));
        foreach (var (path, at) in ((string, int)[])[("/one", 0), ("/two", 1), ("/pairwise", 2)])
        {
            var claims = LogoutApp.Payload(receiver.All.Single(one => one.Path == path).Form()["logout_token"]);
            Assert.Equal(apps[at].Id, claims["aud"]!.GetValue<string>());
            // The subject that this app knows, which for pairwise subjects is nobody else's.
            Assert.Equal(signIns[at].Claims["sub"]!.GetValue<string>(), claims["sub"]!.GetValue<string>());
        }
        Assert.NotEqual(signIns[0].Claims["sub"]!.GetValue<string>(), signIns[2].Claims["sub"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_hanging_app_does_not_hold_up_the_notices_of_others()
    {
        await using var hanging = await Receiver.Start(http => Task.Delay(TimeSpan.FromSeconds(30), http.RequestAborted));
        await using var receiver = await Receiver.Start();
        var now = _server.Clock.GetUtcNow();
        var (app, browser, signIn) = await SignedIn(receiver);
        await _server.Change(async (db, _) =>
        {
            for (var i = 0; i < 100; i++)
                db.Add(new OutboxItem
                {
                    Id = Guid.CreateVersion7(now), Kind = OutboxItem.BackChannelLogout, Target = $"{hanging.Url}/x", DueAt = now.AddMinutes(-1), CreatedAt = now,
                    Payload = System.Text.Json.JsonSerializer.Serialize(new LogoutNotice(app.Id, Guid.Empty, Guid.Empty)),
                });
            await db.SaveChangesAsync();
        });
        await hanging.Wait();
        await SignOut(app, browser, signIn);
        await receiver.Wait();
        Assert.InRange(hanging.All.Count, 1, 12);
        await _server.Sql("DELETE FROM \"Outbox\"");
    }

    [Fact]
    public async Task What_a_node_that_died_had_taken_is_sent_by_another()
    {
        await using var receiver = await Receiver.Start();
        var (app, browser, _) = await SignedIn(receiver);
        var now = _server.Clock.GetUtcNow();
        await _server.Change(async (db, _) =>
        {
            db.Add(new OutboxItem
            {
                Id = Guid.CreateVersion7(now), Kind = OutboxItem.BackChannelLogout, Target = $"{receiver.Url}/backchannel_logout", Attempts = 1, DueAt = now.AddSeconds(30), CreatedAt = now,
                Payload = System.Text.Json.JsonSerializer.Serialize(new LogoutNotice(app.Id, Guid.CreateVersion7(), Guid.CreateVersion7())),
            });
            await db.SaveChangesAsync();
        });
        Assert.Empty(receiver.All);
        _server.Clock.Advance(TimeSpan.FromSeconds(31));
        await receiver.Wait();
        Assert.True(await Eventually(async () => await Item(receiver) is null));
    }

    [Fact]
    public async Task A_session_that_a_command_or_another_sign_in_ends_is_told_as_well()
    {
        await using var receiver = await Receiver.Start();
        var (app, browser, signIn) = await SignedIn(receiver);
        // Somebody else signs in in the same browser.
        var flow = new CodeFlow { ClientId = app.Id, RedirectUri = app.Callback, With = { ["prompt"] = "login" } };
        await browser.SignIn(await browser.Authorize(flow.Parameters()), "bob");
        await receiver.Wait();
        Assert.Equal(signIn.Sid, LogoutApp.Payload(receiver.All.Single().Form()["logout_token"])["sid"]!.GetValue<string>());
        // Nobody rings for what another process has written.
        await app.SignIn(browser, "bob");
        await _server.Change((db, _) => SessionEnd.End(db, db.Set<Session>(), _server.Clock.GetUtcNow(), CancellationToken.None));
        await receiver.Wait();
    }

    [Fact]
    public async Task The_log_has_nothing_of_the_token()
    {
        await using var receiver = await Receiver.Start(http => { http.Response.StatusCode = 400; return Task.CompletedTask; });
        var (app, browser, signIn) = await SignedIn(receiver);
        await SignOut(app, browser, signIn);
        await receiver.Wait();
        Assert.True(await Eventually(() => Task.FromResult(_server.Log.Lines.Any(line => line.Contains($"{receiver.Url}, attempt 1", StringComparison.Ordinal)))));
        var signature = receiver.All.Single().Form()["logout_token"].Split('.')[2];
        Assert.DoesNotContain(_server.Log.Lines, line => line.Contains(signature, StringComparison.Ordinal) || line.Contains(signIn.IdToken.Split('.')[2], StringComparison.Ordinal));
        // Nor do our traces go out.
        Assert.DoesNotContain("traceparent", receiver.All.Single().Headers.Keys);
    }

    private async Task<(LogoutApp App, Browser Browser, AppSignIn SignIn)> SignedIn(Receiver receiver)
    {
        var app = await LogoutApp.Register(_server, c => c.BackChannelLogoutUri = $"{receiver.Url}/backchannel_logout");
        var browser = new Browser(_server);
        return (app, browser, await app.SignIn(browser));
    }

    private static async Task SignOut(LogoutApp app, Browser browser, AppSignIn signIn) =>
        Assert.Equal(app.SignedOut, (await browser.Get(LogoutApp.Address(("id_token_hint", signIn.IdToken), ("post_logout_redirect_uri", app.SignedOut)))).Location);

    private async Task<OutboxItem?> Item(Receiver receiver)
    {
        await using var db = _server.Database.OpenForReading();
        // Of several that are due one is as good as another: tests ask whether any is left.
        return await db.Set<OutboxItem>().OrderBy(o => o.Id).FirstOrDefaultAsync(o => o.Target.StartsWith(receiver.Url));
    }

    private static async Task<bool> Eventually(Func<Task<bool>> condition)
    {
        for (var waited = Stopwatch.StartNew(); waited.Elapsed < TimeSpan.FromSeconds(30); await Task.Delay(100))
            if (await condition()) return true;
        return false;
    }
}
