using IdP.Protocol.OAuth;
using IdP.Testing;
using IdP.Tests.Support;
using Xunit;

namespace IdP.Tests.Authorize;

/// <summary>RFC 9700 §4.1.3: a response goes to a registered address, compared character by character, or nowhere.</summary>
public sealed class RedirectAddresses(PageServer fixture) : IClassFixture<PageServer>
{
    private IdpServer Server => fixture.Server;

    public static TheoryData<string> AlmostRegistered =>
    [
        "https://web.test/callback/", "https://web.test/CALLBACK", "https://web.test/callback?x=1", "https://web.test/callback?", "https://web.test/callback#f", "https://web.test/callback#",
        "https://web.test/callback/..;/evil", "https://web.test/callback/../x", "https://web.test/x/../callback", "https://web.test/./callback", "https://web.test//callback",
        "https://web.test/callback%2f..", "https://web.test/callback%252e", "https://web.test/%63allback", "https://web.test/callback\\evil", "https:\\\\web.test\\callback",
        "//web.test/callback", "//evil.test/callback", "/callback", "callback", "https:/web.test/callback", "https:web.test/callback",
        "https://web.test@evil.test/callback", "https://web.test\\@evil.test/callback", "https://user@web.test/callback", "https://user:password@web.test/callback",
        "https://web.test.evil.test/callback", "https://evilweb.test/callback", "https://web.test./callback", "https://web.test:444/callback", "https://web.test:443/callback",
        "https://web.test:/callback", "http://web.test/callback", "HTTPS://web.test/callback", "https://WEB.test/callback", "https://w\u0435b.test/callback", "https://xn--wb-nlc.test/callback",
        "\thttps://web.test/callback", " https://web.test/callback", "\rhttps://web.test/callback", "\nhttps://web.test/callback", "\0https://web.test/callback",
        "https://web.test/callback ", "https://web.test/callback\0", "https://web.test/callback%00", "https://web.test/callback\r\nX: y", "https://web.test/call\tback",
        "javascript:alert(1)", "JaVaScRiPt:alert(1)//https://web.test/callback", "data:text/html,<script>alert(1)</script>", "file:///etc/passwd", "urn:ietf:wg:oauth:2.0:oob",
        "https://web.test/callback https://evil.test/", "https://web.test/callback,https://evil.test/", "https://web.test/callback\u2028", "\ufeffhttps://web.test/callback", "*", "null",
    ];

