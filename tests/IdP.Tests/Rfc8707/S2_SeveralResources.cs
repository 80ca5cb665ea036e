using IdP.Testing;
using IdP.Tests.OpenId;
using IdP.Tests.Support;
using Xunit;

namespace IdP.Tests.Rfc8707;

/// <summary>RFC 8707 §2.1, §2.2: several APIs may be authorized at once; each access token is for one of them.</summary>
public sealed class S2_2_SeveralResources(PageServer fixture) : IClassFixture<PageServer>, IAsyncLifetime
{
    private const string Second = "urn:test:second";
    private const string Scope = "openid offline_access items:read second:read";
    private readonly IdpServer _server = fixture.Server;

    public async Task InitializeAsync()
    {
        if ((await _server.ClientCredentials("second-service", "second:read")).Status == 200) return;
        await _server.AddResource(Second, ["second:read"]);
        await _server.AddResource("urn:test:third", ["third:read"]);
        await _server.AddClient("second-service", "client_credentials", "second:read");
        await _server.AddClient("several", "authorization_code refresh_token", Scope, c => c.RedirectUris = ["https://several.test/callback"]);
    }

    public Task DisposeAsync() => Task.CompletedTask;

    [Theory]
    [InlineData(IdpServer.Api, "items:read")]
    [InlineData("https://api.test", "items:read")]
    [InlineData(Second, "second:read")]
    public async Task The_token_request_names_the_one_that_its_token_is_for(string resource, string scope)
    {
        using var browser = new Browser(_server);
        // An API that has several names is granted by any of them.
        var flow = Flow();
        var tokens = await flow.Redeem(_server, await Code(browser, flow, resource == Second ? IdpServer.Api : resource, Second), isPublic: false, ("resource", resource));
        Assert.Equal(200, tokens.Status);
        Assert.Equal($"openid offline_access {scope}", tokens.Json["scope"]!.GetValue<string>());
        Assert.Equal([resource, _server.Issuer], tokens.Claims["aud"]!.AsArray().Select(one => one!.GetValue<string>()));

        // The refresh token is for all that was granted.
        foreach (var (other, its) in ((string, string)[])[(Second, "second:read"), (IdpServer.Api, "items:read")])
        {
            var refreshed = await _server.Post("/connect/token", "several", ("grant_type", "refresh_token"), ("refresh_token", tokens.Json["refresh_token"]!.GetValue<string>()), ("resource", other));
            Assert.Equal(200, refreshed.Status);
            Assert.Equal($"openid offline_access {its}", refreshed.Json["scope"]!.GetValue<string>());
            Assert.Equal(other, refreshed.Claims["aud"]![0]!.GetValue<string>());
        }
    }

    [Fact]
    public async Task A_token_request_that_names_none_of_several_is_invalid_target_and_uses_nothing_up()
    {
        using var browser = new Browser(_server);
        var flow = Flow();
        var code = await Code(browser, flow, IdpServer.Api, Second);
        Assert.Equal((400, "invalid_target"), Both(await flow.Redeem(_server, code)));
        Assert.Equal((400, "invalid_target"), Both(await flow.Redeem(_server, code, isPublic: false, ("resource", "urn:test:third"))));
        Assert.Equal((400, "invalid_target"), Both(await flow.Redeem(_server, code, isPublic: false, ("resource", IdpServer.Api), ("resource", Second))));
        Assert.Equal(200, (await flow.Redeem(_server, code, isPublic: false, ("resource", Second))).Status);
    }

    [Fact]
    public async Task What_was_not_granted_cannot_be_had_later()
    {
        using var browser = new Browser(_server);
        var flow = Flow("openid offline_access items:read");
        var code = await Code(browser, flow, IdpServer.Api);
        Assert.Equal((400, "invalid_target"), Both(await flow.Redeem(_server, code, isPublic: false, ("resource", Second))));
        var tokens = await flow.Redeem(_server, code);
        Assert.Equal(IdpServer.Api, tokens.Claims["aud"]![0]!.GetValue<string>());
        foreach (var (name, value, error) in ((string, string, string)[])[("resource", Second, "invalid_target"), ("scope", "second:read", "invalid_scope")])
            Assert.Equal((400, error), Both(await _server.Post("/connect/token", "several", ("grant_type", "refresh_token"), ("refresh_token", tokens.Json["refresh_token"]!.GetValue<string>()), (name, value))));
    }

    [Theory]
    [InlineData("invalid_target", Scope, "urn:unknown")]
    [InlineData("invalid_target", Scope, IdpServer.Api, "urn:unknown")]
    [InlineData("invalid_target", Scope, IdpServer.Api, "https://api.test")]
    [InlineData("invalid_target", Scope, IdpServer.Api, IdpServer.Api)]
    [InlineData("invalid_target", Scope, "urn:test:third")]
    [InlineData("invalid_target", Scope, "second")]
    [InlineData("invalid_target", Scope, Second + "#fragment")]
    [InlineData("invalid_scope", Scope, IdpServer.Api)]
    [InlineData("invalid_scope", Scope)]
    [InlineData("invalid_scope", "openid third:read")]
    public async Task A_request_whose_scopes_and_resources_do_not_fit_is_refused_to_the_client(string error, string scope, params string[] resources)
    {
        using var browser = new Browser(_server);
        var flow = Flow(scope);
        (await browser.Authorize(With(flow, resources))).IsRefused(_server, flow, error);
    }

    [Fact]
    public async Task One_owner_of_the_scopes_needs_no_name()
    {
        using var browser = new Browser(_server);
        var flow = Flow("openid second:read");
        var walked = await _server.Redeemed(flow, await browser.Complete(flow.Parameters()));
        Assert.Equal(Second, walked.Tokens.Claims["aud"]![0]!.GetValue<string>());
    }

    private static CodeFlow Flow(string scope = Scope) => new() { ClientId = "several", RedirectUri = "https://several.test/callback", Scope = scope };

    private static IEnumerable<KeyValuePair<string, string>> With(CodeFlow flow, params string[] resources) =>
        [.. flow.Parameters(), .. resources.Select(resource => new KeyValuePair<string, string>("resource", resource))];

    private static async Task<string> Code(Browser browser, CodeFlow flow, params string[] resources) => (await browser.Complete(With(flow, resources))).ResponseParameters()["code"];

    private static (int, string?) Both(Answer answer) => (answer.Status, answer.Error);
}
