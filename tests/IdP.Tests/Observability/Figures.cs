using System.Text.Json;
using System.Text.RegularExpressions;
using IdP.Testing;
using IdP.Tests.Support;
using Xunit;

namespace IdP.Tests.Observability;

/// <summary>/metrics of a real server after real traffic, and what is made from it: dashboard, rules, documentation.</summary>
public sealed partial class Figures(WatchedOnSqlite fixture, WatchedOnPostgres postgres) : IClassFixture<WatchedOnSqlite>, IClassFixture<WatchedOnPostgres>
{
    private static readonly string Deploy = Path.Combine(ChildProcess.Repository, "deploy");
    private static readonly string Document = Path.Combine(ChildProcess.Repository, "docs", "MONITORING.md");
    private readonly string _url = fixture.Http.BaseAddress!.ToString();

    [Fact]
    public async Task Prometheus_finds_nothing_wrong_with_them()
    {
        foreach (var text in (string[])[await fixture.Scrape(), await postgres.Scrape()])
        {
            var file = Path.GetTempFileName();
            await File.WriteAllTextAsync(file, text);
            var checkedText = await ChildProcess.RunToEnd(["sh", "-c", "promtool check metrics <\"$0\"", file]);
            File.Delete(file);
            Assert.True(checkedText.ExitCode == 0, checkedText.Output + checkedText.Error + text);
        }
    }

