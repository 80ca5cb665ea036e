using IdP.Accounts;
using IdP.Clients;
using IdP.Protocol;
using IdP.Resources;
using IdP.Roles;
using IdP.Storage;
using IdP.Testing;
using IdP.Tests.Account;
using IdP.Tests.Passkeys;
using IdP.Tests.SecondFactors;
using IdP.Tests.Support;
using IdP.Tests.Upstream;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace IdP.Tests.States.Matrix;

/// <summary>
/// Somebody with everything that people can have here, somebody else with an authenticator app, and an app that may do everything: new ones
/// for every row, so that rows do not touch one another.
/// </summary>
internal sealed class World : IDisposable
{
    public const string OpaqueApi = "urn:test:matrix-opaque";
    private readonly List<Browser> _browsers = [];

    /// <summary>Recovery codes of the careful one, which need no clock; the clock of a database server is not a test's to move.</summary>
    private readonly Queue<string> _codes = new();

    private World(IdpServer server, OtherProvider other, string id) => (Server, Other, Person, Careful, Client, Upstream, Role) =
        (server, other, $"person-{id}", $"careful-{id}", $"app-{id}", $"up-{id}", $"role-{id}");

    public IdpServer Server { get; }
    public OtherProvider Other { get; }
    public string Person { get; }

    /// <summary>Has an authenticator app.</summary>
    public string Careful { get; }
    public string Client { get; }
    public string Upstream { get; }
    public string Role { get; }
    public VirtualPasskey Passkey { get; private set; } = null!;

    /// <summary>Where the person is signed in and has consented.</summary>
    public Browser Home { get; private set; } = null!;
    public string ApiKey { get; private set; } = null!;
    public string ClientApiKey { get; private set; } = null!;
    public VirtualAuthenticator Authenticator => new(Server.Issuer);

    public static async Task<World> Make(IdpServer server, OtherProvider other)
    {
        var world = new World(server, other, Guid.NewGuid().ToString("N")[..8]);
        await world.Fill();
        return world;
    }

    /// <summary>A second factor that has not been used.</summary>
    public string NextCode() => _codes.Dequeue();

    public Browser Browser()
    {
        var browser = new Browser(Server);
        _browsers.Add(browser);
        return browser;
    }

    public CodeFlow Flow(string scope = "openid items:read") => new() { ClientId = Client, RedirectUri = "https://matrix.test/cb", Scope = scope };

    /// <summary>A code for the person, or for whoever is signed in in the browser.</summary>
    public async Task<(CodeFlow Flow, string Code)> Code(string scope = "openid items:read", Browser? browser = null)
    {
        var flow = Flow(scope);
        return (flow, FrontChannel.IsCode(Server, await (browser ?? Home).Complete(flow.Parameters(), Person), flow));
    }

    public async Task<Answer> Tokens(string scope = "openid items:read", Browser? browser = null)
    {
        var (flow, code) = await Code(scope, browser);
        var answer = await flow.Redeem(Server, code);
        Assert.True(answer.Status == 200, answer.Body);
        return answer;
    }

    /// <summary>Signs in at the page of an account in a browser of its own.</summary>
    public async Task<Browser> SignedIn(string user, Func<Browser, PageAnswer, Task<PageAnswer>>? how = null)
    {
        var browser = Browser();
        var page = await SignInPage(browser);
        Assert.True(IsAccount(await (how ?? ((b, p) => b.SignIn(p, user)))(browser, page)));
        return browser;
    }

    public static async Task<PageAnswer> SignInPage(Browser browser)
    {
        var page = await browser.Follow(await browser.Get("/account"));
        Assert.True(page.AsksToSignIn());
        return page;
    }

    /// <summary>Whether the browser was let in.</summary>
    public static bool IsAccount(PageAnswer page) => page is { Status: 200 } && page.All("nav a[href='/account/sessions']").Length > 0;

    public static async Task<bool> IsSignedIn(Browser browser) => IsAccount(await browser.Follow(await browser.Get("/account")));

    /// <summary>Signs in with the other provider as somebody there; the page that comes of it.</summary>
    public async Task<PageAnswer> ByUpstream(Browser browser, PageAnswer page)
    {
        Other.Subject = $"{Person}-there";
        var pressed = await OtherProvider.Press(browser, page, Upstream);
        return pressed.Location is null ? pressed : await browser.Follow(await browser.Get(Other.Callback(pressed, Upstream)));
    }

    public async Task<string> Push(CodeFlow flow)
    {
        var answer = await Server.Post("/connect/par", Client, [.. flow.Parameters().Select(pair => (pair.Key, pair.Value))]);
        Assert.True(answer.Status == 201, answer.Body);
        return answer.Json["request_uri"]!.GetValue<string>();
    }

    /// <summary>A link to set another password by, as it stands in the mail.</summary>
    public Task<string> RecoveryLink() => RecoveryLink(Person);

    public async Task<string> RecoveryLink(string user)
    {
        var browser = Browser();
        Assert.NotNull((await browser.Submit(await browser.Get("/recovery"), "/recovery", ("username", user))).Text("#recovery-sent"));
        while (true)
            if ((await Server.NextMail($"{user}@example.com")).Link is var link && link.Contains("/recovery/password", StringComparison.Ordinal)) return link;
    }

    public Task Change(Func<IServiceProvider, IdpDbContext, long, Task> change) => Server.Change((db, version) => change(Server.App.Services, db, version));

    public Task<bool> IsActive(string token, string caller = "api") => Active(Server.Introspect(token, caller));

    public void Dispose() => _browsers.ForEach(browser => browser.Dispose());

    private static async Task<bool> Active(Task<Answer> answer) => (await answer) is { Status: 200 } told && told.Active;

    private async Task Fill()
    {
        if ((await Server.Introspect("t", "matrix-opaque-api")).Status == 401)
        {
            var opaque = await Server.AddResource(OpaqueApi, ["matrix:opaque"], r => r.TokenFormat = TokenFormat.Opaque);
            await Server.AddClient("matrix-opaque-api", "", "", c => c.ResourceId = opaque);
            await Change((services, db, _) => services.GetRequiredService<RoleStatements>().AddPermission(db, "matrix:do", IdpServer.Api, null, "cli", CancellationToken.None));
        }
        await Server.AddUser(Person);
        await Server.AddUser(Careful);
        await Server.AddClient(Client, "authorization_code refresh_token password client_credentials", "openid offline_access items:read matrix:opaque",
            c => (c.RedirectUris, c.SessionRefreshTokens) = (["https://matrix.test/cb"], true));
        await Server.Change(async (db, _) =>
        {
            var roles = Server.App.Services.GetRequiredService<RoleStatements>();
            await roles.AddRole(db, Role, null, "cli", CancellationToken.None);
            await roles.Permit(db, Role, ["matrix:do"], "cli", CancellationToken.None);
            await roles.Assign(db, Role, new RoleHolder(Person, null), "cli", CancellationToken.None);
        });
        await Other.Add(Upstream);
        using (var connecting = new Browser(Server))
            Assert.True(IsAccount(await connecting.SignIn(await ByUpstream(connecting, await SignInPage(connecting)), Person)));
        Passkey = await Server.Register(Authenticator, Person);
        using (var phone = new Browser(Server))
            foreach (var code in (await PhoneApp.SetUp(phone, Server, Careful)).RecoveryCodes) _codes.Enqueue(code);
        Home = await SignedIn(Person);
        ApiKey = await Server.ApiKeyOfUser(Person);
        ClientApiKey = await Server.ApiKeyOfClient(Client);
        await Code("openid offline_access items:read");
    }
}
