namespace IdP.Browser.Tests;

/// <summary>
/// Swagger UI of the sample API: its Authorize button signs in at the real provider, and then its endpoints answer. With IDP_SCREENSHOTS set to
/// a folder, it leaves a picture there (build/screenshots.sh).
/// </summary>
[Collection(nameof(Chromium))]
public sealed class InteractiveDocuments(Chromium chromium) : IAsyncLifetime
{
    private static readonly string? Pictures = Environment.GetEnvironmentVariable("IDP_SCREENSHOTS");
    private static readonly string Provider = $"http://localhost:{(Pictures is null ? ChildProcess.FreePort() : 8080)}";
    private static readonly string Api = $"http://localhost:{(Pictures is null ? ChildProcess.FreePort() : 7001)}";
    private IdpServer _server = null!;
    private ChildProcess _api = null!;

    public async Task InitializeAsync()
    {
        _server = await IdpServer.StartEmpty(options => options.Urls = Provider);
        await DemoData.Fill(_server.App.Services, Api, CancellationToken.None);
        _api = await ChildProcess.Serve(new Uri(Api + "/health/live"),
            ["dotnet", Path.Combine(AppContext.BaseDirectory, "ResourceApi.dll"), "--urls", Api, "--Provider:Issuer", Provider]);
    }

    public async Task DisposeAsync()
    {
        await _api.DisposeAsync();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task Authorize_by_the_code_flow_signs_in_at_the_provider()
    {
        await using var tab = await Open();
        Assert.Equal("401", await Call(tab.Page, "/policies/scopes"));
        var flow = await Flow(tab.Page, "authorizationCode");
        Assert.Equal("demo-docs", await flow.Locator("input[id^=client_id]").InputValueAsync());
        await flow.GetByText("select all", new LocatorGetByTextOptions { Exact = true }).ClickAsync();
        var popup = await tab.Page.RunAndWaitForPopupAsync(() => flow.Locator("button.authorize").ClickAsync());
        await popup.FillAsync("#username", "alice");
        await popup.FillAsync("#password", "alice-Wonderland-42");
        await popup.ClickAsync("#login-submit");
        await popup.ClickAsync("#consent-accept");
        await Authorized(tab.Page, flow);

        Assert.Equal("200", await Call(tab.Page, "/policies/scopes"));
        Assert.Equal("200", await Call(tab.Page, "/local/items"));
        if (Pictures is { } folder) await tab.Page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(folder, "documents.png") });
        Assert.DoesNotContain(tab.Complaints, complaint => complaint.StartsWith("policy", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Authorize_by_password_gets_what_the_person_may_do()
    {
        await using var tab = await Open();
        var flow = await Flow(tab.Page, "password");
        await flow.Locator("#oauth_username").FillAsync("bob");
        await flow.Locator("#oauth_password").FillAsync("bob-Builder-4242");
        await flow.GetByText("select all", new LocatorGetByTextOptions { Exact = true }).ClickAsync();
        await flow.Locator("button.authorize").ClickAsync();
        await Authorized(tab.Page, flow);

        Assert.Equal("200", await Call(tab.Page, "/policies/role"));
        // Bob is no manager: he may not delete, whatever his program may.
        Assert.Equal("403", await Call(tab.Page, "/policies/items/{id}"));
    }

    [Fact]
    public async Task Authorize_by_client_credentials_gets_what_the_service_may_do()
    {
        await using var tab = await Open();
        var flow = await Flow(tab.Page, "clientCredentials");
        await flow.Locator("input[id^=client_id]").FillAsync("demo-service");
        await flow.Locator("input[id^=client_secret]").FillAsync("demo-service-secret");
        await flow.Locator("label[for='items:read-clientCredentials-checkbox-OAuth2']").ClickAsync();
        await flow.Locator("button.authorize").ClickAsync();
        await Authorized(tab.Page, flow);

        Assert.Equal("200", await Call(tab.Page, "/local/items"));
        Assert.Equal("403", await Call(tab.Page, "/policies/scopes"));
    }

    private async Task<Tab> Open()
    {
        var tab = await chromium.Open(new BrowserNewContextOptions { ViewportSize = new ViewportSize { Width = 1100, Height = 900 }, ColorScheme = ColorScheme.Light });
        await tab.Page.GotoAsync(Api + "/docs/index.html");
        await tab.Page.WaitForSelectorAsync(".btn.authorize");
        return tab;
    }

    private static async Task<ILocator> Flow(IPage page, string name)
    {
        await page.Locator(".scheme-container .btn.authorize").ClickAsync();
        var flow = page.Locator(".auth-container").Filter(new LocatorFilterOptions { HasText = $"OAuth2 (OAuth2, {name}" });
        await flow.WaitForAsync();
        return flow;
    }

    private static async Task Authorized(IPage page, ILocator flow)
    {
        await flow.Locator("button", new LocatorLocatorOptions { HasText = "Logout" }).WaitForAsync();
        await page.Locator(".close-modal").ClickAsync();
    }

    /// <summary>Tries an endpoint; the status of its answer.</summary>
    private static async Task<string> Call(IPage page, string path)
    {
        var block = page.Locator(".opblock").Filter(new LocatorFilterOptions { Has = page.Locator($".opblock-summary-path[data-path='{path}']") }).First;
        if (!(await block.GetAttributeAsync("class"))!.Contains("is-open", StringComparison.Ordinal)) await block.Locator(".opblock-summary-control").First.ClickAsync();
        var tryIt = block.Locator(".try-out__btn:not(.cancel)");
        if (await block.Locator(".execute").CountAsync() == 0) await tryIt.ClickAsync();
        if (path.Contains('{', StringComparison.Ordinal)) await block.Locator(".parameters input").First.FillAsync("1");
        await page.RunAndWaitForResponseAsync(() => block.Locator(".execute").ClickAsync(), response => response.Url.Contains(path.Split('{')[0], StringComparison.Ordinal));
        var status = block.Locator(".live-responses-table .response-col_status").Nth(1);
        await status.WaitForAsync();
        return (await status.InnerTextAsync()).Trim().Split('\n')[0];
    }
}