    [Fact]
    public async Task They_say_what_happened()
    {
        var before = await fixture.Scrape();
        foreach (var series in (string[])
            [
                "idp_tokens_issued_total{grant_type=\"client_credentials\"}", "idp_tokens_issued_total{grant_type=\"authorization_code\"}", "idp_tokens_issued_total{grant_type=\"refresh_token\"}",
                "idp_tokens_issued_total{grant_type=\"password\"}", "idp_introspections_total{result=\"active\"}", "idp_introspections_total{result=\"inactive\"}", "idp_revocations_total{result=\"revoked\"}",
                "idp_sign_ins_total{outcome=\"signed_in\",way=\"password\"}", "idp_sign_ins_total{outcome=\"refused\",way=\"password\"}", "idp_password_checks_total{outcome=\"right\"}", "idp_password_checks_total{outcome=\"wrong\"}",
                "idp_requests_refused_total{endpoint=\"token\",error=\"invalid_client\",status=\"401\"}", "idp_requests_refused_total{endpoint=\"token\",error=\"invalid_grant\",status=\"400\"}",
                "idp_hash_duration_seconds_count", "idp_hash_wait_seconds_count", "idp_database_duration_seconds_count{operation=\"read\"}", "idp_database_duration_seconds_count{operation=\"write\"}",
                "idp_database_duration_seconds_count{operation=\"commit\"}", "idp_sqlite_batch_size_count", "idp_signing_key_next_rotation_seconds{algorithm=\"ES256\"}", "idp_hash_threads", "idp_hash_places",
                "idp_build_info{engine=\"sqlite\",version=\"0.1.0\"}", "http_server_request_duration_seconds_count{http_request_method=\"POST\",http_response_status_code=\"200\",http_route=\"/connect/token\"}",
            ])
            Assert.True(WatchedServer.Value(before, series) > 0, $"{series} is not in\n{before}");
        Assert.InRange(WatchedServer.Value(before, "idp_change_poll_age_seconds"), 0, 60);

        await fixture.ClientCredentials();
        await fixture.Post("/connect/par", "web", IdpServer.Secret, ("scope", "openid"));

        var after = await fixture.Scrape();
        Assert.Equal(1, WatchedServer.Value(after, "idp_tokens_issued_total{grant_type=\"client_credentials\"}") - WatchedServer.Value(before, "idp_tokens_issued_total{grant_type=\"client_credentials\"}"));
        Assert.Contains("idp_requests_refused_total{endpoint=\"par\",error=\"invalid_request\",status=\"400\"}", after, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Case", "LOG-07")]
    public async Task Outside_there_are_none_whatever_host_a_request_names()
    {
        var figures = fixture.Metrics.BaseAddress!.Authority;
        foreach (var host in (string[])[new Uri(_url).Authority, figures, "metrics", "127.0.0.1"])
            foreach (var target in (string[])["/metrics", "/metrics/", "/Metrics", "//metrics", "/./metrics", $"http://{figures}/metrics"])
            {
                var answer = await RawHttp.Send(_url, $"GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
                Assert.True(RawHttp.Status(answer) is 404 or 400, $"{target} {host}: {answer}");
                Assert.DoesNotContain("idp_build_info", answer, StringComparison.Ordinal);
            }
        Assert.Equal(404, (int)(await fixture.Http.GetAsync("/metrics")).StatusCode);
    }

    [Fact]
    public async Task Their_listener_serves_nothing_else_and_asks_for_no_host_and_logs_nothing()
    {
        foreach (var path in (string[])["/", "/connect/token", "/health/ready", "/.well-known/jwks.json", "/sign-in", "/metrics/x"]) Assert.Equal(404, (int)(await fixture.Metrics.GetAsync(path)).StatusCode);
        Assert.Equal(405, (int)(await fixture.Metrics.PostAsync("/metrics", null)).StatusCode);
        var answer = await RawHttp.Send(fixture.Metrics.BaseAddress!.ToString(), "GET /metrics HTTP/1.1\r\nHost: whatever.example:1\r\nConnection: close\r\n\r\n");
        Assert.Equal(200, RawHttp.Status(answer));
        Assert.Contains("Content-Type: text/plain; version=0.0.4; charset=utf-8", answer, StringComparison.Ordinal);
        // Neither the 404s above nor the scrapes; other tests ask for it where it is not.
        Assert.DoesNotContain("/metrics/x", fixture.Process.Output, StringComparison.Ordinal);
        // Many at once are one after another, and all get the whole of it.
        var texts = await Task.WhenAll(Enumerable.Range(0, 12).Select(_ => fixture.Scrape()));
        Assert.All(texts, text => Assert.Contains("idp_build_info{", text, StringComparison.Ordinal));
    }

    [Fact]
    [Trait("Case", "LOG-04")]
    public async Task A_caller_that_invents_names_makes_no_labels()
    {
        var before = Series(await fixture.Scrape());
        for (var i = 0; i < 1000; i++)
        {
            await fixture.Post("/connect/token", "service", IdpServer.Secret, ("grant_type", $"invented-{i}"));
            await fixture.Post("/connect/token", $"invented-{i}", IdpServer.Secret, ("grant_type", "client_credentials"));
            await fixture.Http.GetAsync($"/invented-{i}");
            if (i % 20 == 0) await fixture.Http.GetAsync($"/api-keys/invented-{i}");
            if (i % 20 == 0) await fixture.Send(new HttpRequestMessage(new HttpMethod($"INVENTED{i}"), "/connect/token"));
            if (i % 20 == 0) await fixture.PasswordGrant($"invented-{i}", "wrong");
        }
        var text = await fixture.Scrape();

        Assert.DoesNotContain("invented", text, StringComparison.OrdinalIgnoreCase);
        // Each kind of refusal once, with its histogram.
        Assert.InRange(Series(text), before, before + 200);
    }

    [Fact]
    public async Task No_figure_says_where_the_database_is()
    {
        var text = await postgres.Scrape();
        Assert.Contains("db_client_connections{", text, StringComparison.Ordinal);
        foreach (var secret in (string[])["Password=", "Username=", "Host=", "idp_test_"]) Assert.DoesNotContain(secret, text, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Every_one_that_dashboard_and_rules_ask_for_exists()
    {
        var known = await Known();
        var asked = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(Deploy, "grafana", "idp.json"))).RootElement.GetProperty("panels").EnumerateArray()
            .Where(panel => panel.TryGetProperty("targets", out _)).SelectMany(panel => panel.GetProperty("targets").EnumerateArray()).Select(target => target.GetProperty("expr").GetString()!).ToList();
        Assert.True(asked.Count > 40);
        asked.AddRange(await Expressions("recording.yml"));
        asked.AddRange(await Expressions("alerts.yml"));

        foreach (var expression in asked)
            foreach (var name in MetricNames.InExpression(expression)) Assert.True(known.Contains(name), $"{name} in {expression}");
        // And what the rules have worked out is asked for by the names that they give it.
        var recorded = Recorded().Matches(await File.ReadAllTextAsync(Path.Combine(Deploy, "prometheus", "recording.yml"))).Select(match => match.Groups["name"].Value).ToHashSet(StringComparer.Ordinal);
        Assert.All(asked.SelectMany(expression => Recordings().Matches(expression).Select(match => match.Value)), name => Assert.Contains(name, recorded));
    }

    [Fact]
    public async Task The_document_lists_them_all_and_no_others()
    {
        var documented = Rows().Matches(await File.ReadAllTextAsync(Document)).Select(match => match.Groups["name"].Value).Order(StringComparer.Ordinal).ToList();
        Assert.Equal((await Known()).Order(StringComparer.Ordinal), documented);
    }

    [Fact]
    public async Task The_document_lists_every_alert()
    {
        var (document, alerts) = (await File.ReadAllTextAsync(Document), Alerts().Matches(await File.ReadAllTextAsync(Path.Combine(Deploy, "prometheus", "alerts.yml"))));
        Assert.True(alerts.Count > 15);
        Assert.All(alerts, alert => Assert.Contains($"| `{alert.Groups["name"].Value}` |", document, StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_rules_are_well_formed_and_each_alert_fires_when_it_should()
    {
        var prometheus = Path.Combine(Deploy, "prometheus");
        foreach (var command in (string[][])[["check", "config", "prometheus.yml"], ["check", "rules", "recording.yml", "alerts.yml"], ["test", "rules", Path.Combine(ChildProcess.Repository, "tests", "monitoring", "alerts.test.yml")]])
        {
            var ended = await ChildProcess.RunToEnd(["promtool", .. command], prometheus);
            Assert.True(ended.ExitCode == 0, ended.Output + ended.Error);
        }
        var tested = await File.ReadAllTextAsync(Path.Combine(ChildProcess.Repository, "tests", "monitoring", "alerts.test.yml"));
        Assert.All(Alerts().Matches(await File.ReadAllTextAsync(Path.Combine(prometheus, "alerts.yml"))), alert => Assert.Contains($"alertname=\"{alert.Groups["name"].Value}\"", tested, StringComparison.Ordinal));
    }

    private async Task<HashSet<string>> Known() => [.. MetricNames.InScrape(await fixture.Scrape()), .. MetricNames.InScrape(await postgres.Scrape())];

    private static int Series(string text) => text.Split('\n').Count(line => line.Length > 0 && line[0] != '#');

    private static async Task<IEnumerable<string>> Expressions(string rules) =>
        Exprs().Matches(await File.ReadAllTextAsync(Path.Combine(Deploy, "prometheus", rules))).Select(match => match.Groups["expression"].Value);

    [GeneratedRegex("expr: (?<expression>(>-\\n)?.*?)\\n\\s+(for|labels|- record|- alert|annotations):|expr: (?<expression>.*)$", RegexOptions.Singleline | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 5000)]
    private static partial Regex Exprs();

    [GeneratedRegex("record: (?<name>\\S+)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 5000)]
    private static partial Regex Recorded();

    [GeneratedRegex("idp:[a-z0-9_]+:[a-z0-9_]+", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 5000)]
    private static partial Regex Recordings();

    [GeneratedRegex("- alert: (?<name>\\w+)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 5000)]
    private static partial Regex Alerts();

    [GeneratedRegex("^\\| `(?<name>[a-z0-9_]+)` \\|", RegexOptions.Multiline | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 5000)]
    private static partial Regex Rows();
}
