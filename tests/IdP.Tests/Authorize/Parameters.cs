using System.Text;
using AngleSharp.Html.Parser;
using IdP.Testing;
using IdP.Tests.Support;
using Xunit;

namespace IdP.Tests.Authorize;

/// <summary>RFC 6749 §3.1, §4.1.1: what an authorization request may say, and that it is answered for what it is.</summary>
public sealed class Parameters(PageServer fixture) : IClassFixture<PageServer>
{
    private IdpServer Server => fixture.Server;

    public static TheoryData<string> HostileTexts =>
    [
        "<svg onload=alert(1)>", "\"><script>alert(1)</script>", "a\r\nSet-Cookie: x=y\r\n\r\n<html>", "&error=access_denied", "x&iss=https://evil.test&code=y", "#code=x", "%41%2541", "a+b c%20d",
        "\u00e9\u4e2d\ud83d\ude00\u202e\u2028\u0000end", "'; DROP TABLE Grants;--", "{{7*7}}${7*7}", "../../etc/passwd", new string('s', 1500), string.Concat(Enumerable.Repeat("a\u00e4\u4e2d", 200)),
    ];

    [Theory]
    [Trait("Case", "AUZ-05")]
    [InlineData("client_id", "web")]
    [InlineData("redirect_uri", "https://web.test/callback")]
    public async Task What_says_who_asks_and_where_the_answer_goes_must_not_repeat(string name, string value)
    {
        using var browser = new Browser(Server);
        foreach (var again in (string[])[value, "https://evil.test/", ""])
        {
            await browser.RefusedOnPage(Server, $"{Browser.Address(new CodeFlow().Parameters())}&{name}={Uri.EscapeDataString(again)}");
            await browser.RefusedOnPage(Server, $"/connect/authorize?{name}={Uri.EscapeDataString(again)}&{Browser.Address(new CodeFlow().Parameters()).Split('?')[1]}");
        }
    }

    [Theory]
    [Trait("Case", "AUZ-05")]
    [InlineData("scope", "openid")]
    [InlineData("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")]
    [InlineData("code_challenge_method", "S256")]
    [InlineData("response_type", "code")]
    [InlineData("nonce", "n")]
    [InlineData("prompt", "login")]
    [InlineData("max_age", "10")]
    [InlineData("claims", "{}")]
    [InlineData("response_mode", "query")]
    [InlineData("unheard_of", "x")]
    public async Task Nothing_else_may_repeat_either_and_the_client_is_told(string name, string value)
    {
        using var browser = new Browser(Server);
        var flow = new CodeFlow { With = { [name] = value } };
        foreach (var again in (string[])[value, "other"]) await browser.RefusedToClient(Server, flow, "invalid_request", $"{Browser.Address(flow.Parameters())}&{name}={Uri.EscapeDataString(again)}");
    }

    [Fact]
    [Trait("Case", "AUZ-05")]
    public async Task Of_two_states_none_is_returned()
    {
        using var browser = new Browser(Server);
        var flow = new CodeFlow();
        var before = await Server.IssuedRows();
        FrontChannel.IsRefusal(Server, await browser.Get(Browser.Address(flow.Parameters()) + "&state=another"), flow, "invalid_request", hasState: false);
        Assert.Equal(before, await Server.IssuedRows());
    }

    [Theory]
    [Trait("Case", "AUZ-07")]
    [InlineData("token", "unsupported_response_type")]
    [InlineData("id_token", "unsupported_response_type")]
    [InlineData("id_token token", "unsupported_response_type")]
    [InlineData("code token", "unsupported_response_type")]
    [InlineData("token code", "unsupported_response_type")]
    [InlineData("code id_token", "unsupported_response_type")]
    [InlineData("code code", "unsupported_response_type")]
    [InlineData("code ", "unsupported_response_type")]
    [InlineData("CODE", "unsupported_response_type")]
    [InlineData("none", "unsupported_response_type")]
    [InlineData("device", "unsupported_response_type")]
    [InlineData("", "invalid_request")]
    [InlineData(null, "invalid_request")]
    public async Task Only_a_code_ever_comes_through_the_browser(string? type, string error)
    {
        using var browser = new Browser(Server);
        var flow = new CodeFlow { With = { ["response_type"] = type } };
        await browser.RefusedToClient(Server, flow, error);
        // Somebody who is signed in and has consented gets no more.
        await browser.Complete(new CodeFlow().Parameters());
        await browser.RefusedToClient(Server, flow, error);
    }

