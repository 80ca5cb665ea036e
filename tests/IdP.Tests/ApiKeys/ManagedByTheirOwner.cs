using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using IdP.Accounts;
using IdP.ApiKeys;
using IdP.Audit;
using IdP.Clients;
using IdP.Protocol;
using IdP.Testing;
using IdP.Tests.Support;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace IdP.Tests.ApiKeys;

/// <summary>The API of the signed-in owner.</summary>
public sealed class ManagedByTheirOwner(SqliteServer fixture) : IClassFixture<SqliteServer>, IAsyncLifetime
{
    private const string Scope = "idp:api_keys";
    private const string Origin = "https://keys.test";
    private readonly IdpServer _server = fixture.Server;

    public async Task InitializeAsync()
    {
        if ((await _server.Introspect("t", "keys")).Status != 401) return;
        await _server.AddClient("keys", "password client_credentials", $"openid {Scope} items:read", c => c.Origins = [Origin]);
        await _server.AddClient("keys-and-more", "password", $"openid {Scope} items:read items:write admin");
    }

    public Task DisposeAsync() => Task.CompletedTask;

    [Fact]
    [Trait("Case", "LOG-02")]
    public async Task A_whole_key_in_the_place_of_its_id_is_not_in_the_log()
    {
        var key = ApiKeyText.Create();
        Assert.Equal(404, (await Send("GET", $"/api-keys/{key}", await Token("alice"))).Status);
        Assert.Contains(_server.Log.Lines, line => line.Contains($"/api-keys/idp_{key.KeyId}_...", StringComparison.Ordinal));
        Assert.DoesNotContain(_server.Log.Lines, line => line.Contains(key.Secret, StringComparison.Ordinal));
    }

    [Fact]
    [Trait("Case", "KEY-04")]
    public async Task A_person_makes_lists_rotates_and_revokes_their_keys()
    {
        var token = await Token("alice");
        var made = await Send("POST", "/api-keys", token, Body("Laptop", "items:read"));
        Assert.Equal(201, made.Status);
        Assert.Equal("no-store", made.Header("Cache-Control"));
        var key = Text(made, "key");
        Assert.True(ApiKeyText.TryParse(key, out var text));
        Assert.Equal($"{_server.Issuer}/api-keys/{text.KeyId}", made.Header("Location"));
        Assert.Equal(90, (DateTimeOffset.Parse(Text(made, "expires_at")) - DateTimeOffset.Parse(Text(made, "created_at"))).TotalDays);
        Assert.True((await _server.Introspect(key)).Active);
        Assert.NotNull(await _server.LastUse(key));

        foreach (var path in (string[])["/api-keys", $"/api-keys/{text.KeyId}"])
        {
            var shown = await Send("GET", path, token);
            Assert.Equal((200, "no-store"), (shown.Status, shown.Header("Cache-Control")));
            Assert.Contains($"idp_{text.KeyId}", shown.Body, StringComparison.Ordinal);
            Assert.DoesNotContain(text.Secret, shown.Body, StringComparison.Ordinal);
            Assert.Contains("\"last_used_at\":\"2", shown.Body, StringComparison.Ordinal);
        }

        var rotated = await Send("POST", $"/api-keys/{text.KeyId}/rotate", token, """{"overlap_seconds":600}""");
        Assert.Equal((200, text.KeyId), (rotated.Status, Text(rotated, "id")));
        Assert.True((await _server.Introspect(key)).Active);
        Assert.True((await _server.Introspect(Text(rotated, "key"))).Active);
        var again = await Send("POST", $"/api-keys/{text.KeyId}/rotate", token);
        Assert.Equal(200, again.Status);
        foreach (var old in (string[])[key, Text(rotated, "key")]) Assert.False((await _server.Introspect(old)).Active);

        Assert.Equal(204, (await Send("DELETE", $"/api-keys/{text.KeyId}", token)).Status);
        Assert.False((await _server.Introspect(Text(again, "key"))).Active);
        Assert.Equal("revoked", Text(await Send("GET", $"/api-keys/{text.KeyId}", token), "state"));
        Assert.Equal(409, Problem(await Send("POST", $"/api-keys/{text.KeyId}/rotate", token), "conflict").Status);

        await using var db = _server.Database.OpenForReading();
        var events = await db.Set<AuditEvent>().Where(e => e.Target == $"api_key:{text.KeyId}").OrderBy(e => e.Id).ToListAsync();
        Assert.Equal(["api_key.created", "api_key.rotated", "api_key.rotated", "api_key.revoked"], events.Select(e => e.Type));
        Assert.All(events, e => Assert.StartsWith("user:", e.Actor, StringComparison.Ordinal));
        Assert.All(events, e => Assert.Contains("\"client\":\"keys\"", e.Details, StringComparison.Ordinal));
    }

