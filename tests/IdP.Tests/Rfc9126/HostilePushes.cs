using IdP.Clients;
using IdP.Testing;
using IdP.Tests.Support;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Xunit;
using Xunit.Abstractions;

namespace IdP.Tests.Rfc9126;

/// <summary>RFC 9126: a request that the client hands over by itself is its own, is checked twice, and gives one code.</summary>
public abstract class HostilePushes(ServerFixture fixture, ITestOutputHelper output)
{
    private const string Path = "/connect/par";
    private IdpServer Server => fixture.Server;

    [Fact]
    [Trait("Case", "PAR-01")]
    public async Task A_pushed_request_gives_one_code()
    {
        using var browser = new Browser(Server);
        var flow = new CodeFlow();
        var uri = await Push(flow);
        var code = FrontChannel.IsCode(Server, await browser.Complete(Outer(uri)), flow);
        await browser.RefusedOnPage(Server, Browser.Address(Outer(uri)), "invalid_request_uri");
        Assert.Equal(200, (await flow.Redeem(Server, code)).Status);
        await browser.RefusedOnPage(Server, Browser.Address(Outer(uri)), "invalid_request_uri");
    }

    [Fact]
    [Trait("Case", "PAR-01")]
    public async Task Of_a_hundred_at_once_on_three_nodes_one_gets_a_code()
    {
        await using var group = await Nodes.Start(fixture, 3);
        using var first = new Browser(Server);
        await first.Complete(new CodeFlow().Parameters());
        var browsers = group.All.Select(node => SameBrowser(first, node)).ToList();
        for (var round = 0; round < 3; round++)
        {
            var flow = new CodeFlow();
            var uri = await Push(flow);
            var answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(i => browsers[i % 3].Get(Browser.Address(Outer(uri)))));
            var code = FrontChannel.IsCode(Server, Assert.Single(answers, answer => answer.Location is not null && FrontChannel.Raw(answer, "code") is not null), flow);
            foreach (var answer in answers.Where(answer => answer.Location is null || FrontChannel.Raw(answer, "code") is null))
            {
                // Too late before the checks, or at the very statement that issues.
                if (answer.Location is null) FrontChannel.IsErrorPage(answer, "invalid_request_uri");
                else FrontChannel.IsRefusal(Server, answer, flow, "access_denied");
            }
            Assert.Equal(200, (await flow.Redeem(group[round], code)).Status);
        }
        foreach (var browser in browsers) browser.Dispose();
    }

    [Fact]
    [Trait("Case", "PAR-02")]
    public async Task Looking_at_it_uses_nothing_up()
    {
        using var browser = new Browser(Server);
        using var preview = new Browser(Server);
        var flow = new CodeFlow();
        var uri = await Push(flow);
        FrontChannel.IsSignIn(await preview.Authorize(Outer(uri)));
        FrontChannel.IsSignIn(await browser.Authorize(Outer(uri)));
        FrontChannel.IsCode(Server, await browser.Complete(Outer(uri)), flow);
        FrontChannel.IsErrorPage(await preview.Authorize(Outer(uri)), "invalid_request_uri");
    }

    [Fact]
    [Trait("Case", "PAR-04")]
    public async Task It_has_to_be_opened_in_time_and_then_has_as_long_as_any_other()
    {
        using var browser = new Browser(Server);
        var flow = new CodeFlow { With = { ["prompt"] = "login consent" } };
        var answer = await Server.Post(Path, "web", Form(flow));
        Assert.Equal(201, answer.Status);
        Assert.Equal(90, answer.Json["expires_in"]!.GetValue<int>());
        var uri = answer.Json["request_uri"]!.GetValue<string>();
        Assert.StartsWith("urn:ietf:params:oauth:request_uri:", uri);
        var (late, slow) = (await Push(flow), await Push(flow));
        var opened = await browser.Authorize(Outer(uri));
        var slowly = await browser.Authorize(Outer(slow));
        Server.Clock.Advance(TimeSpan.FromSeconds(91));
        await browser.RefusedOnPage(Server, Browser.Address(Outer(late)), "invalid_request_uri");
        await browser.RefusedOnPage(Server, Browser.Address(Outer(uri)), "invalid_request_uri");
        Server.Clock.Advance(TimeSpan.FromMinutes(28));
        FrontChannel.IsCode(Server, await browser.Accept(await browser.SignIn(opened)), flow);
        Server.Clock.Advance(TimeSpan.FromMinutes(1));
        FrontChannel.IsErrorPage(await browser.SignIn(slowly));
    }

    [Fact]
    [Trait("Case", "PAR-05")]
    public async Task A_pushed_request_names_no_other()
    {
        var uri = await Push(new CodeFlow());
        await Server.Refused(400, "invalid_request", Path, "web", Form(new CodeFlow { With = { ["request_uri"] = uri } }));
        await Server.Refused(400, "invalid_request", Path, "web", ("request_uri", uri), ("client_id", "web"));
        await Server.Refused(400, "request_not_supported", Path, "web", Form(new CodeFlow { With = { ["request"] = "e30.e30." } }));
    }

    [Fact]
    [Trait("Case", "PAR-06")]
    public async Task Guesses_never_hit()
    {
        using var browser = new Browser(Server);
        var flow = new CodeFlow();
        var uri = await Push(flow);
        var count = Volume.Of(output, full: 100_000, part: 500);
        await Parallel.ForAsync(0, count, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (i, _) =>
        {
            var handle = uri[(uri.LastIndexOf(':') + 1)..].ToCharArray();
            (handle[i % handle.Length], handle[(i * 7) % handle.Length]) = ("ABCDEFGH"[i % 8], "IJKLMNOP"[i / 8 % 8]);
            var guess = uri[..(uri.LastIndexOf(':') + 1)] + new string(handle);
            if (guess == uri) return;
            using var stranger = new Browser(Server);
            FrontChannel.IsErrorPage(await stranger.Get(Browser.Address(Outer(guess))), "invalid_request_uri");
        });
        FrontChannel.IsCode(Server, await browser.Complete(Outer(uri)), flow);
    }

    [Fact]
    [Trait("Case", "PAR-07")]
    [Trait("Case", "CLA-11")]
    public async Task A_client_that_has_proved_nothing_pushes_nothing()
    {
        await Server.Refused(401, "invalid_client", Path, null, Form(new CodeFlow()));
        await Server.Refused(Invariants.Form(Path, "web", "wrong-secret", Form(new CodeFlow())), 401, "invalid_client");
        await Server.Refused(401, "invalid_client", Path, null, [.. Form(new CodeFlow()), ("client_secret", "wrong-secret")]);
        await Server.Refused(401, "invalid_client", Path, null, Form(new CodeFlow { ClientId = "unheard-of" }));
        await Server.Refused(400, "invalid_request", Path, "web", Form(new CodeFlow { ClientId = "spa" }));
        // What proves the client is not kept with the request.
        var flow = new CodeFlow();
        Assert.Equal(201, (await Server.Post(Path, null, [.. Form(flow), ("client_secret", IdpServer.Secret)])).Status);
        Assert.DoesNotContain(await Server.Text(), text => text.Contains(IdpServer.Secret, StringComparison.Ordinal));
    }

    [Fact]
    [Trait("Case", "PAR-08")]
    public async Task Of_the_address_only_client_and_request_uri_count()
    {
        using var browser = new Browser(Server);
        var flow = new CodeFlow();
        var outer = Outer(await Push(flow));
        foreach (var (name, value) in new CodeFlow { ClientId = "web", Scope = "openid items:write", With = { ["redirect_uri"] = "https://evil.test/", ["prompt"] = "none", ["response_type"] = "token", ["response_mode"] = "fragment", ["code_challenge"] = null } }.Parameters())
            outer.TryAdd(name, value);
        var tokens = await flow.Redeem(Server, FrontChannel.IsCode(Server, await browser.Complete(outer), flow));
        Assert.Equal("openid", tokens.Json["scope"]!.GetValue<string>());
        Assert.Equal(flow.Nonce, IdToken.Claims(tokens)["nonce"]!.GetValue<string>());
    }

    [Fact]
    [Trait("Case", "PAR-08")]
    public async Task Another_clients_request_is_told_on_a_page_and_stays_its_owners()
    {
        using var browser = new Browser(Server);
        var flow = new CodeFlow();
        var uri = await Push(flow);
        await browser.RefusedOnPage(Server, Browser.Address(Outer(uri, "spa")), "invalid_request_uri");
        await browser.RefusedOnPage(Server, Browser.Address(Outer(uri, "unheard-of")));
        await browser.RefusedOnPage(Server, Browser.Address(new Dictionary<string, string> { ["request_uri"] = uri }));
        await browser.RefusedOnPage(Server, $"{Browser.Address(Outer(uri))}&client_id=spa");
        var other = await Push(new CodeFlow());
        await browser.RefusedOnPage(Server, $"{Browser.Address(Outer(uri))}&request_uri={Uri.EscapeDataString(other)}");
        foreach (var elsewhere in (string[])["https://evil.test/request", "urn:other:thing", "file:///etc/passwd"])
            await browser.RefusedToClient(Server, flow, "request_uri_not_supported", Browser.Address(new CodeFlow { State = flow.State, With = { ["request_uri"] = elsewhere } }.Parameters()));
        FrontChannel.IsCode(Server, await browser.Complete(Outer(uri)), flow);
    }

    [Theory]
    [Trait("Case", "PAR-09")]
    [Trait("Case", "STA-06")]
    [Trait("Case", "STA-07")]
    [InlineData("disabled", "unauthorized_client")]
    [InlineData("redirect", "invalid_request")]
    [InlineData("scope", "invalid_scope")]
    [InlineData("grant", "unauthorized_client")]
    public async Task What_the_client_loses_after_the_push_is_lost(string what, string error)
    {
        var flow = new CodeFlow { ClientId = $"pushing-{what}", RedirectUri = "https://pushing.test/cb", Scope = "openid profile" };
        await Server.AddClient(flow.ClientId, "authorization_code", "openid profile", c => c.RedirectUris = [flow.RedirectUri]);
        using var browser = new Browser(Server);
        var (fresh, opened) = (await Push(flow), await Push(flow));
        var page = await browser.Authorize(Outer(opened, flow.ClientId));
        FrontChannel.IsSignIn(page);
        await Server.Change(async (db, version) =>
        {
            if (what == "disabled")
            {
                await Server.App.Services.GetRequiredService<ClientStatements>().Disable(db, flow.ClientId, "cli", CancellationToken.None);
                return;
            }
            var client = await db.Set<Client>().AsTracking().SingleAsync(c => c.ClientId == flow.ClientId);
            if (what == "redirect") client.RedirectUris = ["https://pushing.test/other"];
            if (what == "scope") client.Scopes = ["openid"];
            if (what == "grant") client.GrantTypes = [];
            client.Version = version;
            await db.SaveChangesAsync();
        });
        if (what is "disabled" or "redirect") await browser.RefusedOnPage(Server, Browser.Address(Outer(fresh, flow.ClientId)), error);
        else await browser.RefusedToClient(Server, flow, error, Browser.Address(Outer(fresh, flow.ClientId)));
        var rows = await Server.IssuedRows();
        FrontChannel.IsErrorPage(await browser.SignIn(page));
        Assert.Equal(rows, await Server.IssuedRows());
    }

    [Fact]
    public async Task A_client_that_must_push_cannot_do_otherwise()
    {
        var flow = new CodeFlow { ClientId = $"must-push-{Guid.NewGuid():N}"[..20], RedirectUri = "https://must.test/cb" };
        await Server.AddClient(flow.ClientId, "authorization_code", "openid", c => (c.RedirectUris, c.RequiresPushedRequests) = ([flow.RedirectUri], true));
        using var browser = new Browser(Server);
        await browser.RefusedToClient(Server, flow, "invalid_request");
        FrontChannel.IsCode(Server, await browser.Complete(Outer(await Push(flow), flow.ClientId)), flow);
    }

    [Fact]
    [Trait("Case", "PAR-11")]
    public async Task Wrong_methods_and_enormous_requests_are_refused()
    {
        await Server.Refused(new HttpRequestMessage(HttpMethod.Get, Path), 405, "invalid_request");
        await Server.Refused(Invariants.Form(Path, "web", [.. Form(new CodeFlow()), ("x", new string('x', 70_000))]), 413, "invalid_request");
        await Server.Refused(400, "invalid_request", Path, "web", [.. Form(new CodeFlow()), .. Enumerable.Range(0, 100).Select(i => ($"p{i}", "1"))]);
        // A large one that is pushed makes its way where the address could not carry it.
        using var browser = new Browser(Server);
        var flow = new CodeFlow { With = { ["claims"] = "{\"userinfo\":{" + string.Join(',', Enumerable.Range(0, 200).Select(i => $"\"c{i}\":null")) + "}}", ["x"] = new string('x', 20_000) } };
        FrontChannel.IsCode(Server, await browser.Complete(Outer(await Push(flow))), flow);
    }

    [Fact]
    [Trait("Case", "PAR-11")]
    public async Task Pushed_requests_are_counted_for_a_client_that_anybody_can_pretend_to_be()
    {
        await Server.AddClient("flooding", "authorization_code", "openid", c => c.RedirectUris = ["https://flooding.test/cb"], secret: null);
        var limits = Server.Nodes.Select(node => node.App.Services.GetRequiredService<IdpOptions>().Limits).ToList();
        limits.ForEach(one => one.PushesPerPublicCaller = 3);
        try
        {
            var own = Form(new CodeFlow { ClientId = "flooding", RedirectUri = "https://flooding.test/cb" });
            // Each node counts by itself, and it is the next one's turn at each request.
            for (var i = 0; i < 2 * limits.Count; i++) Assert.Equal(201, (await Server.Post(Path, null, own)).Status);
            var wait = TimeSpan.Zero;
            for (var i = 0; i < limits.Count; i++)
            {
                var blocked = await Server.Refused(Invariants.Form(Path, null, own), 429, "temporarily_unavailable");
                if (blocked.Response.Headers.RetryAfter!.Delta!.Value > wait) wait = blocked.Response.Headers.RetryAfter.Delta.Value;
            }
            for (var i = 0; i < 5; i++) Assert.Equal(201, (await Server.Post(Path, "web", Form(new CodeFlow()))).Status);

            Server.Clock.Advance(wait);
            for (var i = 0; i < limits.Count; i++) Assert.Equal(201, (await Server.Post(Path, null, own)).Status);
        }
        finally
        {
            limits.ForEach(one => one.PushesPerPublicCaller = 100_000);
        }
    }

    [Fact]
    [Trait("Case", "AUZ-22")]
    public async Task What_a_database_could_not_keep_is_told_to_the_client_instead_of_breaking()
    {
        using var browser = new Browser(Server);
        await browser.RefusedToClient(Server, new CodeFlow { Nonce = "a\0b" }, "invalid_request");
        await Server.Refused(400, "invalid_request", Path, "web", Form(new CodeFlow { Nonce = "a\0b" }));
        // Whatever is not kept in a column of its own may be anything.
        var odd = new CodeFlow { State = "a\0b", Nonce = "\ud83d\ude00\u202e\ufffe", With = { ["login_hint"] = "\0", ["ui_locales"] = "\0 de", ["x\0"] = "\0", ["claims_locales"] = "\u0001" } };
        FrontChannel.IsCode(Server, await browser.Complete(Outer(await Push(odd))), odd);

        // Each is a name that may be registered; together they are longer than what a grant remembers.
        if ((await Server.Post(Path, "many-apis", ("x", "y"))).Error == "invalid_client")
        {
            foreach (var i in (int[])[1, 2]) await Server.AddResource($"urn:test:{new string((char)('a' + i), 300)}", [$"many:{i}"]);
            await Server.AddClient("many-apis", "authorization_code", "openid many:1 many:2", c => c.RedirectUris = ["https://many.test/cb"]);
        }
        var many = new CodeFlow { ClientId = "many-apis", RedirectUri = "https://many.test/cb", Scope = "openid many:1 many:2" };
        var resources = string.Concat(((int[])[1, 2]).Select(i => $"&resource=urn:test:{new string((char)('a' + i), 300)}"));
        await browser.RefusedToClient(Server, many, "invalid_target", Browser.Address(many.Parameters()) + resources);
    }

    private static Browser SameBrowser(Browser browser, IdpServer node)
    {
        var same = new Browser(node);
        foreach (System.Net.Cookie cookie in browser.Cookies.GetAllCookies()) same.Cookies.Add(new Uri(node.Url), new System.Net.Cookie(cookie.Name, cookie.Value));
        return same;
    }

    private async Task<string> Push(CodeFlow flow)
    {
        var answer = await Server.Sent(Invariants.Form(Path, flow.ClientId, Form(flow)));
        Assert.True(answer.Status == 201, answer.Body);
        return answer.Json["request_uri"]!.GetValue<string>();
    }

    private static (string, string)[] Form(CodeFlow flow) => [.. flow.Parameters().Select(pair => (pair.Key, pair.Value))];

    private static Dictionary<string, string> Outer(string uri, string client = "web") => new() { ["client_id"] = client, ["request_uri"] = uri };
}

public sealed class HostilePushesOnSqlite(SqliteServer fixture, ITestOutputHelper output) : HostilePushes(fixture, output), IClassFixture<SqliteServer>;

public sealed class HostilePushesOnPostgres(PostgresServer fixture, ITestOutputHelper output) : HostilePushes(fixture, output), IClassFixture<PostgresServer>;

public sealed class HostilePushesOnNodes(PostgresNodes fixture, ITestOutputHelper output) : HostilePushes(fixture, output), IClassFixture<PostgresNodes>;
