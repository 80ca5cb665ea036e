namespace IdP.TokenValidation.Tests.Rfc6750;

public sealed class S2_1_AuthorizationHeader : IAsyncLifetime
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

    [Theory]
    [InlineData("Bearer")]
    [InlineData("bearer")]
    [InlineData("BEARER")]
    public async Task The_scheme_has_no_case(string scheme) => Assert.Equal(200, await _api.Raw("/read", $"Authorization: {scheme} {_issuer.Token(_clock)}"));

    [Theory]
    [InlineData("Bearer")]
    [InlineData("Bearer ")]
    [InlineData("Bearer  {0}")]
    [InlineData("Bearer\t{0}")]
    [InlineData("Bearer {0} {0}")]
    [InlineData("Bearer {0}, Bearer {0}")]
    [InlineData("Bearer {0},")]
    [InlineData("Bearer \"{0}\"")]
    [InlineData("Bearer token={0}")]
    [InlineData("Bearer=")]
    [InlineData("Bearer ====")]
    [InlineData("Bearer a=b")]
    [InlineData("Bearer \u00e9\u00e9\u00e9")]
    public async Task A_malformed_header_is_an_invalid_request(string header)
    {
        var token = _issuer.Token(_clock);
        Assert.Equal(400, await _api.Raw("/read", "Authorization: " + string.Format(System.Globalization.CultureInfo.InvariantCulture, header, token)));
        Assert.Equal(0, _issuer.Requests(FakeIssuer.KeysPath));
    }

    [Fact]
    public async Task Two_headers_are_an_invalid_request_even_if_they_are_equal()
    {
        var header = $"Authorization: Bearer {_issuer.Token(_clock)}";
        Assert.Equal(200, await _api.Raw("/read", header));
        Assert.Equal(400, await _api.Raw("/read", header, header));
        Assert.Equal(400, await _api.Raw("/read", header, "Authorization: Basic YTpi"));
        Assert.Equal(400, await _api.Raw("/read", "Authorization: Basic YTpi", header));
    }

    [Fact]
    public async Task A_token_in_the_query_is_no_credential_and_beside_a_header_an_invalid_request()
    {
        var token = _issuer.Token(_clock);
        var answer = await _api.Get("/read?access_token=" + token, null);
        Assert.Equal(401, answer.Status);
        Assert.DoesNotContain("error", answer.Challenge, StringComparison.Ordinal);
        answer = await _api.Get("/read?access_token=" + token, token);
        Assert.Equal(400, answer.Status);
        Assert.Contains("error=\"invalid_request\"", answer.Challenge, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Basic YTpi")]
    [InlineData("DPoP abc")]
    [InlineData("Bearers abc")]
    [InlineData("abc")]
    public async Task Another_scheme_is_no_credential(string header)
    {
        var answer = await _api.Send(HttpMethod.Get, "/read", header);
        Assert.Equal(401, answer.Status);
        Assert.Equal($"Bearer realm=\"{TestApi.Audience}\"", answer.Challenge);
    }

    [Fact]
    public async Task An_endpoint_for_everybody_is_open_with_any_header_or_none()
    {
        foreach (var header in (string?[])[null, "Bearer", "Bearer abc", "Bearer " + _issuer.Token(_clock)])
            Assert.Equal("open", (await _api.Send(HttpMethod.Get, "/open", header)).Body);
    }
}
