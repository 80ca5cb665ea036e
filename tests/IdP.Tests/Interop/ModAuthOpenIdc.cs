using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using IdP.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Xunit;

namespace IdP.Tests.Interop;

/// <summary>Apache with mod_auth_openidc (tests/interop/mod_auth_openidc) in front of an app that reads request headers.</summary>
[Collection(InteropCollection.Name)]
public sealed class ModAuthOpenIdc(InteropProvider provider, ModAuthOpenIdc.Site site) : IClassFixture<ModAuthOpenIdc.Site>
{
    [Fact]
    public async Task A_person_signs_in_and_the_app_gets_the_claims_in_headers()
    {
        using var browser = new Browser(provider.Issuer);

        var page = await site.Visit(browser, "/hello?to=world");

        var seen = JsonNode.Parse(page.Body)!;
        Assert.Equal("/hello?to=world", seen["path"]!.GetValue<string>());
        Assert.Equal("carol@example.com", Header(seen, "OIDC_CLAIM_email"));
        Assert.Equal("Carol Interop", Header(seen, "OIDC_CLAIM_name"));
        Assert.Equal(provider.Issuer, Header(seen, "OIDC_CLAIM_iss"));
        Assert.NotEmpty(Header(seen, "OIDC_CLAIM_sid"));
        Assert.NotEmpty(Header(seen, "OIDC_access_token"));
    }

    [Fact]
    public async Task Once_signed_in_the_site_asks_no_more()
    {
        using var browser = new Browser(provider.Issuer);
        await site.Visit(browser, "/");

        Assert.Equal(200, (await browser.Get(site.Url + "/again")).Status);
    }

    [Fact]
    public async Task Without_a_session_the_site_sends_to_the_provider_with_PKCE()
    {
        using var browser = new Browser(provider.Issuer);

        var answer = await browser.Get(site.Url + "/");

        Assert.Equal(302, answer.Status);
        Assert.StartsWith(provider.Issuer + "/connect/authorize?", answer.Location, StringComparison.Ordinal);
        Assert.Contains("code_challenge_method=S256", answer.Location, StringComparison.Ordinal);
        Assert.Equal(200, (await browser.Get(site.Url + "/public")).Status);
    }

    [Fact]
    public async Task Who_cancels_stays_outside()
    {
        using var browser = new Browser(provider.Issuer);
        var login = await browser.Follow(await browser.Get(site.Url + "/"));

        var callback = await browser.Follow(await browser.Submit(login, "/sign-in?handler=Cancel"));
        Assert.StartsWith(site.Url + "/signed-in?error=access_denied&", callback.Location, StringComparison.Ordinal);
        var page = await browser.Get(callback.Location!);

        // The module says so with a page of its own; the app behind it hears nothing.
        Assert.Contains("<title>Error</title>", page.Body, StringComparison.Ordinal);
        Assert.Equal(302, (await browser.Get(site.Url + "/")).Status);
    }

