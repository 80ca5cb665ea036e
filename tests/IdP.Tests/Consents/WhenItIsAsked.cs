using IdP.Clients;
using IdP.Consents;
using IdP.Testing;
using IdP.Tests.Support;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace IdP.Tests.Consents;

/// <summary>Consent is remembered for what was shown and to whom it was given, and is gone when it is taken back.</summary>
public sealed class WhenItIsAsked(PageServer fixture) : IClassFixture<PageServer>
{
    private IdpServer Server => fixture.Server;

    [Fact]
    [Trait("Case", "AUZ-16")]
    public async Task Remembered_consent_covers_the_same_and_less_but_not_more()
    {
        using var browser = new Browser(Server);
        var flow = await Client("growing", "openid profile email offline_access items:read");
        await Consented(browser, flow("openid profile", null));
        await NotAsked(browser, flow("openid profile", null));
        await NotAsked(browser, flow("openid", null));
        await NotAsked(browser, flow("openid", """{"userinfo":{"unheard_of":null}}"""));
        foreach (var more in (CodeFlow[])[flow("openid email", null), flow("openid profile offline_access", null), flow("openid items:read", null), flow("openid", """{"userinfo":{"email":null}}"""), flow("openid", """{"id_token":{"email":null}}""")])
        {
            await browser.RefusedToClient(Server, Silent(more), "consent_required");
            FrontChannel.IsConsent(await browser.Authorize(more.Parameters()));
        }
        await NotAsked(browser, flow("openid profile", null));
    }

    [Theory]
    [Trait("Case", "AUZ-16")]
    [InlineData("name")]
    [InlineData("logo")]
    [InlineData("policy")]
    [InlineData("redirect")]
    public async Task A_client_that_looks_different_is_asked_for_again(string what)
    {
        using var browser = new Browser(Server);
        var flow = (await Client($"changing-{what}", "openid"))("openid", null);
        var accepted = await Consented(browser, flow);
        await Change(flow.ClientId, client =>
        {
            if (what == "name") client.Name = "Your bank";
            if (what == "logo") client.LogoUri = "https://bank.test/logo.png";
            if (what == "policy") client.PolicyUri = "https://other.test/";
            if (what == "redirect") client.RedirectUris = [flow.RedirectUri, "https://elsewhere.test/cb"];
        });
        await browser.RefusedToClient(Server, Silent(flow), "consent_required");
        FrontChannel.IsConsent(await browser.Authorize(flow.Parameters()));
        // What was sealed when the old one was consented to does not help either.
        FrontChannel.IsConsent(await browser.Follow(await browser.Get(accepted)));
    }

    [Fact]
    [Trait("Case", "AUZ-16")]
    public async Task What_the_person_saw_is_what_they_consent_to()
    {
        using var browser = new Browser(Server);
        var flow = (await Client("swapping", "openid"))("openid", null);
        var page = await browser.SignIn(await browser.Authorize(flow.Parameters()));
        FrontChannel.IsConsent(page);
        await Change("swapping", client => client.Name = "Your bank");
        var rows = await Server.IssuedRows();
        var again = await browser.Accept(page);
        FrontChannel.IsConsent(again);
        Assert.Contains("Your bank", again.Body, StringComparison.Ordinal);
        Assert.Equal(rows, await Server.IssuedRows());
        FrontChannel.IsCode(Server, await browser.Accept(again), flow);
    }

    [Fact]
    [Trait("Case", "AUZ-16")]
    public async Task Another_client_of_the_same_name_and_another_person_are_asked()
    {
        using var browser = new Browser(Server);
        var (one, other) = ((await Client("same-1", "openid"))("openid", null), (await Client("same-2", "openid"))("openid", null));
        await Consented(browser, one);
        FrontChannel.IsConsent(await browser.Authorize(other.Parameters()));
        FrontChannel.IsConsent(await browser.SignIn(await browser.Authorize(new CodeFlow { ClientId = "same-1", RedirectUri = one.RedirectUri, With = { ["prompt"] = "login" } }.Parameters()), "bob"));
    }

    [Fact]
    [Trait("Case", "AUZ-16")]
    public async Task A_scope_that_is_called_like_a_claim_opens_no_claim()
    {
        await Server.AddResource("urn:test:odd", ["claim:email", "idp.claim:email"]);
        using var browser = new Browser(Server);
        var flow = await Client("odd-scopes", "openid email claim:email idp.claim:email");
        await Consented(browser, flow("openid claim:email idp.claim:email", null));
        await browser.RefusedToClient(Server, Silent(flow("openid", """{"userinfo":{"email":null}}""")), "consent_required");
    }

    [Fact]
    [Trait("Case", "AUZ-16")]
    public async Task An_app_that_another_could_pass_for_is_asked_for_every_time()
    {
        await Server.AddClient("on-device", "authorization_code", "openid", c => (c.IsNative, c.RedirectUris) = (true, ["http://127.0.0.1/cb", "com.example.app:/cb", "https://app.example.test/cb"]), secret: null);
        using var browser = new Browser(Server);
        foreach (var address in (string[])["http://127.0.0.1:5001/cb", "com.example.app:/cb"])
        {
            var flow = new CodeFlow { ClientId = "on-device", RedirectUri = address };
            FrontChannel.IsCode(Server, await browser.Complete(flow.Parameters()), flow);
            await browser.RefusedToClient(Server, Silent(flow), "consent_required");
            FrontChannel.IsConsent(await browser.Authorize(flow.Parameters()));
        }
        var claimed = new CodeFlow { ClientId = "on-device", RedirectUri = "https://app.example.test/cb" };
        FrontChannel.IsCode(Server, await browser.Authorize(claimed.Parameters()), claimed);
    }

