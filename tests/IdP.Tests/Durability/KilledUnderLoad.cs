using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json.Nodes;
using IdP.Testing;
using IdP.Tests.Support;
using Xunit;
using Xunit.Abstractions;

namespace IdP.Tests.Durability;

/// <summary>
/// The program as it is shipped, killed with SIGKILL while codes are issued and redeemed and refresh tokens rotated: what a client had
/// been told is still so after a restart, and what had been used up stays so.
/// </summary>
public sealed class KilledUnderLoad(ITestOutputHelper output)
{
    private const string WebCallback = "http://localhost:7200/callback";
    private const string SpaCallback = "http://localhost:7200/spa.html";
    private readonly string _url = $"http://localhost:{ChildProcess.FreePort()}";

    // Never waits for long: the answer of a server that was killed does not come.
    private readonly HttpClient _http = new(new SocketsHttpHandler { AllowAutoRedirect = false }) { Timeout = TimeSpan.FromSeconds(20) };

    private readonly ConcurrentBag<(CodeFlow Flow, string Code, long Since)> _unused = [];
    private readonly ConcurrentBag<(CodeFlow Flow, string Code, string Refresh)> _redeemed = [];
    private readonly ConcurrentBag<string> _replaced = [];
    private volatile bool _isKilled;

    [Fact]
    [Trait("Case", "COD-10")]
    [Trait("Case", "REF-04")]
    public async Task Nothing_acknowledged_is_lost_and_nothing_consumed_is_accepted_again()
    {
        var folder = Directory.CreateTempSubdirectory("idp-test-").FullName;
        try
        {
            for (var round = Volume.Of(output, full: 10, part: 1); round > 0; round--) await Round(folder);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private async Task Round(string folder)
    {
        _unused.Clear();
        _redeemed.Clear();
        _replaced.Clear();
        _isKilled = false;
        string[] families;
        var server = await Start(folder);
        await using (server)
        {
            using var browser = new Browser(_url);
            Code(await browser.Complete(Web().Parameters(), "alice", "alice-Wonderland-42"), WebCallback);
            var first = new List<string>();
            for (var i = 0; i < 6; i++)
            {
                var flow = new CodeFlow { ClientId = "demo-spa", RedirectUri = SpaCallback, Scope = "openid offline_access" };
                var tokens = await Redeem(flow, Code(await browser.Complete(flow.Parameters(), "alice", "alice-Wonderland-42"), SpaCallback));
                first.Add(tokens["refresh_token"]!.GetValue<string>());
            }
            var refreshing = first.Select(Refreshing).ToList();
            var coming = Enumerable.Range(0, 6).Select(_ => Coming(browser)).ToList();
            for (var i = 0; i < 600 && (_redeemed.Count < 60 || _unused.Count < 20 || _replaced.Count < 60); i++) await Task.Delay(50);
            await server.Kill();
            _isKilled = true;
            families = await Task.WhenAll(refreshing);
            await Task.WhenAll(coming);
        }
        output.WriteLine($"killed after {_redeemed.Count} codes were redeemed, {_unused.Count} were waiting, {_replaced.Count} refresh tokens were replaced");
        Assert.True(_redeemed.Count >= 20 && _unused.Count >= 5 && _replaced.Count >= 20, server.Output);

        await using var restarted = await Start(folder);
        // Acknowledged: each of them works. A code has a minute, of which a slow machine may have needed most.
        var usable = _unused.Where(waiting => Stopwatch.GetElapsedTime(waiting.Since) < TimeSpan.FromSeconds(50)).ToList();
        Assert.True(usable.Count >= 3, $"the restart took so long that {_unused.Count - usable.Count} of {_unused.Count} codes ran out");
        foreach (var (flow, code, _) in usable) Assert.NotNull((await Redeem(flow, code))["access_token"]);
        foreach (var refresh in families) Assert.Equal(200, (await Refresh("demo-spa", refresh)).Status);
        foreach (var (_, _, refresh) in _redeemed) Assert.Equal(200, (await Refresh("demo-web", refresh)).Status);
        // Consumed: none of them is accepted, and a replay is noticed as one.
        foreach (var (flow, code, _) in usable) Assert.Equal("invalid_grant", (await Redeem(flow, code))["error"]!.GetValue<string>());
        foreach (var (flow, code, refresh) in _redeemed)
        {
            Assert.Equal("invalid_grant", (await Redeem(flow, code))["error"]!.GetValue<string>());
            Assert.Equal((400, "invalid_grant"), Outcome(await Refresh("demo-web", refresh)));
        }
        foreach (var refresh in _replaced) Assert.Equal((400, "invalid_grant"), Outcome(await Refresh("demo-spa", refresh)));
        foreach (var refresh in families) Assert.Equal((400, "invalid_grant"), Outcome(await Refresh("demo-spa", refresh)));
    }

    // One code after the other; every third waits for after the restart.
    private async Task Coming(Browser browser)
    {
        for (var i = 0; !_isKilled; i++)
        {
            try
            {
                var flow = Web();
                var code = Code(await browser.Authorize(flow.Parameters()), WebCallback);
                if (i % 3 == 0) _unused.Add((flow, code, Stopwatch.GetTimestamp()));
                else _redeemed.Add((flow, code, (await Redeem(flow, code))["refresh_token"]!.GetValue<string>()));
            }
            catch (Exception broken) when (broken is HttpRequestException or TaskCanceledException)
            {
                // No answer: nothing was acknowledged.
                await Task.Delay(20);
            }
        }
    }

    /// <summary>Rotates until the server is gone; the newest token that was given.</summary>
    private async Task<string> Refreshing(string refresh)
    {
        while (!_isKilled)
        {
            try
            {
                var answer = await Refresh("demo-spa", refresh);
                Assert.True(answer.Status == 200, answer.Body);
                _replaced.Add(refresh);
                refresh = answer.Json["refresh_token"]!.GetValue<string>();
            }
            catch (Exception broken) when (broken is HttpRequestException or TaskCanceledException)
            {
                await Task.Delay(20);
            }
        }
        return refresh;
    }

    private async Task<ChildProcess> Start(string folder) => await ChildProcess.Serve(new Uri(_url + "/health/ready"), [.. ChildProcess.Provider, "serve", "--demo", "--data", folder, "--urls", _url],
        // A rotation whose answer was lost with the server is given again for as long as a restart takes.
        environment: new Dictionary<string, string> { ["IDP__Tokens__RefreshOverlapSeconds"] = "60" });

    private static CodeFlow Web() => new() { ClientId = "demo-web", RedirectUri = WebCallback, Scope = "openid offline_access" };

    private static string Code(PageAnswer answer, string callback)
    {
        Assert.True(answer.Location?.StartsWith(callback + "?code=", StringComparison.Ordinal), $"{answer.Status} {answer.Location} {answer.Body}");
        return FrontChannel.Raw(answer, "code")!;
    }

    private async Task<JsonObject> Redeem(CodeFlow flow, string code) =>
        (await Post(flow.ClientId, ("grant_type", "authorization_code"), ("code", code), ("redirect_uri", flow.RedirectUri), ("code_verifier", flow.Verifier))).Json;

    private Task<Answer> Refresh(string client, string refresh) => Post(client, ("grant_type", "refresh_token"), ("refresh_token", refresh));

    private async Task<Answer> Post(string client, params (string Name, string Value)[] form)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, _url + "/connect/token")
        {
            Content = new FormUrlEncodedContent([.. form.Select(pair => KeyValuePair.Create(pair.Name, pair.Value)), .. client == "demo-spa" ? [KeyValuePair.Create("client_id", client)] : Array.Empty<KeyValuePair<string, string>>()]),
        };
        if (client == "demo-web") request.Headers.Authorization = IdpServer.Basic(client, "demo-web-secret");
        var response = await _http.SendAsync(request);
        return new Answer(response, await response.Content.ReadAsStringAsync());
    }

    private static (int, string?) Outcome(Answer answer) => (answer.Status, answer.Error);
}
