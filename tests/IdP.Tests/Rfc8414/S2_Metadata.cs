using System.Buffers.Text;
using System.Text.Json.Nodes;
using IdP.Protocol.OAuth;
using IdP.Testing;
using IdP.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace IdP.Tests.Rfc8414;

/// <summary>What the provider says of itself is what it does: every advertised value works, and what is not advertised does not.</summary>
public sealed class S2_Metadata(SqliteServer fixture) : IClassFixture<SqliteServer>
{
    private const string Path = "/.well-known/oauth-authorization-server";
    private readonly IdpServer _server = fixture.Server;

    [Fact]
    public async Task Both_addresses_give_the_same_document()
    {
        // OpenID Connect Discovery 1.0 §4 and RFC 8414 §3.
        var openid = await _server.Http.GetStringAsync(new Uri("/.well-known/openid-configuration", UriKind.Relative));
        Assert.Equal(openid, await _server.Http.GetStringAsync(new Uri(Path, UriKind.Relative)));
    }

    [Fact]
    [Trait("Case", "DIS-05")]
    public async Task The_document_has_these_members_and_no_empty_promise()
    {
        var metadata = await Metadata();

        Assert.Equal(
            [
                "acr_values_supported", "authorization_endpoint", "authorization_response_iss_parameter_supported", "backchannel_logout_session_supported",
                "backchannel_logout_supported", "claims_parameter_supported", "claims_supported",
                "code_challenge_methods_supported", "display_values_supported", "end_session_endpoint", "frontchannel_logout_session_supported",
                "frontchannel_logout_supported", "grant_types_supported", "id_token_signing_alg_values_supported", "introspection_endpoint",
                "introspection_endpoint_auth_methods_supported", "issuer", "jwks_uri", "prompt_values_supported", "pushed_authorization_request_endpoint", "request_parameter_supported",
                "request_uri_parameter_supported", "response_modes_supported", "response_types_supported", "revocation_endpoint", "revocation_endpoint_auth_methods_supported",
                "scopes_supported", "subject_types_supported", "token_endpoint", "token_endpoint_auth_methods_supported", "ui_locales_supported", "userinfo_endpoint",
                "userinfo_signing_alg_values_supported",
            ],
            metadata.Select(member => member.Key).Order(StringComparer.Ordinal));
        Assert.Equal(_server.Issuer, metadata["issuer"]!.GetValue<string>());
        Assert.Equal(["code"], List(metadata, "response_types_supported"));
        foreach (var (name, value) in metadata)
            if (value is JsonArray list) Assert.NotEmpty(list);
        foreach (var (name, value) in metadata)
            if (name.EndsWith("_endpoint", StringComparison.Ordinal) || name == "jwks_uri") Assert.StartsWith(_server.Issuer + "/", value!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Case", "DIS-05")]
    public async Task Every_advertised_endpoint_is_there_and_no_other()
    {
        var metadata = await Metadata();
        foreach (var name in (string[])["token_endpoint", "introspection_endpoint", "revocation_endpoint", "pushed_authorization_request_endpoint"])
            await _server.Refused(new HttpRequestMessage(HttpMethod.Get, metadata[name]!.GetValue<string>()), 405, "invalid_request");
        Assert.Equal(200, (await _server.Send(new HttpRequestMessage(HttpMethod.Get, metadata["jwks_uri"]!.GetValue<string>()))).Status);
        Assert.Equal(401, (await _server.Sent(new HttpRequestMessage(HttpMethod.Get, metadata["userinfo_endpoint"]!.GetValue<string>()))).Status);
        var authorize = await _server.Send(new HttpRequestMessage(HttpMethod.Get, metadata["authorization_endpoint"]!.GetValue<string>()));
        Assert.Equal((400, "text/html"), (authorize.Status, authorize.Response.Content.Headers.ContentType!.MediaType));
        var logout = await _server.Send(new HttpRequestMessage(HttpMethod.Get, metadata["end_session_endpoint"]!.GetValue<string>()));
        Assert.Equal((303, "/signed-out"), (logout.Status, logout.Header("Location")));
        foreach (var path in (string[])["device", "register"])
        {
            await _server.Refused(new HttpRequestMessage(HttpMethod.Get, "/connect/" + path), 404, "not_found");
            await _server.Refused(404, "not_found", "/connect/" + path, "service", ("client_id", "service"));
        }
    }

    [Fact]
    [Trait("Case", "DIS-05")]
    public async Task Every_advertised_grant_works_and_no_other()
    {
        string[] works = ["authorization_code", "client_credentials", "password", "refresh_token"];
        Assert.Equal(works, List(await Metadata(), "grant_types_supported").Order(StringComparer.Ordinal));
        await _server.AddClient("every-grant", string.Join(' ', works) + " implicit", "openid items:read offline_access", c => c.RedirectUris = ["https://every.test/callback"]);

        Assert.Equal(200, (await _server.ClientCredentials("every-grant")).Status);
        var person = await _server.PasswordGrant("alice", clientId: "every-grant", scope: "items:read offline_access");
        Assert.Equal(200, (await _server.Post("/connect/token", "every-grant", ("grant_type", "refresh_token"), ("refresh_token", person.Json["refresh_token"]!.GetValue<string>()))).Status);
        var flow = new CodeFlow { ClientId = "every-grant", RedirectUri = "https://every.test/callback" };
        using var browser = new Browser(_server);
        Assert.Equal(200, (await flow.Redeem(_server, (await browser.Complete(flow.Parameters())).ResponseParameters()["code"])).Status);
        foreach (var other in (string[])["implicit", "urn:ietf:params:oauth:grant-type:device_code", "urn:openid:params:grant-type:ciba"])
            await _server.Refused(400, "unsupported_grant_type", "/connect/token", "every-grant", ("grant_type", other), ("code", "x"), ("refresh_token", "x"), ("device_code", "x"));
    }

    [Fact]
    [Trait("Case", "DIS-05")]
    public async Task Every_advertised_way_to_authenticate_works_at_its_endpoint_and_no_other()
    {
        var metadata = await Metadata();
        string[] withSecret = [AuthenticationMethodNames.Basic, AuthenticationMethodNames.Post], all = [.. withSecret, AuthenticationMethodNames.None];
        Assert.Equal(all, List(metadata, "token_endpoint_auth_methods_supported"));
        Assert.Equal(all, List(metadata, "revocation_endpoint_auth_methods_supported"));
        Assert.Equal(withSecret, List(metadata, "introspection_endpoint_auth_methods_supported"));
        await _server.AddClient("no-secret", "password", "items:read", c => c.AllowPublicPasswordGrant = true, secret: null);

        foreach (var name in (string[])["token_endpoint", "introspection_endpoint", "revocation_endpoint"])
        {
            var path = new Uri(metadata[name]!.GetValue<string>()).AbsolutePath;
            (string, string)[] form = [("grant_type", "client_credentials"), ("scope", "items:read"), ("token", "t")];
            Assert.Equal(200, (await _server.Post(path, "service", form)).Status);
            Assert.Equal(200, (await _server.Post(path, null, [.. form, ("client_id", "service"), ("client_secret", IdpServer.Secret)])).Status);
            (string, string)[] person = [("grant_type", "password"), ("username", "alice"), ("password", IdpServer.Password), ("scope", "items:read"), ("token", "t"), ("client_id", "no-secret")];
            Assert.Equal(name == "introspection_endpoint" ? 401 : 200, (await _server.Post(path, null, person)).Status);
            // private_key_jwt and client_secret_jwt are not known: whoever uses them has not authenticated.
            await _server.Refused(401, "invalid_client", path, null, [.. form, ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"), ("client_assertion", "e30.e30.AAAA")]);
            await _server.Refused(401, "invalid_client", path, null, [.. form, ("client_id", "service"), ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"), ("client_assertion", "e30.e30.AAAA")]);
        }
    }

    [Fact]
    [Trait("Case", "DIS-05")]
    public async Task Every_advertised_scope_can_be_had_and_no_other()
    {
        var before = await Metadata();
        Assert.Equal(["address", "admin", "email", "idp:api_keys", "items:read", "items:write", "offline_access", "openid", "phone", "profile", "roles"], List(before, "scopes_supported"));
        await _server.AddResource("urn:test:scopes", ["new:scope"]);
        var scopes = List(await Metadata(), "scopes_supported");
        Assert.Contains("new:scope", scopes);
        await _server.AddClient("every-scope", "password", string.Join(' ', scopes) + " groups entitlements");

        foreach (var scope in scopes) Assert.Equal(200, (await _server.PasswordGrant("alice", clientId: "every-scope", scope: scope)).Status);
        foreach (var scope in (string[])["groups", "entitlements"])
            await _server.Refused(400, "invalid_scope", "/connect/token", "every-scope", ("grant_type", "password"), ("username", "alice"), ("password", IdpServer.Password), ("scope", scope));
    }

    [Fact]
    [Trait("Case", "DIS-05")]
    public async Task Every_advertised_claim_can_be_had_and_no_other()
    {
        await _server.AddUser("someone", configure: user =>
        {
            foreach (var property in typeof(Accounts.User).GetProperties().Where(p => p.PropertyType == typeof(string) && p.CanWrite && p.GetValue(user) is null)) property.SetValue(user, "known");
        });
        await _server.Change(async (db, _) =>
        {
            var roles = _server.App.Services.GetRequiredService<IdP.Roles.RoleStatements>();
            await roles.AddPermission(db, "items:any", IdpServer.Api, null, "test", default);
            await roles.AddRole(db, "anybody", null, "test", default);
            await roles.Permit(db, "anybody", ["items:any"], "test", default);
            await roles.Assign(db, "anybody", new("someone", null), "test", default);
        });
        await _server.AddClient("curious", "authorization_code", "openid profile email address phone roles items:read", c => c.RedirectUris = ["https://curious.test/callback"]);
        var flow = new CodeFlow { ClientId = "curious", RedirectUri = "https://curious.test/callback", Scope = "openid profile email address phone roles items:read" };
        using var browser = new Browser(_server);
        var tokens = await flow.Redeem(_server, (await browser.Complete(flow.Parameters(), "someone")).ResponseParameters()["code"]);
        var request = new HttpRequestMessage(HttpMethod.Get, "/connect/userinfo");
        request.Headers.Authorization = new("Bearer", tokens.AccessToken);

        var ofUserInfo = (await _server.Sent(request)).Json.Select(claim => claim.Key);
        var ofIdToken = JsonNode.Parse(Base64Url.DecodeFromChars(tokens.Json["id_token"]!.GetValue<string>().Split('.')[1]))!.AsObject().Select(claim => claim.Key);
        // at_hash is about the access token, not about the person.
        Assert.Equal(ofUserInfo.Union(ofIdToken).Except(["at_hash"]).Order(StringComparer.Ordinal), List(await Metadata(), "claims_supported").Order(StringComparer.Ordinal));
    }

    [Theory]
    [Trait("Case", "DIS-06")]
    [InlineData("/.well-known/..;/admin"), InlineData("/.well-known/%2e%2e/connect/token"), InlineData("//.well-known/openid-configuration"), InlineData("/.well-known/openid-configuration;a=b")]
    [InlineData("/.well-known/openid-configuration/"), InlineData("/.well-known/openid-configuration%00"), InlineData("/.well-known/openid%2dconfiguration"), InlineData("/.WELL-KNOWN/OPENID-CONFIGURATION")]
    [InlineData("/.well-known/./jwks.json"), InlineData("/connect/../.well-known/jwks.json"), InlineData("/.well-known%2fjwks.json"), InlineData("/.well-known\\jwks.json"), InlineData("/connect/token/../introspect")]
    public async Task A_path_in_another_spelling_is_the_same_endpoint_or_none(string path)
    {
        var answer = await RawHttp.Send(_server.Url, $"GET {path} HTTP/1.1\r\nHost: {new Uri(_server.Url).Authority}\r\nConnection: close\r\n\r\n");

        // The documents are public; the other endpoints take no GET. Nothing else can come of it, and nothing breaks.
        Assert.Contains(RawHttp.Status(answer), (int[])[200, 400, 404, 405]);
        if (RawHttp.Status(answer) == 200) Assert.Contains("Cache-Control: public", answer, StringComparison.Ordinal);
    }

    private async Task<JsonObject> Metadata() => JsonNode.Parse(await _server.Http.GetStringAsync(new Uri(Path, UriKind.Relative)))!.AsObject();

    private static List<string> List(JsonObject metadata, string name) => [.. metadata[name]!.AsArray().Select(value => value!.GetValue<string>())];
}

public sealed class TheIssuerIsConfigured
{
    [Theory]
    [Trait("Case", "DIS-01")]
    [InlineData("X-Forwarded-Host: evil.example"), InlineData("X-Forwarded-Proto: https"), InlineData("X-Forwarded-Prefix: /evil"), InlineData("Forwarded: host=evil.example;proto=https"), InlineData("X-Original-Host: evil.example")]
    [InlineData("X-Forwarded-For: 203.0.113.7"), InlineData("X-Host: evil.example"), InlineData("X-Original-URL: /connect/token"), InlineData("X-Rewrite-URL: /connect/token")]
    public async Task No_header_has_a_say_in_it_from_whomever_it_comes(string header)
    {
        foreach (var trusted in (string[])["", "127.0.0.1 ::1"])
        {
            await using var server = await IdpServer.Start(options => (options.Issuer, options.Http.TrustedProxies) = ("https://login.example", trusted));
            var plain = await server.Http.GetStringAsync(new Uri("/.well-known/openid-configuration", UriKind.Relative));
            var answer = await RawHttp.Send(server.Url, $"GET /.well-known/openid-configuration HTTP/1.1\r\nHost: login.example\r\n{header}\r\nConnection: close\r\n\r\n");
            var token = await RawHttp.Post(server.Url, "/connect/token", "grant_type=client_credentials&scope=items:read", header, $"Authorization: {IdpServer.Basic("service", IdpServer.Secret)}");

            Assert.EndsWith(plain, answer, StringComparison.Ordinal);
            Assert.Equal("https://login.example", JsonNode.Parse(plain)!["issuer"]!.GetValue<string>());
            Assert.Equal("https://login.example/connect/token", JsonNode.Parse(plain)!["token_endpoint"]!.GetValue<string>());
            Assert.Equal(200, RawHttp.Status(token));
            Assert.DoesNotContain("evil", token + answer, StringComparison.Ordinal);
            Assert.True((await server.Introspect(JsonNode.Parse(token[token.IndexOf('{', StringComparison.Ordinal)..])!["access_token"]!.GetValue<string>())).Active);
        }
    }
}