    [Fact]
    public async Task Signing_out_at_the_site_signs_out_at_the_provider_and_leads_back()
    {
        using var browser = new Browser(provider.Issuer);
        await site.Visit(browser, "/");

        var back = await site.Visit(browser, "/signed-in?logout=" + Uri.EscapeDataString(site.Url + "/public"));

        Assert.Equal("/public", JsonNode.Parse(back.Body)!["path"]!.GetValue<string>());
        var page = await browser.Follow(await browser.Get(site.Url + "/"));
        Assert.Contains("id=\"login-submit\"", page.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Signing_out_at_the_provider_reaches_the_site_by_back_channel()
    {
        using var browser = new Browser(provider.Issuer);
        await site.Visit(browser, "/");
        Assert.Equal(200, (await browser.Get(site.Url + "/")).Status);

        var question = await browser.Follow(await browser.Get("/connect/logout"));
        Assert.Contains("id=\"logout-confirm\"", question.Body, StringComparison.Ordinal);
        await browser.Submit(question, "/sign-out");

        // The notice comes from the outbox, soon but not at once.
        var since = Stopwatch.StartNew();
        while ((await browser.Get(site.Url + "/")).Status == 200)
        {
            Assert.True(since.Elapsed < TimeSpan.FromSeconds(90), $"The session at the site goes on. Apache says:\n{site.Log}");
            await Task.Delay(100);
        }
    }

    private static string Header(JsonNode seen, string name) => seen["headers"]![name]!.GetValue<string>();

    /// <summary>Apache and the app behind it.</summary>
    public sealed class Site : IAsyncLifetime
    {
        private readonly InteropProvider _provider;
        private readonly string _folder = Directory.CreateTempSubdirectory("idp-apache-").FullName;
        private readonly string _appUrl = $"http://127.0.0.1:{ChildProcess.FreePort()}";
        private WebApplication? _app;
        private ChildProcess? _apache;

        public Site(InteropProvider provider) => _provider = provider;

        public string? Log => _apache?.Output;

        public string Url { get; } = $"http://localhost:{ChildProcess.FreePort()}";

        public async Task InitializeAsync()
        {
            const string program = "/usr/sbin/apache2";
            if (!File.Exists(program) || !File.Exists("/usr/lib/apache2/modules/mod_auth_openidc.so"))
                throw new InvalidOperationException("These tests need packages from Debian: run `make setup`.");

            await _provider.AddApp("apache", "--secret", InteropProvider.Secret, "--redirect-uri", Url + "/signed-in", "--post-logout-redirect-uri", Url + "/public",
                "--backchannel-logout-uri", Url + "/signed-in?logout=backchannel");
            _app = EchoApp();
            await _app.StartAsync();
            // Root's Apache serves as another user, who has to read the certificate of the provider.
            var certificate = Path.Combine(_folder, "provider.pem");
            File.Copy(TestTls.CertificateFile, certificate);
            if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(_folder, (UnixFileMode)0b111_101_101);
            var configuration = Path.Combine(ChildProcess.Repository, "tests", "interop", "mod_auth_openidc", "httpd.conf");
            _apache = await ChildProcess.Serve(new Uri(Url + "/public"), [program, "-D", "FOREGROUND", "-f", configuration], _folder, new Dictionary<string, string>
            {
                ["FOLDER"] = _folder, ["SITE"] = Url, ["SITE_HOST"] = "localhost", ["SITE_PORT"] = new Uri(Url).Port.ToString(), ["APP"] = _appUrl,
                ["ISSUER"] = _provider.Issuer, ["CA_BUNDLE"] = certificate, ["CLIENT_ID"] = "apache", ["CLIENT_SECRET"] = InteropProvider.Secret,
                ["CRYPTO_PASSPHRASE"] = CodeFlow.Random(),
            });
        }

        public async Task DisposeAsync()
        {
            if (_apache is not null) await _apache.DisposeAsync();
            if (_app is not null) await _app.DisposeAsync();
            Directory.Delete(_folder, recursive: true);
        }

        /// <summary>Opens an address of the site as a person does, through sign-in and consent, to the app's answer.</summary>
        internal async Task<PageAnswer> Visit(Browser browser, string path)
        {
            var answer = await browser.Get(Url + path);
            for (var steps = 0; steps < 20; steps++)
            {
                if (answer.Location is { } location) answer = await browser.Get(new Uri(answer.Response.RequestMessage!.RequestUri!, location).AbsoluteUri);
                else if (answer.Body.Contains("id=\"login-submit\"", StringComparison.Ordinal)) answer = await browser.SignIn(answer, InteropProvider.User, InteropProvider.Password);
                else if (answer.Body.Contains("id=\"consent-accept\"", StringComparison.Ordinal)) answer = await browser.Accept(answer);
                else if (answer.Status == 200) return answer;
                else break;
            }
            throw new InvalidOperationException($"{answer.Response.RequestMessage!.RequestUri!.GetLeftPart(UriPartial.Path)} answered {answer.Status}:\n{answer.Body}\nApache says:\n{_apache!.Output}");
        }

        private WebApplication EchoApp()
        {
            var builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            var app = builder.Build();
            app.Urls.Add(_appUrl);
            app.Run(http => http.Response.WriteAsync(JsonSerializer.Serialize(new
            {
                path = http.Request.Path + http.Request.QueryString,
                headers = http.Request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString()),
            })));
            return app;
        }
    }
}
