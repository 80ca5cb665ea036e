using IdP.Testing;
using IdP.Tests.Support;
using Xunit;

namespace IdP.Tests.Passkeys;

/// <summary>The offer after a sign-in by password, and what the provider publishes of passkeys.</summary>
public sealed class Offers(PageServer fixture) : IClassFixture<PageServer>
{
    private readonly IdpServer _server = fixture.Server;
    private readonly VirtualAuthenticator _authenticator = new(fixture.Server.Issuer);

    [Fact]
    public async Task Who_could_have_a_passkey_is_offered_one_and_then_goes_where_they_wanted_to()
    {
        var user = await _server.AddUser($"offered-{Guid.NewGuid():N}");
        using var browser = new Browser(_server);
        var flow = new CodeFlow();
        var offer = await SignIn(browser, flow, user.UserName!, capable: true);
        FrontChannel.IsPage(offer, "id=\"passkey-later\"");
        var answer = _authenticator.Create(await browser.Options(offer, PasskeyPages.Account), new VirtualPasskey());
        var consent = await browser.Follow(await browser.Submit(offer, "/account/passkeys/offer", ("credential", answer)));
        FrontChannel.IsCode(_server, await browser.Accept(consent), flow);

        // Whoever has one is left in peace.
        using var again = new Browser(_server);
        FrontChannel.IsCode(_server, await SignIn(again, flow = new CodeFlow(), user.UserName!, capable: true), flow);
    }

    [Fact]
    public async Task A_no_holds_in_that_browser_and_without_the_script_nothing_is_offered()
    {
        var user = await _server.AddUser($"asked-{Guid.NewGuid():N}");
        using var browser = new Browser(_server);
        FrontChannel.IsConsent(await SignIn(browser, new CodeFlow(), user.UserName!, capable: false));

        using var other = new Browser(_server);
        var offer = await SignIn(other, new CodeFlow(), user.UserName!, capable: true);
        FrontChannel.IsConsent(await other.Follow(await other.Submit(offer, "/account/passkeys/offer?handler=Later")));
        FrontChannel.IsConsent(await SignIn(other, new CodeFlow { With = { ["prompt"] = "login" } }, user.UserName!, capable: true));
    }

    [Fact]
    public async Task An_answer_that_is_refused_is_said_and_the_way_on_is_open()
    {
        var user = await _server.AddUser($"clumsy-{Guid.NewGuid():N}");
        using var browser = new Browser(_server);
        var offer = await SignIn(browser, new CodeFlow(), user.UserName!, capable: true);
        var refused = await browser.Submit(offer, "/account/passkeys/offer", ("credential", "{}"));
        FrontChannel.IsPage(refused, "id=\"problem\"", status: 400);
        FrontChannel.IsConsent(await browser.Follow(await browser.Submit(refused, "/account/passkeys/offer?handler=Later")));
    }

    [Fact]
    public async Task Where_passkeys_are_managed_and_which_other_origins_may_use_them_is_published()
    {
        var endpoints = await _server.Send(new HttpRequestMessage(HttpMethod.Get, "/.well-known/passkey-endpoints"));
        Assert.Equal("application/json", endpoints.Header("Content-Type"));
        Assert.Equal($$"""{"enroll":"{{_server.Issuer}}/account/passkeys","manage":"{{_server.Issuer}}/account/passkeys"}""", endpoints.Body);
        Assert.Equal(404, (await _server.Send(new HttpRequestMessage(HttpMethod.Get, "/.well-known/webauthn"))).Status);

        await using var related = await IdpServer.Start(options => options.Passkeys.RelatedOrigins = "https://login.example.org https://login.example.net:8443", https: true);
        var document = await related.Send(new HttpRequestMessage(HttpMethod.Get, "/.well-known/webauthn"));
        Assert.Equal("""{"origins":["https://login.example.org","https://login.example.net:8443"]}""", document.Body);
        // Their pages may ask, and nobody else's.
        var passkey = await related.Register(new VirtualAuthenticator(related.Issuer));
        foreach (var (origin, isAccepted) in ((string, bool)[])[("https://login.example.net", false), ("https://login.example.org", true)])
        {
            using var browser = new Browser(related);
            var answer = await browser.SignInBy(await browser.Authorize(new CodeFlow().Parameters()), new VirtualAuthenticator(origin), passkey);
            Assert.Equal(isAccepted, answer.Body.Contains("id=\"consent-accept\"", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task At_an_address_that_browsers_have_no_passkeys_for_nothing_is_said_of_them()
    {
        await using var server = await IdpServer.Start(options => options.Issuer = "http://idp.internal");
        using var request = new HttpRequestMessage(HttpMethod.Get, "/.well-known/passkey-endpoints");
        request.Headers.Host = "idp.internal";
        Assert.Equal("{}", (await server.Send(request)).Body);
    }

    [Theory]
    [InlineData("example.com", "", "Passkeys:RelyingPartyId is 'example.com'")]
    [InlineData("ocalhost", "", "Passkeys:RelyingPartyId is 'ocalhost'")]
    [InlineData(null, "http://login.example.org", "Passkeys:RelatedOrigins has 'http://login.example.org'")]
    [InlineData(null, "https://login.example.org/", "Passkeys:RelatedOrigins has 'https://login.example.org/'")]
    public async Task Settings_that_no_browser_would_follow_stop_the_start(string? party, string origins, string said)
    {
        var failure = await Assert.ThrowsAsync<IdP.Http.ConfigurationException>(() => IdpServer.Start(options => (options.Passkeys.RelyingPartyId, options.Passkeys.RelatedOrigins) = (party, origins)));
        Assert.StartsWith(said, failure.Message, StringComparison.Ordinal);
    }

    private static async Task<PageAnswer> SignIn(Browser browser, CodeFlow flow, string user, bool capable)
    {
        var page = await browser.Authorize(flow.Parameters());
        return await browser.Follow(await browser.Submit(page, "/sign-in", ("username", user), ("password", IdpServer.Password), ("passkeys", capable ? "1" : "")));
    }
}
