using System.Collections.Concurrent;

namespace IdP.Browser.Tests;

/// <summary>Debian's Chromium, started once, with a profile of its own that goes with it; the provider over TLS and an app on another origin.</summary>
public sealed class Chromium : IAsyncLifetime
{
    private static readonly string[] Flags =
        ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"];
    private IPlaywright _playwright = null!;
    private IBrowser _browser = null!;

    internal const string AppId = "piano";

    internal IdpServer Server { get; private set; } = null!;

    internal Site App { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        var program = ((string[])["/usr/bin/chromium", "/usr/bin/chromium-browser"]).FirstOrDefault(File.Exists) ?? throw new InvalidOperationException("Chromium is missing: run `make setup`.");
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions { ExecutablePath = program, Args = Flags, Timeout = 60_000 });
        // Tests give wrong passwords for the same few people; locking them is looked at elsewhere.
        Server = await IdpServer.Start(options => (options.Passwords.LockoutAttempts, options.Registration.Mode) = (100_000, "open"), https: true);
        App = await Site.Start();
        await App.Register(Server, AppId);
    }

    public async Task DisposeAsync()
    {
        await _browser.DisposeAsync();
        _playwright.Dispose();
        await App.DisposeAsync();
        await Server.DisposeAsync();
    }

    /// <summary>A window with no cookies.</summary>
    internal async Task<Tab> Open(BrowserNewContextOptions? options = null)
    {
        options ??= new BrowserNewContextOptions();
        // The certificate is made by the tests; what it protects is looked at elsewhere.
        options.IgnoreHTTPSErrors = true;
        options.Locale ??= "en-GB";
        var context = await _browser.NewContextAsync(options);
        context.SetDefaultTimeout(60_000);
        return await Tab.Open(context, Server);
    }

    /// <summary>A request of the app for a sign-in.</summary>
    internal CodeFlow Flow(string scope = "openid profile offline_access", params (string Name, string? Value)[] with) => new()
    {
        ClientId = AppId, RedirectUri = App.Callback, Scope = scope, With = with.ToDictionary(pair => pair.Name, pair => pair.Value, StringComparer.Ordinal),
    };
}

/// <summary>A page in the browser that writes down what no page of ours may cause.</summary>
internal sealed class Tab : IAsyncDisposable
{
    private readonly IBrowserContext _context;
    private readonly IdpServer _server;
    private readonly ConcurrentQueue<string> _complaints = new();
    private readonly ConcurrentQueue<string> _requests = new();

    private Tab(IBrowserContext context, IPage page, IdpServer server) => (_context, Page, _server) = (context, page, server);

    public IPage Page { get; }

    public IBrowserContext Context => _context;

    /// <summary>Violations of a policy, errors in the console, dialogs.</summary>
    public IReadOnlyCollection<string> Complaints => _complaints;

    /// <summary>The addresses of everything that was loaded.</summary>
    public IReadOnlyCollection<string> Requests => _requests;

    public static async Task<Tab> Open(IBrowserContext context, IdpServer server)
    {
        var tab = new Tab(context, await context.NewPageAsync(), server);
        await tab.Watch();
        return tab;
    }

    /// <summary>Goes to the authorization endpoint, and wherever it leads.</summary>
    public Task Authorize(CodeFlow flow) => Page.GotoAsync(_server.Url + IdP.Testing.Browser.Address(flow.Parameters()));

    public async Task SignIn(string user = "alice", string password = IdpServer.Password)
    {
        await Page.FillAsync("#username", user);
        await Page.FillAsync("#password", password);
        await Page.ClickAsync("#login-submit");
    }

    /// <summary>Whether nothing of the page is wider than the window.</summary>
    public Task<bool> Fits() => Page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= document.documentElement.clientWidth");

    public async ValueTask DisposeAsync() => await _context.DisposeAsync();

    private async Task Watch()
    {
        Page.Console += (_, message) => { if (message.Type is "error" or "warning") _complaints.Enqueue($"console {message.Type}: {message.Text}"); };
        Page.PageError += (_, error) => _complaints.Enqueue($"script: {error}");
        Page.Dialog += (_, dialog) =>
        {
            _complaints.Enqueue($"dialog: {dialog.Message}");
            _ = dialog.DismissAsync();
        };
        Page.Request += (_, request) => _requests.Enqueue(request.Url);
        await Page.ExposeFunctionAsync("reportViolation", (string violation) => _complaints.Enqueue($"policy: {violation}"));
        await Page.AddInitScriptAsync("document.addEventListener('securitypolicyviolation', e => window.reportViolation(`${e.violatedDirective} ${e.blockedURI}`))");
    }
}

[CollectionDefinition(nameof(Chromium))]
public sealed class UsesChromium : ICollectionFixture<Chromium>;