    [Theory]
    [Trait("Case", "AUZ-07")]
    [InlineData("response_type", "token")]
    [InlineData("scope", "openid items:write")]
    [InlineData("redirect_uri", "https://spa.test/callback")]
    [InlineData("client_id", "spa")]
    [InlineData("response_mode", "fragment")]
    [InlineData("ui_locales", "de")]
    public async Task What_is_added_on_the_way_back_from_a_page_counts_for_nothing(string name, string value)
    {
        using var browser = new Browser(Server);
        var flow = new CodeFlow { With = { ["prompt"] = "consent" } };
        var page = await browser.Authorize(flow.Parameters());
        FrontChannel.IsSignIn(page);
        var more = $"&{name}={Uri.EscapeDataString(value)}";
        var posted = await browser.Submit(page, "/sign-in?" + more[1..], ("username", "alice"), ("password", IdpServer.Password), (name, value));
        page = await browser.Follow(await browser.Get(posted.Location! + more));
        FrontChannel.IsConsent(page);
        Assert.Single(new HtmlParser().ParseDocument(page.Body).QuerySelectorAll("#consent-items li"));
        posted = await browser.Submit(page, "/consent?" + more[1..], (name, value));
        var code = FrontChannel.IsCode(Server, await browser.Get(posted.Location! + more), flow);
        Assert.Equal("openid", (await flow.Redeem(Server, code)).Json["scope"]!.GetValue<string>());
    }

    [Theory]
    [Trait("Case", "AUZ-08")]
    [InlineData("web_message")]
    [InlineData("jwt")]
    [InlineData("query.jwt")]
    [InlineData("FORM_POST")]
    [InlineData("form_post ")]
    [InlineData("query fragment")]
    public async Task A_response_mode_that_nobody_knows_is_told_to_the_client(string mode)
    {
        using var browser = new Browser(Server);
        await browser.RefusedToClient(Server, new CodeFlow { With = { ["response_mode"] = mode } }, "invalid_request");
    }

    [Theory]
    [Trait("Case", "AUZ-08")]
    [Trait("Case", "AUZ-09")]
    [MemberData(nameof(HostileTexts))]
    public async Task A_form_post_page_carries_hostile_text_as_text(string state)
    {
        const string address = "https://form.test/cb?q=\"><svg/onload='alert(1)'>&a=b";
        if ((await Server.Post("/connect/token", "poster", ("grant_type", "none"))).Error == "invalid_client")
            await Server.AddClient("poster", "authorization_code", "openid", c => c.RedirectUris = [address]);
        using var browser = new Browser(Server);
        var flow = new CodeFlow { ClientId = "poster", RedirectUri = address, State = state, With = { ["response_mode"] = "form_post" } };
        foreach (var answer in (PageAnswer[])[await browser.Get(Browser.Address(new CodeFlow { ClientId = "poster", RedirectUri = address, State = state, With = { ["response_mode"] = "form_post", ["prompt"] = "none" } }.Parameters())), await browser.Complete(flow.Parameters())])
        {
            Assert.Equal(200, answer.Status);
            FrontChannel.HoldPage(answer);
            var policy = answer.Header("Content-Security-Policy");
            var document = new HtmlParser().ParseDocument(answer.Body);
            var form = Assert.Single(document.QuerySelectorAll("form"));
            Assert.Equal(address, form.GetAttribute("action"));
            Assert.Equal("post", form.GetAttribute("method"));
            // HTML cannot say NUL; a browser would make it U+FFFD in any case.
            Assert.Equal(state.Replace('\0', '\ufffd').Replace("\r\n", "\n", StringComparison.Ordinal), form.QuerySelector("input[name=state]")!.GetAttribute("value")!.Replace("\r\n", "\n", StringComparison.Ordinal));
            Assert.Equal(Server.Issuer, form.QuerySelector("input[name=iss]")!.GetAttribute("value"));
            var script = Assert.Single(document.QuerySelectorAll("script"));
            Assert.Contains($"'nonce-{script.GetAttribute("nonce")}'", policy, StringComparison.Ordinal);
            Assert.Empty(document.QuerySelectorAll("svg, img, iframe, meta[http-equiv], [onload], [onclick]"));
        }
    }

    [Theory]
    [Trait("Case", "AUZ-09")]
    [MemberData(nameof(HostileTexts))]
    public async Task A_state_of_any_content_comes_back_byte_for_byte_and_on_no_page(string state)
    {
        using var browser = new Browser(Server);
        await browser.RefusedToClient(Server, new CodeFlow { State = state, Scope = "unheard-of" }, "invalid_scope");
        await browser.RefusedToClient(Server, new CodeFlow { State = state, With = { ["response_type"] = "token" } }, "unsupported_response_type");
        var flow = new CodeFlow { State = state };
        var page = await browser.Authorize(flow.Parameters());
        FrontChannel.IsSignIn(page);
        Assert.DoesNotContain(state, page.Body, StringComparison.Ordinal);
        FrontChannel.IsCode(Server, await browser.Complete(flow.Parameters()), flow);
        var denied = new CodeFlow { State = state, With = { ["prompt"] = "consent" } };
        FrontChannel.IsRefusal(Server, await browser.Deny(await browser.Authorize(denied.Parameters())), denied, "access_denied");
    }

