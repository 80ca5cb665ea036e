using IdP.Testing;
using IdP.Tests.OpenId;
using IdP.Tests.Support;
using Xunit;

namespace IdP.Tests.Rfc9126;

/// <summary>RFC 9126 §2: a client hands its authorization request over by itself.</summary>
public sealed class S2_PushedAuthorizationRequest(PageServer fixture) : IClassFixture<PageServer>
{
    private const string Par = "/connect/par";
    private readonly IdpServer _server = fixture.Server;

    [Fact]
    public async Task S2_2_The_answer_is_201_with_a_request_uri_that_nobody_keeps()
    {
        var answer = await _server.Sent(Invariants.Form(Par, "web", Form(new CodeFlow())));
        Assert.Equal(201, answer.Status);
        Assert.Equal(["expires_in", "request_uri"], answer.Json.Names());
        Assert.Equal(90, answer.Json["expires_in"]!.GetValue<int>());
        Assert.StartsWith("urn:ietf:params:oauth:request_uri:", answer.Json["request_uri"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Equal($"{_server.Issuer}{Par}", (await _server.Metadata())["pushed_authorization_request_endpoint"]!.GetValue<string>());
    }

    // §2: as at the token endpoint; a public client names itself.
    [Fact]
    public async Task The_client_authenticates_as_at_the_token_endpoint()
    {
        var (web, spa) = (Form(new CodeFlow()), Form(new CodeFlow { ClientId = "spa", RedirectUri = "https://spa.test/callback" }));
        Assert.Equal(201, (await _server.Post(Par, null, [.. web, ("client_secret", IdpServer.Secret)])).Status);
        Assert.Equal(201, (await _server.Post(Par, null, spa)).Status);
        await _server.Refused(401, "invalid_client", Par, null, web);
        await _server.Refused(Invariants.Form(Par, "web", "another-secret", web), 401, "invalid_client");
        await _server.Refused(401, "invalid_client", Par, null, [.. web.Where(pair => pair.Item1 != "client_id")]);
        // Whoever authenticates as one client pushes no request of another.
        Assert.InRange((await _server.Post(Par, "web", spa)).Status, 400, 401);
    }

    // §2.3: the same errors as the authorization endpoint's, in the answer instead of a redirect.
    [Theory]
    [InlineData("redirect_uri", "https://evil.example/", "invalid_request")]
    [InlineData("redirect_uri", null, "invalid_request")]
    [InlineData("response_type", "token", "unsupported_response_type")]
    [InlineData("response_type", null, "invalid_request")]
    [InlineData("response_mode", "smoke", "invalid_request")]
    [InlineData("scope", "no:such:scope", "invalid_scope")]
    [InlineData("scope", null, "invalid_scope")]
    [InlineData("resource", "urn:unknown", "invalid_target")]
    [InlineData("code_challenge", null, "invalid_request")]
    [InlineData("code_challenge_method", "plain", "invalid_request")]
    [InlineData("prompt", "none login", "invalid_request")]
    [InlineData("max_age", "soon", "invalid_request")]
    [InlineData("claims", "{", "invalid_request")]
    [InlineData("request", "e30.e30.", "request_not_supported")]
    [InlineData("request_uri", "urn:ietf:params:oauth:request_uri:x", "invalid_request")]
    public async Task What_the_authorization_endpoint_would_refuse_is_refused_at_once(string name, string? value, string error) =>
        await _server.Refused(400, error, Par, "web", Form(new CodeFlow { With = { [name] = value } }));

    private static (string, string)[] Form(CodeFlow flow) => [.. flow.Parameters().Select(pair => (pair.Key, pair.Value))];
}

/// <summary>RFC 9126 §4, §6: the browser brings the request_uri.</summary>
public sealed class S4_AuthorizationRequest(PageServer fixture) : IClassFixture<PageServer>
{
    private readonly IdpServer _server = fixture.Server;

    [Fact]
    public async Task What_was_pushed_holds_and_nothing_beside_it()
    {
        using var browser = new Browser(_server);
        var flow = new CodeFlow { Scope = "openid email" };
        var address = await Pushed(flow);
        var answer = await browser.Complete([.. address, new("scope", "openid items:write"), new("state", "another"), new("redirect_uri", "https://evil.example/"), new("response_mode", "fragment"), new("prompt", "none")]);
        var walked = await _server.Redeemed(flow, answer);
        Assert.StartsWith(flow.RedirectUri + "?", answer.Location, StringComparison.Ordinal);
        Assert.Equal(flow.State, answer.ResponseParameters()["state"]);
        Assert.Equal("openid email", walked.Tokens.Json["scope"]!.GetValue<string>());
    }

    // §7.3: used up by its code, and not before, because pages are loaded again.
    [Fact]
    public async Task It_gives_one_code()
    {
        using var browser = new Browser(_server);
        var flow = new CodeFlow();
        var address = await Pushed(flow);
        await browser.Authorize(address);
        await _server.Redeemed(flow, await browser.Complete(address));
        CannotBeUsed(await browser.Authorize(address));
    }

    [Fact]
    public async Task It_is_bound_to_its_client_and_its_time()
    {
        using var browser = new Browser(_server);
        // The other client could make the very same request.
        await _server.AddClient("twin", "authorization_code", "openid", c => c.RedirectUris = ["https://web.test/callback"]);
        var address = await Pushed(new CodeFlow());
        CannotBeUsed(await browser.Authorize([new("client_id", "twin"), address[1]]));
        CannotBeUsed(await browser.Authorize([address[0], new("request_uri", address[1].Value + "x")]));
        CannotBeUsed(await browser.Authorize([address[0], new("request_uri", "urn:ietf:params:oauth:request_uri:unknown")]));
        CannotBeUsed(await browser.Authorize([address[1]]), "invalid_request");
        Assert.True((await browser.Authorize(address)).IsSignIn());
        _server.Clock.Advance(TimeSpan.FromSeconds(91));
        CannotBeUsed(await browser.Authorize(address));
    }

    [Fact]
    public async Task Whoever_has_opened_it_in_time_has_as_long_as_for_any_other_request()
    {
        using var browser = new Browser(_server);
        var flow = new CodeFlow();
        var page = await browser.Authorize(await Pushed(flow));
        _server.Clock.Advance(TimeSpan.FromMinutes(29));
        var answer = await browser.SignIn(page);
        if (answer.IsConsent()) answer = await browser.Accept(answer);
        await _server.Redeemed(flow, answer);
    }

    // §6
    [Fact]
    public async Task A_client_that_must_push_is_told_so()
    {
        await _server.AddClient("pushes", "authorization_code", "openid", c => (c.RedirectUris, c.RequiresPushedRequests) = (["https://pushes.test/callback"], true));
        using var browser = new Browser(_server);
        var flow = new CodeFlow { ClientId = "pushes", RedirectUri = "https://pushes.test/callback" };
        (await browser.Authorize(flow.Parameters())).IsRefused(_server, flow, "invalid_request");
        await _server.Redeemed(flow, await browser.Complete(await Pushed(flow)));
    }

    private async Task<KeyValuePair<string, string>[]> Pushed(CodeFlow flow)
    {
        var answer = await _server.Post("/connect/par", flow.ClientId, [.. flow.Parameters().Select(pair => (pair.Key, pair.Value))]);
        Assert.True(answer.Status == 201, answer.Body);
        return [new("client_id", flow.ClientId), new("request_uri", answer.Json["request_uri"]!.GetValue<string>())];
    }

    private static void CannotBeUsed(PageAnswer answer, string error = "invalid_request_uri")
    {
        Assert.Equal((400, null), (answer.Status, answer.Location));
        Assert.Contains("op-error", answer.Body, StringComparison.Ordinal);
        Assert.Contains($">{error}<", answer.Body, StringComparison.Ordinal);
    }
}
