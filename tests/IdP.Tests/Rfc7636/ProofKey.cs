using System.Text.Json.Nodes;
using IdP.Testing;
using IdP.Tests.Support;
using Xunit;

namespace IdP.Tests.Rfc7636;

/// <summary>RFC 7636, RFC 9700 §2.1.1: a code is worth something only to who began the request, and nobody can take that proof out.</summary>
public sealed class ProofKey(PageServer fixture) : IClassFixture<PageServer>
{
    private IdpServer Server => fixture.Server;

    [Theory]
    [Trait("Case", "PKC-01")]
    [InlineData("web")]
    [InlineData("spa")]
    public async Task A_request_without_a_challenge_is_refused(string client)
    {
        using var browser = new Browser(Server);
        var flow = Of(client, new() { ["code_challenge"] = null, ["code_challenge_method"] = null });
        await browser.RefusedToClient(Server, flow, "invalid_request");
        await browser.RefusedToClient(Server, Of(client, new() { ["code_challenge"] = null }), "invalid_request");
        await Server.Refused(400, "invalid_request", "/connect/par", client == "web" ? client : null, [.. flow.Parameters().Select(pair => (pair.Key, pair.Value))]);
    }

    [Fact]
    [Trait("Case", "PKC-01")]
    public async Task The_exemption_is_for_confidential_clients_and_by_name()
    {
        await AddExempt();
        using var browser = new Browser(Server);
        var flow = Of("exempt", new() { ["code_challenge"] = null, ["code_challenge_method"] = null });
        var code = FrontChannel.IsCode(Server, await browser.Complete(flow.Parameters()), flow);
        Assert.Equal(200, (await Server.Post("/connect/token", "exempt", ("grant_type", "authorization_code"), ("code", code), ("redirect_uri", flow.RedirectUri))).Status);
        // A method alone says that a challenge was meant.
        await browser.RefusedToClient(Server, Of("exempt", new() { ["code_challenge"] = null }), "invalid_request");
        Assert.NotNull(new Clients.NewClient("public") { IsPublic = true, GrantTypes = ["authorization_code"], Scopes = ["openid"], RedirectUris = ["https://a.test/cb"], AllowCodeWithoutPkce = true }.Problem(["none"]));
    }

    [Fact]
    [Trait("Case", "PKC-02")]
    public async Task A_challenge_that_somebody_took_out_on_the_way_is_noticed()
    {
        await AddExempt();
        using var browser = new Browser(Server);
        var flow = Of("exempt", new() { ["code_challenge"] = null, ["code_challenge_method"] = null });
        var code = FrontChannel.IsCode(Server, await browser.Complete(flow.Parameters()), flow);
        await Refused(flow, code, "invalid_request", ("code_verifier", flow.Verifier));
        // A client that is exempted and uses it all the same is held to it.
        var proving = Of("exempt", []);
        code = FrontChannel.IsCode(Server, await browser.Complete(proving.Parameters()), proving);
        await Refused(proving, code, "invalid_grant");
        Assert.Equal(200, (await proving.Redeem(Server, code)).Status);
    }

    [Theory]
    [Trait("Case", "PKC-03")]
    [InlineData("web", null)]
    [InlineData("web", "")]
    [InlineData("spa", null)]
    [InlineData("spa", "")]
    public async Task A_code_without_its_verifier_is_not_redeemed(string client, string? verifier)
    {
        using var browser = new Browser(Server);
        var flow = Of(client, []);
        var code = FrontChannel.IsCode(Server, await browser.Complete(flow.Parameters()), flow);
        await Refused(flow, code, "invalid_grant", verifier is null ? [] : [("code_verifier", verifier)]);
        Assert.Equal(200, (await flow.Redeem(Server, code, isPublic: client == "spa")).Status);
    }

    [Theory]
    [Trait("Case", "PKC-04")]
    [InlineData("web")]
    [InlineData("spa")]
    public async Task Wrong_verifiers_use_nothing_up(string client)
    {
        using var browser = new Browser(Server);
        var flow = Of(client, []);
        var code = FrontChannel.IsCode(Server, await browser.Complete(flow.Parameters()), flow);
        for (var i = 0; i < 10; i++) await Refused(flow, code, "invalid_grant", ("code_verifier", CodeFlow.Random()));
        Assert.Equal(200, (await flow.Redeem(Server, code, isPublic: client == "spa")).Status);
    }

    [Fact]
    [Trait("Case", "PKC-04")]
    public async Task Twenty_wrong_verifiers_of_the_client_itself_burn_the_code()
    {
        using var browser = new Browser(Server);
        var flow = Of("web", []);
        await browser.Complete(flow.Parameters());
        var (kept, burnt) = (FrontChannel.IsCode(Server, await browser.Complete(flow.Parameters()), flow), FrontChannel.IsCode(Server, await browser.Complete(flow.Parameters()), flow));
        for (var i = 0; i < 19; i++)
        {
            await Refused(flow, kept, "invalid_grant", ("code_verifier", CodeFlow.Random()));
            await Refused(flow, burnt, "invalid_grant", ("code_verifier", CodeFlow.Random()));
            // Those of nobody in particular do not count.
            Assert.Equal(401, (await Server.Post("/connect/token", "web", "wrong", ("grant_type", "authorization_code"), ("code", kept), ("redirect_uri", flow.RedirectUri), ("code_verifier", CodeFlow.Random()))).Status);
        }
        await Refused(flow, burnt, "invalid_grant", ("code_verifier", CodeFlow.Random()));
        Assert.Equal(200, (await flow.Redeem(Server, kept)).Status);
        Assert.Equal("invalid_grant", (await flow.Redeem(Server, burnt)).Error);
    }

