using System.Buffers.Text;
using System.Text.Json.Nodes;
using IdP.Commands;
using IdP.Protocol.Jose;
using IdP.Resources;
using IdP.Testing;
using IdP.Tests.Commands;
using IdP.Tests.Support;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace IdP.Tests.SharedSecrets;

/// <summary>An API that insists on HS256 gets tokens for itself alone; what it could forge with its secret is worth nothing anywhere else.</summary>
public sealed class Hs256 : IAsyncLifetime
{
    private const string Legacy = "urn:test:legacy";
    private IdpServer _server = null!;
    private byte[] _secret = null!;
    private string _keyId = null!;

    public async Task InitializeAsync()
    {
        _server = await IdpServer.Start(https: true);
        await Add(Legacy, "legacy:read");
        await _server.AddClient("old", "client_credentials password authorization_code", "openid email legacy:read items:read", c => c.RedirectUris = ["https://old.test/callback"]);
        await using var db = _server.Database.OpenForReading();
        var resource = await db.Set<Resource>().SingleAsync(r => r.Algorithm == SharedSecretKey.Algorithm);
        _keyId = resource.SecretId!;
        await _server.AddClient("legacy-api", "", "", c => c.ResourceId = resource.Id);
    }

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Fact]
    public async Task A_token_is_for_that_API_alone_and_its_secret_checks_it()
    {
        var tokens = await _server.PasswordGrant("alice", clientId: "old", scope: "openid legacy:read");
        var header = JsonNode.Parse(Base64Url.DecodeFromChars(tokens.AccessToken.Split('.')[0]))!;
        Assert.Equal(("HS256", "at+jwt", _keyId), (header["alg"]!.GetValue<string>(), header["typ"]!.GetValue<string>(), header["kid"]!.GetValue<string>()));
        // A string: the provider itself is not in it, although openid was granted.
        Assert.Equal(Legacy, tokens.Claims["aud"]!.GetValue<string>());
        Assert.True(SignedJwt.TryParse(tokens.AccessToken, allowsSharedSecret: true, out var jwt, out _));
        Assert.True(jwt.Verify(new SharedSecretKey(_keyId, _secret)));
        Assert.True((await _server.Introspect(tokens.AccessToken, "legacy-api")).Active);
        Assert.True((await _server.Introspect(tokens.AccessToken, "old")).Active);
        Assert.False((await _server.Introspect(tokens.AccessToken, "api")).Active);
    }

    [Fact]
    [Trait("Case", "JWT-02")]
    public async Task Nothing_public_names_the_secret_and_nothing_else_is_signed_with_it()
    {
        Assert.DoesNotContain(_keyId, await _server.Http.GetStringAsync("/.well-known/jwks.json"), StringComparison.Ordinal);
        Assert.DoesNotContain("HS256", await _server.Http.GetStringAsync("/.well-known/openid-configuration"), StringComparison.Ordinal);
        var flow = new CodeFlow { ClientId = "old", RedirectUri = "https://old.test/callback", Scope = "openid legacy:read" };
        using var browser = new Browser(_server);
        var tokens = await flow.Redeem(_server, FrontChannel.IsCode(_server, await browser.Complete(flow.Parameters()), flow));
        Assert.Contains("RS256", System.Text.Encoding.UTF8.GetString(Base64Url.DecodeFromChars(tokens.Json["id_token"]!.GetValue<string>().Split('.')[0])), StringComparison.Ordinal);
        Assert.Equal(401, (await UserInfo(tokens.AccessToken)).Status);
        // The secret stands nowhere in the clear.
        await using var db = _server.Database.OpenForReading();
        var stored = await db.Set<Resource>().Where(r => r.SealedSecret != null).Select(r => r.SealedSecret!).SingleAsync();
        Assert.DoesNotContain(Base64Url.EncodeToString(_secret), stored, StringComparison.Ordinal);
    }

    public static TheoryData<string> Forgeries() => ["another audience", "the provider", "the API and the provider", "no audience", "no jti", "a long jti", "an ID token", "an unknown grant"];

    [Theory]
    [MemberData(nameof(Forgeries))]
    public async Task What_the_API_forges_with_its_secret_is_worth_nothing_elsewhere(string forgery)
    {
        var claims = (await _server.PasswordGrant("alice", clientId: "old", scope: "openid legacy:read")).Claims;
        var type = "at+jwt";
        switch (forgery)
        {
            case "another audience": claims["aud"] = IdpServer.Api; break;
            case "the provider": claims["aud"] = _server.Issuer; break;
            case "the API and the provider": claims["aud"] = new JsonArray(Legacy, _server.Issuer); break;
            case "no audience": claims.Remove("aud"); break;
            case "no jti": claims.Remove("jti"); break;
            case "a long jti": claims["jti"] = new string('j', 33); break;
            case "an ID token": type = "JWT"; break;
            default: claims["gid"] = Guid.NewGuid().ToString("N"); break;
        }
        claims["scope"] = "openid email items:read";
        var forged = Forge(claims, type);
        foreach (var caller in (string[])["legacy-api", "api", "old", "web"]) Assert.False((await _server.Introspect(forged, caller)).Active, caller);
        Assert.Equal(401, (await UserInfo(forged)).Status);
        using var browser = new Browser(_server);
        await browser.Complete(new CodeFlow().Parameters());
        await browser.RefusedToClient(_server, new CodeFlow { With = { ["prompt"] = "none", ["id_token_hint"] = forged } }, "login_required");
    }

    [Fact]
    public async Task A_forged_token_revokes_no_other_token()
    {
        var victim = await _server.PasswordGrant("bob");
        var claims = (await _server.PasswordGrant("alice", clientId: "old", scope: "legacy:read")).Claims;
        claims["jti"] = victim.Claims["jti"]!.DeepClone();
        var forged = Forge(claims);
        Assert.True((await _server.Introspect(forged, "legacy-api")).Active);
        Assert.Equal(200, (await _server.Post("/connect/revoke", "old", ("token", forged))).Status);
        Assert.False((await _server.Introspect(forged, "legacy-api")).Active);
        Assert.True((await _server.Introspect(victim.AccessToken)).Active);
    }

    [Fact]
    public async Task Another_APIs_secret_or_an_old_one_makes_nothing()
    {
        var token = (await _server.ClientCredentials("old", "legacy:read")).AccessToken;
        var claims = (await _server.ClientCredentials("old", "legacy:read")).Claims;
        var (secret, keyId) = (_secret, _keyId);
        await Add("urn:test:legacy:other", "legacy:other");
        Assert.False((await _server.Introspect(Forge(claims, keyId: "hs-0000000000000000"), "legacy-api")).Active);
        // The secret of the one with the id of the other.
        Assert.False((await _server.Introspect(ForgedJwt.Hmac(_secret, $$"""{"alg":"HS256","kid":"{{keyId}}","typ":"at+jwt"}""", claims.ToJsonString()), "legacy-api")).Active);
        using var cli = Cli.Beside(_server);
        var renewed = await cli.Json("resource", "secret", Legacy);
        Assert.Equal(SharedSecretKey.SecretLength, SharedSecretKey.ParseSecret(Printed.Text(renewed, "secret"))!.Length);
        Assert.False((await _server.Introspect(token, "legacy-api")).Active);
        Assert.False((await _server.Introspect(ForgedJwt.Hmac(secret, $$"""{"alg":"HS256","kid":"{{keyId}}","typ":"at+jwt"}""", claims.ToJsonString()), "legacy-api")).Active);
        Assert.True((await _server.Introspect((await _server.ClientCredentials("old", "legacy:read")).AccessToken, "legacy-api")).Active);
    }

    [Fact]
    public async Task It_is_off_unless_the_operator_says_that_it_is_unsafe()
    {
        using var cli = Cli.Beside(_server);
        await cli.Refused(ExitCodes.Usage, "--unsafe-shared-secret", "resource", "add", "urn:a", "--algorithm", "HS256");
        await cli.Refused(ExitCodes.Usage, "leave it out", "resource", "add", "urn:a", "--unsafe-shared-secret");
        await cli.Refused(ExitCodes.Usage, "opaque", "resource", "add", "urn:a", "--algorithm", "HS256", "--unsafe-shared-secret", "--token-format", "opaque");
        await cli.Refused(ExitCodes.Usage, "shares no secret", "resource", "secret", IdpServer.Api);
        var added = await cli.Json("resource", "add", "urn:a", "--algorithm", "HS256", "--unsafe-shared-secret");
        Assert.NotNull(SharedSecretKey.ParseSecret(Printed.Text(added, "secret")));
        // Shown once.
        Assert.DoesNotContain("secret", (await cli.Done("resource", "list", "--json")).Output, StringComparison.Ordinal);
    }

    private async Task Add(string identifier, string scope)
    {
        await _server.Change(async (db, _) =>
        {
            var statements = _server.App.Services.GetRequiredService<ResourceStatements>();
            var (_, secret) = await statements.AddResource(db, new NewResource([identifier]) { Algorithm = SharedSecretKey.Algorithm, AllowsSharedSecret = true }, "test", default);
            await statements.AddScope(db, scope, identifier, null, "test", default);
            _secret = SharedSecretKey.ParseSecret(secret)!;
        });
    }

    private string Forge(JsonObject claims, string type = "at+jwt", string? keyId = null) =>
        ForgedJwt.Hmac(_secret, $$"""{"alg":"HS256","kid":"{{keyId ?? _keyId}}","typ":"{{type}}"}""", claims.ToJsonString());

    private async Task<Answer> UserInfo(string token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/connect/userinfo") { Headers = { Authorization = new("Bearer", token) } };
        return await _server.Send(request);
    }
}
