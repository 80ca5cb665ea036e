using System.Text;
using System.Text.Json.Nodes;
using IdP.Testing;
using Xunit;

namespace IdP.Tests.Samples;

/// <summary>The API in FastAPI (samples/fastapi) beside the provider's demo.</summary>
[Collection(SamplesCollection.Name)]
public sealed class FastApiSample(DemoProvider provider, FastApiSample.Api api) : IClassFixture<FastApiSample.Api>
{
    [Theory, MemberData(nameof(BearerFaults.Table), MemberType = typeof(BearerFaults))]
    public async Task Tokens_checked_with_the_providers_keys(string fault, int status, string? error) =>
        BearerFaults.Check(await provider.Call(HttpMethod.Post, api.Url + "/local/items", await provider.Bearer(fault)), status, error);

    [Theory, MemberData(nameof(BearerFaults.Table), MemberType = typeof(BearerFaults))]
    public async Task Tokens_that_the_provider_is_asked_about(string fault, int status, string? error) =>
        BearerFaults.Check(await provider.Call(HttpMethod.Post, api.Url + "/introspected/items", await provider.Bearer(fault)), status, error);

    [Theory, MemberData(nameof(BearerFaults.Table), MemberType = typeof(BearerFaults))]
    public async Task Tokens_where_a_key_would_do_too(string fault, int status, string? error) =>
        BearerFaults.Check(await provider.Call(HttpMethod.Post, api.Url + "/token-or-key/items", await provider.Bearer(fault)), status, error);

    [Fact]
    public async Task A_revoked_token_is_refused_at_once_where_the_provider_is_asked()
    {
        var revoked = await provider.Bearer("revoked");

        BearerFaults.Check(await provider.Call(HttpMethod.Get, api.Url + "/introspected/items", revoked), 401, "invalid_token");
        Assert.Equal(200, (await provider.Call(HttpMethod.Get, api.Url + "/local/items", revoked)).Status);
    }

    /// <summary>FastAPI's own schemes answer 403 without a challenge here.</summary>
    [Theory]
    [InlineData("local", "Bearer realm=\"urn:demo:api\"")]
    [InlineData("introspected", "Bearer realm=\"urn:demo:api\"")]
    [InlineData("basic", "Basic realm=\"urn:demo:api\", charset=\"UTF-8\"")]
    [InlineData("key", "ApiKey realm=\"urn:demo:api\", in=\"header\", name=\"X-API-Key\"")]
    [InlineData("key-in-query", "ApiKey realm=\"urn:demo:api\", in=\"query\", name=\"api_key\"")]
    [InlineData("key-in-cookie", "ApiKey realm=\"urn:demo:api\", in=\"cookie\", name=\"api_key\"")]
    [InlineData("token-or-key", "Bearer realm=\"urn:demo:api\", ApiKey realm=\"urn:demo:api\", in=\"header\", name=\"X-API-Key\"")]
    [InlineData("session", "Cookie realm=\"urn:demo:api\", cookie-name=\"session\"")]
    public async Task Without_a_credential_the_answer_is_401_with_a_challenge_and_a_problem(string way, string challenge)
    {
        var answer = await provider.Call(HttpMethod.Get, $"{api.Url}/{way}/items");

        Assert.Equal(401, answer.Status);
        Assert.Equal(challenge, answer.Header("WWW-Authenticate"));
        Assert.StartsWith("application/problem+json", answer.Header("Content-Type"), StringComparison.Ordinal);
        Assert.Equal(401, answer.Json["status"]!.GetValue<int>());
    }

    [Theory]
    [InlineData("basic", "Authorization", "Basic {basic}")]
    [InlineData("key", "X-API-Key", "{token}")]
    [InlineData("key", "X-API-Key", "idp_unknown")]
    [InlineData("key-in-cookie", "Cookie", "api_key={token}")]
    [InlineData("token-or-key", "X-API-Key", "{token}")]
    [InlineData("session", "Cookie", "session={token}")]
    public async Task A_token_is_no_key_and_no_session(string way, string header, string value)
    {
        var token = await provider.ServiceToken("items:read");
        value = value.Replace("{token}", token, StringComparison.Ordinal)
            .Replace("{basic}", Convert.ToBase64String(Encoding.UTF8.GetBytes("demo-service:" + token)), StringComparison.Ordinal);

        Assert.Equal(401, (await provider.Call(HttpMethod.Get, $"{api.Url}/{way}/items", (header, value))).Status);
    }

