using System.Diagnostics;
using IdP.Protocol.Jose;
using IdP.Testing;
using Microsoft.AspNetCore.Http;

namespace IdP.TokenValidation.Tests.Rfc7517;

/// <summary>How discovery document and keys are read, kept and read again.</summary>
public sealed class PublishedKeys : IAsyncLifetime
{
    private readonly SteppedClock _clock = new();
    private FakeIssuer _issuer = null!;
    private TestApi _api = null!;

    public async Task InitializeAsync()
    {
        _issuer = await FakeIssuer.Start();
        _api = await TestApi.Local(_issuer, _clock, options => options.BackchannelTimeout = TimeSpan.FromSeconds(2));
    }

    public async Task DisposeAsync()
    {
        await _api.DisposeAsync();
        await _issuer.DisposeAsync();
    }

    [Fact]
    public async Task Many_first_requests_cause_one_reading()
    {
        _issuer.Intercept = async _ =>
        {
            await Task.Delay(100);
            return false;
        };
        var token = _issuer.Token(_clock);
        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => _api.Get("/read", token)));
        Assert.All(answers, answer => Assert.Equal(200, answer.Status));
        Assert.Equal((1, 1), (_issuer.Requests(FakeIssuer.DiscoveryPath), _issuer.Requests(FakeIssuer.KeysPath)));
    }

    [Fact]
    [Trait("Case", "JWT-19")]
    public async Task A_new_key_is_read_when_a_token_names_it()
    {
        Assert.Equal(200, await Status(_issuer.Token(_clock)));
        using var next = SigningKey.Generate(SigningAlgorithms.RS256);
        _issuer.Published.Add(FakeIssuer.Jwk(next));
        _clock.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal(200, await Status(ForgedJwt.Sign(next, _issuer.Claims(_clock))));
        Assert.Equal(200, await Status(_issuer.Token(_clock)));
        Assert.Equal(2, _issuer.Requests(FakeIssuer.KeysPath));
    }

    [Fact]
    public async Task Tokens_with_unknown_keys_cause_one_reading_in_ten_seconds_however_many_there_are()
    {
        Assert.Equal(200, await Status(_issuer.Token(_clock)));
        _clock.Advance(TimeSpan.FromSeconds(11));
        using var stranger = SigningKey.Generate(SigningAlgorithms.ES256);
        for (var i = 0; i < 30; i++) Assert.Equal(401, await Status(ForgedJwt.Sign(stranger, _issuer.Claims(_clock))));
        Assert.Equal(2, _issuer.Requests(FakeIssuer.KeysPath));
        _clock.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal(401, await Status(ForgedJwt.Sign(stranger, _issuer.Claims(_clock))));
        Assert.Equal(3, _issuer.Requests(FakeIssuer.KeysPath));
    }

    [Fact]
    public async Task A_token_that_is_bad_in_itself_causes_no_reading()
    {
        var claims = _issuer.Claims(_clock);
        claims["iss"] = "https://other.example";
        Assert.Equal(401, await Status(ForgedJwt.Sign(_issuer.Key, claims)));
        var before = _issuer.Requests(FakeIssuer.KeysPath);
        _clock.Advance(TimeSpan.FromSeconds(11));
        using var stranger = SigningKey.Generate(SigningAlgorithms.ES256);
        Assert.Equal(401, await Status(ForgedJwt.Sign(stranger, claims)));
        Assert.Equal(before, _issuer.Requests(FakeIssuer.KeysPath));
    }

    [Fact]
    [Trait("Case", "JWT-19")]
    public async Task A_key_that_is_withdrawn_is_forgotten_with_all_that_it_signed()
    {
        using var next = SigningKey.Generate(SigningAlgorithms.ES256);
        _issuer.Published.Add(FakeIssuer.Jwk(next));
        var (old, fresh) = (_issuer.Token(_clock), ForgedJwt.Sign(next, _issuer.Claims(_clock)));
        Assert.Equal((200, 200), (await Status(old), await Status(fresh)));

        _issuer.Published.RemoveAt(0);
        _clock.Advance(TimeSpan.FromMinutes(9));
        Assert.Equal(200, await Status(old));
        _clock.Advance(TimeSpan.FromMinutes(1));

        // This one still goes by the old keys while they are read again; the next ones do not.
        Assert.Equal(200, await Status(fresh));
        await Eventually(() => Status(old), 401);
        Assert.Equal(200, await Status(fresh));
    }

    [Fact]
    [Trait("Case", "JWT-19")]
    public async Task After_a_long_silence_the_keys_are_read_before_the_first_token_is_believed()
    {
        Assert.Equal(200, await Status(_issuer.Token(_clock)));
        using var next = SigningKey.Generate(SigningAlgorithms.ES256);
        _issuer.Published.Clear();
        _issuer.Published.Add(FakeIssuer.Jwk(next));
        _clock.Advance(TimeSpan.FromMinutes(20));
        Assert.Equal(401, await Status(_issuer.Token(_clock)));
        Assert.Equal(200, await Status(ForgedJwt.Sign(next, _issuer.Claims(_clock))));
    }

    [Fact]
    public async Task The_last_good_keys_serve_while_the_provider_is_down_but_not_for_ever()
    {
        Assert.Equal(200, await Status(_issuer.Token(_clock)));
        _issuer.Intercept = FakeIssuer.Abort;
        for (var hours = 0; hours < 23; hours++)
        {
            _clock.Advance(TimeSpan.FromHours(1));
            Assert.Equal(200, await Status(_issuer.Token(_clock)));
        }

        _clock.Advance(TimeSpan.FromHours(1));
        AssertUnavailable(await _api.Get("/read", _issuer.Token(_clock)));
        _issuer.Intercept = _ => Task.FromResult(false);
        _clock.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(200, await Status(_issuer.Token(_clock)));
    }

    [Fact]
    public async Task A_provider_that_hangs_delays_nobody_who_has_keys()
    {
        await using var api = await TestApi.Local(_issuer, _clock, options => options.BackchannelTimeout = TimeSpan.FromSeconds(60));
        Assert.Equal(200, (await api.Get("/read", _issuer.Token(_clock))).Status);
        _issuer.Intercept = FakeIssuer.Hang;
        _clock.Advance(TimeSpan.FromMinutes(11));
        var watch = Stopwatch.StartNew();
        for (var i = 0; i < 20; i++) Assert.Equal(200, (await api.Get("/read", _issuer.Token(_clock))).Status);
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(30), $"20 requests took {watch.Elapsed}");
    }

    [Fact]
    public async Task An_unknown_key_while_the_provider_is_down_is_not_called_bad()
    {
        Assert.Equal(200, await Status(_issuer.Token(_clock)));
        _issuer.Intercept = FakeIssuer.Abort;
        _clock.Advance(TimeSpan.FromSeconds(11));
        using var next = SigningKey.Generate(SigningAlgorithms.ES256);
        AssertUnavailable(await _api.Get("/read", ForgedJwt.Sign(next, _issuer.Claims(_clock))));
        Assert.Equal(200, await Status(_issuer.Token(_clock)));
    }

    public static TheoryData<string> Failures =>
        ["down", "discovery 500", "keys 500", "discovery slow", "keys slow", "discovery redirects", "keys redirect", "wrong issuer", "issuer with slash", "issuer missing", "no jwks_uri", "foreign http jwks_uri", "file jwks_uri", "keys garbage", "keys empty", "keys twice", "10 MB of keys", "discovery garbage"];

    [Theory, MemberData(nameof(Failures))]
    public async Task Without_any_keys_the_answer_is_503_until_the_provider_is_well(string failure)
    {
        await using var elsewhere = await FakeIssuer.Start();
        var metadata = _issuer.Metadata.ToJsonString();
        Break(failure, elsewhere);
        var token = _issuer.Token(_clock);
        AssertUnavailable(await _api.Get("/read", token));

        // Garbage is bad whoever can be asked, and no token at all needs no provider.
        Assert.Equal(401, await Status("garbage"));
        Assert.Equal(401, (await _api.Get("/read", null)).Status);
        Assert.Equal(0, elsewhere.Requests(FakeIssuer.KeysPath) + elsewhere.Requests(FakeIssuer.DiscoveryPath));

        _issuer.Intercept = _ => Task.FromResult(false);
        foreach (var (name, value) in System.Text.Json.Nodes.JsonNode.Parse(metadata)!.AsObject()) _issuer.Metadata[name] = value!.DeepClone();
        AssertUnavailable(await _api.Get("/read", token));
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(200, await Status(token));
    }

    [Fact]
    public async Task While_the_provider_is_down_it_is_asked_once_a_second_at_most()
    {
        _issuer.Intercept = http => FakeIssuer.Status(http, 500);
        for (var i = 0; i < 20; i++) AssertUnavailable(await _api.Get("/read", _issuer.Token(_clock)));
        Assert.Equal(1, _issuer.Requests(FakeIssuer.DiscoveryPath));
    }

    private void Break(string failure, FakeIssuer elsewhere)
    {
        _issuer.Intercept = failure switch
        {
            "down" => FakeIssuer.Abort,
            "discovery 500" => http => On(http, FakeIssuer.DiscoveryPath, () => FakeIssuer.Status(http, 500)),
            "keys 500" => http => On(http, FakeIssuer.KeysPath, () => FakeIssuer.Status(http, 500)),
            "discovery slow" => http => On(http, FakeIssuer.DiscoveryPath, () => FakeIssuer.Hang(http)),
            "keys slow" => http => On(http, FakeIssuer.KeysPath, () => Drip(http)),
            "discovery redirects" => http => On(http, FakeIssuer.DiscoveryPath, () => Redirect(http, elsewhere.Issuer + FakeIssuer.DiscoveryPath)),
            "keys redirect" => http => On(http, FakeIssuer.KeysPath, () => Redirect(http, elsewhere.Issuer + FakeIssuer.KeysPath)),
            "keys garbage" => http => On(http, FakeIssuer.KeysPath, () => Write(http, "<html>")),
            "keys empty" => http => On(http, FakeIssuer.KeysPath, () => Write(http, """{"keys":[]}""")),
            "keys twice" => http => On(http, FakeIssuer.KeysPath, () => Write(http, $$"""{"keys":[{{_issuer.Published[0]}},{{_issuer.Published[0]}}]}""")),
            "10 MB of keys" => http => On(http, FakeIssuer.KeysPath, () => Write(http, "{\"x\":\"" + new string('x', 10_000_000) + "\",\"keys\":[" + _issuer.Published[0] + "]}")),
            "discovery garbage" => http => On(http, FakeIssuer.DiscoveryPath, () => Write(http, "[]")),
            _ => _ => Task.FromResult(false),
        };
        switch (failure)
        {
            case "wrong issuer": _issuer.Metadata["issuer"] = elsewhere.Issuer; break;
            case "issuer with slash": _issuer.Metadata["issuer"] = _issuer.Issuer + "/"; break;
            case "issuer missing": _issuer.Metadata.Remove("issuer"); break;
            case "no jwks_uri": _issuer.Metadata.Remove("jwks_uri"); break;
            case "foreign http jwks_uri": _issuer.Metadata["jwks_uri"] = "http://keys.example/keys"; break;
            case "file jwks_uri": _issuer.Metadata["jwks_uri"] = "file:///etc/passwd"; break;
        }
    }

    private static Task<bool> On(HttpContext http, string path, Func<Task<bool>> answer) => http.Request.Path == path ? answer() : Task.FromResult(false);

    private static Task<bool> Redirect(HttpContext http, string location)
    {
        http.Response.Redirect(location);
        return Task.FromResult(true);
    }

    private static async Task<bool> Write(HttpContext http, string body)
    {
        http.Response.ContentType = "application/json";
        await http.Response.WriteAsync(body);
        return true;
    }

    // One byte after the other, as long as the caller listens.
    private static async Task<bool> Drip(HttpContext http)
    {
        while (!http.RequestAborted.IsCancellationRequested)
        {
            await http.Response.WriteAsync(" ");
            await http.Response.Body.FlushAsync();
            await Task.Delay(50);
        }

        return true;
    }

    private async Task<int> Status(string token) => (await _api.Get("/read", token)).Status;

    private static void AssertUnavailable(ApiAnswer answer)
    {
        Assert.Equal(503, answer.Status);
        Assert.Null(answer.Challenge);
        Assert.Equal("no-store", answer.CacheControl);
        Assert.Equal("2", answer.RetryAfter);
        Assert.Equal("application/problem+json", answer.ContentType);
    }

    private static async Task Eventually(Func<Task<int>> status, int expected)
    {
        var watch = Stopwatch.StartNew();
        while (await status() != expected)
        {
            Assert.True(watch.Elapsed < TimeSpan.FromSeconds(10), $"The status never became {expected}.");
            await Task.Delay(20);
        }
    }
}