    [Theory]
    [Trait("Case", "AUZ-01")]
    [MemberData(nameof(AlmostRegistered))]
    public async Task An_address_that_is_almost_the_registered_one_is_told_on_a_page(string address)
    {
        using var browser = new Browser(Server);
        var page = await browser.RefusedOnPage(Server, Browser.Address(new CodeFlow { RedirectUri = address }.Parameters()));
        Assert.DoesNotContain("evil.test", page.Body, StringComparison.Ordinal);
        Assert.DoesNotContain("<script", page.Body, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("evil.test", page.Header("Content-Security-Policy"), StringComparison.Ordinal);

        // By form, and by the back channel, it is the same.
        using var form = new HttpRequestMessage(HttpMethod.Post, "/connect/authorize") { Content = new FormUrlEncodedContent(new CodeFlow { RedirectUri = address }.Parameters()) };
        await browser.RefusedOnPage(Server, form);
        await Server.Refused(400, "invalid_request", "/connect/par", "web", [.. new CodeFlow { RedirectUri = address }.Parameters().Select(pair => (pair.Key, pair.Value))]);
    }

    [Theory]
    [Trait("Case", "AUZ-01")]
    [InlineData("")]
    [InlineData(null)]
    public async Task An_empty_or_missing_address_is_told_on_a_page_even_if_only_one_is_registered(string? address)
    {
        using var browser = new Browser(Server);
        await browser.RefusedOnPage(Server, Browser.Address(new CodeFlow { With = { ["redirect_uri"] = address } }.Parameters()));
    }

    [Fact]
    [Trait("Case", "AUZ-01")]
    public async Task An_address_of_eight_kilobytes_is_told_on_a_page()
    {
        using var browser = new Browser(Server);
        await browser.RefusedOnPage(Server, Browser.Address(new CodeFlow { RedirectUri = "https://web.test/callback" + new string('a', 8000) }.Parameters()));
    }

    [Fact]
    [Trait("Case", "AUZ-01")]
    public async Task Another_clients_address_and_an_unknown_client_are_told_on_a_page()
    {
        using var browser = new Browser(Server);
        await browser.RefusedOnPage(Server, Browser.Address(new CodeFlow { RedirectUri = "https://spa.test/callback" }.Parameters()));
        await browser.RefusedOnPage(Server, Browser.Address(new CodeFlow { ClientId = "WEB" }.Parameters()));
        await browser.RefusedOnPage(Server, Browser.Address(new CodeFlow { ClientId = "web\0" }.Parameters()));
        await browser.RefusedOnPage(Server, Browser.Address(new CodeFlow { With = { ["client_id"] = null } }.Parameters()));
        // A client that has no address cannot be answered anywhere.
        await browser.RefusedOnPage(Server, Browser.Address(new CodeFlow { ClientId = "service" }.Parameters()));
    }

    [Theory]
    [Trait("Case", "AUZ-02")]
    [InlineData("http://127.0.0.1/cb")]
    [InlineData("http://127.0.0.1:1/cb")]
    [InlineData("http://127.0.0.1:49152/cb")]
    [InlineData("http://127.0.0.1:65535/cb")]
    [InlineData("http://[::1]:8080/six")]
    [InlineData("com.example.app:/cb")]
    public async Task A_native_app_may_listen_on_any_port(string address)
    {
        await AddNative();
        using var browser = new Browser(Server);
        var flow = new CodeFlow { ClientId = "native", RedirectUri = address };
        FrontChannel.IsCode(Server, await browser.Complete(flow.Parameters()), flow);
    }

    [Theory]
    [Trait("Case", "AUZ-02")]
    [InlineData("http://localhost/cb")]
    [InlineData("http://localhost:5000/cb")]
    [InlineData("http://127.0.0.1:5000/other")]
    [InlineData("http://127.0.0.1:5000/cb?x=1")]
    [InlineData("http://127.0.0.1:5000/cb/")]
    [InlineData("http://127.0.0.1:5000/cb#f")]
    [InlineData("http://[::1]/cb")]
    [InlineData("http://[::1]:5000/cb")]
    [InlineData("http://127.0.0.1:/cb")]
    [InlineData("http://127.0.0.1:x/cb")]
    [InlineData("http://127.0.0.1:65536/cb")]
    [InlineData("http://127.0.0.1:000080/cb")]
    [InlineData("http://127.0.0.1:-1/cb")]
    [InlineData("http://127.0.0.1:80@evil.test/cb")]
    [InlineData("http://127.0.0.1:80.evil.test/cb")]
    [InlineData("http://127.0.0.1@evil.test/cb")]
    [InlineData("http://127.0.0.1.evil.test/cb")]
    [InlineData("http://127.0.0.2:5000/cb")]
    [InlineData("http://127.1:5000/cb")]
    [InlineData("http://2130706433:5000/cb")]
    [InlineData("https://127.0.0.1:5000/cb")]
    [InlineData("http://127.0.0.1:\u0665\u0660\u0660\u0660/cb")]
    [InlineData("com.example.app://cb")]
    [InlineData("com.example.APP:/cb")]
    public async Task Nothing_but_the_port_of_a_native_apps_address_may_differ(string address)
    {
        await AddNative();
        using var browser = new Browser(Server);
        await browser.RefusedOnPage(Server, Browser.Address(new CodeFlow { ClientId = "native", RedirectUri = address }.Parameters()));
    }

    [Fact]
    [Trait("Case", "AUZ-02")]
    public async Task An_app_that_is_not_native_has_the_port_that_it_registered_and_no_loopback_that_it_did_not()
    {
        await Server.AddClient("local-web", "authorization_code", "openid", c => c.RedirectUris = ["http://127.0.0.1:5000/cb"]);
        using var browser = new Browser(Server);
        await browser.RefusedOnPage(Server, Browser.Address(new CodeFlow { ClientId = "local-web", RedirectUri = "http://127.0.0.1:5001/cb" }.Parameters()));
        await browser.RefusedOnPage(Server, Browser.Address(new CodeFlow { RedirectUri = "http://127.0.0.1/callback" }.Parameters()));
    }

    [Theory]
    [Trait("Case", "AUZ-06")]
    [InlineData("https://app.test/cb?code=x&state=y&iss=z")]
    [InlineData("https://app.test/cb?a=b&STATE=1&state=2")]
    [InlineData("https://app.test/cb?c%6Fde=x")]
    [InlineData("https://app.test/cb?error")]
    [InlineData("https://app.test/cb?response=x")]
    [InlineData("https://app.test/cb?x=1;y&id_token=z")]
    public void An_address_that_brings_parameters_of_the_response_cannot_be_registered(string address) => Assert.NotNull(RedirectUri.Problem(address, isNative: false));

    [Fact]
    [Trait("Case", "AUZ-06")]
    public async Task Parameters_of_the_apps_own_stay_and_those_of_the_response_appear_once()
    {
        const string address = "https://own.test/cb?code_of_conduct=1&x=a%26b";
        Assert.Null(RedirectUri.Problem(address, isNative: false));
        await Server.AddClient("own-query", "authorization_code", "openid", c => c.RedirectUris = [address]);
        using var browser = new Browser(Server);
        var flow = new CodeFlow { ClientId = "own-query", RedirectUri = address };
        var response = await browser.Complete(flow.Parameters());
        FrontChannel.HoldRedirect(response, address);
        Assert.All((string[])["code", "state", "iss"], name => Assert.NotNull(FrontChannel.Raw(response, name)));
    }

    [Theory]
    [Trait("Case", "AUZ-01")]
    [InlineData("javascript:alert(1)", true)]
    [InlineData("data:text/html,x", true)]
    [InlineData("vbscript:x", true)]
    [InlineData("file:///x", true)]
    [InlineData("https://a.test/cb#x", false)]
    [InlineData("http://a.test/cb", false)]
    [InlineData("https://u@a.test/cb", false)]
    [InlineData("https://A.test/cb", false)]
    [InlineData("https://a.test:443/cb", false)]
    [InlineData("https://a.test;b/cb", false)]
    [InlineData("https://a.test'/cb", false)]
    [InlineData("https://*.a.test/cb", false)]
    [InlineData("https://a.test\\cb", false)]
    [InlineData("http://localhost.evil.test/cb", false)]
    [InlineData("http://127.0.0.1.evil.test/cb", false)]
    [InlineData("http://localhost:80@evil.test/cb", false)]
    [InlineData("https://[::1%25x;]/cb", false)]
    [InlineData("myapp:/cb", true)]
    [InlineData("com.example.app:/cb", false)]
    public void What_no_browser_should_ever_be_sent_to_cannot_be_registered(string address, bool isNative) => Assert.NotNull(RedirectUri.Problem(address, isNative));

    private async Task AddNative()
    {
        if ((await Server.Post("/connect/token", null, ("client_id", "native"), ("grant_type", "authorization_code"))).Error == "invalid_client")
            await Server.AddClient("native", "authorization_code", "openid", c =>
            {
                (c.IsNative, c.RedirectUris) = (true, ["http://127.0.0.1/cb", "http://[::1]/six", "com.example.app:/cb"]);
            }, secret: null);
    }
}
