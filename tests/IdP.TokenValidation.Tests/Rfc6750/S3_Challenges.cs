using IdP.Testing;

namespace IdP.TokenValidation.Tests.Rfc6750;

public sealed class S3_Challenges : IAsyncLifetime
{
    private readonly SteppedClock _clock = new();
    private FakeIssuer _issuer = null!;
    private TestApi _api = null!;

    public async Task InitializeAsync()
    {
        _issuer = await FakeIssuer.Start();
        _api = await TestApi.Local(_issuer, _clock, options => options.Realm = "The items");
    }

    public async Task DisposeAsync()
    {
        await _api.DisposeAsync();
        await _issuer.DisposeAsync();
    }

    [Fact]
    public async Task Without_credentials_the_challenge_has_no_error()
    {
        var answer = await _api.Get("/read", null);
        Assert.Equal(401, answer.Status);
        Assert.Equal("Bearer realm=\"The items\"", answer.Challenge);
        AssertProblem(answer, 401, null);
    }

    [Fact]
    public async Task A_bad_token_is_401_invalid_token_with_a_reason()
    {
        var claims = _issuer.Claims(_clock);
        claims["exp"] = 1;
        var answer = await _api.Get("/read", ForgedJwt.Sign(_issuer.Key, claims));
        Assert.Equal(401, answer.Status);
        Assert.Equal("Bearer realm=\"The items\", error=\"invalid_token\", error_description=\"The token has expired\"", answer.Challenge);
        AssertProblem(answer, 401, "invalid_token");
    }

    [Fact]
    public async Task A_malformed_request_is_400_invalid_request()
    {
        var answer = await _api.Send(HttpMethod.Get, "/read", "Bearer a b");
        Assert.Equal(400, answer.Status);
        Assert.StartsWith("Bearer realm=\"The items\", error=\"invalid_request\", error_description=\"", answer.Challenge, StringComparison.Ordinal);
        AssertProblem(answer, 400, "invalid_request");
    }

    [Fact]
    public async Task A_missing_scope_is_403_insufficient_scope_with_the_missing_one()
    {
        var answer = await _api.Send(HttpMethod.Post, "/write", "Bearer " + _issuer.Token(_clock));
        Assert.Equal(403, answer.Status);
        Assert.Equal(
            "Bearer realm=\"The items\", error=\"insufficient_scope\", error_description=\"The access token lacks a scope\", scope=\"items:write\"",
            answer.Challenge);
        AssertProblem(answer, 403, "insufficient_scope");
        Assert.Equal("items:write", answer.Problem["scope"]!.GetValue<string>());
    }

    [Fact]
    public async Task Only_the_missing_scopes_are_named_and_all_of_them()
    {
        Assert.Contains("scope=\"items:write admin\"", (await _api.Get("/all", _issuer.Token(_clock))).Challenge, StringComparison.Ordinal);
        Assert.Contains("scope=\"items:read admin\"", (await _api.Get("/all", _issuer.Token(_clock, "items:write"))).Challenge, StringComparison.Ordinal);
        Assert.Contains("scope=\"admin\"", (await _api.Get("/all", _issuer.Token(_clock, "items:write items:read"))).Challenge, StringComparison.Ordinal);
        Assert.Equal("all", (await _api.Get("/all", _issuer.Token(_clock, "items:write admin items:read"))).Body);
    }

    [Fact]
    public async Task A_refusal_for_another_reason_than_scope_names_no_scope()
    {
        var answer = await _api.Get("/role", _issuer.Token(_clock));
        Assert.Equal(403, answer.Status);
        Assert.Equal("Bearer realm=\"The items\", error=\"insufficient_scope\", error_description=\"The access token lacks a role\"", answer.Challenge);
        AssertProblem(answer, 403, "insufficient_scope");
        Assert.Equal("boss", answer.Problem["roles"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_HEAD_request_is_refused_without_a_body()
    {
        var answer = await _api.Send(HttpMethod.Head, "/read", null);
        Assert.Equal(401, answer.Status);
        Assert.Equal("Bearer realm=\"The items\"", answer.Challenge);
        Assert.Empty(answer.Body);
    }

    [Fact]
    public async Task What_is_accepted_carries_no_challenge()
    {
        var answer = await _api.Get("/read", _issuer.Token(_clock));
        Assert.Equal((200, null, "read"), (answer.Status, answer.Challenge, answer.Body));
    }

    private static void AssertProblem(ApiAnswer answer, int status, string? error)
    {
        Assert.Equal("application/problem+json", answer.ContentType);
        Assert.Equal("no-store", answer.CacheControl);
        Assert.Equal(status, answer.Problem["status"]!.GetValue<int>());
        Assert.Equal(error, answer.Problem["error"]?.GetValue<string>());
        Assert.NotEmpty(answer.Problem["title"]!.GetValue<string>());
    }
}
