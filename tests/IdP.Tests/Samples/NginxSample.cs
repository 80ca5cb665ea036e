using System.Text.Json;
using System.Text.Json.Nodes;
using IdP.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Xunit;

namespace IdP.Tests.Samples;

/// <summary>nginx with auth_request (samples/nginx) in front of an app that knows nothing of tokens.</summary>
[Collection(SamplesCollection.Name)]
public sealed class NginxSample(DemoProvider provider, NginxSample.Site site) : IClassFixture<NginxSample.Site>
{
    [Theory, MemberData(nameof(BearerFaults.Table), MemberType = typeof(BearerFaults))]
    public async Task Each_request_is_let_through_when_its_token_counts(string fault, int status, string? error) =>
        BearerFaults.Check(await provider.Call(HttpMethod.Post, site.Url + "/items", await provider.Bearer(fault)), status, error);

    [Fact]
    public async Task Without_a_token_the_challenge_names_no_error()
    {
        var answer = await provider.Call(HttpMethod.Get, site.Url + "/items");

        Assert.Equal(401, answer.Status);
        Assert.Equal($"Bearer realm=\"{DemoProvider.Api}\"", answer.Header("WWW-Authenticate"));
    }

    [Fact]
    public async Task A_revoked_token_is_refused_at_once() =>
        BearerFaults.Check(await provider.Call(HttpMethod.Get, site.Url + "/items", await provider.Bearer("revoked")), 401, "invalid_token");

    [Fact]
    public async Task The_app_hears_who_calls_and_not_the_token()
    {
        var answer = await provider.Call(HttpMethod.Get, site.Url + "/items?page=2", await provider.Bearer("too few scopes"), ("X-Subject", "somebody-else"));

        Assert.Equal(201, answer.Status);
        Assert.Equal("/items?page=2", answer.Json["path"]!.GetValue<string>());
        Assert.Equal("demo-service", answer.Json["headers"]!["X-Subject"]!.GetValue<string>());
        Assert.Null(answer.Json["headers"]!["Authorization"]);
        Assert.Equal("", answer.Header("WWW-Authenticate"));
    }

    [Fact]
    public async Task Two_tokens_are_400() => Assert.Equal("400", await provider.CallTwice(site.Url + "/items"));

    [Theory]
    [InlineData("/introspect")]
    [InlineData("/provider")]
    public async Task The_inner_locations_are_not_for_callers(string path) =>
        Assert.Equal(404, (await provider.Call(HttpMethod.Get, site.Url + path, await provider.Bearer(""))).Status);

    [Fact]
    public async Task Without_the_provider_nobody_is_let_in()
    {
        await using var alone = new Site("http://127.0.0.1:1");
        await alone.InitializeAsync();

        Assert.Equal(500, (await provider.Call(HttpMethod.Get, alone.Url + "/items", await provider.Bearer(""))).Status);
    }

    /// <summary>nginx and the app behind it.</summary>
    public sealed class Site : IAsyncLifetime, IAsyncDisposable
    {
        private readonly string _folder = Directory.CreateTempSubdirectory("idp-nginx-").FullName;
        private readonly string _issuer;
        private WebApplication? _app;
        private ChildProcess? _nginx;

        public Site(DemoProvider provider) => _issuer = provider.Issuer;

        internal Site(string issuer) => _issuer = issuer;

        public string Url { get; } = $"http://127.0.0.1:{ChildProcess.FreePort()}";

        public async Task InitializeAsync()
        {
            if (!File.Exists("/usr/sbin/nginx") || !File.Exists("/usr/lib/nginx/modules/ngx_http_js_module.so"))
                throw new InvalidOperationException("These tests need packages from Debian: run `make setup`.");

            var appUrl = $"http://127.0.0.1:{ChildProcess.FreePort()}";
            _app = EchoApp(appUrl);
            await _app.StartAsync();
            var sample = Path.Combine(ChildProcess.Repository, "samples", "nginx");
            File.Copy(Path.Combine(sample, "introspect.js"), Path.Combine(_folder, "introspect.js"));
            var configuration = await File.ReadAllTextAsync(Path.Combine(sample, "nginx.conf"));
            configuration = Replace(Replace(Replace(configuration, "http://localhost:8080", _issuer), "127.0.0.1:7004", new Uri(Url).Authority), "http://127.0.0.1:7005", appUrl);
            // Started for its readiness by an address that needs no token.
            configuration = Replace(configuration, "        location / {\n", "        location = /ready { return 200; }\n\n        location / {\n");
            await File.WriteAllTextAsync(Path.Combine(_folder, "nginx.conf"), configuration);
            // Root's nginx serves as another user.
            if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(_folder, (UnixFileMode)0b111_101_101);
            _nginx = await ChildProcess.Serve(new Uri(Url + "/ready"), ["/usr/sbin/nginx", "-p", _folder + "/", "-c", "nginx.conf", "-e", "stderr", "-g", "daemon off;"]);
        }

        public async Task DisposeAsync()
        {
            if (_nginx is not null) await _nginx.DisposeAsync();
            if (_app is not null) await _app.DisposeAsync();
            Directory.Delete(_folder, recursive: true);
        }

        async ValueTask IAsyncDisposable.DisposeAsync() => await DisposeAsync();

        private static string Replace(string text, string old, string with)
        {
            Assert.Contains(old, text, StringComparison.Ordinal);
            return text.Replace(old, with, StringComparison.Ordinal);
        }

        private static WebApplication EchoApp(string url)
        {
            var builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            var app = builder.Build();
            app.Urls.Add(url);
            app.Run(http =>
            {
                http.Response.StatusCode = 201;
                return http.Response.WriteAsync(JsonSerializer.Serialize(new
                {
                    path = http.Request.Path + http.Request.QueryString,
                    headers = http.Request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString()),
                }));
            });
            return app;
        }
    }
}
