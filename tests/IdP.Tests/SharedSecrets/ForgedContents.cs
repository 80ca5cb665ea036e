using System.Text.Json.Nodes;
using IdP.Grants;
using IdP.Protocol.Jose;
using IdP.Resources;
using IdP.Testing;
using IdP.Tests.Support;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace IdP.Tests.SharedSecrets;

/// <summary>Whatever an API writes into a token with its own secret, on each engine: it costs the provider nothing and convinces nobody else.</summary>
public abstract class ForgedContents(ServerFixture fixture) : IAsyncLifetime
{
    private readonly string _legacy = $"urn:test:legacy:{Guid.CreateVersion7():N}";
    private readonly string _suffix = Guid.CreateVersion7().ToString("N")[20..];
    private byte[] _secret = null!;
    private string _keyId = null!;

    private string Owner => $"old-{_suffix}";

    private string Api => $"legacy-api-{_suffix}";

    public async Task InitializeAsync()
    {
        await fixture.Server.Change(async (db, _) =>
        {
            var statements = fixture.Server.App.Services.GetRequiredService<ResourceStatements>();
            var asked = new NewResource([_legacy]) { Algorithm = SharedSecretKey.Algorithm, AllowsSharedSecret = true };
            var (resource, secret) = await statements.AddResource(db, asked, "test", default);
            await statements.AddScope(db, $"legacy:{_suffix}", _legacy, null, "test", default);
            (_secret, _keyId) = (SharedSecretKey.ParseSecret(secret)!, resource.SecretId!);
        });
        await using var db = fixture.Server.Database.OpenForReading();
        var id = (await db.Set<Resource>().SingleAsync(r => r.SecretId == _keyId)).Id;
        await fixture.Server.AddClient(Owner, "client_credentials", $"legacy:{_suffix}");
        await fixture.Server.AddClient(Api, "", "", c => c.ResourceId = id);
    }

    public Task DisposeAsync() => Task.CompletedTask;

    public static TheoryData<string, string> Texts() => new()
    {
        { "jti", "a\0b" }, { "jti", "a\nb" }, { "jti", "" }, { "jti", "ü" }, { "client_id", "a\0b" }, { "client_id", "" }, { "client_id", new string('c', 4000) },
    };

    [Theory]
    [MemberData(nameof(Texts))]
    [Trait("Case", "JWT-02")]
    public async Task A_text_that_no_token_of_ours_has_is_refused_before_the_database_is_asked(string claim, string text)
    {
        var claims = (await Token()).Claims;
        claims[claim] = text;
        foreach (var caller in (string[])[Api, Owner, "api"])
        {
            var answer = await fixture.Server.Introspect(Forge(claims), caller);
            Assert.True(answer.Status == 200 && !answer.Active, answer.Body);
        }
        Assert.Equal(200, (await fixture.Server.Post("/connect/revoke", Owner, ("token", Forge(claims)))).Status);
    }

    // Its entry among the revoked tokens would stay for as long as it says.
    [Fact]
    [Trait("Case", "JWT-02")]
    public async Task One_that_says_to_live_longer_than_any_token_of_ours_is_refused_and_leaves_nothing()
    {
        var claims = (await Token()).Claims;
        claims["exp"] = JwtClaims.MaximumTime;
        Assert.False((await fixture.Server.Introspect(Forge(claims), Api)).Active);
        Assert.Equal(200, (await fixture.Server.Post("/connect/revoke", Owner, ("token", Forge(claims)))).Status);
        await using var db = fixture.Server.Database.OpenForReading();
        Assert.False(await db.Set<RevokedToken>().AnyAsync(t => t.JwtId.StartsWith(_keyId)));
    }

    // An API that asks about what it is shown may go by "active" alone, as a proxy does.
    [Fact]
    [Trait("Case", "JWT-02")]
    public async Task One_that_names_another_API_as_its_client_is_not_active_there()
    {
        var claims = (await Token()).Claims;
        claims["client_id"] = "api";
        claims["sub"] = "api";
        foreach (var generation in (int[])[0, 1, 2])
        {
            claims["gen"] = generation;
            Assert.False((await fixture.Server.Introspect(Forge(claims))).Active);
        }
        Assert.True((await fixture.Server.Introspect((await Token()).AccessToken, Owner)).Active);
        Assert.True((await fixture.Server.Introspect((await Token()).AccessToken, Api)).Active);
    }

    private async Task<Answer> Token() => await fixture.Server.ClientCredentials(Owner, $"legacy:{_suffix}");

    private string Forge(JsonObject claims) => ForgedJwt.Hmac(_secret, $$"""{"alg":"HS256","kid":"{{_keyId}}","typ":"at+jwt"}""", claims.ToJsonString());
}

public sealed class ForgedContentsOnSqlite(SqliteServer fixture) : ForgedContents(fixture), IClassFixture<SqliteServer>;

public sealed class ForgedContentsOnPostgres(PostgresServer fixture) : ForgedContents(fixture), IClassFixture<PostgresServer>;
