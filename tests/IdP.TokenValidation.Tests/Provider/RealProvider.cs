using IdP.Protocol.Jose;
using IdP.Testing;

namespace IdP.TokenValidation.Tests.Provider;

/// <summary>The library and the real provider, both ways.</summary>
public sealed class RealProvider : IAsyncLifetime
{
    private IdpServer _idp = null!;
    private TestApi _local = null!;
    private TestApi _introspecting = null!;

    public async Task InitializeAsync()
    {
        _idp = await IdpServer.Start();
        _local = await TestApi.Start(Trust);
        _introspecting = await TestApi.Start(options =>
        {
            Trust(options);
            options.Mode = TokenValidationMode.Introspection;
            (options.ClientId, options.ClientSecret) = ("api", IdpServer.Secret);
        });
    }

    public async Task DisposeAsync()
    {
        await _local.DisposeAsync();
        await _introspecting.DisposeAsync();
        await _idp.DisposeAsync();
    }

    [Fact]
    public async Task A_service_reads_with_its_scope_and_may_not_write()
    {
        var token = (await _idp.ClientCredentials()).AccessToken;
        foreach (var api in (TestApi[])[_local, _introspecting])
        {
            Assert.Equal("read", (await api.Get("/read", token)).Body);
            var refused = await api.Send(HttpMethod.Post, "/write", "Bearer " + token);
            Assert.Equal(403, refused.Status);
            Assert.Contains("scope=\"items:write\"", refused.Challenge, StringComparison.Ordinal);
            var claims = (await api.Get("/claims", token)).Body;
            Assert.Contains("client_id=service", claims, StringComparison.Ordinal);
            Assert.Contains("iss=" + _idp.Issuer, claims, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(SigningAlgorithms.ES256)]
    [InlineData(SigningAlgorithms.RS256)]
    [InlineData(SigningAlgorithms.PS256)]
    public async Task Every_algorithm_of_a_resource_is_understood(string algorithm)
    {
        var scope = "other:" + algorithm;
        await _idp.AddResource("urn:other:" + algorithm, [scope], resource => resource.Algorithm = algorithm);
        await _idp.AddClient("other-" + algorithm, "client_credentials", scope);
        var token = (await _idp.ClientCredentials("other-" + algorithm, scope)).AccessToken;
        await using var api = await TestApi.Start(options =>
        {
            Trust(options);
            options.Audiences.Add("urn:other:" + algorithm);
        });
        Assert.Equal(403, (await api.Get("/read", token)).Status);
        Assert.Contains("scope=" + scope, (await api.Get("/claims", token)).Body, StringComparison.Ordinal);

        // For another audience than this API's own.
        Assert.Equal(401, (await _local.Get("/read", token)).Status);
        Assert.Equal(401, (await _introspecting.Get("/read", token)).Status);
    }

    [Fact]
    public async Task An_opaque_token_is_for_introspection_only()
    {
        var id = await _idp.AddResource("urn:opaque", ["opaque:read", "items:list"], resource => resource.TokenFormat = IdP.Resources.TokenFormat.Opaque);
        await _idp.AddClient("opaque-api", "", "", client => client.ResourceId = id);
        await _idp.AddClient("opaque-client", "client_credentials", "opaque:read");
        var token = (await _idp.ClientCredentials("opaque-client", "opaque:read")).AccessToken;
        await using var api = await TestApi.Start(options =>
        {
            options.Issuer = _idp.Issuer;
            options.Audiences.Add("urn:opaque");
            options.TimeProvider = _idp.Clock;
            options.Mode = TokenValidationMode.Introspection;
            (options.ClientId, options.ClientSecret) = ("opaque-api", IdpServer.Secret);
        });
        Assert.Contains("client_id=opaque-client", (await api.Get("/claims", token)).Body, StringComparison.Ordinal);
        Assert.Equal(401, (await _local.Get("/claims", token)).Status);
    }

    [Fact]
    public async Task A_revoked_token_is_refused_at_once_by_introspection_and_at_its_end_by_local_validation()
    {
        var token = (await _idp.PasswordGrant("alice")).AccessToken;
        Assert.Equal((200, 200), ((await _local.Get("/read", token)).Status, (await _introspecting.Get("/read", token)).Status));
        Assert.Equal(200, (await _idp.Post("/connect/revoke", "app", ("token", token))).Status);
        var refused = await _introspecting.Get("/read", token);
        Assert.Equal(401, refused.Status);
        Assert.Contains("error=\"invalid_token\"", refused.Challenge, StringComparison.Ordinal);
        Assert.Equal(200, (await _local.Get("/read", token)).Status);

        _idp.Clock.Advance(TimeSpan.FromHours(2));
        Assert.Equal(401, (await _local.Get("/read", token)).Status);
    }

    [Fact]
    [Trait("Case", "JWT-02")]
    [Trait("Case", "JWT-03")]
    [Trait("Case", "JWT-04")]
    [Trait("Case", "JWT-06")]
    [Trait("Case", "JWT-08")]
    [Trait("Case", "JWT-09")]
    [Trait("Case", "JWT-10")]
    [Trait("Case", "JWT-11")]
    [Trait("Case", "JWT-12")]
    [Trait("Case", "JWT-13")]
    [Trait("Case", "JWT-14")]
    [Trait("Case", "JWT-15")]
    [Trait("Case", "JWT-16")]
    [Trait("Case", "JWT-17")]
    [Trait("Case", "JWT-18")]
    [Trait("Case", "JWT-20")]
    [Trait("Case", "JWT-21")]
    [Trait("Case", "JWT-22")]
    public async Task Hostile_tokens_are_inactive_at_introspection_even_if_the_providers_own_key_signed_them()
    {
        var honest = (await _idp.ClientCredentials()).AccessToken;
        var claims = (await _idp.ClientCredentials()).Claims;
        var key = _idp.Keys.Signer(SigningAlgorithms.ES256);
        Assert.True((await _idp.Introspect(honest)).Active);
        Assert.True((await _idp.Introspect(HostileTokens.Honest(key, claims))).Active);
        // Longer ones never get as far as a token: the endpoint and Kestrel refuse such bodies and headers.
        foreach (var (id, what, token) in HostileTokens.All(key, claims, _idp.Clock.GetUtcNow(), TimeSpan.Zero).Where(hostile => hostile.Token.Length < 20_000))
        {
            var answer = await _idp.Introspect(token);
            Assert.True(answer is { Status: 200, Body: "{\"active\":false}" }, $"{id} {what}: {answer.Status} {answer.Body}");
            var status = (await _introspecting.Get("/read", token)).Status;
            Assert.True(status == 401, $"{id} {what}: {status}");
        }

        Assert.True((await _idp.Introspect(honest)).Active);
    }

    [Fact]
    public async Task Wrong_credentials_of_the_API_are_503_and_told_in_the_log()
    {
        await using var api = await TestApi.Start(options =>
        {
            Trust(options);
            options.Mode = TokenValidationMode.Introspection;
            (options.ClientId, options.ClientSecret) = ("api", "not the secret");
        });
        Assert.Equal(503, (await api.Get("/read", (await _idp.ClientCredentials()).AccessToken)).Status);
        Assert.Contains(api.Log.Lines, line => line.Contains("are ClientId and ClientSecret right?", StringComparison.Ordinal));
    }

    private void Trust(TokenValidationOptions options)
    {
        options.Issuer = _idp.Issuer;
        options.Audiences.Add(IdpServer.Api);
        options.TimeProvider = _idp.Clock;
    }
}
