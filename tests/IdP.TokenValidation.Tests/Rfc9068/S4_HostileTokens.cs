using System.Net;
using System.Net.Sockets;
using IdP.Protocol.Jose;
using IdP.Testing;

namespace IdP.TokenValidation.Tests.Rfc9068;

/// <summary>The hostile tokens of the cases file, sent to an API that validates locally.</summary>
public sealed class S4_HostileTokens : IAsyncLifetime
{
    private readonly SteppedClock _clock = new();
    private FakeIssuer _issuer = null!;
    private TestApi _api = null!;

    public async Task InitializeAsync()
    {
        _issuer = await FakeIssuer.Start();
        _api = await TestApi.Local(_issuer, _clock);
    }

    public async Task DisposeAsync()
    {
        await _api.DisposeAsync();
        await _issuer.DisposeAsync();
    }

    [Fact]
    [Trait("Case", "JWT-02")]
    [Trait("Case", "JWT-03")]
    [Trait("Case", "JWT-06")]
    [Trait("Case", "JWT-17")]
    public Task Tricks_with_algorithms_and_keys_are_refused() => AllRefused("JWT-02", "JWT-03", "JWT-06", "JWT-17");

    [Fact]
    [Trait("Case", "JWT-08")]
    [Trait("Case", "JWT-09")]
    public Task Tokens_of_other_types_are_refused() => AllRefused("JWT-08", "JWT-09");

    [Fact]
    [Trait("Case", "JWT-10")]
    [Trait("Case", "JWT-11")]
    [Trait("Case", "JWT-21")]
    public Task Tokens_for_others_or_from_others_are_refused() => AllRefused("JWT-10", "JWT-11", "JWT-21");

    [Fact]
    [Trait("Case", "JWT-12")]
    public Task Missing_mistyped_and_untimely_claims_are_refused() => AllRefused("JWT-12");

    [Fact]
    [Trait("Case", "JWT-13")]
    [Trait("Case", "JWT-14")]
    [Trait("Case", "JWT-18")]
    [Trait("Case", "JWT-20")]
    public Task Extensions_repeated_members_and_broken_encodings_are_refused() => AllRefused("JWT-13", "JWT-14", "JWT-18", "JWT-20");

    [Fact]
    [Trait("Case", "JWT-15")]
    [Trait("Case", "JWT-16")]
    [Trait("Case", "JWT-22")]
    public Task Encrypted_tokens_and_other_signatures_are_refused() => AllRefused("JWT-15", "JWT-16", "JWT-22");

    [Fact]
    [Trait("Case", "JWT-04")]
    public async Task Nothing_is_fetched_from_where_a_token_points()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var address = $"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}/keys";
        var hostile = HostileTokens.All(_issuer.Key, _issuer.Claims(_clock), _clock.GetUtcNow(), TimeSpan.FromSeconds(30), address);
        foreach (var token in hostile.Where(token => token.Case == "JWT-04")) Assert.Equal(401, (await _api.Get("/read", token.Token)).Status);
        Assert.False(listener.Pending());
    }

    [Fact]
    [Trait("Case", "JWT-06")]
    public async Task The_kid_of_an_encryption_key_is_no_key()
    {
        using var encryption = SigningKey.Generate(SigningAlgorithms.ES256);
        _issuer.Published.Add(FakeIssuer.Jwk(encryption).Replace("\"use\":\"sig\"", "\"use\":\"enc\"", StringComparison.Ordinal));
        Assert.Equal(200, (await _api.Get("/read", _issuer.Token(_clock))).Status);
        Assert.Equal(401, (await _api.Get("/read", ForgedJwt.Sign(encryption, _issuer.Claims(_clock)))).Status);
    }

    [Fact]
    [Trait("Case", "JWT-07")]
    public async Task Without_a_kid_one_key_of_the_algorithm_is_taken_but_none_of_two()
    {
        var token = ForgedJwt.Sign(_issuer.Key, """{"alg":"ES256","typ":"at+jwt"}""", _issuer.Claims(_clock).ToJsonString());
        Assert.Equal(200, (await _api.Get("/read", token)).Status);
        using var second = SigningKey.Generate(SigningAlgorithms.ES256);
        _issuer.Published.Add(FakeIssuer.Jwk(second));
        await using var other = await TestApi.Local(_issuer, _clock);
        Assert.Equal(401, (await other.Get("/read", token)).Status);
    }

    [Fact]
    public async Task A_token_bound_to_a_key_is_refused_as_a_bearer_token()
    {
        var claims = _issuer.Claims(_clock);
        claims["cnf"] = new System.Text.Json.Nodes.JsonObject { ["jkt"] = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" };
        Assert.Equal(401, (await _api.Get("/read", ForgedJwt.Sign(_issuer.Key, claims))).Status);
    }

    [Fact]
    [Trait("Case", "JWT-17")]
    public async Task An_algorithm_that_the_API_does_not_allow_is_refused()
    {
        await using var strict = await TestApi.Local(_issuer, _clock, options =>
        {
            options.AllowedAlgorithms.Clear();
            options.AllowedAlgorithms.Add(SigningAlgorithms.PS256);
        });
        Assert.Equal(401, (await strict.Get("/read", _issuer.Token(_clock))).Status);
    }

    [Fact]
    public async Task A_known_token_is_checked_for_its_times_every_time_and_its_copies_are_strangers()
    {
        var token = _issuer.Token(_clock);
        for (var i = 0; i < 3; i++) Assert.Equal(200, (await _api.Get("/read", token)).Status);
        var flipped = ForgedJwt.Signature(token);
        flipped[5] ^= 1;
        Assert.Equal(401, (await _api.Get("/read", ForgedJwt.WithSignature(token, flipped))).Status);
        _clock.Advance(TimeSpan.FromSeconds(629));
        Assert.Equal(200, (await _api.Get("/read", token)).Status);
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(401, (await _api.Get("/read", token)).Status);
    }

    private async Task AllRefused(params string[] cases)
    {
        var honest = HostileTokens.Honest(_issuer.Key, _issuer.Claims(_clock));
        Assert.Equal(200, (await _api.Get("/read", honest)).Status);
        var hostile = HostileTokens.All(_issuer.Key, _issuer.Claims(_clock), _clock.GetUtcNow(), TimeSpan.FromSeconds(30)).Where(token => cases.Contains(token.Case)).ToList();
        Assert.Equal(cases.Order(), hostile.Select(token => token.Case).Distinct().Order());
        foreach (var (id, what, token) in hostile)
        {
            // Kestrel itself refuses headers of more than 32 kB, which no setting of this library changes.
            if (token.Length > 30_000)
            {
                Assert.Equal(431, await _api.Raw("/read", "Authorization: Bearer " + token[..40_000]));
                continue;
            }

            var answer = await _api.Get("/read", token);
            Assert.True(answer.Status == 401, $"{id} {what}: {answer.Status}");
            Assert.Contains("error=\"invalid_token\"", answer.Challenge, StringComparison.Ordinal);
        }

        Assert.Equal(200, (await _api.Get("/read", honest)).Status);
    }
}
