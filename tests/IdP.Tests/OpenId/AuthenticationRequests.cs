using System.Text.Json.Nodes;
using AngleSharp.Html.Parser;
using IdP.Testing;
using IdP.Tests.Conformance;
using IdP.Tests.Support;
using Xunit;

namespace IdP.Tests.OpenId;

/// <summary>OpenID Connect Core §3.1.2.1: what a client may say of the sign-in.</summary>
public sealed class S3_1_2_1_AuthenticationRequest(PageServer fixture) : IClassFixture<PageServer>
{
    private readonly IdpServer _server = fixture.Server;

    [Fact]
    public async Task Max_age_0_signs_in_every_time()
    {
        using var browser = new Browser(_server);
        var first = await browser.Walked(_server, new CodeFlow());
        _server.Clock.Advance(TimeSpan.FromSeconds(1));
        var flow = new CodeFlow { With = { ["max_age"] = "0" } };
        var page = await browser.Authorize(flow.Parameters());
        Assert.True(page.IsSignIn());
        var second = await _server.Redeemed(flow, await browser.SignIn(page));
        Assert.True(AuthTime(second) > AuthTime(first));
        // Proving it once more begins no other session for the apps that know this one.
        Assert.Equal(first.IdToken!["sid"]!.GetValue<string>(), second.IdToken!["sid"]!.GetValue<string>());
    }

    [Theory]
    [InlineData("-1"), InlineData("1.5"), InlineData("ten"), InlineData("+5"), InlineData(" 5"), InlineData("0x10"), InlineData("99999999999999999999")]
    public async Task A_max_age_that_is_no_number_of_seconds_is_invalid_request(string maxAge)
    {
        using var browser = new Browser(_server);
        var flow = new CodeFlow { With = { ["max_age"] = maxAge } };
        (await browser.Authorize(flow.Parameters())).IsRefused(_server, flow, "invalid_request");
    }

    [Fact]
    public async Task Max_age_of_any_length_is_as_good_as_none()
    {
        using var browser = new Browser(_server);
        await browser.Walked(_server, new CodeFlow());
        var flow = new CodeFlow { With = { ["max_age"] = "999999999999999999" } };
        await _server.Redeemed(flow, await browser.Authorize(flow.Parameters()));
    }

    [Fact]
    public async Task With_prompt_none_an_old_sign_in_is_login_required()
    {
        using var browser = new Browser(_server);
        await browser.Walked(_server, new CodeFlow());
        _server.Clock.Advance(TimeSpan.FromSeconds(5));
        var flow = new CodeFlow { With = { ["max_age"] = "4", ["prompt"] = "none" } };
        (await browser.Authorize(flow.Parameters())).IsRefused(_server, flow, "login_required");
    }

    [Theory]
    [InlineData("none login"), InlineData("consent none"), InlineData("none select_account"), InlineData("create"), InlineData("LOGIN"), InlineData("login  consent"), InlineData("login,consent")]
    public async Task A_prompt_that_contradicts_itself_or_is_unknown_is_invalid_request(string prompt)
    {
        using var browser = new Browser(_server);
        await browser.Walked(_server, new CodeFlow());
        var flow = new CodeFlow { With = { ["prompt"] = prompt } };
        (await browser.Authorize(flow.Parameters())).IsRefused(_server, flow, "invalid_request");
    }

    [Fact]
    public async Task Every_prompt_and_display_that_is_published_is_understood()
    {
        var metadata = await _server.Metadata();
        using var browser = new Browser(_server);
        await browser.Walked(_server, new CodeFlow());
        foreach (var prompt in CommonChecks.List(metadata, "prompt_values_supported"))
        {
            var answer = await browser.Authorize(new CodeFlow { With = { ["prompt"] = prompt } }.Parameters());
            var (isCode, isSignIn, isConsent) = (answer.Location is not null && answer.ResponseParameters().ContainsKey("code"), answer.IsSignIn(), answer.IsConsent());
            Assert.Equal((prompt == "none", prompt is "login" or "select_account", prompt == "consent"), (isCode, isSignIn, isConsent));
        }
        foreach (var display in CommonChecks.List(metadata, "display_values_supported"))
        {
            var flow = new CodeFlow { With = { ["display"] = display } };
            await _server.Redeemed(flow, await browser.Authorize(flow.Parameters()));
        }
    }

