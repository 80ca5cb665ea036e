using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace IdP.TokenValidation.Tests.Schemes;

/// <summary>Which credentials count, which come first, and what is asked for.</summary>
public sealed class SeveralOnOneEndpoint
{
    [Fact]
    [Trait("Case", "KEY-01")]
    public async Task Each_accepted_carrier_alone_is_enough_and_two_are_refused_by_name()
    {
        await using var api = await SchemesApi.Start();
        var token = api.Issuer.Token(api.Clock);
        Assert.Equal("Bearer", (await api.Send(SchemesApi.Request("Bearer", token, path: "/any"))).Body);
        Assert.Equal("Introspected", (await api.Send(SchemesApi.Request("Bearer", "opaque", path: "/any"))).Body);
        Assert.Equal("Basic", (await api.Send(SchemesApi.Request("Basic", SchemesApi.Basic(api.Key.KeyId, api.Key.Secret), path: "/any"))).Body);
        Assert.Equal("ApiKey", (await api.Send(SchemesApi.Request("ApiKey", api.Key.ToString(), path: "/any"))).Body);
        Assert.Equal("KeyInCookie", (await api.Send(SchemesApi.Request("KeyInCookie", api.Key.ToString(), path: "/any"))).Body);

        var both = SchemesApi.Request("Bearer", token, path: "/any");
        both.Headers.Add("x-api-key", api.Key.ToString());
        var refused = await api.Send(both);
        Assert.Equal((400, "invalid_request"), (refused.Status, refused.Problem["error"]!.GetValue<string>()));
        Assert.Equal("The request carries credentials in the Authorization header (Bearer) and in the header X-API-Key: send one of them", refused.Problem["detail"]!.GetValue<string>());

        var keys = SchemesApi.Request("ApiKey", api.Key.ToString(), path: "/any");
        keys.Headers.Add("Cookie", "api_key=" + api.Key);
        Assert.Equal(400, (await api.Send(keys)).Status);
    }

    [Fact]
    public async Task A_carrier_that_the_endpoint_does_not_accept_is_not_looked_at()
    {
        await using var api = await SchemesApi.Start();
        var request = SchemesApi.Request("ApiKey", api.Key.ToString());
        request.Headers.TryAddWithoutValidation("Authorization", "Bearer garbage and more");
        request.Headers.Add("Cookie", "api_key=x; api_key=y");
        var answer = await api.Send(request);
        Assert.Equal((200, "ApiKey"), (answer.Status, answer.Body));
        Assert.Equal(401, (await api.Send(SchemesApi.Request("ApiKey", api.Key.ToString(), path: "/Bearer"))).Status);
        Assert.Equal(401, (await api.Send(SchemesApi.Request("KeyInQuery", api.Key.ToString(), path: "/ApiKey"))).Status);
    }

