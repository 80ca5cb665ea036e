using IdP.Testing;
using Xunit;

namespace IdP.Tests.Samples;

/// <summary>The API in express (samples/express) beside the provider's demo.</summary>
[Collection(SamplesCollection.Name)]
public sealed class ExpressSample(DemoProvider provider, ExpressSample.Api api) : IClassFixture<ExpressSample.Api>
{
    [Theory, MemberData(nameof(BearerFaults.Table), MemberType = typeof(BearerFaults))]
    public async Task Tokens_checked_with_the_providers_keys(string fault, int status, string? error) =>
        BearerFaults.Check(await provider.Call(HttpMethod.Post, api.Url + "/local/items", await provider.Bearer(fault)), status, error);

    [Theory, MemberData(nameof(BearerFaults.Table), MemberType = typeof(BearerFaults))]
    public async Task Tokens_that_the_provider_is_asked_about(string fault, int status, string? error) =>
        BearerFaults.Check(await provider.Call(HttpMethod.Post, api.Url + "/introspected/items", await provider.Bearer(fault)), status, error);

    [Theory]
    [InlineData("local")]
    [InlineData("introspected")]
    public async Task Without_a_token_the_challenge_names_no_error(string way)
    {
        var answer = await provider.Call(HttpMethod.Get, $"{api.Url}/{way}/items");

        Assert.Equal(401, answer.Status);
        Assert.Equal($"Bearer realm=\"{DemoProvider.Api}\"", answer.Header("WWW-Authenticate"));
        Assert.StartsWith("application/problem+json", answer.Header("Content-Type"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_revoked_token_is_refused_at_once_where_the_provider_is_asked()
    {
        var revoked = await provider.Bearer("revoked");

        BearerFaults.Check(await provider.Call(HttpMethod.Get, api.Url + "/introspected/items", revoked), 401, "invalid_token");
        Assert.Equal(200, (await provider.Call(HttpMethod.Get, api.Url + "/local/items", revoked)).Status);
    }

    [Fact]
    public async Task Two_tokens_are_400() => Assert.Equal("400", await provider.CallTwice(api.Url + "/local/items"));

    [Theory]
    [InlineData("local")]
    [InlineData("introspected")]
    public async Task Without_the_provider_nobody_is_let_in(string way)
    {
        await using var alone = await Api.Serve("http://127.0.0.1:1", out var url);

        Assert.Equal(503, (await provider.Call(HttpMethod.Get, $"{url}/{way}/items", await provider.Bearer(""))).Status);
    }

    /// <summary>The sample under Node.</summary>
    public sealed class Api(DemoProvider provider) : IAsyncLifetime
    {
        private ChildProcess? _process;

        public string Url { get; private set; } = "";

        public async Task InitializeAsync()
        {
            _process = await Serve(provider.Issuer, out var url);
            Url = url;
        }

        public async Task DisposeAsync()
        {
            if (_process is not null) await _process.DisposeAsync();
        }

        internal static Task<ChildProcess> Serve(string issuer, out string url)
        {
            var folder = Path.Combine(ChildProcess.Repository, "samples", "express");
            if (!Directory.Exists(Path.Combine(folder, "node_modules")))
                throw new InvalidOperationException("These tests need packages from npm: run `make setup`.");
            var port = ChildProcess.FreePort();
            url = $"http://127.0.0.1:{port}";
            return ChildProcess.Serve(new Uri(url), ["node", "app.mjs"], folder, new Dictionary<string, string> { ["IDP_ISSUER"] = issuer, ["PORT"] = port.ToString() });
        }
    }
}