    [Fact]
    public async Task Login_and_consent_together_show_both_pages()
    {
        using var browser = new Browser(_server);
        await browser.Walked(_server, new CodeFlow());
        var flow = new CodeFlow { With = { ["prompt"] = "consent login" } };
        var page = await browser.Authorize(flow.Parameters());
        Assert.True(page.IsSignIn());
        page = await browser.SignIn(page);
        Assert.True(page.IsConsent());
        await _server.Redeemed(flow, await browser.Accept(page));
    }

    [Fact]
    public async Task Prompt_none_without_consent_is_consent_required()
    {
        using var browser = new Browser(_server);
        await _server.AddUser("fresh");
        await browser.Walked(_server, new CodeFlow(), "fresh");
        var flow = new CodeFlow { Scope = "openid offline_access", With = { ["prompt"] = "none" } };
        (await browser.Authorize(flow.Parameters())).IsRefused(_server, flow, "consent_required");
    }

    [Fact]
    public async Task Select_account_lets_the_person_go_on_or_become_another()
    {
        using var browser = new Browser(_server);
        var alice = await browser.Walked(_server, new CodeFlow());

        var flow = new CodeFlow { With = { ["prompt"] = "select_account" } };
        var page = await browser.Authorize(flow.Parameters());
        Assert.Contains("id=\"account-continue\"", page.Body, StringComparison.Ordinal);
        var same = await _server.Redeemed(flow, await browser.Follow(await browser.Submit(page, "/sign-in?handler=Continue")));
        Assert.Equal((alice.Subject, AuthTime(alice)), (same.Subject, AuthTime(same)));

        var other = new CodeFlow { With = { ["prompt"] = "select_account" } };
        var answer = await browser.SignIn(await browser.Authorize(other.Parameters()), "bob");
        if (answer.IsConsent()) answer = await browser.Accept(answer);
        var bob = await _server.Redeemed(other, answer);
        Assert.NotEqual(alice.Subject, bob.Subject);
        Assert.NotEqual(alice.IdToken!["sid"]!.GetValue<string>(), bob.IdToken!["sid"]!.GetValue<string>());
    }