    [Fact]
    public async Task Without_a_credential_there_is_a_challenge_for_each_accepted_scheme()
    {
        await using var api = await SchemesApi.Start();
        var answer = await api.Send(new HttpRequestMessage(HttpMethod.Get, "/any"));
        Assert.Equal(401, answer.Status);
        var challenges = answer.Challenge!.Split(" | ");
        Assert.Equal(["Bearer", "Bearer", "Basic", "ApiKey", "ApiKey"], challenges.Select(challenge => challenge.Split(' ')[0]));
        Assert.DoesNotContain("error", answer.Challenge, StringComparison.Ordinal);

        // The error is told to the scheme that read the credential.
        answer = await api.Send(SchemesApi.Request("ApiKey", "nonsense", path: "/any"));
        Assert.Single(answer.Challenge!.Split(" | "), challenge => challenge.Contains("error=\"invalid_key\"", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Cookies_on_unsafe_methods_need_the_header()
    {
        await using var api = await SchemesApi.Start();
        Assert.Equal(200, (await api.Send(SchemesApi.Request("KeyInCookie", api.Key.ToString()))).Status);
        var refused = await api.Send(SchemesApi.Request("KeyInCookie", api.Key.ToString(), method: HttpMethod.Post));
        Assert.Equal((403, "cross_site_request"), (refused.Status, refused.Problem["error"]!.GetValue<string>()));
        var request = SchemesApi.Request("KeyInCookie", api.Key.ToString(), method: HttpMethod.Post);
        request.Headers.Add("X-CSRF", "1");
        Assert.Equal(200, (await api.Send(request)).Status);
        Assert.Equal(200, (await api.Send(SchemesApi.Request("ApiKey", api.Key.ToString(), method: HttpMethod.Post))).Status);
    }

    [Fact]
    public async Task An_antiforgery_token_of_the_same_user_does_instead()
    {
        await using var api = await SchemesApi.Start(
            services =>
            {
                services.AddAntiforgery(options => options.Cookie.Name = "form");
                services.AddSingleton<IDataProtectionProvider, EphemeralDataProtectionProvider>();
            },
            app => app.MapGet("/form", (HttpContext http, IAntiforgery forms) => forms.GetAndStoreTokens(http).RequestToken).RequireSchemes("KeyInCookie"));
        var page = await api.Http.SendAsync(SchemesApi.Request("KeyInCookie", api.Key.ToString(), path: "/form"));
        var token = await page.Content.ReadAsStringAsync();
        var cookie = page.Headers.GetValues("Set-Cookie").Single().Split(';')[0];
        foreach (var (sent, status) in ((string, int)[])[(token, 200), (token[..^2], 403), ("", 403)])
        {
            var request = new HttpRequestMessage(HttpMethod.Post, "/KeyInCookie");
            request.Headers.TryAddWithoutValidation("Cookie", $"api_key={api.Key}; {cookie}");
            request.Headers.TryAddWithoutValidation("RequestVerificationToken", sent);
            Assert.Equal(status, (await api.Send(request)).Status);
        }
    }

    [Fact]
    public async Task Plain_attributes_choose_schemes_in_their_order()
    {
        await using var api = await SchemesApi.Start();
        Assert.Equal("Legacy", (await api.Send(SchemesApi.Request("Bearer", api.LegacyToken(), path: "/attribute"))).Body);
        Assert.Equal("Bearer", (await api.Send(SchemesApi.Request("Bearer", api.Issuer.Token(api.Clock), path: "/attribute"))).Body);
    }

    [Fact]
    public async Task The_metadata_of_the_resource_is_where_its_identifier_says_and_lists_the_scopes_asked_for()
    {
        await using var api = await SchemesApi.Start(endpoints: app =>
        {
            app.MapGet("/s", () => "").RequireScope("items:read");
            app.MapGet("/t", () => "").RequireAuthorization(policy => policy.RequireAnyOf(a => a.RequireScope("admin"), b => b.RequireRole("boss")));
        });
        var answer = await api.Send(new HttpRequestMessage(HttpMethod.Get, "/.well-known/oauth-protected-resource/v1"));
        var json = JsonNode.Parse(answer.Body)!;
        Assert.Equal(SchemesApi.Resource, json["resource"]!.GetValue<string>());
        Assert.Equal($"""["{api.Issuer.Issuer}"]""", json["authorization_servers"]!.ToJsonString());
        Assert.Equal("""["admin","items:read"]""", json["scopes_supported"]!.ToJsonString());
    }

    [Theory]
    [InlineData("/permission", """{"permissions":["items:delete","items:audit"]}""", 200, null)]
    [InlineData("/permission", """{"permissions":["items:audit"]}""", 403, "\"permissions\":\"items:delete\"")]
    [InlineData("/any-permission", """{"permissions":["items:audit"]}""", 200, null)]
    [InlineData("/any-permission", """{"scope":"items:audit"}""", 403, "\"permissions\":\"items:audit items:delete\"")]
    [InlineData("/role", """{"roles":["auditor"]}""", 200, null)]
    [InlineData("/role", """{"roles":"boss"}""", 403, "\"roles\":\"manager auditor\"")]
    [InlineData("/any", """{"scope":"admin"}""", 200, null)]
    [InlineData("/any", """{"roles":["manager"],"permissions":["items:delete"]}""", 200, null)]
    [InlineData("/any", """{"roles":["manager"]}""", 403, "\"any_of\":")]
    [InlineData("/audience", """{}""", 403, "\"aud\":\"urn:other\"")]
    [InlineData("/audience", """{"aud":["urn:test:api","urn:other"]}""", 200, null)]
    [InlineData("/plain", """{"roles":["boss"]}""", 200, null)]
    [InlineData("/plain", """{"roles":["Boss"]}""", 403, "\"roles\":\"boss\"")]
    [InlineData("/strong", """{"acr":"urn:a"}""", 200, null)]
    [InlineData("/strong", """{"acr":"urn:c"}""", 401, "\"error\":\"insufficient_user_authentication\",\"acr_values\":\"urn:a urn:b\"")]
    [InlineData("/fresh", """{"auth_time":1893455800}""", 200, null)]
    [InlineData("/fresh", """{"auth_time":1893455699}""", 401, "\"error\":\"insufficient_user_authentication\",\"max_age\":\"300\"")]
    [InlineData("/fresh", """{}""", 401, "\"max_age\":\"300\"")]
    [InlineData("/fresh", """{"auth_time":"lately"}""", 401, "\"max_age\":\"300\"")]
    public async Task Policies_ask_for_rights_and_for_sign_ins(string path, string claims, int status, string? body)
    {
        await using var api = await SchemesApi.Start(endpoints: app =>
        {
            var group = app.MapGroup("/p");
            group.MapGet("/permission", () => "").RequirePermission("items:delete", "items:audit");
            group.MapGet("/any-permission", () => "").RequireAnyPermission("items:audit", "items:delete");
            group.MapGet("/role", () => "").RequireRole("manager", "auditor");
            group.MapGet("/any", () => "").RequireAuthorization(policy => policy.RequireAnyOf(a => a.RequireScope("admin"), b => b.RequireRole("manager").RequirePermission("items:delete")));
            group.MapGet("/audience", () => "").RequireAudience("urn:other");
            group.MapGet("/plain", [Authorize(Roles = "boss")] () => "");
            group.MapGet("/strong", () => "").RequireAcr("urn:a", "urn:b");
            group.MapGet("/fresh", () => "").RequireMaxAge(TimeSpan.FromMinutes(5));
        });
        var token = api.Issuer.Claims(api.Clock);
        foreach (var (name, value) in JsonNode.Parse(claims)!.AsObject()) token[name] = value?.DeepClone();
        var answer = await api.Send(SchemesApi.Request("Bearer", IdP.Testing.ForgedJwt.Sign(api.Issuer.Key, token), path: "/p" + path));
        Assert.True(status == answer.Status, $"{answer.Status} {answer.Body}");
        if (body is not null) Assert.Contains(body, answer.Body, StringComparison.Ordinal);
        if (status == 401) Assert.Contains("error=\"insufficient_user_authentication\"", answer.Challenge, StringComparison.Ordinal);
        if (status == 403) Assert.Contains("error=\"insufficient_scope\"", answer.Challenge, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_unwise_is_logged()
    {
        await using var api = await SchemesApi.Start();
        Assert.Contains(api.Log.Lines, line => line.Contains("Legacy checks tokens with a shared secret", StringComparison.Ordinal));
        Assert.Contains(api.Log.Lines, line => line.Contains("KeyInQuery takes API keys from the query", StringComparison.Ordinal));
    }
}
