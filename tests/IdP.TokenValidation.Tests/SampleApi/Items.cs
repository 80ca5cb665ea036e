using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using IdP.Testing;

namespace IdP.TokenValidation.Tests.SampleApi;

/// <summary>The sample resource API as a process of its own, beside the real provider.</summary>
public sealed class Items(Items.Programs programs) : IClassFixture<Items.Programs>
{
    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, "ResourceApi.dll");
    private readonly IdpServer _idp = programs.Idp;
    private readonly HttpClient _http = programs.Http;

    [Theory]
    [InlineData("local")]
    [InlineData("introspected")]
    public async Task Items_are_listed_with_one_scope_and_created_with_the_other(string mode)
    {
        var reader = (await _idp.ClientCredentials()).AccessToken;
        var writer = (await _idp.ClientCredentials(scope: "items:write")).AccessToken;
        var (status, before) = await Send(HttpMethod.Get, $"/{mode}/items", reader);
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.NotEmpty(before!.AsArray());
        Assert.Equal(HttpStatusCode.Forbidden, (await Send(HttpMethod.Get, $"/{mode}/items", writer)).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await Send(HttpMethod.Post, $"/{mode}/items", reader, """{"name":"x"}""")).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await Send(HttpMethod.Get, $"/{mode}/items", null)).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await Send(HttpMethod.Get, $"/{mode}/items", reader + "x")).Status);

        (status, var created) = await Send(HttpMethod.Post, $"/{mode}/items", writer, """{"name":"  a bench  "}""");
        Assert.Equal(HttpStatusCode.Created, status);
        Assert.Equal("a bench", created!["name"]!.GetValue<string>());
        var after = (await Send(HttpMethod.Get, $"/{mode}/items", reader)).Body!.AsArray();
        Assert.Equal(before.AsArray().Count + 1, after.Count);
        Assert.Equal(created.ToJsonString(), (await Send(HttpMethod.Get, $"/{mode}/items/{created["id"]}", reader)).Body!.ToJsonString());
        Assert.Equal(HttpStatusCode.NotFound, (await Send(HttpMethod.Get, $"/{mode}/items/999", reader)).Status);
    }

    [Theory]
    [InlineData("""{}""", 400)]
    [InlineData("""{"name":null}""", 400)]
    [InlineData("""{"name":"  "}""", 400)]
    [InlineData("""{"name":"a\u0000b"}""", 400)]
    [InlineData("""{"name":7}""", 400)]
    [InlineData("""{"name":"a","name":"b"}""", 400)]
    [InlineData("""{"name":"a","admin":true}""", 400)]
    [InlineData("""null""", 400)]
    [InlineData("""[]""", 400)]
    [InlineData("", 400)]
    [InlineData("{", 400)]
    public async Task A_wrong_body_is_told_as_problem_details(string body, int status)
    {
        var writer = (await _idp.ClientCredentials(scope: "items:write")).AccessToken;
        var (actual, problem) = await Send(HttpMethod.Post, "/local/items", writer, body);
        Assert.Equal(status, (int)actual);
        Assert.Equal(status, problem!["status"]!.GetValue<int>());
    }

    [Fact]
    public async Task A_long_name_a_huge_body_and_another_type_are_refused()
    {
        var writer = (await _idp.ClientCredentials(scope: "items:write")).AccessToken;
        Assert.Equal(HttpStatusCode.BadRequest, (await Send(HttpMethod.Post, "/local/items", writer, $$"""{"name":"{{new string('b', 101)}}"}""")).Status);
        Assert.Equal(HttpStatusCode.Created, (await Send(HttpMethod.Post, "/local/items", writer, $$"""{"name":"{{new string('b', 100)}}"}""")).Status);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, (await Send(HttpMethod.Post, "/local/items", writer, $$"""{"name":"{{new string('b', 100_000)}}"}""")).Status);
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, (await Send(HttpMethod.Post, "/local/items", writer, "name=b", "application/x-www-form-urlencoded")).Status);
    }

    [Theory]
    [InlineData("", "Provider:Issuer is missing")]
    [InlineData("--Provider:Issuer nonsense", "Issuer must be an absolute URL")]
    [InlineData("--Provider:Issuer http://idp.example", "Issuer must be an https URL")]
    [InlineData("--Provider:Issuer http://localhost:1 --Provider:Isuer x", "Provider:Isuer is unknown")]
    [InlineData("--Provider:Issuer http://localhost:1 --urls nonsense", "nonsense")]
    [InlineData("--Provider:Issuer http://localhost:1 --urls {used}", "address already in use")]
    public async Task A_wrong_setting_is_one_sentence_and_no_stack_trace(string arguments, string sentence)
    {
        var start = new ProcessStartInfo("dotnet", [Program, .. arguments.Replace("{used}", _http.BaseAddress!.ToString(), StringComparison.Ordinal).Split(' ', StringSplitOptions.RemoveEmptyEntries)])
        {
            UseShellExecute = false, RedirectStandardError = true, RedirectStandardOutput = true, WorkingDirectory = Path.GetTempPath(),
        };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.Equal(1, process.ExitCode);
        Assert.StartsWith("The resource API cannot start: ", error, StringComparison.Ordinal);
        Assert.Contains(sentence, error, StringComparison.Ordinal);
        Assert.Single(error.TrimEnd().Split('\n'));
        Assert.DoesNotContain("   at ", error + await output, StringComparison.Ordinal);
    }

    private async Task<(HttpStatusCode Status, JsonNode? Body)> Send(HttpMethod method, string path, string? token, string? body = null, string type = "application/json")
    {
        using var request = new HttpRequestMessage(method, path);
        if (token is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, type);
        using var response = await _http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        return (response.StatusCode, text.StartsWith('{') || text.StartsWith('[') ? JsonNode.Parse(text) : null);
    }
    /// <summary>Both programs, started once.</summary>
    public sealed class Programs : IAsyncLifetime
    {
        private ChildProcess _api = null!;

        internal IdpServer Idp { get; private set; } = null!;

        internal HttpClient Http { get; private set; } = null!;

        public async Task InitializeAsync()
        {
            Idp = await IdpServer.Start();
            var url = $"http://localhost:{ChildProcess.FreePort()}";
            var environment = new Dictionary<string, string> { ["Provider__ClientId"] = "api", ["Provider__ClientSecret"] = IdpServer.Secret };
            _api = await ChildProcess.Serve(
                new Uri(url + "/health/live"),
                ["dotnet", Program, "--urls", url, "--Provider:Issuer", Idp.Issuer, "--Provider:Audience", IdpServer.Api],
                environment: environment);
            Http = new HttpClient { BaseAddress = new Uri(url) };
        }

        public async Task DisposeAsync()
        {
            Http.Dispose();
            await _api.DisposeAsync();
            await Idp.DisposeAsync();
        }
    }
}
