using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using IdP.Testing;
using IdP.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using Xunit;

namespace IdP.Tests.Observability;

/// <summary>What an OpenTelemetry collector gets.</summary>
public sealed class Collected
{
    [Theory, InlineData("http/protobuf"), InlineData("grpc")]
    [Trait("Case", "LOG-02")]
    public async Task Spans_by_route_in_the_callers_trace_and_figures_without_any_secret(string protocol)
    {
        await using var collector = await Collector.Start(protocol == "grpc");
        var (trace, canary) = (RandomNumberGenerator.GetBytes(16), "otlp-canary-" + RandomNumberGenerator.GetHexString(8));
        var server = await IdpServer.Start(options => (options.Telemetry.OtlpEndpoint, options.Telemetry.OtlpProtocol, options.Telemetry.OtlpHeaders) = (collector.Url, protocol, "x-collector-key=open-sesame"));
        await server.AddUser(canary, canary + "-password");
        await server.AddClient(canary + "-app", "password client_credentials authorization_code", "openid items:read", c => c.RedirectUris = ["https://canary.test/callback"], secret: canary + "-secret");
        List<string> secrets = [canary];

        using (var browser = new Browser(server))
        {
            var flow = new CodeFlow { ClientId = canary + "-app", RedirectUri = "https://canary.test/callback", State = canary, With = { ["login_hint"] = canary } };
            var code = (await browser.Complete(flow.Parameters(), canary, canary + "-password")).ResponseParameters()["code"];
            secrets.Add(code);
            await browser.Get($"/nowhere/{canary}?x={canary}");
        }
        // The app that is asked about is the caller's business: not in the names of anything either.
        var issued = await Send(Form("/connect/token", $"grant_type=client_credentials&scope=items:read"));
        Assert.Equal(200, issued.Status);
        secrets.Add(issued.AccessToken);
        await Send(Form("/connect/token", $"grant_type=password&username={canary}&password={canary}-password"));
        await Send(Form("/connect/token", $"grant_type={canary}"));
        await Send(Form($"/connect/introspect?token={canary}", $"token={issued.AccessToken}"));
        await Send(Form("/connect/introspect", $"token={issued.AccessToken}"));
        await Send(new HttpRequestMessage(HttpMethod.Get, $"/connect/userinfo?access_token={canary}"));
        await Send(new HttpRequestMessage(HttpMethod.Get, $"/api-keys/idp_0123456789ab_{canary}"));
        await Send(new HttpRequestMessage(HttpMethod.Get, $"/{canary}"));
        // What is left is sent at the end.
        await server.DisposeAsync();

        var (spans, figures) = (collector.Text("trace"), collector.Text("metrics"));
        foreach (var name in (string[])["POST /connect/token", "POST /connect/introspect", "GET /connect/userinfo", "GET /connect/authorize", "POST /sign-in", "http.request.method", "idp.outcome", "unsupported_grant_type", "idp"])
            Assert.Contains(name, spans, StringComparison.Ordinal);
        Assert.Contains(Encoding.Latin1.GetString(trace), spans, StringComparison.Ordinal);
        foreach (var name in (string[])["idp.tokens.issued", "idp.database.duration", "http.server.request.duration", "idp.outbox.items"]) Assert.Contains(name, figures, StringComparison.Ordinal);
        foreach (var secret in secrets)
        {
            Assert.DoesNotContain(secret, spans, StringComparison.Ordinal);
            Assert.DoesNotContain(secret, figures, StringComparison.Ordinal);
        }
        Assert.All(collector.Keys, key => Assert.Equal("open-sesame", key));

        async Task<Answer> Send(HttpRequestMessage request)
        {
            request.Headers.TryAddWithoutValidation("traceparent", $"00-{Convert.ToHexStringLower(trace)}-{RandomNumberGenerator.GetHexString(16, lowercase: true)}-00");
            request.Headers.TryAddWithoutValidation("tracestate", $"vendor={canary}");
            request.Headers.TryAddWithoutValidation("baggage", $"user={canary}");
            request.Headers.TryAddWithoutValidation("User-Agent", canary);
            request.Headers.TryAddWithoutValidation("Cookie", $"session={canary}");
            return await server.Send(request);
        }

        HttpRequestMessage Form(string path, string form) => new(HttpMethod.Post, path)
        {
            Headers = { Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{canary}-app:{canary}-secret"))) },
            Content = new StringContent(form, Encoding.UTF8, "application/x-www-form-urlencoded"),
        };
    }

    [Fact]
    public async Task No_caller_can_have_itself_traced()
    {
        await using var collector = await Collector.Start(isGrpc: false);
        var server = await IdpServer.Start(options => (options.Telemetry.OtlpEndpoint, options.Telemetry.TracesPercent) = (collector.Url, 0));
        var request = Invariants.Form("/connect/token", "service", IdpServer.Secret, ("grant_type", "client_credentials"));
        request.Headers.TryAddWithoutValidation("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
        Assert.Equal(200, (await server.Send(request)).Status);
        await server.DisposeAsync();

        Assert.Equal("", collector.Text("trace"));
        Assert.Contains("idp.tokens.issued", collector.Text("metrics"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_collector_that_is_away_or_hangs_holds_up_nobody_and_is_told()
    {
        await using var collector = await Collector.Start(isGrpc: false, answer: _ => Task.Delay(Timeout.Infinite));
        foreach (var address in (string[])[collector.Url, $"http://127.0.0.1:{ChildProcess.FreePort()}"])
        {
            var server = await IdpServer.Start(options => options.Telemetry.OtlpEndpoint = address);
            for (var i = 0; i < 50; i++) Assert.Equal(200, (await server.ClientCredentials()).Status);
            await server.DisposeAsync();
            // The operator is told, by the log.
            if (address != collector.Url) Assert.Contains(server.Log.Lines, line => line.Contains("Figures or traces are lost", StringComparison.Ordinal));
        }
    }

    /// <summary>The program as it is started: what is not wanted is not even loaded.</summary>
    [Theory]
    [InlineData(null, null, false)]
    [InlineData("IDP__Telemetry__OtlpEndpoint", "http://127.0.0.1:1", true)]
    public async Task The_libraries_for_it_are_loaded_only_when_it_is_on(string? setting, string? value, bool isLoaded)
    {
        if (!OperatingSystem.IsLinux()) return;
        var folder = Directory.CreateTempSubdirectory("idp-off-").FullName;
        var url = $"http://127.0.0.1:{ChildProcess.FreePort()}";
        await using (await ChildProcess.Serve(new Uri(url + "/health/ready"), [.. ChildProcess.Provider, "serve", "--data", folder, "--urls", url], environment: setting is null ? null : new Dictionary<string, string> { [setting] = value! }))
        {
            // The framework of the pages looks through every type of the program.
            using (var http = new HttpClient()) Assert.Contains("<form", await http.GetStringAsync(url + "/recovery"), StringComparison.Ordinal);
            var maps = Directory.GetDirectories("/proc").Where(process => int.TryParse(Path.GetFileName(process), out _)).Select(Maps).Single(found => found is not null)!;
            Assert.Contains("IdP.dll", maps, StringComparison.Ordinal);
            Assert.Equal(isLoaded, maps.Contains("OpenTelemetry", StringComparison.Ordinal));
        }
        Directory.Delete(folder, recursive: true);

        // Other processes come and go meanwhile.
        string? Maps(string process)
        {
            try
            {
                var command = File.ReadAllText(Path.Combine(process, "cmdline"));
                return command.StartsWith("dotnet", StringComparison.Ordinal) && command.Contains(folder, StringComparison.Ordinal) ? File.ReadAllText(Path.Combine(process, "maps")) : null;
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                return null;
            }
        }
    }

    /// <summary>Takes what is sent to a collector, over OTLP in either form.</summary>
    private sealed class Collector : IAsyncDisposable
    {
        private readonly WebApplication _app;
        private readonly ConcurrentQueue<(string Path, string Body)> _all = new();

        private Collector(WebApplication app, string url) => (_app, Url) = (app, url);

        public string Url { get; }
        public ConcurrentQueue<string> Keys { get; } = new();

        public static async Task<Collector> Start(bool isGrpc, RequestDelegate? answer = null)
        {
            var port = ChildProcess.FreePort();
            var builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenLocalhost(port, listen => listen.Protocols = isGrpc ? HttpProtocols.Http2 : HttpProtocols.Http1));
            var collector = new Collector(builder.Build(), $"http://localhost:{port}");
            collector._app.Run(async http =>
            {
                using var body = new MemoryStream();
                await http.Request.Body.CopyToAsync(body);
                collector._all.Enqueue((http.Request.Path, Encoding.Latin1.GetString(body.ToArray())));
                collector.Keys.Enqueue(http.Request.Headers["x-collector-key"].ToString());
                if (answer is not null) await answer(http);
                if (!isGrpc) return;
                http.Response.ContentType = "application/grpc";
                await http.Response.Body.WriteAsync(new byte[5]);
                http.Response.AppendTrailer("grpc-status", "0");
            });
            await collector._app.StartAsync();
            return collector;
        }

        /// <summary>All that came for traces or for metrics, byte for character.</summary>
        public string Text(string signal) => string.Concat(_all.Where(one => one.Path.Contains(signal, StringComparison.OrdinalIgnoreCase)).Select(one => one.Body));

        public async ValueTask DisposeAsync()
        {
            using var now = new CancellationTokenSource(TimeSpan.Zero);
            try
            {
                await _app.StopAsync(now.Token);
            }
            catch (OperationCanceledException)
            {
                // What hangs on purpose is not waited for.
            }
            await _app.DisposeAsync();
        }
    }
}
