using IdP.Clients;
using Microsoft.Extensions.DependencyInjection;

namespace IdP.Browser.Tests;

/// <summary>
/// The sample apps of samples/web against the demo's data, as a person uses them: openid-client on a server, oidc-client-ts in the browser.
/// With IDP_SCREENSHOTS set to a folder, it leaves pictures there (build/screenshots.sh).
/// </summary>
[Collection(nameof(Chromium))]
public sealed class SampleApps(Chromium chromium) : IAsyncLifetime
{
    private static readonly string? Pictures = Environment.GetEnvironmentVariable("IDP_SCREENSHOTS");
    // The pictures show the addresses that the documents name; a test takes whatever is free.
    private static readonly string Provider = $"http://localhost:{(Pictures is null ? ChildProcess.FreePort() : 8080)}";
    private static readonly string Sample = $"http://localhost:{(Pictures is null ? ChildProcess.FreePort() : 7200)}";
    private IdpServer _server = null!;
    private ChildProcess _sample = null!;

    public async Task InitializeAsync()
    {
        var folder = Path.Combine(ChildProcess.Repository, "samples", "web");
        if (!Directory.Exists(Path.Combine(folder, "node_modules"))) throw new InvalidOperationException("The samples need packages from npm: run `make setup`.");
        _server = await IdpServer.StartEmpty(options => options.Urls = Provider);
        await DemoData.Fill(_server.App.Services, DemoData.DefaultApiUrl, CancellationToken.None);
        await _server.Change(async (db, version) =>
        {
            foreach (var client in db.Set<Client>().Where(client => client.ClientId == "demo-web" || client.ClientId == "demo-spa"))
            {
                client.RedirectUris = [.. client.RedirectUris.Select(HereFor)];
                client.PostLogoutRedirectUris = [.. client.PostLogoutRedirectUris.Select(HereFor)];
                client.Origins = [.. client.Origins.Select(HereFor)];
                client.Version = version;
            }
            await db.SaveChangesAsync();
        });
        _sample = await ChildProcess.Serve(new Uri(Sample), ["node", "app.mjs"], folder, new Dictionary<string, string> { ["ISSUER"] = Provider, ["PORT"] = new Uri(Sample).Port.ToString() });
    }

    public async Task DisposeAsync()
    {
        await _sample.DisposeAsync();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task The_web_app_signs_in_refreshes_and_signs_out()
    {
        await using var tab = await chromium.Open(new BrowserNewContextOptions { ViewportSize = new ViewportSize { Width = 640, Height = 760 }, ColorScheme = ColorScheme.Light });
        var page = tab.Page;
        await page.GotoAsync(Sample);
        await page.ClickAsync("#login");
        await page.WaitForSelectorAsync("#login-submit");
        Assert.Equal("Demo web app", await page.InnerTextAsync("#client-name"));
        await page.FillAsync("#username", "alice");
        await Picture(page, "sign-in");
        await page.FillAsync("#password", "alice-Wonderland-42");
        await page.ClickAsync("#login-submit");
        await page.WaitForSelectorAsync("#consent-accept");
        await Picture(page, "consent");
        await page.ClickAsync("#consent-accept");

        await page.WaitForSelectorAsync("#refresh");
        Assert.Equal("Hello, Alice Liddell", await page.InnerTextAsync("h1"));
        Assert.Contains("alice@example.com", await page.InnerTextAsync("#userinfo"), StringComparison.Ordinal);
        var claims = await page.InnerTextAsync("#claims");
        foreach (var expected in (string[])[Provider, "demo-web", "nonce", "auth_time"]) Assert.Contains(expected, claims, StringComparison.Ordinal);
        Assert.Equal("0", await page.InnerTextAsync("#refreshes"));
        await page.ClickAsync("#refresh");
        await page.WaitForFunctionAsync("document.getElementById('refreshes')?.textContent === '1'");
        await page.ClickAsync("#refresh");
        await page.WaitForFunctionAsync("document.getElementById('refreshes')?.textContent === '2'");
        Assert.Contains("alice@example.com", await page.InnerTextAsync("#userinfo"), StringComparison.Ordinal);

        await page.ClickAsync("#logout");
        await page.WaitForSelectorAsync("#login");
        Assert.Equal(Sample + "/", page.Url);
        await page.ClickAsync("#login");
        // Signed out at the provider too: the next sign-in asks who it is.
        await page.WaitForSelectorAsync("#login-submit");
        Assert.DoesNotContain(tab.Complaints, complaint => complaint.StartsWith("policy", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_app_in_the_browser_signs_in_refreshes_and_signs_out()
    {
        await using var tab = await chromium.Open();
        var page = tab.Page;
        await page.GotoAsync(Sample + "/spa.html");
        await page.ClickAsync("#login");
        await tab.SignIn("alice", "alice-Wonderland-42");
        await page.ClickAsync("#consent-accept");

        await page.WaitForSelectorAsync("#refresh:visible");
        Assert.Equal(Sample + "/spa.html", page.Url);
        Assert.Contains("alice@example.com", await page.InnerTextAsync("#userinfo"), StringComparison.Ordinal);
        for (var i = 1; i <= 2; i++)
        {
            await page.ClickAsync("#refresh");
            await page.WaitForFunctionAsync("count => document.getElementById('status').textContent === `Signed in. Refreshed ${count} times.`", i);
        }
        await page.ClickAsync("#logout");
        await page.WaitForSelectorAsync("#login:visible");
        Assert.Equal(Sample + "/spa.html", page.Url);
        await page.ClickAsync("#login");
        await page.WaitForSelectorAsync("#login-submit");
        Assert.DoesNotContain(tab.Complaints, complaint => complaint.StartsWith("policy", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_person_who_does_not_agree_is_told_so_by_the_app()
    {
        await using var tab = await chromium.Open();
        await tab.Page.GotoAsync(Sample);
        await tab.Page.ClickAsync("#login");
        await tab.SignIn("bob", "bob-Builder-4242");
        await tab.Page.ClickAsync("#consent-deny");

        await tab.Page.WaitForSelectorAsync("#problem");
        Assert.Contains("access_denied", await tab.Page.InnerTextAsync("#problem"), StringComparison.Ordinal);
    }

    private static string HereFor(string address) => address.Replace("http://localhost:7200", Sample, StringComparison.Ordinal);

    private static async Task Picture(IPage page, string name)
    {
        if (Pictures is { } folder) await page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(folder, name + ".png") });
    }
}
