using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace IdP.TokenValidation.Tests.Rfc7662;

public sealed class S2_Introspection : IAsyncLifetime
{
    private readonly SteppedClock _clock = new();
    private FakeIssuer _issuer = null!;
    private TestApi _api = null!;

    public async Task InitializeAsync()
    {
        _issuer = await FakeIssuer.Start();
        _issuer.Introspection = _ => Active().ToJsonString();
        _api = await TestApi.Introspecting(_issuer, _clock, options => options.BackchannelTimeout = TimeSpan.FromSeconds(2));
    }

    public async Task DisposeAsync()
    {
        await _api.DisposeAsync();
        await _issuer.DisposeAsync();
    }

    [Fact]
    public async Task An_active_token_is_accepted_whatever_it_looks_like_and_keys_are_not_read()
    {
        Assert.Equal("read", (await _api.Get("/read", "opaque-token")).Body);
        Assert.Equal("alice", (await _api.Get("/name", "opaque-token")).Body);
        Assert.Contains("scope=items:read", (await _api.Get("/claims", "opaque-token")).Body, StringComparison.Ordinal);
        Assert.Equal(403, (await _api.Send(HttpMethod.Post, "/write", "Bearer opaque-token")).Status);
        Assert.Equal(4, _issuer.Requests(FakeIssuer.IntrospectionPath));
        Assert.Equal((1, 0), (_issuer.Requests(FakeIssuer.DiscoveryPath), _issuer.Requests(FakeIssuer.KeysPath)));
    }

    [Fact]
    public async Task The_caller_authenticates_with_form_encoded_Basic()
    {
        await _api.Get("/read", "the-token");
        var (authorization, form) = _issuer.Asked;

        // RFC 6749 §2.3.1, computed by hand from the client id and the secret of the test.
        Assert.Equal("Basic " + Convert.ToBase64String(Encoding.ASCII.GetBytes("api+one:a%3Asecret%25with%2Bodd%2Fcharacters+%C3%A9")), authorization);
        Assert.Equal(new Dictionary<string, string> { ["token"] = "the-token", ["token_type_hint"] = "access_token" }, form);
    }

    [Fact]
    public async Task An_inactive_token_is_401_invalid_token()
    {
        _issuer.Introspection = _ => """{"active":false,"aud":"urn:test:api","scope":"items:read"}""";
        var answer = await _api.Get("/read", "revoked");
        Assert.Equal(401, answer.Status);
        Assert.Contains("error=\"invalid_token\"", answer.Challenge, StringComparison.Ordinal);
    }

    public static TheoryData<string, string> Unacceptable => new()
    {
        { "aud", "null" },
        { "aud", "\"urn:other\"" },
        { "aud", "[\"urn:other\"]" },
        { "aud", "[]" },
        { "aud", "7" },
        { "aud", "\"urn:test:api/\"" },
        { "aud", "\"URN:TEST:API\"" },
        { "iss", "\"https://other.example\"" },
        { "iss", "null" },
        { "exp", "1" },
        { "exp", "\"1\"" },
        { "exp", "-1" },
        { "exp", "1e308" },
        { "exp", "99999999999999" },
        { "nbf", "9999999999" },
        { "nbf", "true" },
        { "cnf", "{\"jkt\":\"x\"}" },
        { "token_type", "\"DPoP\"" },
        { "token_type", "\"N_A\"" },
    };

    [Theory, MemberData(nameof(Unacceptable))]
    [Trait("Case", "JWT-10")]
    [Trait("Case", "JWT-12")]
    public async Task An_active_token_that_is_not_for_us_or_not_now_is_refused(string member, string value)
    {
        var answer = Active();
        answer.Remove(member);
        _issuer.Introspection = _ => $"{answer.ToJsonString()[..^1]},\"{member}\":{value}}}";
        Assert.Equal(401, (await _api.Get("/read", "token")).Status);
        answer.Remove("aud");
        _issuer.Introspection = _ => answer.ToJsonString();
        Assert.Equal(401, (await _api.Get("/read", "token")).Status);
    }

    [Fact]
    public async Task Optional_members_may_be_absent()
    {
        _issuer.Introspection = _ => """{"active":true,"aud":["urn:x","urn:test:api"],"scope":"items:read"}""";
        Assert.Equal(200, (await _api.Get("/read", "token")).Status);
    }

    public static TheoryData<string> Failures => ["500", "503", "401", "302", "204", "hang", "abort", "{}", "[]", "", "<html>", """{"active":"true"}""", """{"active":1}""", """{"active":true,"active":false}""", "huge"];

    [Theory, MemberData(nameof(Failures))]
    public async Task A_provider_that_fails_is_503_and_never_open(string failure)
    {
        Assert.Equal(200, (await _api.Get("/read", "token")).Status);
        _issuer.Intercept = http => http.Request.Path != FakeIssuer.IntrospectionPath ? Task.FromResult(false) : failure switch
        {
            "hang" => FakeIssuer.Hang(http),
            "abort" => FakeIssuer.Abort(http),
            "huge" => Write(http, Active().ToJsonString()[..^1] + ",\"x\":\"" + new string('x', 1_000_000) + "\"}"),
            _ when int.TryParse(failure, NumberStyles.None, CultureInfo.InvariantCulture, out var status) => FakeIssuer.Status(http, status),
            _ => Write(http, failure),
        };
        var answer = await _api.Get("/read", "token");
        Assert.Equal((503, null, "2"), (answer.Status, answer.Challenge, answer.RetryAfter));
        Assert.Equal(200, (await _api.Get("/open", "token")).Status);
        _issuer.Intercept = _ => Task.FromResult(false);
        Assert.Equal(200, (await _api.Get("/read", "token")).Status);
    }

