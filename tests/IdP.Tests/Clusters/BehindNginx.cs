using System.Diagnostics;
using System.Net;
using IdP.Testing;
using IdP.TokenValidation;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Xunit;
using Xunit.Abstractions;

namespace IdP.Tests.Clusters;

/// <summary>Several nodes as an operator runs them: no request depends on which of them an earlier one met, and none of them is missed.</summary>
public sealed class BehindNginx(ThreeNodes site, ITestOutputHelper output) : IClassFixture<ThreeNodes>
{
    private const string User = "alice";
    private const string Password = "alice-Wonderland-42";
    private readonly HttpClient _http = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false });

    [Fact]
    [Trait("Case", "COD-10")]
    public async Task A_sign_in_meets_another_node_at_every_step()
    {
        var met = new List<string>();
        PageAnswer Noted(PageAnswer answer)
        {
            Note(met, answer.Header("X-Node"));
            return answer;
        }
        using var browser = new Browser(site.Url);
        var flow = new CodeFlow { ClientId = "demo-web", RedirectUri = "http://localhost:7200/callback", Scope = "openid profile offline_access items:read" };
        async Task<PageAnswer> Next(PageAnswer answer) => Noted(await browser.Get(answer.Location!));

        var page = await Next(Noted(await browser.Get(Browser.Address(flow.Parameters()))));
        Assert.Contains("id=\"login-submit\"", page.Body, StringComparison.Ordinal);
        var back = Noted(await browser.Submit(page, "/sign-in", ("username", User), ("password", Password)));
        page = await Next(await Next(back));
        Assert.Contains("id=\"consent-accept\"", page.Body, StringComparison.Ordinal);
        var answer = await Next(Noted(await browser.Submit(page, "/consent")));
        var code = answer.ResponseParameters()["code"];

        var tokens = await Post(met, "/connect/token", "demo-web", ("grant_type", "authorization_code"), ("code", code), ("redirect_uri", flow.RedirectUri), ("code_verifier", flow.Verifier));
        Assert.Equal(200, tokens.Status);
        var refreshed = await Post(met, "/connect/token", "demo-web", ("grant_type", "refresh_token"), ("refresh_token", Refresh(tokens)));
        Assert.Equal(200, refreshed.Status);
        using var asked = new HttpRequestMessage(HttpMethod.Get, site.Url + "/connect/userinfo") { Headers = { Authorization = new("Bearer", refreshed.AccessToken) } };
        var person = await Send(met, asked);
        Assert.Equal(User, person.Json["preferred_username"]!.GetValue<string>());
        Assert.True((await Post(met, "/connect/introspect", "demo-api", ("token", tokens.AccessToken))).Active);

        var signedOut = Noted(await browser.Get($"/connect/logout?id_token_hint={tokens.Json["id_token"]!.GetValue<string>()}&post_logout_redirect_uri=http%3A%2F%2Flocalhost%3A7200%2F"));
        Assert.Equal("http://localhost:7200/", signedOut.Location);
        Assert.Contains("id=\"login-submit\"", (await Next(Noted(await browser.Get(Browser.Address(flow.Parameters()))))).Body, StringComparison.Ordinal);

        output.WriteLine($"{met.Count} requests met {string.Join(' ', met)}");
        Assert.All(met.Zip(met.Skip(1)), pair => Assert.NotEqual(pair.First, pair.Second));
        Assert.Equal(3, met.Distinct().Count());
    }

    [Fact]
    [Trait("Case", "COD-10")]
    [Trait("Case", "REF-03")]
    public async Task Of_many_at_once_on_all_nodes_one_redeems_and_few_refresh_and_all_alike()
    {
        using var browser = new Browser(site.Url);
        var flow = new CodeFlow { ClientId = "demo-spa", RedirectUri = "http://localhost:7200/spa.html", Scope = "openid offline_access" };
        async Task<string> Code() => (await browser.Complete(flow.Parameters(), User, Password)).ResponseParameters()["code"];
        (string, string)[] Redeeming(string code) => [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", flow.RedirectUri), ("code_verifier", flow.Verifier), ("client_id", "demo-spa")];

        var code = await Code();
        var met = new List<string>();
        var redeemed = await Task.WhenAll(Enumerable.Range(0, 60).Select(_ => Post(met, "/connect/token", null, Redeeming(code))));
        Assert.Single(redeemed, answer => answer.Status == 200);
        Assert.All(redeemed.Where(answer => answer.Status != 200), answer => Assert.Equal((400, "invalid_grant"), (answer.Status, answer.Error)));
        Assert.Equal(3, met.Distinct().Count());

        var tokens = await Post(met, "/connect/token", null, Redeeming(await Code()));
        var refreshed = await Task.WhenAll(Enumerable.Range(0, 60).Select(_ => Post(met, "/connect/token", null, ("grant_type", "refresh_token"), ("refresh_token", Refresh(tokens)), ("client_id", "demo-spa"))));
        var successes = refreshed.Where(answer => answer.Status == 200).ToList();
        // As many as an answer that got lost is given again.
        Assert.InRange(successes.Count, 1, 4);
        Assert.All(refreshed.Except(successes), answer => Assert.Equal((400, "invalid_grant"), (answer.Status, answer.Error)));
        Assert.Single(successes.Select(Refresh).Distinct());
    }

    [Fact]
    [Trait("Case", "REV-05")]
    [Trait("Case", "INT-09")]
    public async Task What_one_node_has_revoked_no_other_believes_at_once()
    {
        for (var i = 0; i < 30; i++)
        {
            var (here, there) = (site.Nodes[i % 3], site.Nodes[(i + 1 + (i / 3 % 2)) % 3]);
            var token = (await Service(here)).AccessToken;
            Assert.True((await At(there, "/connect/introspect", "demo-api", ("token", token))).Active);
            Assert.Equal(200, (await At(here, "/connect/revoke", "demo-service", ("token", token))).Status);
            Assert.False((await At(there, "/connect/introspect", "demo-api", ("token", token))).Active);
        }
    }

    [Fact]
    [Trait("Case", "STA-06")]
    public async Task A_client_that_a_command_has_disabled_is_so_on_every_node_when_the_command_returns()
    {
        var tokens = await Task.WhenAll(site.Nodes.Select(Service));
        await site.Command("client", "disable", "demo-service");
        try
        {
            foreach (var (node, i) in site.Nodes.Select((node, i) => (node, i)))
            {
                Assert.Equal((401, "invalid_client"), Outcome(await Service(node)));
                Assert.False((await At(node, "/connect/introspect", "demo-api", ("token", tokens[(i + 1) % 3].AccessToken))).Active);
            }
        }
        finally
        {
            await site.Command("client", "enable", "demo-service");
        }
        await Eventually(async () => (await Task.WhenAll(site.Nodes.Select(Service))).All(answer => answer.Status == 200));
    }

    [Fact]
    [Trait("Case", "REF-04")]
    public async Task A_node_that_is_killed_takes_nothing_with_it()
    {
        var load = await site.StartLoad(("SAMPLE", "20"));
        await Task.Delay(1000);
        for (var node = 0; node < 2; node++)
        {
            await site.Kill(node);
            await Task.Delay(1000);
            await site.Start(node);
        }
        await Task.Delay(1000);

        output.WriteLine(await load.End() + await load.Run("check"));
    }

    [Fact]
    public async Task Nodes_that_are_restarted_one_after_the_other_fail_no_request()
    {
        var load = await site.StartLoad(("STRICT", "1"), ("SAMPLE", "20"));
        await Task.Delay(500);
        for (var node = 0; node < 3; node++) await site.Restart(node);

        output.WriteLine(await load.End() + await load.Run("check"));
    }

    [Fact]
    public async Task A_node_that_is_cut_off_from_the_database_is_missed_by_nobody()
    {
        var met = new List<string>();
        await site.CutOff(2);
        try
        {
            await Eventually(async () => (int)(await _http.GetAsync(new Uri(site.Nodes[2] + "/health/ready"))).StatusCode == 503);
            Assert.Equal((503, "temporarily_unavailable"), Outcome(await Service(site.Nodes[2])));
            for (var i = 0; i < 12; i++)
            {
                var token = await Post(met, "/connect/token", "demo-service", ("grant_type", "client_credentials"), ("scope", "items:read"));
                Assert.True(token.Status == 200, token.Body);
                Assert.True((await Post(met, "/connect/introspect", "demo-api", ("token", token.AccessToken))).Active);
                var page = await _http.GetAsync(new Uri(site.Url + "/account"));
                Assert.Equal(303, (int)page.StatusCode);
            }
        }
        finally
        {
            await site.LetIn(2);
        }
        await Eventually(async () => (await Service(site.Nodes[2])).Status == 200);

        // It was asked all the time.
        output.WriteLine(string.Join(' ', met));
        Assert.Contains(met, one => one.Contains(new Uri(site.Nodes[2]).Authority, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Keys_are_rotated_under_load_and_clients_that_keep_the_published_keys_fetch_them_once_more()
    {
        var load = await site.StartLoad(("STRICT", "1"), ("SAMPLE", "20"));
        using var ended = new CancellationTokenSource();
        var (lazy, early) = (Enumerable.Range(0, 4).Select(_ => new KeptKeys(_http, site.Url)).ToList(), new KeptKeys(_http, site.Url));
        var watch = Stopwatch.StartNew();
        using var ours = new CountedFetches();
        await using var api = await OurApi(ours);
        await early.Fetch(site.Nodes[0]);
        var lazily = lazy.Select((keys, i) => Verifying(i, async (token, other) =>
        {
            if (!keys.Know(token)) await keys.Fetch(other);
            await keys.Verify(token);
        }, ended.Token)).ToList();
        var inTime = Verifying(1, (token, _) => early.Verify(token), ended.Token);
        var byOurs = Verifying(2, async (token, _) =>
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, api.Urls.First() + "/items") { Headers = { Authorization = new("Bearer", token.EncodedToken) } };
            using var answer = await _http.SendAsync(request, CancellationToken.None);
            Assert.True(answer.IsSuccessStatusCode, answer.Headers.WwwAuthenticate.ToString());
        }, ended.Token);
        await Task.Delay(500);
        for (var round = 0; round < 2; round++)
        {
            await site.Command("keys", "rotate");
            foreach (var node in site.Nodes) await Eventually(() => early.Lack(node));
            await early.Fetch(site.Nodes[round]);
            await Task.Delay(1500);
            // The day passes after which the next key is used; every node notices by itself.
            const long day = 86_400_000 + 60_000;
            await site.Sql($"""
                UPDATE "ServerState" SET "ChangeStamp" = "ChangeStamp" + 1;
                UPDATE "Keys" SET "ActiveFrom" = "ActiveFrom" - {day}, "ActiveUntil" = "ActiveUntil" - {day}, "Version" = (SELECT "ChangeStamp" FROM "ServerState") WHERE "RevokedAt" IS NULL AND "Purpose" = {(int)IdP.Keys.KeyPurpose.Sign};
                """);
            await Task.Delay(1500);
        }
        await ended.CancelAsync();
        output.WriteLine(await load.End());

        Assert.All(await Task.WhenAll([.. lazily, inTime, byOurs]), met => Assert.Equal(3, met.Keys));
        output.WriteLine($"fetches of the key set: {string.Join(", ", lazy.Select(keys => keys.Fetches))} at a key that was not known, {early.Fetches} before it was used, {ours.OfKeys} by our library");
        // Once at the beginning, and at most once for each key that was not yet known.
        Assert.All(lazy, keys => Assert.InRange(keys.Fetches, 2, 3));
        Assert.Equal(3, early.Fetches);
        // Once a second, and not for each token.
        Assert.InRange(ours.OfKeys, 3, (int)watch.Elapsed.TotalSeconds + 2);
        output.WriteLine(await load.Run("check"));
    }

    /// <summary>Gets tokens from one node after the other and has each verified; how many, and of how many keys.</summary>
    private async Task<(int Tokens, int Keys)> Verifying(int first, Func<JsonWebToken, string, Task> verify, CancellationToken ended)
    {
        var (tokens, keys) = (0, new HashSet<string>(StringComparer.Ordinal));
        for (var i = first; !ended.IsCancellationRequested; i++)
        {
            var answer = await Service(site.Nodes[i % 3]);
            Assert.True(answer.Status == 200, answer.Body);
            var token = new JsonWebToken(answer.AccessToken);
            // Whoever needs keys for it asks another node than the one that has signed.
            await verify(token, site.Nodes[(i + 1) % 3]);
            keys.Add(token.Kid);
            tokens++;
            await Task.Delay(10, CancellationToken.None);
        }
        Assert.True(tokens > 20, $"{tokens} tokens");
        return (tokens, keys.Count);
    }

    /// <summary>An API that uses our library, which looks at the keys as often in the seconds of this test as it would in days.</summary>
    private async Task<WebApplication> OurApi(HttpMessageHandler way)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        builder.Services.AddIdPTokenValidation(options =>
        {
            (options.Issuer, options.BackchannelHttpHandler) = (site.Url, way);
            (options.RefreshInterval, options.MinimumRefreshInterval) = (TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));
            options.Audiences.Add("urn:demo:api");
        });
        var app = builder.Build();
        app.MapGet("/items", () => "items").RequireScope("items:read");
        await app.StartAsync();
        return app;
    }

    /// <summary>The published keys as a client keeps them.</summary>
    private sealed class KeptKeys(HttpClient http, string issuer)
    {
        private volatile JsonWebKeySet _keys = new();

        public int Fetches { get; private set; }

        public bool Know(JsonWebToken token) => _keys.Keys.Any(key => key.Kid == token.Kid);

        public async Task Fetch(string node)
        {
            _keys = await Published(node);
            Fetches++;
        }

        /// <summary>Whether the node publishes a key that is not among them.</summary>
        public async Task<bool> Lack(string node) => (await Published(node)).Keys.Any(published => _keys.Keys.All(key => key.Kid != published.Kid));

        public async Task Verify(JsonWebToken token)
        {
            Assert.True(Know(token), $"{token.Kid} was not published before it was used");
            var result = await new JsonWebTokenHandler().ValidateTokenAsync(token, new TokenValidationParameters
            {
                ValidIssuer = issuer, ValidAudience = "urn:demo:api", IssuerSigningKeys = _keys.GetSigningKeys(), ValidTypes = ["at+jwt"],
            });
            Assert.True(result.IsValid, result.Exception?.Message);
        }

        private async Task<JsonWebKeySet> Published(string node) => new(await http.GetStringAsync(new Uri(node + "/.well-known/jwks.json"), CancellationToken.None));
    }

    private sealed class CountedFetches() : DelegatingHandler(new SocketsHttpHandler { AllowAutoRedirect = false })
    {
        private int _ofKeys;

        public int OfKeys => _ofKeys;

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            if (request.RequestUri!.AbsolutePath == "/.well-known/jwks.json") Interlocked.Increment(ref _ofKeys);
            return base.SendAsync(request, cancellationToken);
        }
    }

    private Task<Answer> Service(string node) => At(node, "/connect/token", "demo-service", ("grant_type", "client_credentials"), ("scope", "items:read"));

    private Task<Answer> Post(List<string> met, string path, string? client, params (string Name, string Value)[] form) => Send(met, Request(site.Url + path, client, form));

    private Task<Answer> At(string node, string path, string client, params (string Name, string Value)[] form) => Send([], Request(node + path, client, form));

    private async Task<Answer> Send(List<string> met, HttpRequestMessage request)
    {
        using (request)
        {
            var response = await _http.SendAsync(request);
            var answer = new Answer(response, await response.Content.ReadAsStringAsync());
            lock (met) Note(met, answer.Header("X-Node"));
            return answer;
        }
    }

    private static HttpRequestMessage Request(string address, string? client, (string Name, string Value)[] form)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, address) { Content = new FormUrlEncodedContent(form.Select(pair => KeyValuePair.Create(pair.Name, pair.Value))) };
        if (client is not null) request.Headers.Authorization = IdpServer.Basic(client, client + "-secret");
        return request;
    }

    private static void Note(List<string> met, string node)
    {
        if (node.Length > 0) met.Add(node);
    }

    private static string Refresh(Answer tokens) => tokens.Json["refresh_token"]!.GetValue<string>();

    private static (int, string?) Outcome(Answer answer) => (answer.Status, answer.Error);

    private static async Task Eventually(Func<Task<bool>> holds)
    {
        for (var i = 0; i < 50; i++)
        {
            if (await holds()) return;
            await Task.Delay(100);
        }
        Assert.Fail("It did not come true within five seconds.");
    }
}