    [Fact]
    public async Task Select_account_of_nobody_is_an_ordinary_sign_in()
    {
        using var browser = new Browser(_server);
        var page = await browser.Authorize(new CodeFlow { With = { ["prompt"] = "select_account" } }.Parameters());
        Assert.True(page.IsSignIn());
        Assert.DoesNotContain("account-continue", page.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_id_token_hint_holds_for_whom_it_names_even_when_it_has_expired()
    {
        using var browser = new Browser(_server);
        using var others = new Browser(_server);
        var (alice, bob) = (await browser.Walked(_server, new CodeFlow()), await others.Walked(_server, new CodeFlow(), "bob"));
        // §3.1.2.1: an expired ID token may serve as a hint.
        _server.Clock.Advance(TimeSpan.FromHours(2));

        var own = Hinted(alice.RawIdToken, "none");
        Assert.Equal(alice.Subject, (await _server.Redeemed(own, await browser.Authorize(own.Parameters()))).Subject);
        var foreign = Hinted(bob.RawIdToken, "none");
        (await browser.Authorize(foreign.Parameters())).IsRefused(_server, foreign, "login_required");

        // With a page the meant person signs in; whoever else does is asked again.
        var asked = Hinted(bob.RawIdToken, prompt: null);
        var page = await browser.Authorize(asked.Parameters());
        Assert.True(page.IsSignIn());
        page = await browser.SignIn(page, "alice");
        Assert.True(page.IsSignIn());
        Assert.Equal(bob.Subject, (await _server.Redeemed(asked, await browser.SignIn(page, "bob"))).Subject);
    }

    [Fact]
    public async Task A_hint_that_is_no_id_token_of_this_client_says_nothing_about_whoever_is_signed_in()
    {
        using var browser = new Browser(_server);
        var alice = await browser.Walked(_server, new CodeFlow());
        await _server.AddClient("other-web", "authorization_code", "openid", c => c.RedirectUris = ["https://other.test/callback"]);
        var others = await browser.Walked(_server, new CodeFlow { ClientId = "other-web", RedirectUri = "https://other.test/callback" });
        var claims = JsonNode.Parse(alice.IdToken!.ToJsonString())!.AsObject();
        var unsigned = $"{System.Buffers.Text.Base64Url.EncodeToString("""{"alg":"none"}"""u8)}.{System.Buffers.Text.Base64Url.EncodeToString(System.Text.Encoding.UTF8.GetBytes(claims.ToJsonString()))}.";

        foreach (var hint in (string[])[alice.Tokens.AccessToken, others.RawIdToken, unsigned, alice.RawIdToken[..^4] + "AAAA", alice.RawIdToken + "x", "hint"])
        {
            var flow = Hinted(hint, "none");
            (await browser.Authorize(flow.Parameters())).IsRefused(_server, flow, "login_required");
        }
    }

    [Theory]
    [InlineData("alice"), InlineData("nobody@example.com"), InlineData("\"><script>alert(1)</script>")]
    public async Task A_login_hint_is_written_into_the_form_and_nothing_else(string hint)
    {
        using var browser = new Browser(_server);
        var page = await browser.Authorize(new CodeFlow { With = { ["login_hint"] = hint } }.Parameters());
        var form = new HtmlParser().ParseDocument(page.Body);
        Assert.Equal(hint, form.QuerySelector("#username")!.GetAttribute("value"));
        Assert.Empty(form.QuerySelectorAll("script:not([src^='/ui/'])"));
        Assert.True((await browser.SignIn(page)).Status is 200 or 303);
    }

    [Theory]
    [InlineData("de", "de"), InlineData("fr de en", "de"), InlineData("de-AT", "de"), InlineData("en", "en"), InlineData("se", "en"), InlineData("not a tag at all", "en")]
    public async Task Ui_locales_choose_the_first_language_that_there_is(string asked, string language)
    {
        using var browser = new Browser(_server);
        var page = await browser.Authorize(new CodeFlow { With = { ["ui_locales"] = asked } }.Parameters());
        Assert.Equal(language, new HtmlParser().ParseDocument(page.Body).DocumentElement.GetAttribute("lang"));
    }

    [Theory]
    [InlineData("display", "touch"), InlineData("display", "hologram"), InlineData("claims_locales", "xx"), InlineData("acr_values", "urn:example:unknown"), InlineData("id_token_hint", "")]
    public async Task What_is_a_wish_that_nobody_can_fulfil_is_no_error(string name, string value)
    {
        using var browser = new Browser(_server);
        Assert.Equal("urn:idp:acr:password", (await browser.Walked(_server, new CodeFlow { With = { [name] = value } })).IdToken!["acr"]!.GetValue<string>());
    }

    [Fact]
    public async Task Without_the_scope_openid_there_is_no_id_token_and_no_userinfo()
    {
        using var browser = new Browser(_server);
        var walked = await browser.Walked(_server, new CodeFlow { Scope = "items:read" });
        Assert.Null(walked.IdToken);
        Assert.Equal(403, (await _server.UserInfo(walked.Tokens.AccessToken)).Status);
    }

    private static CodeFlow Hinted(string hint, string? prompt) => new() { With = { ["id_token_hint"] = hint, ["prompt"] = prompt } };

    private static long AuthTime(Walked walked) => walked.IdToken!["auth_time"]!.GetValue<long>();
}