    [Fact]
    public async Task Without_discovery_the_answer_is_503_and_the_secret_goes_nowhere()
    {
        await using var elsewhere = await FakeIssuer.Start();
        _issuer.Metadata["issuer"] = elsewhere.Issuer;
        _issuer.Metadata["introspection_endpoint"] = elsewhere.Issuer + FakeIssuer.IntrospectionPath;
        Assert.Equal(503, (await _api.Get("/read", "token")).Status);
        _issuer.Metadata["issuer"] = _issuer.Issuer;
        _issuer.Metadata["introspection_endpoint"] = "http://introspection.example/introspect";
        _clock.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(503, (await _api.Get("/read", "token")).Status);
        Assert.Equal(0, elsewhere.Requests(FakeIssuer.IntrospectionPath));
    }

    [Fact]
    public async Task A_token_that_is_too_long_is_refused_without_asking()
    {
        Assert.Equal(401, (await _api.Get("/read", new string('a', 16_385))).Status);
        Assert.Equal(0, _issuer.Requests(FakeIssuer.IntrospectionPath));
        Assert.Equal(200, (await _api.Get("/read", new string('a', 16_384))).Status);
    }

    [Fact]
    public async Task Without_a_cache_every_request_asks()
    {
        for (var i = 0; i < 3; i++) Assert.Equal(200, (await _api.Get("/read", "token")).Status);
        Assert.Equal(3, _issuer.Requests(FakeIssuer.IntrospectionPath));
        _issuer.Introspection = _ => """{"active":false}""";
        Assert.Equal(401, (await _api.Get("/read", "token")).Status);
    }

    [Fact]
    public async Task Connections_are_used_again()
    {
        var connections = new HashSet<string>(StringComparer.Ordinal);
        _issuer.Intercept = http =>
        {
            lock (connections) connections.Add(http.Connection.Id);
            return Task.FromResult(false);
        };
        for (var i = 0; i < 20; i++) Assert.Equal(200, (await _api.Get("/read", "token")).Status);
        Assert.Single(connections);
    }

    [Fact]
    public async Task A_positive_answer_is_believed_for_the_time_that_is_set_and_a_negative_one_never()
    {
        await using var api = await TestApi.Introspecting(_issuer, _clock, options => options.IntrospectionCacheDuration = TimeSpan.FromSeconds(60));
        for (var i = 0; i < 3; i++) Assert.Equal(200, (await api.Get("/read", "token")).Status);
        Assert.Equal(1, _issuer.Requests(FakeIssuer.IntrospectionPath));

        _clock.Advance(TimeSpan.FromSeconds(59));
        Assert.Equal(200, (await api.Get("/read", "token")).Status);
        Assert.Equal(1, _issuer.Requests(FakeIssuer.IntrospectionPath));

        // Run out: asked again, and the new answer is kept in place of the old one.
        _clock.Advance(TimeSpan.FromSeconds(1));
        for (var i = 0; i < 3; i++) Assert.Equal(200, (await api.Get("/read", "token")).Status);
        Assert.Equal(2, _issuer.Requests(FakeIssuer.IntrospectionPath));

        _clock.Advance(TimeSpan.FromSeconds(60));
        _issuer.Introspection = _ => """{"active":false}""";
        for (var i = 0; i < 3; i++) Assert.Equal(401, (await api.Get("/read", "token")).Status);
        Assert.Equal(5, _issuer.Requests(FakeIssuer.IntrospectionPath));
    }

    [Fact]
    public async Task No_answer_is_believed_beyond_the_end_of_the_token_and_none_without_an_end_is_kept()
    {
        await using var api = await TestApi.Introspecting(_issuer, _clock, options => options.IntrospectionCacheDuration = TimeSpan.FromMinutes(5));
        var answer = Active();
        answer["exp"] = _clock.GetUtcNow().ToUnixTimeSeconds() + 10;
        _issuer.Introspection = _ => answer.ToJsonString();
        Assert.Equal(200, (await api.Get("/read", "short")).Status);
        _clock.Advance(TimeSpan.FromSeconds(10));
        _issuer.Introspection = _ => """{"active":false}""";
        Assert.Equal(401, (await api.Get("/read", "short")).Status);

        answer.Remove("exp");
        _issuer.Introspection = _ => answer.ToJsonString();
        Assert.Equal(200, (await api.Get("/read", "endless")).Status);
        _issuer.Introspection = _ => """{"active":false}""";
        Assert.Equal(401, (await api.Get("/read", "endless")).Status);
    }

    private JsonObject Active()
    {
        var answer = _issuer.Claims(_clock);
        answer["active"] = true;
        answer["token_type"] = "Bearer";
        return answer;
    }

    private static async Task<bool> Write(HttpContext http, string body)
    {
        http.Response.ContentType = "application/json";
        await http.Response.WriteAsync(body);
        return true;
    }
}
