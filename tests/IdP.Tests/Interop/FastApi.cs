using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using IdP.Protocol.Jose;
using IdP.Testing;
using Xunit;

namespace IdP.Tests.Interop;

/// <summary>A FastAPI application as its documentation teaches it (tests/interop/fastapi), the provider beside it as its own process.</summary>
public sealed class FastApi(FastApi.BothPrograms programs) : IClassFixture<FastApi.BothPrograms>, IDisposable
{
    private const string DocsClient = "docs-ui";
    private const string ShortLivedClient = "short-lived";
    private const string User = "carol";
    private const string Password = "carol-Interop-4242";
    private readonly HttpClient _http = new();

    public void Dispose() => _http.Dispose();

    [Fact]
    public async Task The_password_form_gives_a_token_that_opens_the_protected_endpoints()
    {
        var token = await Token("items:read items:write");

        Assert.Equal(HttpStatusCode.OK, await Call(HttpMethod.Get, token));
        Assert.Equal(HttpStatusCode.Created, await Call(HttpMethod.Post, token));
    }

    [Fact]
    public async Task Too_few_scopes_are_403()
    {
        var token = await Token("items:read");

        Assert.Equal(HttpStatusCode.OK, await Call(HttpMethod.Get, token));
        Assert.Equal(HttpStatusCode.Forbidden, await Call(HttpMethod.Post, token));
    }

    [Fact]
    public async Task No_token_is_401()
    {
        Assert.Equal(HttpStatusCode.Unauthorized, await Call(HttpMethod.Get, token: null));
    }

    [Fact]
    public async Task An_expired_token_is_401()
    {
        var token = await Token("items:read", ShortLivedClient);
        var expires = Claims(token).GetProperty("exp").GetInt64();

        Assert.Equal(HttpStatusCode.OK, await Call(HttpMethod.Get, token));
        // PyJWT refuses from the second that `exp` names.
        while (DateTimeOffset.UtcNow.ToUnixTimeSeconds() <= expires) await Task.Delay(100);
        Assert.Equal(HttpStatusCode.Unauthorized, await Call(HttpMethod.Get, token));
    }