    [Fact]
    [Trait("Case", "AUZ-17")]
    [Trait("Case", "STA-08")]
    public async Task Consent_that_is_taken_back_ends_everything_and_is_asked_for_again()
    {
        using var browser = new Browser(Server);
        var make = await Client("withdrawn", "openid offline_access items:read");
        var flow = make("openid offline_access items:read", null);
        var accepted = await Consented(browser, flow);
        var tokens = await flow.Redeem(Server, FrontChannel.IsCode(Server, await browser.Get(accepted), flow));
        var pending = make("openid items:read", null);
        var code = FrontChannel.IsCode(Server, await browser.Authorize(pending.Parameters()), pending);

        await Withdraw("withdrawn");

        await Server.Refused(400, "invalid_grant", "/connect/token", "withdrawn", ("grant_type", "refresh_token"), ("refresh_token", tokens.Json["refresh_token"]!.GetValue<string>()));
        Assert.Equal("""{"active":false}""", (await Server.Introspect(tokens.AccessToken)).Body);
        Assert.Equal(400, (await pending.Redeem(Server, code)).Status);
        await browser.RefusedToClient(Server, Silent(flow), "consent_required");
        // The step from before, which the browser's history still has, is not consent any more.
        FrontChannel.IsConsent(await browser.Follow(await browser.Get(accepted)));
    }

    [Fact]
    [Trait("Case", "AUZ-17")]
    public async Task Of_consent_taken_back_while_codes_and_refreshes_race_nothing_is_left()
    {
        using var browser = new Browser(Server);
        var flow = (await Client("racing", "openid offline_access items:read"))("openid offline_access items:read", null);
        for (var round = 0; round < 8; round++)
        {
            await Consented(browser, flow);
            var first = (await flow.Redeem(Server, FrontChannel.IsCode(Server, await browser.Authorize(flow.Parameters()), flow))).Json["refresh_token"]!.GetValue<string>();
            var refreshes = Enumerable.Range(0, 3).Select(_ => Server.Post("/connect/token", "racing", ("grant_type", "refresh_token"), ("refresh_token", first))).ToList();
            var codes = Enumerable.Range(0, 3).Select(_ => browser.Authorize(flow.Parameters())).ToList();
            await Withdraw("racing");
            foreach (var answer in await Task.WhenAll(refreshes))
                if (answer.Status == 200) Assert.False((await Server.Introspect(answer.AccessToken)).Active);
            foreach (var answer in await Task.WhenAll(codes))
                if (answer.Location is not null && FrontChannel.Raw(answer, "error") is null) Assert.Equal("invalid_grant", (await flow.Redeem(Server, FrontChannel.IsCode(Server, answer, flow))).Error);
            await Server.Refused(400, "invalid_grant", "/connect/token", "racing", ("grant_type", "refresh_token"), ("refresh_token", first));
        }
    }

    /// <summary>Consents on the page; the address at which the browser went on.</summary>
    private async Task<string> Consented(Browser browser, CodeFlow flow)
    {
        var page = await browser.Authorize(flow.Parameters());
        if (page.Body.Contains("id=\"login-submit\"", StringComparison.Ordinal)) page = await browser.SignIn(page);
        FrontChannel.IsConsent(page);
        var accepted = await browser.Submit(page, "/consent");
        FrontChannel.IsCode(Server, await browser.Get(accepted.Location!), flow);
        return accepted.Location!;
    }

    private async Task NotAsked(Browser browser, CodeFlow flow)
    {
        flow = Silent(flow);
        FrontChannel.IsCode(Server, await browser.Get(Browser.Address(flow.Parameters())), flow);
    }

    private static CodeFlow Silent(CodeFlow flow) => new()
    {
        ClientId = flow.ClientId, RedirectUri = flow.RedirectUri, Scope = flow.Scope, With = new Dictionary<string, string?>(flow.With) { ["prompt"] = "none" },
    };

    private async Task<Func<string, string?, CodeFlow>> Client(string id, string scopes)
    {
        await Server.AddClient(id, "authorization_code refresh_token", scopes, c => (c.Name, c.RedirectUris) = ("An app", [$"https://{id}.test/cb"]));
        return (scope, claims) => new CodeFlow { ClientId = id, RedirectUri = $"https://{id}.test/cb", Scope = scope, With = { ["claims"] = claims } };
    }

    private async Task Withdraw(string clientId)
    {
        await using var db = Server.Database.OpenForReading();
        var alice = await db.Users.SingleAsync(u => u.UserName == "alice");
        var client = await db.Set<Client>().SingleAsync(c => c.ClientId == clientId);
        await Server.Change(async (change, _) => Assert.True(await Consent.Withdraw(change, alice.Id, client, "cli", Server.Clock.GetUtcNow(), CancellationToken.None)));
    }

    private Task Change(string clientId, Action<Client> change) => Server.Change(async (db, version) =>
    {
        var client = await db.Set<Client>().AsTracking().SingleAsync(c => c.ClientId == clientId);
        change(client);
        client.Version = version;
        await db.SaveChangesAsync();
    });
}