    [Fact]
    [Trait("Case", "KEY-05")]
    public async Task Nobody_reaches_keys_of_others()
    {
        var key = Text(await Send("POST", "/api-keys", await Token("alice"), Body("Mine", "items:read")), "id");
        var (bob, clients) = (await Token("bob"), MadeKeys.KeyId(await _server.ApiKeyOfClient("service")));

        foreach (var id in (string[])[key, clients, "000000000000", "x", new string('0', 500)])
        {
            Assert.Equal(404, Problem(await Send("GET", $"/api-keys/{id}", bob), "not_found").Status);
            Assert.Equal(404, Problem(await Send("DELETE", $"/api-keys/{id}", bob), "not_found").Status);
            Assert.Equal(404, Problem(await Send("POST", $"/api-keys/{id}/rotate", bob), "not_found").Status);
        }
        Assert.DoesNotContain(key, (await Send("GET", "/api-keys", bob)).Body, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Case", "KEY-05")]
    public async Task A_key_made_or_rotated_through_an_app_can_do_no_more_than_the_app_may_ask_for()
    {
        var id = await _server.AddResource("urn:test:secret-api", ["secret:read"]);
        Assert.True(id > 0);
        var token = await Token("alice");

        foreach (var scopes in (string[])["items:write", "items:read,items:write", "admin", "secret:read", "openid", Scope, "unknown"])
            Assert.Equal(403, Problem(await Send("POST", "/api-keys", token, Body("Too much", scopes)), "invalid_scope").Status);
        // One answer, so that it does not tell which APIs there are.
        var (secret, unknown) = (await Send("POST", "/api-keys", token, Body("a", "secret:read", "urn:test:secret-api")), await Send("POST", "/api-keys", token, Body("a", "secret:read", "urn:test:nothing")));
        Assert.Equal((400, secret.Body), (Problem(secret, "invalid_target").Status, unknown.Body));

        var more = await Send("POST", "/api-keys", await Token("alice", "keys-and-more"), Body("More", "items:read,admin"));
        Assert.Equal(201, more.Status);
        Assert.Equal(403, Problem(await Send("POST", $"/api-keys/{Text(more, "id")}/rotate", token), "access_denied").Status);
        Assert.True((await _server.Introspect(Text(more, "key"))).Active);
        // Less is always allowed.
        Assert.Equal(204, (await Send("DELETE", $"/api-keys/{Text(more, "id")}", token)).Status);
    }

    [Fact]
    [Trait("Case", "KEY-05")]
    public async Task Nothing_but_a_token_for_the_provider_alone_with_the_scope_opens_it()
    {
        var key = Text(await Send("POST", "/api-keys", await Token("alice"), Body("Key", "items:read")), "key");
        foreach (var (bearer, status, error) in ((string, int, string)[])
            [
                (key, 401, "invalid_token"), ("garbage", 401, "invalid_token"), (await Token("alice") + "x", 401, "invalid_token"),
                ((await _server.PasswordGrant("alice", clientId: "keys", scope: "openid")).AccessToken, 403, "insufficient_scope"),
                ((await _server.PasswordGrant("alice", clientId: "keys", scope: "openid items:read")).AccessToken, 403, "insufficient_scope"),
                ((await _server.ClientCredentials("keys", "items:read")).AccessToken, 403, "insufficient_scope"),
            ])
            foreach (var (method, path) in ((string, string)[])[("GET", "/api-keys"), ("POST", "/api-keys"), ("DELETE", $"/api-keys/{key[4..16]}"), ("POST", $"/api-keys/{key[4..16]}/rotate")])
            {
                var answer = await Send(method, path, bearer);
                Assert.Equal(status, Problem(answer, error).Status);
                Assert.StartsWith($"Bearer realm=\"IdP\", error=\"{error}\"", answer.Header("WWW-Authenticate"), StringComparison.Ordinal);
                Assert.Equal(status == 403, answer.Header("WWW-Authenticate").EndsWith($", scope=\"{Scope}\"", StringComparison.Ordinal));
            }
        var nothing = await Send("GET", "/api-keys", null);
        Assert.Equal((401, "Bearer realm=\"IdP\""), (nothing.Status, nothing.Header("WWW-Authenticate")));
        foreach (var header in (string[])["X-API-Key", "Cookie"])
        {
            var request = new HttpRequestMessage(HttpMethod.Get, "/api-keys?access_token=" + await Token("alice"));
            request.Headers.TryAddWithoutValidation(header, key);
            Assert.Equal(401, (await _server.Send(request)).Status);
        }
        var twice = await RawHttp.Send(_server.Url, $"GET /api-keys HTTP/1.1\r\nHost: {new Uri(_server.Url).Authority}\r\nAuthorization: Bearer {await Token("alice")}\r\nAuthorization: Bearer x\r\nConnection: close\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 400 ", twice, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Its_scope_is_in_no_token_for_an_API_and_in_none_of_a_client()
    {
        Assert.Equal("invalid_scope", (await _server.PasswordGrant("alice", clientId: "keys", scope: $"items:read {Scope}")).Error);
        Assert.Equal("invalid_scope", (await _server.Post("/connect/token", "keys", ("grant_type", "password"), ("username", "alice"), ("password", IdpServer.Password), ("scope", Scope), ("resource", IdpServer.Api))).Error);
        Assert.Equal("invalid_scope", (await _server.ClientCredentials("keys", Scope)).Error);
        Assert.Equal("invalid_scope", (await _server.PasswordGrant("alice", scope: Scope)).Error);
        Assert.Equal(_server.Issuer, (string)(await _server.PasswordGrant("alice", clientId: "keys", scope: $"openid {Scope}")).Claims["aud"]!);
    }

    [Fact]
    [Trait("Case", "STA-01")]
    public async Task A_disabled_person_or_an_app_that_has_lost_the_scope_does_nothing_more()
    {
        await _server.AddUser("dora");
        await _server.AddClient("passing", "password", $"openid {Scope} items:read");
        var (dora, passing) = (await Token("dora"), await Token("alice", "passing"));
        await _server.Change((db, _) => _server.App.Services.GetRequiredService<UserStatements>().Disable(db, "dora", "cli", CancellationToken.None));
        await _server.Change(async (db, version) =>
        {
            var client = await db.Set<Client>().AsTracking().SingleAsync(c => c.ClientId == "passing");
            (client.Scopes, client.Version) = (["openid", "items:read"], version);
            await db.SaveChangesAsync();
        });

        Assert.Equal(401, (await Send("POST", "/api-keys", dora, Body("a", "items:read"))).Status);
        Assert.Equal(403, (await Send("GET", "/api-keys", passing)).Status);
    }

    [Fact]
    [Trait("Case", "KEY-07")]
    public async Task A_body_that_is_not_what_it_should_be_is_told_what_is_wrong()
    {
        var token = await Token("alice");
        var good = Body("a", "items:read");
        foreach (var (body, type, status) in ((string, string, int)[])
            [
                ("", "application/json", 400), ("{}", "application/json", 400), ("[]", "application/json", 400), ("null", "application/json", 400), ("{", "application/json", 400),
                (good + "x", "application/json", 400), (good[..^1] + ",\"name\":\"b\"}", "application/json", 400), (good[..^1] + ",\"scope\":\"b\"}", "application/json", 400),
                (good.Replace("\"a\"", "1"), "application/json", 400), (good.Replace("\"a\"", "\"\""), "application/json", 400), (good.Replace("\"a\"", "\"\\u202e\""), "application/json", 400),
                (good.Replace("\"a\"", "\"\\ud800\""), "application/json", 400), (good.Replace("\"a\"", $"\"{new string('a', 101)}\""), "application/json", 400),
                (Body("a", ""), "application/json", 403), (good.Replace("[\"items:read\"]", "[]"), "application/json", 400), (good.Replace("[\"items:read\"]", "\"items:read\""), "application/json", 400),
                (good[..^1] + ",\"expires_in_days\":0}", "application/json", 400), (good[..^1] + ",\"expires_in_days\":367}", "application/json", 400),
                (good[..^1] + ",\"expires_in_days\":1.5}", "application/json", 400), (good[..^1] + ",\"expires_in_days\":\"1\"}", "application/json", 400),
                (good[..^1] + ",\"expires_in_days\":99999999999}", "application/json", 400), (good, "text/plain", 415), (good, "application/x-www-form-urlencoded", 415),
                (good + new string(' ', ApiKeyBodies.Longest), "application/json", 413),
            ])
        {
            var answer = await Send("POST", "/api-keys", token, body, type);
            Assert.True(status == answer.Status, $"{body[..Math.Min(200, body.Length)]} {answer.Status} {answer.Body}");
            Problem(answer);
        }
        var id = Text(await Send("POST", "/api-keys", token, good, "application/json; charset=utf-8"), "id");
        foreach (var body in (string[])["""{"overlap_seconds":-1}""", """{"overlap_seconds":99999999}""", """{"overlap":1}""", """{"expires_in_days":0}""", "[]"])
            Assert.Equal(400, Problem(await Send("POST", $"/api-keys/{id}/rotate", token, body), "invalid_request").Status);
    }

    [Fact]
    public async Task An_owner_with_too_many_keys_is_told_so()
    {
        await using var server = await IdpServer.Start(options => options.ApiKeys.PerOwner = 1);
        await server.AddClient("keys", "password", $"{Scope} items:read");
        var token = (await server.PasswordGrant("alice", clientId: "keys", scope: Scope)).AccessToken;

        Assert.Equal(201, (await Send("POST", "/api-keys", token, Body("a", "items:read"), on: server)).Status);
        Assert.Equal(409, Problem(await Send("POST", "/api-keys", token, Body("a", "items:read"), on: server), "conflict").Status);
    }

    [Fact]
    public async Task A_browser_calls_it_from_the_apps_own_origin_and_from_no_other()
    {
        var token = await Token("alice");
        foreach (var (origin, allowed) in ((string, string)[])[(Origin, Origin), ("https://spa.test", ""), ("https://evil.test", "")])
        {
            var request = Request("GET", "/api-keys", token);
            request.Headers.Add("Origin", origin);
            Assert.Equal(allowed, (await _server.Send(request)).Header("Access-Control-Allow-Origin"));
        }
        foreach (var path in (string[])["/api-keys", "/api-keys/000000000000", "/api-keys/000000000000/rotate"])
        {
            var preflight = new HttpRequestMessage(HttpMethod.Options, path);
            preflight.Headers.Add("Origin", Origin);
            var answer = await _server.Send(preflight);
            Assert.Equal((204, Origin), (answer.Status, answer.Header("Access-Control-Allow-Origin")));
            Assert.Contains("Authorization", answer.Header("Access-Control-Allow-Headers"), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_client_gives_back_its_own_key_and_no_other()
    {
        var (own, persons) = (await _server.ApiKeyOfClient("service"), await _server.ApiKeyOfUser("alice"));

        Assert.Equal("invalid_grant", (await _server.Post("/connect/revoke", "app", ("token", own))).Error);
        Assert.Equal("invalid_grant", (await _server.Post("/connect/revoke", "service", ("token", persons))).Error);
        Assert.Equal(200, (await _server.Post("/connect/revoke", "app", ("token", ApiKeyText.Create().ToString()))).Status);
        Assert.True((await _server.Introspect(own)).Active);
        Assert.Equal(200, (await _server.Post("/connect/revoke", "service", ("token", own))).Status);
        Assert.False((await _server.Introspect(own)).Active);
        Assert.True((await _server.Introspect(persons)).Active);
    }

    [Fact]
    public async Task Its_description_names_every_endpoint_and_this_provider()
    {
        var answer = await _server.Send(new HttpRequestMessage(HttpMethod.Get, "/api-keys/openapi.json"));
        Assert.Equal((200, "application/json"), (answer.Status, answer.Header("Content-Type")));
        Assert.Equal(_server.Issuer, (string)answer.Json["servers"]![0]!["url"]!);
        Assert.DoesNotContain("{issuer}", answer.Body, StringComparison.Ordinal);
        var described = answer.Json["paths"]!.AsObject().SelectMany(path => path.Value!.AsObject().Where(m => m.Key != "parameters").Select(m => $"{m.Key.ToUpperInvariant()} {path.Key}"));
        var mapped = _server.App.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Where(e => e.RoutePattern.RawText!.StartsWith("/api-keys", StringComparison.Ordinal) && e.RoutePattern.RawText != "/api-keys/openapi.json")
            .SelectMany(e => e.Metadata.GetMetadata<HttpMethodMetadata>()!.HttpMethods.Where(m => m != "OPTIONS").Select(m => $"{m} {e.RoutePattern.RawText}"));
        Assert.Equal(mapped.Order(StringComparer.Ordinal), described.Order(StringComparer.Ordinal));
        var made = await Send("POST", "/api-keys", await Token("alice"), Body("Described", "items:read"));
        var properties = answer.Json["components"]!["schemas"]!["ApiKey"]!["properties"]!.AsObject().Select(p => p.Key).Append("key").ToList();
        Assert.All(made.Json, member => Assert.Contains(member.Key, properties));
    }

    private static string Body(string name, string scopes, string resource = IdpServer.Api) => new JsonObject
    {
        ["name"] = name, ["resource"] = resource, ["scopes"] = new JsonArray([.. scopes.Split(',').Select(s => (JsonNode)s)]),
    }.ToJsonString();

    private static string Text(Answer answer, string name) => (string)answer.Json[name]!;

    private async Task<string> Token(string user, string client = "keys") => (await _server.PasswordGrant(user, clientId: client, scope: Scope)).AccessToken;

    private static HttpRequestMessage Request(string method, string path, string? bearer, string? body = null, string type = "application/json")
    {
        var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (bearer is not null) request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {bearer}");
        if (body is not null) request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body)) { Headers = { ContentType = MediaTypeHeaderValue.Parse(type) } };
        return request;
    }

    private Task<Answer> Send(string method, string path, string? bearer, string? body = null, string type = "application/json", IdpServer? on = null) =>
        (on ?? _server).Send(Request(method, path, bearer, body, type));

    private static Answer Problem(Answer answer, string? error = null)
    {
        Assert.Equal(("application/problem+json", "no-store"), (answer.Header("Content-Type"), answer.Header("Cache-Control")));
        Assert.Equal(["detail", "error", "status", "title", "type"], answer.Json.Select(m => m.Key).Order(StringComparer.Ordinal));
        Assert.Equal(answer.Status, (int)answer.Json["status"]!);
        if (error is not null) Assert.Equal(error, answer.Error);
        return answer;
    }
}