    [Fact]
    public async Task A_tampered_token_is_401()
    {
        var parts = (await Token("items:read")).Split('.');
        var more = Encoding.UTF8.GetString(Decode(parts[1])).Replace("items:read", "items:read items:write", StringComparison.Ordinal);

        Assert.Equal(HttpStatusCode.Unauthorized, await Call(HttpMethod.Post, $"{parts[0]}.{Encode(Encoding.UTF8.GetBytes(more))}.{parts[2]}"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_token_of_another_provider_is_401(bool claimsOurKey)
    {
        var token = await Token("items:read");
        using var key = SigningKey.Generate(SigningAlgorithms.ES256);
        var foreign = key.Sign("at+jwt", Decode(token.Split('.')[1]));
        if (claimsOurKey)
        {
            // Their key, our key id.
            var signed = $"{token.Split('.')[0]}.{foreign.Split('.')[1]}";
            foreign = $"{signed}.{foreign.Split('.')[2]}";
        }

        Assert.Equal(HttpStatusCode.Unauthorized, await Call(HttpMethod.Get, foreign));
    }

    [Fact]
    public async Task The_preflight_of_the_documents_form_succeeds_for_the_registered_origin()
    {
        using var answer = await Preflight(programs.Application);

        Assert.True(answer.IsSuccessStatusCode);
        Assert.Equal([programs.Application], answer.Headers.GetValues("Access-Control-Allow-Origin"));
        var allowed = string.Join(',', answer.Headers.GetValues("Access-Control-Allow-Headers")).ToLower(CultureInfo.InvariantCulture);
        Assert.Contains("authorization", allowed, StringComparison.Ordinal);
        Assert.Contains("x-requested-with", allowed, StringComparison.Ordinal);
        Assert.Contains("POST", string.Join(',', answer.Headers.GetValues("Access-Control-Allow-Methods")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_request_of_the_documents_form_may_be_read_from_the_registered_origin()
    {
        using var answer = await PasswordForm("items:read", DocsClient, programs.Application);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal([programs.Application], answer.Headers.GetValues("Access-Control-Allow-Origin"));
        Assert.Contains("Origin", answer.Headers.Vary);
        Assert.False(answer.Headers.Contains("Access-Control-Allow-Credentials"));
    }

    [Fact]
    public async Task A_refusal_may_be_read_from_the_registered_origin_too()
    {
        using var answer = await PasswordForm("items:read", DocsClient, programs.Application, password: "wrong");

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal([programs.Application], answer.Headers.GetValues("Access-Control-Allow-Origin"));
    }

    [Theory]
    [InlineData("https://evil.example")]
    [InlineData("null")]
    [InlineData("http://127.0.0.1")]
    public async Task Other_origins_get_no_cors_headers(string origin)
    {
        using var preflight = await Preflight(origin);
        using var answer = await PasswordForm("items:read", DocsClient, origin);

        Assert.DoesNotContain(preflight.Headers, header => header.Key.StartsWith("Access-Control-", StringComparison.OrdinalIgnoreCase));
        Assert.DoesNotContain(answer.Headers, header => header.Key.StartsWith("Access-Control-", StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task An_origin_may_read_the_answers_to_its_own_client_only()
    {
        // The preflight cannot know the client, the request does.
        using var answer = await PasswordForm("items:read", ShortLivedClient, programs.Application);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.False(answer.Headers.Contains("Access-Control-Allow-Origin"));
    }

    [Fact]
    public async Task Basic_credentials_with_a_secret_are_no_way_in_for_a_public_client()
    {
        using var answer = await PasswordForm("items:read", DocsClient, origin: null, secret: "guessed");

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
    }

    [Fact]
    public async Task A_person_authorizes_in_the_interactive_documents_and_calls_an_endpoint()
    {
        var script = Path.Combine(BothPrograms.Folder, "authorize-form.mjs");
        var output = await ChildProcess.Run(["node", script, programs.Application + "/docs", User, Password], BothPrograms.Folder);

        using var result = JsonDocument.Parse(output);
        Assert.True(result.RootElement.GetProperty("authorized").GetBoolean(), output);
        Assert.Equal(200, result.RootElement.GetProperty("status").GetInt32());
        Assert.Contains("anvil", result.RootElement.GetProperty("body").GetString(), StringComparison.Ordinal);
    }

    private async Task<string> Token(string scope, string client = DocsClient)
    {
        using var answer = await PasswordForm(scope, client, origin: null);
        var body = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, body);
        return JsonDocument.Parse(body).RootElement.GetProperty("access_token").GetString()!;
    }

    /// <summary>What Swagger UI's form sends: `Basic id:` with an empty secret, no client_id in the body.</summary>
    private Task<HttpResponseMessage> PasswordForm(string scope, string client, string? origin, string password = Password, string secret = "")
    {
        var request = new HttpRequestMessage(HttpMethod.Post, programs.Provider + "/connect/token")
        {
            Content = new FormUrlEncodedContent(new Dictionary<string, string>
            {
                ["grant_type"] = "password", ["username"] = User, ["password"] = password, ["scope"] = scope,
            }),
        };
        request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{client}:{secret}")));
        request.Headers.Add("X-Requested-With", "XMLHttpRequest");
        if (origin is not null) request.Headers.Add("Origin", origin);
        return _http.SendAsync(request);
    }

    private Task<HttpResponseMessage> Preflight(string origin)
    {
        var request = new HttpRequestMessage(HttpMethod.Options, programs.Provider + "/connect/token");
        request.Headers.Add("Origin", origin);
        request.Headers.Add("Access-Control-Request-Method", "POST");
        request.Headers.Add("Access-Control-Request-Headers", "authorization,x-requested-with");
        return _http.SendAsync(request);
    }

    private async Task<HttpStatusCode> Call(HttpMethod method, string? token)
    {
        using var request = new HttpRequestMessage(method, programs.Application + "/items");
        if (token is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        using var answer = await _http.SendAsync(request);
        return answer.StatusCode;
    }

    private static JsonElement Claims(string token) => JsonDocument.Parse(Decode(token.Split('.')[1])).RootElement;

    private static byte[] Decode(string text) => System.Buffers.Text.Base64Url.DecodeFromChars(text);

    private static string Encode(byte[] bytes) => System.Buffers.Text.Base64Url.EncodeToString(bytes);

    /// <summary>The provider with one resource, two public clients and a user, made by its own commands; the application under uvicorn.</summary>
    public sealed class BothPrograms : IAsyncLifetime
    {
        private readonly string _data = Directory.CreateTempSubdirectory("idp-fastapi-").FullName;
        private ChildProcess? _provider;
        private ChildProcess? _application;

        public static string Folder { get; } = Path.Combine(ChildProcess.Repository, "tests", "interop", "fastapi");

        public string Provider { get; } = $"http://127.0.0.1:{ChildProcess.FreePort()}";

        public string Application { get; } = $"http://127.0.0.1:{ChildProcess.FreePort()}";

        public async Task InitializeAsync()
        {
            if (!Directory.Exists(Path.Combine(Folder, "node_modules")))
                throw new InvalidOperationException("These tests need packages from Debian and npm: run `make setup`.");

            _provider = await ChildProcess.Serve(new Uri(Provider + "/health/ready"),
                [.. ChildProcess.Provider, "serve", "--data", _data, "--urls", Provider]);
            await Command("resource", "add", "urn:fastapi:items");
            await Command("scope", "add", "items:read", "--resource", "urn:fastapi:items");
            await Command("scope", "add", "items:write", "--resource", "urn:fastapi:items");
            await Command("client", "add", DocsClient, "--public", "--grant", "password", "--allow-public-password-grant",
                "--scope", "items:read items:write", "--origin", Application);
            await Command("client", "add", ShortLivedClient, "--public", "--grant", "password", "--allow-public-password-grant",
                "--scope", "items:read", "--access-token-lifetime", "2");
            await Command("user", "add", User, "--password", Password);

            _application = await ChildProcess.Serve(new Uri(Application + "/openapi.json"),
                ["/usr/bin/python3", "-m", "uvicorn", "app:app", "--host", "127.0.0.1", "--port", new Uri(Application).Port.ToString()], Folder,
                new Dictionary<string, string>
                {
                    ["IDP_ISSUER"] = Provider, ["API_AUDIENCE"] = "urn:fastapi:items", ["DOCS_CLIENT"] = DocsClient, ["PYTHONDONTWRITEBYTECODE"] = "1",
                });
        }

        public async Task DisposeAsync()
        {
            if (_application is not null) await _application.DisposeAsync();
            if (_provider is not null) await _provider.DisposeAsync();
            Directory.Delete(_data, recursive: true);
        }

        private Task<string> Command(params string[] arguments) => ChildProcess.Run([.. ChildProcess.Provider, .. arguments, "--data", _data]);
    }
}