    [Theory]
    [InlineData("basic")]
    [InlineData("key")]
    [InlineData("key-in-query")]
    [InlineData("key-in-cookie")]
    [InlineData("token-or-key")]
    public async Task A_key_opens_what_its_scopes_allow_until_it_is_revoked(string way)
    {
        var reader = await provider.Key("user", DemoProvider.User, "items:read");
        var writer = await provider.Key("client", "demo-service", "items:read items:write");

        Assert.Equal(200, (await CallWithKey(HttpMethod.Get, way, reader)).Status);
        var created = await CallWithKey(HttpMethod.Post, way, writer);
        Assert.True(created.Status == 201, created.Body);
        Assert.Equal("demo-service", created.Json["createdBy"]!.GetValue<string>());
        var tooFew = await CallWithKey(HttpMethod.Post, way, reader);
        Assert.Equal(403, tooFew.Status);
        Assert.StartsWith(way == "basic" ? "Basic " : "ApiKey ", tooFew.Header("WWW-Authenticate"), StringComparison.Ordinal);

        Assert.Equal(401, (await CallWithKey(HttpMethod.Get, way, reader[..^1] + (reader[^1] == 'A' ? 'B' : 'A'))).Status);
        await provider.Command("api-key", "revoke", reader.Split('_')[1]);
        Assert.Equal(401, (await CallWithKey(HttpMethod.Get, way, reader)).Status);
    }

    [Fact]
    public async Task A_key_is_no_token()
    {
        var key = ("Authorization", "Bearer " + await provider.Key("user", DemoProvider.User, "items:read"));

        BearerFaults.Check(await provider.Call(HttpMethod.Get, api.Url + "/introspected/items", key), 401, "invalid_token");
        BearerFaults.Check(await provider.Call(HttpMethod.Get, api.Url + "/local/items", key), 401, "invalid_token");
    }

    [Fact]
    public async Task A_key_in_a_cookie_needs_the_header_of_our_own_pages_to_write()
    {
        var key = await provider.Key("client", "demo-service", "items:write");

        Assert.Equal(403, (await provider.Call(HttpMethod.Post, api.Url + "/key-in-cookie/items", ("Cookie", "api_key=" + key))).Status);
    }

    [Fact]
    public async Task Two_credentials_are_400()
    {
        var token = await provider.Bearer("");

        Assert.Equal(400, (await provider.Call(HttpMethod.Get, api.Url + "/token-or-key/items", token, ("X-API-Key", "idp_some_key"))).Status);
    }

    [Fact]
    public async Task Two_tokens_are_400() => Assert.Equal("400", await provider.CallTwice(api.Url + "/local/items"));

    [Fact]
    public async Task Administration_needs_its_scope()
    {
        var administrator = await provider.Token(DemoProvider.Administrator, DemoProvider.Secret, ("grant_type", "client_credentials"), ("scope", "admin"));

        Assert.Equal(200, (await provider.Call(HttpMethod.Get, api.Url + "/local/admin", ("Authorization", "Bearer " + administrator))).Status);
        Assert.Equal(403, (await provider.Call(HttpMethod.Get, api.Url + "/local/admin", await provider.Bearer(""))).Status);
    }