    [Fact]
    [Trait("Case", "AUZ-18")]
    public async Task The_authorization_endpoint_answers_no_script_of_another_origin()
    {
        using var browser = new Browser(Server);
        foreach (var method in (string[])["OPTIONS", "GET", "POST", "HEAD", "PUT"])
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), Browser.Address(new CodeFlow { ClientId = "spa", RedirectUri = "https://spa.test/callback" }.Parameters()));
            request.Headers.Add("Origin", "https://spa.test");
            request.Headers.Add("Access-Control-Request-Method", "GET");
            var answer = await browser.Send(request);
            Assert.True(answer.Status < 500, answer.Body);
            Assert.DoesNotContain(answer.Response.Headers, header => header.Key.StartsWith("Access-Control", StringComparison.OrdinalIgnoreCase));
            if (method is not ("GET" or "POST")) Assert.Equal((405, "GET, POST"), (answer.Status, answer.Header("Allow")));
        }
    }

    [Fact]
    [Trait("Case", "AUZ-21")]
    public async Task Enormous_requests_are_refused_and_unknown_parameters_ignored()
    {
        using var browser = new Browser(Server);
        Assert.Equal(414, (await browser.Get(Browser.Address(new CodeFlow { With = { ["x"] = new string('x', 16 * 1024) } }.Parameters()))).Status);
        await browser.RefusedOnPage(Server, $"{Browser.Address(new CodeFlow().Parameters())}&{string.Join('&', Enumerable.Range(0, 100).Select(i => $"p{i}=1"))}");
        var many = string.Join('&', new CodeFlow().Parameters().Select(pair => $"{pair.Key}={Uri.EscapeDataString(pair.Value)}").Concat(Enumerable.Range(0, 10_000).Select(i => $"{i:x}=")));
        using var form = new HttpRequestMessage(HttpMethod.Post, "/connect/authorize") { Content = new ByteArrayContent(Encoding.ASCII.GetBytes(many)) { Headers = { { "Content-Type", "application/x-www-form-urlencoded" } } } };
        await browser.RefusedOnPage(Server, form, status: many.Length > 64 * 1024 ? 413 : 400);
        // Of a size that the endpoint reads and no address carries: the client is told what to do.
        var flow = new CodeFlow { With = { ["x"] = new string('x', 7000) } };
        await browser.RefusedToClient(Server, flow, "invalid_request");
        using var posted = new HttpRequestMessage(HttpMethod.Post, "/connect/authorize") { Content = new FormUrlEncodedContent(flow.Parameters()) };
        FrontChannel.IsRefusal(Server, await browser.Send(posted), flow, "invalid_request");

        var odd = new CodeFlow { With = { ["unheard_of"] = "x", ["\u00fc"] = "\u00e4", ["__proto__"] = "1", ["form_token"] = "x", ["handler"] = "Deny" } };
        FrontChannel.IsCode(Server, await browser.Complete(odd.Parameters()), odd);
    }

    [Theory]
    [Trait("Case", "AUZ-21")]
    [InlineData(5000)]
    [InlineData(5900)]
    public async Task What_is_just_small_enough_makes_the_whole_way_through_the_pages(int size)
    {
        using var browser = new Browser(Server);
        var flow = new CodeFlow { With = { ["x"] = new string('x', size - 400), ["prompt"] = "login consent" } };
        FrontChannel.IsCode(Server, await browser.Complete(flow.Parameters()), flow);
        using var posted = new HttpRequestMessage(HttpMethod.Post, "/connect/authorize") { Content = new FormUrlEncodedContent(flow.Parameters()) };
        FrontChannel.IsSignIn(await browser.Follow(await browser.Send(posted)));
    }

    [Theory]
    [Trait("Case", "AUZ-22")]
    [InlineData(64)]
    [InlineData(2048)]
    public async Task A_long_nonce_is_returned_whole(int length)
    {
        using var browser = new Browser(Server);
        var flow = new CodeFlow { Nonce = new string('n', length) };
        var tokens = await flow.Redeem(Server, FrontChannel.IsCode(Server, await browser.Complete(flow.Parameters()), flow));
        Assert.Equal(flow.Nonce, IdToken.Claims(tokens)["nonce"]!.GetValue<string>());
    }

    [Fact]
    [Trait("Case", "AUZ-22")]
    public async Task A_nonce_that_is_too_long_is_told_to_the_client()
    {
        using var browser = new Browser(Server);
        await browser.RefusedToClient(Server, new CodeFlow { Nonce = new string('n', 2049) }, "invalid_request");
    }
}
