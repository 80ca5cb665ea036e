using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using IdP.Testing;
using Xunit;

namespace IdP.Tests.Interop;

/// <summary>An API that ASP.NET Core's JwtBearer handler protects (tests/interop/aspnetcore), by discovery and JWKS.</summary>
[Collection(InteropCollection.Name)]
public sealed class AspNetCoreJwtBearer(InteropProvider provider, AspNetCoreJwtBearer.Api api) : IClassFixture<AspNetCoreJwtBearer.Api>, IDisposable
{
    private readonly HttpClient _http = new(TestTls.Pin(new SocketsHttpHandler()));

    public void Dispose() => _http.Dispose();

    [Fact]
    public async Task A_token_for_this_api_is_accepted_and_its_claims_keep_their_names()
    {
        var (status, body) = await Call(await ServiceToken("items:read"));

        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal("service", JsonNode.Parse(body)!["client"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_token_for_another_api_is_401()
    {
        Assert.Equal((HttpStatusCode.Unauthorized, "invalid_token"), await Refusal(await ServiceToken("other:read")));
    }

    [Fact]
    public async Task Another_scope_of_this_api_is_403()
    {
        Assert.Equal(HttpStatusCode.Forbidden, (await Call(await ServiceToken("items:write"))).Status);
    }

    [Fact]
    public async Task A_tampered_token_is_401()
    {
        var parts = (await ServiceToken("items:write")).Split('.');
        var more = (await ServiceToken("items:read")).Split('.')[1];

        Assert.Equal((HttpStatusCode.Unauthorized, "invalid_token"), await Refusal($"{parts[0]}.{more}.{parts[2]}"));
    }

    [Fact]
    public async Task No_token_is_401()
    {
        Assert.Equal(HttpStatusCode.Unauthorized, (await Call(token: null)).Status);
    }

    [Fact]
    public async Task A_persons_access_token_is_accepted_and_their_ID_token_is_not()
    {
        var tokens = await PersonTokens("openid items:read");

        var (status, body) = await Call(tokens["access_token"]!.GetValue<string>());

        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal("web", JsonNode.Parse(body)!["client"]!.GetValue<string>());
        Assert.Equal((HttpStatusCode.Unauthorized, "invalid_token"), await Refusal(tokens["id_token"]!.GetValue<string>()));
    }

    [Fact]
    public async Task A_token_for_the_provider_itself_is_401()
    {
        var tokens = await PersonTokens("openid");

        Assert.Equal((HttpStatusCode.Unauthorized, "invalid_token"), await Refusal(tokens["access_token"]!.GetValue<string>()));
    }

    private async Task<(HttpStatusCode Status, string Body)> Call(string? token)
    {
        using var answer = await Send(token);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }

    private async Task<(HttpStatusCode, string?)> Refusal(string token)
    {
        using var answer = await Send(token);
        var challenge = Assert.Single(answer.Headers.WwwAuthenticate);
        return (answer.StatusCode, challenge.Parameter!.Split('"')[1]);
    }

    private Task<HttpResponseMessage> Send(string? token)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, api.Url + "/items");
        if (token is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return _http.SendAsync(request);
    }

    private async Task<string> ServiceToken(string scope) =>
        (await Token("service", ("grant_type", "client_credentials"), ("scope", scope)))["access_token"]!.GetValue<string>();

    private async Task<JsonNode> PersonTokens(string scope)
    {
        using var browser = new Browser(provider.Issuer);
        var flow = new CodeFlow { ClientId = "web", RedirectUri = provider.App + "/callback", Scope = scope };
        var answer = await browser.SignIn(await browser.Authorize(flow.Parameters()), InteropProvider.User, InteropProvider.Password);
        if (answer.Location is null) answer = await browser.Accept(answer);
        return await Token("web", ("grant_type", "authorization_code"), ("code", answer.ResponseParameters()["code"]), ("redirect_uri", flow.RedirectUri), ("code_verifier", flow.Verifier));
    }

    private async Task<JsonNode> Token(string client, params (string Name, string Value)[] form)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, provider.Issuer + "/connect/token")
        {
            Content = new FormUrlEncodedContent(form.Select(pair => KeyValuePair.Create(pair.Name, pair.Value))),
        };
        request.Headers.Authorization = IdpServer.Basic(client, InteropProvider.Secret);
        using var answer = await _http.SendAsync(request);
        var body = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, body);
        return JsonNode.Parse(body)!;
    }

    /// <summary>The API as its own process, and a client that calls it in its own name.</summary>
    public sealed class Api(InteropProvider provider) : IAsyncLifetime
    {
        private ChildProcess? _program;

        public string Url { get; } = $"http://127.0.0.1:{ChildProcess.FreePort()}";

        public async Task InitializeAsync()
        {
            await provider.Command("client", "add", "service", "--secret", InteropProvider.Secret, "--grant", "client_credentials", "--scope", "items:read items:write other:read");
            _program = await ChildProcess.Serve(new Uri(Url + "/health"), ["dotnet", Path.Combine(AppContext.BaseDirectory, "AspNetCoreApi.dll")], environment: new Dictionary<string, string>
            {
                ["Urls"] = Url, ["Authority"] = provider.Issuer, ["Audience"] = InteropProvider.Api,
                // The provider's certificate is one that no authority has signed.
                ["SSL_CERT_FILE"] = TestTls.CertificateFile,
            });
        }

        public async Task DisposeAsync()
        {
            if (_program is not null) await _program.DisposeAsync();
        }
    }
}
