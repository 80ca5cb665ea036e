using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using IdP.Testing;

namespace IdP.TokenValidation.Tests.OpenApi;

/// <summary>The document that the library writes for the sample API: every scheme, and what every endpoint asks for.</summary>
public sealed class SampleDocument : IAsyncLifetime
{
    private FakeIssuer _issuer = null!;
    private ChildProcess _api = null!;
    private HttpClient _http = null!;
    private JsonObject _document = null!;

    public async Task InitializeAsync()
    {
        _issuer = await FakeIssuer.Start();
        (_issuer.Metadata["authorization_endpoint"], _issuer.Metadata["token_endpoint"]) = (_issuer.Issuer + "/authorize", _issuer.Issuer + "/token");
        _issuer.Metadata["grant_types_supported"] = new JsonArray("authorization_code", "client_credentials");
        var url = $"http://localhost:{ChildProcess.FreePort()}";
        _api = await ChildProcess.Serve(new Uri(url + "/health/live"), ["dotnet", Path.Combine(AppContext.BaseDirectory, "ResourceApi.dll"), "--urls", url, "--Provider:Issuer", _issuer.Issuer]);
        _http = new HttpClient { BaseAddress = new Uri(url) };
        _document = JsonNode.Parse(await _http.GetStringAsync("/openapi/v1.json"))!.AsObject();
    }

    public async Task DisposeAsync()
    {
        _http.Dispose();
        await _api.DisposeAsync();
        await _issuer.DisposeAsync();
    }

    [Fact]
    public void Every_way_to_prove_who_one_is_is_described()
    {
        var schemes = _document["components"]!["securitySchemes"]!.AsObject();
        Assert.Equal(["OAuth2", "OpenIdConnect", "basic", "introspected", "key-cookie", "key-header", "key-query", "local", "session"], schemes.Select(scheme => scheme.Key).Order(StringComparer.Ordinal));
        Assert.Equal(("http", "bearer", "JWT"), (Text(schemes, "local", "type"), Text(schemes, "local", "scheme"), Text(schemes, "local", "bearerFormat")));
        Assert.Equal(("http", "basic"), (Text(schemes, "basic", "type"), Text(schemes, "basic", "scheme")));
        foreach (var (name, place, carrier) in ((string, string, string)[])[("key-header", "header", "X-API-Key"), ("key-query", "query", "api_key"), ("key-cookie", "cookie", "api_key"), ("session", "cookie", "session")])
            Assert.Equal(("apiKey", place, carrier), (Text(schemes, name, "type"), Text(schemes, name, "in"), Text(schemes, name, "name")));
        Assert.Equal(_issuer.Issuer + FakeIssuer.DiscoveryPath, Text(schemes, "OpenIdConnect", "openIdConnectUrl"));
        var flows = schemes["OAuth2"]!["flows"]!.AsObject();
        // The provider takes no passwords, so the document offers none.
        Assert.Equal(["authorizationCode", "clientCredentials"], flows.Select(flow => flow.Key).Order(StringComparer.Ordinal));
        Assert.Equal((_issuer.Issuer + "/authorize", _issuer.Issuer + "/token"), (Text(flows, "authorizationCode", "authorizationUrl"), Text(flows, "authorizationCode", "tokenUrl")));
        Assert.Equal(["admin", "items:read", "items:write"], flows["clientCredentials"]!["scopes"]!.AsObject().Select(scope => scope.Key).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("/local/items", "get", "items:read", "OAuth2 OpenIdConnect local")]
    [InlineData("/local/items", "post", "items:write", "OAuth2 OpenIdConnect local")]
    [InlineData("/key-query/items", "get", "", "key-query")]
    [InlineData("/site/items", "get", "", "session")]
    [InlineData("/any/items", "get", "items:read", "OAuth2 OpenIdConnect local key-header session")]
    [InlineData("/policies/scopes", "get", "items:read items:write", "OAuth2 OpenIdConnect introspected key-header")]
    [InlineData("/policies/either", "get", "admin", "OAuth2 OpenIdConnect introspected key-header")]
    public void An_endpoint_says_what_it_accepts_and_which_scopes_it_needs(string path, string method, string scopes, string schemes)
    {
        var operation = Operation(path, method);
        var security = operation["security"]!.AsArray().Select(alternative => Assert.Single(alternative!.AsObject())).ToList();
        Assert.Equal(schemes.Split(' '), security.Select(one => one.Key));
        if (scopes.Length > 0) Assert.Equal(scopes.Split(' '), security[0].Value!.AsArray().Select(scope => scope!.GetValue<string>()));
        Assert.NotNull(operation["responses"]!["401"]!["content"]!["application/problem+json"]);
        Assert.NotNull(operation["responses"]!["403"]);
    }

    [Theory]
    [InlineData("/policies/items/{id}", "delete", "Needs the scope `items:write`; the permission `items:delete`.")]
    [InlineData("/policies/role", "get", "Needs the roles `manager` or `auditor`.")]
    [InlineData("/policies/either", "get", "Needs either the scope `admin`, or the role `auditor` and the permission `items:audit`.")]
    [InlineData("/policies/fresh", "get", "Needs a sign-in at most 300 seconds ago.")]
    [InlineData("/policies/strong", "get", "Needs a sign-in of the strength `urn:idp:acr:password`.")]
    [InlineData("/policies/named", "get", "Needs what a policy of the application decides.")]
    public void An_endpoint_says_in_words_what_it_needs(string path, string method, string sentence) =>
        Assert.Equal(sentence, Operation(path, method)["description"]!.GetValue<string>());

    [Fact]
    public void What_anybody_may_call_needs_nothing()
    {
        var open = Operation("/open/items", "get");
        Assert.False(open.ContainsKey("security"));
        Assert.False(open["responses"]!.AsObject().ContainsKey("401"));
    }

    [Fact]
    public async Task Swagger_UI_is_part_of_the_program_and_loads_nothing_from_elsewhere()
    {
        var page = await _http.GetAsync("/docs/index.html");
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        Assert.Contains($"connect-src 'self' {_issuer.Issuer}", string.Join("", page.Headers.GetValues("Content-Security-Policy")), StringComparison.Ordinal);
        Assert.DoesNotContain("//cdn", await page.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Contains("demo-docs", await _http.GetStringAsync("/docs/index.js"), StringComparison.Ordinal);
    }

    private JsonObject Operation(string path, string method) => _document["paths"]![path]![method]!.AsObject();

    private static string? Text(JsonObject json, string member, string name) => json[member]![name]?.GetValue<string>();
}