    [Theory]
    [InlineData("DELETE", "/items/2")]
    [InlineData("GET", "/report")]
    public async Task Policies_refuse_who_lacks_permission_or_role(string method, string path)
    {
        var answer = await provider.Call(new HttpMethod(method), api.Url + path, await provider.Bearer(""));

        Assert.Equal(403, answer.Status);
        Assert.Contains("error=\"insufficient_scope\"", answer.Header("WWW-Authenticate"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Policies_let_in_who_holds_role_and_permission()
    {
        Assert.Equal(200, (await provider.Call(HttpMethod.Get, api.Url + "/report", await Person("alice", "alice-Wonderland-42"))).Status);
        Assert.Equal(204, (await provider.Call(HttpMethod.Delete, api.Url + "/items/2", await Person("alice", "alice-Wonderland-42"))).Status);
        Assert.Equal(403, (await provider.Call(HttpMethod.Get, api.Url + "/report", await Person("bob", "bob-Builder-4242"))).Status);
    }

    [Fact]
    public async Task A_token_under_the_shared_secret_opens_the_API_that_shares_it_only()
    {
        var token = ("Authorization", "Bearer " + await provider.ServiceToken("legacy:read"));

        Assert.Equal(200, (await provider.Call(HttpMethod.Get, api.Url + "/legacy/items", token)).Status);
        Assert.Equal(401, (await provider.Call(HttpMethod.Get, api.Url + "/local/items", token)).Status);
        Assert.Equal(401, (await provider.Call(HttpMethod.Get, api.Url + "/legacy/items", await provider.Bearer(""))).Status);
    }

    [Theory]
    [InlineData(true, "HS256", "urn:demo:legacy", 200)]
    [InlineData(false, "HS256", "urn:demo:legacy", 401)]
    [InlineData(true, "HS256", DemoProvider.Api, 401)]
    [InlineData(true, "none", "urn:demo:legacy", 401)]
    public async Task Tokens_under_a_shared_secret_that_somebody_made(bool rightSecret, string algorithm, string audience, int status)
    {
        var claims = new JsonObject
        {
            ["iss"] = provider.Issuer, ["aud"] = audience, ["sub"] = "demo-service", ["scope"] = "legacy:read",
            ["exp"] = DateTimeOffset.UtcNow.AddMinutes(5).ToUnixTimeSeconds(),
        };
        var secret = System.Buffers.Text.Base64Url.DecodeFromChars(api.SharedSecret);
        if (!rightSecret) secret[0] ^= 1;
        var token = ForgedJwt.Hmac(secret, $$"""{"alg":"{{algorithm}}","typ":"at+jwt"}""", claims.ToJsonString());

        Assert.Equal(status, (await provider.Call(HttpMethod.Get, api.Url + "/legacy/items", ("Authorization", "Bearer " + token))).Status);
    }

    [Fact]
    public async Task A_person_signs_in_by_cookie_and_signs_out()
    {
        using var browser = new Browser(provider.Issuer);
        var callback = await SignIn(browser);
        Assert.StartsWith(api.Url + "/session/callback?", callback.Location, StringComparison.Ordinal);

        var signedIn = await browser.Get(callback.Location!);

        Assert.Equal(303, signedIn.Status);
        var cookie = signedIn.Response.Headers.GetValues("Set-Cookie").Single(value => value.StartsWith("session=", StringComparison.Ordinal));
        Assert.Contains("HttpOnly", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("SameSite=lax", cookie, StringComparison.OrdinalIgnoreCase);
        // The access token lives for five seconds: these are answered with refreshed ones.
        for (var i = 0; i < 3; i++) Assert.Equal(200, (await browser.Get(api.Url + "/session/items")).Status);
        Assert.Equal(403, (await Post(browser, "/session/items", ownPage: false)).Status);
        Assert.Equal(201, (await Post(browser, "/session/items", ownPage: true)).Status);

        Assert.Equal(403, (await Post(browser, "/session/sign-out", ownPage: false)).Status);
        var leave = await Post(browser, "/session/sign-out", ownPage: true);
        Assert.Equal(401, (await browser.Get(api.Url + "/session/items")).Status);
        // The provider ends its session too, and leads back.
        var back = await browser.Follow(await browser.Get(JsonNode.Parse(leave.Body)!["location"]!.GetValue<string>()));
        Assert.True(back.Location == api.Url + "/", back.Body);
    }

    [Fact]
    public async Task An_answer_to_another_browser_is_refused()
    {
        using var attacker = new Browser(provider.Issuer);
        using var victim = new Browser(provider.Issuer);
        var callback = await SignIn(attacker);

        Assert.Equal(400, (await victim.Get(callback.Location!)).Status);
        Assert.Equal(401, (await victim.Get(api.Url + "/session/items")).Status);
    }

    [Fact]
    public async Task An_answer_counts_once()
    {
        using var browser = new Browser(provider.Issuer);
        var callback = await SignIn(browser);

        Assert.Equal(303, (await browser.Get(callback.Location!)).Status);
        Assert.Equal(400, (await browser.Get(callback.Location!)).Status);
    }

    [Theory]
    [InlineData("authorizationCode", DemoProvider.User, DemoProvider.Password)]
    [InlineData("password", DemoProvider.User, DemoProvider.Password)]
    [InlineData("clientCredentials", Api.BrowserService, DemoProvider.Secret)]
    public async Task A_person_authorizes_in_the_interactive_documents_and_calls_an_endpoint(string flow, string name, string secret)
    {
        var folder = Path.Combine(ChildProcess.Repository, "tests", "interop", "fastapi");
        var result = JsonNode.Parse(await ChildProcess.Run(["node", "sample-docs.mjs", api.Url + "/docs", flow, name, secret], folder))!;

        Assert.Equal(200, result["status"]!.GetValue<int>());
        Assert.Contains("a lamp", result["body"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_documents_describe_each_scheme()
    {
        var schemes = (await provider.Call(HttpMethod.Get, api.Url + "/openapi.json")).Json["components"]!["securitySchemes"]!.AsObject();

        Assert.Equal(["authorizationCode", "clientCredentials", "password"], schemes["token"]!["flows"]!.AsObject().Select(flow => flow.Key).Order());
        Assert.Equal(["cookie", "header", "query"], schemes.Select(scheme => scheme.Value!["in"]?.GetValue<string>()).OfType<string>().Distinct().Order());
        Assert.Contains(schemes, scheme => scheme.Value!["scheme"]?.GetValue<string>() == "basic");
    }

    [Theory]
    [InlineData("local", "Authorization")]
    [InlineData("introspected", "Authorization")]
    [InlineData("key", "X-API-Key")]
    public async Task Without_the_provider_nobody_is_let_in(string way, string header)
    {
        await using var alone = await Api.Serve("http://127.0.0.1:1", out var url, []);

        Assert.Equal(503, (await provider.Call(HttpMethod.Get, $"{url}/{way}/items", (header, (await provider.Bearer("")).Item2))).Status);
    }

    private Task<Answer> CallWithKey(HttpMethod method, string way, string key)
    {
        var (id, secret) = (key.Split('_', 3)[1], key.Split('_', 3)[2]);
        return provider.Call(method, $"{api.Url}/{way}/items" + (way == "key-in-query" ? "?api_key=" + key : ""), way switch
        {
            "basic" => [("Authorization", "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{id}:{secret}")))],
            "key-in-query" => [],
            "key-in-cookie" => [("Cookie", "api_key=" + key), ("X-Requested-With", "fetch")],
            _ => [("X-API-Key", key)],
        });
    }

    private async Task<(string, string)> Person(string name, string password) =>
        ("Authorization", "Bearer " + await provider.Token("demo-password", "demo-password-secret",
            ("grant_type", "password"), ("username", name), ("password", password), ("scope", "items:read")));

    private async Task<PageAnswer> SignIn(Browser browser)
    {
        var page = await browser.Follow(await browser.Get(api.Url + "/session/sign-in"));
        page = await browser.SignIn(page, DemoProvider.User, DemoProvider.Password);
        return page.Body.Contains("id=\"consent-accept\"", StringComparison.Ordinal) ? await browser.Accept(page) : page;
    }

    private async Task<PageAnswer> Post(Browser browser, string path, bool ownPage)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, api.Url + path) { Content = new StringContent("""{"name":"a rope"}""", Encoding.UTF8, "application/json") };
        if (ownPage) request.Headers.Add("X-Requested-With", "fetch");
        return await browser.Send(request);
    }

    /// <summary>The sample under uvicorn.</summary>
    public sealed class Api(DemoProvider provider) : IAsyncLifetime
    {
        public const string BrowserService = "service-in-documents";
        private ChildProcess? _process;

        public string Url { get; private set; } = "";

        public string SharedSecret { get; private set; } = "";

        public async Task InitializeAsync()
        {
            SharedSecret = (await provider.Command("resource", "secret", "urn:demo:legacy")).Trim().Split(' ')[^1];
            _process = await Serve(provider.Issuer, out var url, new Dictionary<string, string>
            {
                ["DOCS_CLIENT"] = "documents", ["SESSION_CLIENT"] = "sessions", ["SESSION_SECRET"] = DemoProvider.Secret,
                ["LEGACY_SECRET"] = SharedSecret,
            });
            Url = url;
            await provider.Command("client", "add", "documents", "--public", "--grant", "authorization_code", "--grant", "password", "--allow-public-password-grant",
                "--scope", "items:read items:write", "--redirect-uri", url + "/docs/oauth2-redirect", "--origin", url);
            await provider.Command("client", "add", BrowserService, "--secret", DemoProvider.Secret, "--grant", "client_credentials", "--scope", "items:read", "--origin", url);
            await provider.Command("client", "add", "sessions", "--secret", DemoProvider.Secret, "--grant", "authorization_code", "--grant", "refresh_token",
                "--access-token-lifetime", "5", "--scope", "openid profile offline_access items:read items:write", "--redirect-uri", url + "/session/callback", "--post-logout-redirect-uri", url + "/");
        }

        public async Task DisposeAsync()
        {
            if (_process is not null) await _process.DisposeAsync();
        }

        internal static Task<ChildProcess> Serve(string issuer, out string url, Dictionary<string, string> settings)
        {
            var folder = Path.Combine(ChildProcess.Repository, "samples", "fastapi");
            if (!Directory.Exists(Path.Combine(folder, "node_modules")))
                throw new InvalidOperationException("These tests need packages from Debian and npm: run `make setup`.");
            var port = ChildProcess.FreePort();
            url = $"http://127.0.0.1:{port}";
            (settings["IDP_ISSUER"], settings["PUBLIC_URL"], settings["PYTHONDONTWRITEBYTECODE"]) = (issuer, url, "1");
            return ChildProcess.Serve(new Uri(url + "/openapi.json"),
                ["/usr/bin/python3", "-m", "uvicorn", "app:app", "--host", "127.0.0.1", "--port", port.ToString()], folder, settings);
        }
    }
}