    [Fact]
    [Trait("Case", "PKC-04")]
    public async Task A_hundred_wrong_verifiers_at_once_count_as_a_hundred()
    {
        using var browser = new Browser(Server);
        var flow = Of("web", []);
        var code = FrontChannel.IsCode(Server, await browser.Complete(flow.Parameters()), flow);
        var answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => Server.Post("/connect/token", "web", Form(flow, code, ("code_verifier", CodeFlow.Random())))));
        Assert.All(answers, answer => Assert.Equal((400, "invalid_grant"), (answer.Status, answer.Error)));
        Assert.Equal("invalid_grant", (await flow.Redeem(Server, code)).Error);
    }

    [Theory]
    [Trait("Case", "PKC-05")]
    [InlineData("plain")]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("s256")]
    [InlineData("S512")]
    [InlineData("S256 plain")]
    [InlineData(" S256")]
    public async Task Any_method_but_S256_is_refused(string? method)
    {
        using var browser = new Browser(Server);
        foreach (var client in (string[])["web", "spa"]) await browser.RefusedToClient(Server, Of(client, new() { ["code_challenge_method"] = method }), "invalid_request");
    }

    public static TheoryData<string> WrongVerifiers =>
        [new string('a', 42), new string('a', 129), new string('a', 42) + "!", new string('a', 42) + " ", new string('a', 42) + "+", new string('a', 42) + "=", new string('a', 42) + "\0", new string('a', 43) + "\u00e4", new string('a', 60_000)];

    [Theory]
    [Trait("Case", "PKC-06")]
    [MemberData(nameof(WrongVerifiers))]
    public async Task A_verifier_that_is_none_is_refused_even_if_the_challenge_was_made_from_it(string verifier)
    {
        using var browser = new Browser(Server);
        var flow = new CodeFlow { With = { ["code_challenge"] = System.Buffers.Text.Base64Url.EncodeToString(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(verifier))) } };
        var code = FrontChannel.IsCode(Server, await browser.Complete(flow.Parameters()), flow);
        await Refused(flow, code, "invalid_grant", ("code_verifier", verifier));
    }

    [Fact]
    [Trait("Case", "PKC-06")]
    public async Task A_verifier_of_a_megabyte_is_too_large() =>
        await Server.Refused(Invariants.Form("/connect/token", "web", Form(new CodeFlow(), "x", ("code_verifier", new string('a', 1 << 20)))), 413, "invalid_request");

    [Theory]
    [Trait("Case", "PKC-07")]
    [InlineData("")]
    [InlineData("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-c")]
    [InlineData("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cMM")]
    [InlineData("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM=")]
    [InlineData("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw+cM")]
    [InlineData("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cN")]
    [InlineData("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-c ")]
    [InlineData("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk\0")]
    public async Task A_challenge_that_is_no_digest_is_refused(string challenge)
    {
        using var browser = new Browser(Server);
        await browser.RefusedToClient(Server, Of("web", new() { ["code_challenge"] = challenge }), "invalid_request");
    }

    [Fact]
    [Trait("Case", "PKC-08")]
    public async Task At_a_grant_that_has_none_its_parameters_change_nothing()
    {
        using var browser = new Browser(Server);
        var flow = new CodeFlow { Scope = "openid offline_access" };
        var tokens = await flow.Redeem(Server, FrontChannel.IsCode(Server, await browser.Complete(flow.Parameters()), flow));
        var refresh = tokens.Json["refresh_token"]!.GetValue<string>();
        Assert.Equal(200, (await Server.Post("/connect/token", "web", ("grant_type", "refresh_token"), ("refresh_token", refresh), ("code_verifier", CodeFlow.Random()), ("code_challenge", "x"))).Status);
        await Server.Refused(400, "invalid_grant", "/connect/token", "web", ("grant_type", "refresh_token"), ("refresh_token", "x"), ("code_verifier", flow.Verifier));
    }

    [Fact]
    [Trait("Case", "PKC-09")]
    public async Task Metadata_names_S256_and_nothing_else()
    {
        var metadata = JsonNode.Parse(await Server.Http.GetStringAsync(new Uri("/.well-known/openid-configuration", UriKind.Relative)))!;
        Assert.Equal("""["S256"]""", metadata["code_challenge_methods_supported"]!.ToJsonString());
    }

    private static CodeFlow Of(string client, Dictionary<string, string?> with) =>
        new() { ClientId = client, RedirectUri = client == "exempt" ? "https://exempt.test/cb" : $"https://{client}.test/callback", With = with };

    private Task<Answer> Refused(CodeFlow flow, string code, string error, params (string, string)[] more) =>
        Server.Refused(400, error, "/connect/token", flow.ClientId == "spa" ? null : flow.ClientId, Form(flow, code, more));

    private static (string, string)[] Form(CodeFlow flow, string code, params (string, string)[] more) =>
        [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", flow.RedirectUri), .. more, .. flow.ClientId == "spa" ? [("client_id", "spa")] : ((string, string)[])[]];

    private async Task AddExempt()
    {
        if ((await Server.Post("/connect/token", "exempt", ("grant_type", "none"))).Error == "invalid_client")
            await Server.AddClient("exempt", "authorization_code", "openid", c => (c.RedirectUris, c.AllowCodeWithoutPkce) = (["https://exempt.test/cb"], true));
    }
}
