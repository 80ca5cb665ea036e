using AngleSharp.Html.Parser;
using IdP.Testing;
using IdP.Tests.Conformance;
using IdP.Tests.Support;
using Xunit;

namespace IdP.Tests.OpenId;

/// <summary>OAuth 2.0 Multiple Response Type Encoding Practices §2.1 and Form Post Response Mode: where a response is written.</summary>
public sealed class ResponseModes(PageServer fixture) : IClassFixture<PageServer>
{
    private readonly IdpServer _server = fixture.Server;

    [Fact]
    public async Task Every_mode_that_is_published_works()
    {
        foreach (var mode in CommonChecks.List(await _server.Metadata(), "response_modes_supported"))
        {
            using var browser = new Browser(_server);
            var flow = new CodeFlow { With = { ["response_mode"] = mode } };
            var answer = await browser.Complete(flow.Parameters());
            if (mode == "form_post") Assert.Equal(flow.RedirectUri, new HtmlParser().ParseDocument(answer.Body).QuerySelector("form")!.GetAttribute("action"));
            else Assert.StartsWith(flow.RedirectUri + (mode == "fragment" ? "#" : "?"), answer.Location, StringComparison.Ordinal);
            CommonChecks.Success(answer.ResponseParameters(), flow.State, _server.Issuer);
            await _server.Redeemed(flow, answer);
        }
    }

    [Theory]
    [InlineData("query"), InlineData("fragment"), InlineData("form_post")]
    public async Task Errors_travel_like_codes(string mode)
    {
        using var browser = new Browser(_server);
        var flow = new CodeFlow { With = { ["response_mode"] = mode, ["prompt"] = "none" } };
        (await browser.Authorize(flow.Parameters())).IsRefused(_server, flow, "login_required", mode);
        var cancelled = new CodeFlow { With = { ["response_mode"] = mode } };
        var page = await browser.Authorize(cancelled.Parameters());
        (await browser.Follow(await browser.Submit(page, "/sign-in?handler=Cancel"))).IsRefused(_server, cancelled, "access_denied", mode);
    }

    [Theory]
    [InlineData("QUERY"), InlineData("query.jwt"), InlineData("jwt"), InlineData("web_message"), InlineData("query fragment"), InlineData("cookie")]
    public async Task A_mode_that_nobody_knows_is_invalid_request_in_the_usual_place(string mode)
    {
        using var browser = new Browser(_server);
        var flow = new CodeFlow { With = { ["response_mode"] = mode } };
        (await browser.Authorize(flow.Parameters())).IsRefused(_server, flow, "invalid_request");
    }

    // A client that asked for a token looks into the fragment, and that is where it is told.
    [Theory]
    [InlineData("token", "fragment"), InlineData("id_token", "fragment"), InlineData("code id_token", "fragment"), InlineData("code token", "fragment"), InlineData("id_token token", "fragment")]
    [InlineData("code id_token token", "fragment"), InlineData("none", "query"), InlineData("CODE", "query"), InlineData("code code", "query"), InlineData("saml", "query")]
    public async Task Any_type_but_code_is_unsupported_response_type_where_its_client_looks(string type, string mode)
    {
        using var browser = new Browser(_server);
        await browser.Walked(_server, new CodeFlow());
        var flow = new CodeFlow { With = { ["response_type"] = type } };
        (await browser.Authorize(flow.Parameters())).IsRefused(_server, flow, "unsupported_response_type", mode);
        Assert.Equal(["code"], CommonChecks.List(await _server.Metadata(), "response_types_supported"));
    }
}

/// <summary>OpenID Connect Core §3.1.2.6 and §6: what is refused, it is for what it is.</summary>
public sealed class S3_1_2_6_AuthenticationError(PageServer fixture) : IClassFixture<PageServer>
{
    private readonly IdpServer _server = fixture.Server;

    [Theory]
    [InlineData("request", "eyJhbGciOiJub25lIn0.e30.", "request_not_supported")]
    [InlineData("request", "x", "request_not_supported")]
    [InlineData("request_uri", "https://web.test/request.jwt", "request_uri_not_supported")]
    [InlineData("request_uri", "urn:example:request", "request_uri_not_supported")]
    [InlineData("registration", "{}", "registration_not_supported")]
    public async Task What_is_not_supported_is_refused_by_redirect_and_published_as_such(string name, string value, string error)
    {
        using var browser = new Browser(_server);
        var flow = new CodeFlow { With = { [name] = value } };
        (await browser.Authorize(flow.Parameters())).IsRefused(_server, flow, error);
        var metadata = await _server.Metadata();
        foreach (var flag in (string[])["request_parameter_supported", "request_uri_parameter_supported"]) Assert.False(metadata[flag]!.GetValue<bool>());
    }

    [Fact]
    public async Task A_person_who_says_no_on_either_page_is_access_denied()
    {
        using var browser = new Browser(_server);
        var cancelled = new CodeFlow();
        var page = await browser.Authorize(cancelled.Parameters());
        (await browser.Follow(await browser.Submit(page, "/sign-in?handler=Cancel"))).IsRefused(_server, cancelled, "access_denied");

        var denied = new CodeFlow { With = { ["prompt"] = "consent" } };
        page = await browser.SignIn(await browser.Authorize(denied.Parameters()));
        Assert.True(page.IsConsent());
        (await browser.Deny(page)).IsRefused(_server, denied, "access_denied");
        // Nothing was remembered of it.
        var silent = new CodeFlow { With = { ["prompt"] = "none" } };
        (await browser.Authorize(silent.Parameters())).IsRefused(_server, silent, "consent_required");
    }
}
