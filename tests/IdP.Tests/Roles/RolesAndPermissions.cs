using System.Text.Json.Nodes;
using IdP.Roles;
using IdP.Testing;
using IdP.Tests.Commands;
using IdP.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace IdP.Tests.Roles;

/// <summary>Roles and permissions reach the API that they are for, and no other.</summary>
public sealed class RolesAndPermissions : IAsyncLifetime
{
    private const string OtherApi = "urn:test:other";
    private IdpServer _server = null!;

    public async Task InitializeAsync()
    {
        _server = await IdpServer.Start(https: true);
        var other = await _server.AddResource(OtherApi, ["other:read"]);
        await _server.AddResource("urn:test:sealed", ["sealed:read"], r => r.TokenFormat = IdP.Resources.TokenFormat.Opaque);
        await _server.AddClient("other-api", "", "", c => c.ResourceId = other);
        await _server.AddClient("both", "client_credentials password authorization_code refresh_token", "openid roles offline_access items:read items:write other:read sealed:read", c => c.RedirectUris = ["https://both.test/callback"]);
        await Change(async (roles, db) =>
        {
            await roles.AddPermission(db, "items:delete", IdpServer.Api, null, "test", default);
            await roles.AddPermission(db, "items:audit", IdpServer.Api, null, "test", default);
            await roles.AddPermission(db, "other:all", OtherApi, null, "test", default);
            await roles.AddPermission(db, "sealed:all", "urn:test:sealed", null, "test", default);
            await roles.AddRole(db, "manager", null, "test", default);
            await roles.Permit(db, "manager", ["items:delete", "items:audit", "sealed:all"], "test", default);
            await roles.AddRole(db, "auditor", null, "test", default);
            await roles.Permit(db, "auditor", ["items:audit", "other:all"], "test", default);
            await roles.AddRole(db, "idle", null, "test", default);
            foreach (var role in (string[])["manager", "auditor", "idle"])
            {
                await roles.Assign(db, role, new("alice", null), "test", default);
                await roles.Assign(db, role, new(null, "both"), "test", default);
            }
        });
    }

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Theory]
    [InlineData("client_credentials")]
    [InlineData("password")]
    [InlineData("authorization_code")]
    [InlineData("refresh_token")]
    public async Task A_token_carries_what_is_for_its_audience_and_nothing_of_another(string grant)
    {
        var tokens = await Tokens(grant, "items:read");
        Assert.Equal(["auditor", "manager"], Texts(tokens.Claims, "roles"));
        Assert.Equal(["items:audit", "items:delete"], Texts(tokens.Claims, "permissions"));
        var told = (await _server.Introspect(tokens.AccessToken)).Json;
        Assert.Equal(["auditor", "manager"], Texts(told, "roles"));
        Assert.Equal(["items:audit", "items:delete"], Texts(told, "permissions"));

        tokens = await Tokens(grant, "other:read");
        Assert.Equal(["auditor"], Texts(tokens.Claims, "roles"));
        Assert.Equal(["other:all"], Texts(tokens.Claims, "permissions"));
        Assert.Equal(["other:all"], Texts((await _server.Introspect(tokens.AccessToken, "other-api")).Json, "permissions"));
    }

    [Fact]
    public async Task An_opaque_token_tells_them_at_introspection()
    {
        var token = (await Tokens("password", "sealed:read")).AccessToken;
        Assert.DoesNotContain('.', token);
        var told = (await _server.Introspect(token, "both")).Json;
        Assert.Equal(["manager"], Texts(told, "roles"));
        Assert.Equal(["sealed:all"], Texts(told, "permissions"));
    }

    [Fact]
    public async Task Who_holds_nothing_gets_neither_claim()
    {
        var claims = (await _server.PasswordGrant("bob", clientId: "both")).Claims;
        Assert.False(claims.ContainsKey("roles"));
        Assert.False(claims.ContainsKey("permissions"));
        Assert.False((await _server.ClientCredentials()).Claims.ContainsKey("roles"));
    }

    [Fact]
    public async Task Userinfo_and_ID_tokens_tell_them_only_when_asked()
    {
        var plain = await Tokens("authorization_code", "openid items:read");
        Assert.False(IdToken.Claims(plain).ContainsKey("roles"));
        Assert.False((await UserInfo(plain.AccessToken)).ContainsKey("roles"));
        var asked = await Tokens("authorization_code", "openid roles items:read", """{"id_token":{"permissions":null}}""");
        Assert.Equal(["items:audit", "items:delete"], Texts(IdToken.Claims(asked), "permissions"));
        Assert.False(IdToken.Claims(asked).ContainsKey("roles"));
        var told = await UserInfo(asked.AccessToken);
        Assert.Equal(["auditor", "manager"], Texts(told, "roles"));
        // A client that has no scope that opens it is not told by name either.
        var flow = new CodeFlow { With = { ["claims"] = """{"id_token":{"roles":null},"userinfo":{"roles":null}}""" }, Scope = "openid items:read" };
        using var browser = new Browser(_server);
        var web = await flow.Redeem(_server, FrontChannel.IsCode(_server, await browser.Complete(flow.Parameters()), flow));
        Assert.False(IdToken.Claims(web).ContainsKey("roles"));
    }

    [Fact]
    [Trait("Case", "STA-05")]
    public async Task A_role_taken_away_is_gone_at_introspection_userinfo_and_from_the_next_token_at_once()
    {
        var tokens = await Tokens("authorization_code", "openid roles offline_access items:read");
        using var cli = Cli.Beside(_server);
        await cli.Done("role", "unassign", "manager", "--user", "alice");
        Assert.Equal(["auditor"], Texts((await _server.Introspect(tokens.AccessToken)).Json, "roles"));
        Assert.Equal(["items:audit"], Texts((await _server.Introspect(tokens.AccessToken)).Json, "permissions"));
        Assert.Equal(["auditor"], Texts(await UserInfo(tokens.AccessToken), "roles"));
        var refreshed = await Refresh(tokens, "openid roles items:read");
        Assert.Equal(["auditor"], Texts(refreshed.Claims, "roles"));
        // What comes back is for the next token: the old one never says more than it did.
        await cli.Done("role", "forbid", "auditor", "items:audit");
        Assert.False((await _server.Introspect(refreshed.AccessToken)).Json.ContainsKey("permissions"));
        await cli.Done("role", "assign", "manager", "--user", "alice");
        Assert.Equal(["manager"], Texts((await _server.Introspect(tokens.AccessToken)).Json, "roles"));
        Assert.False((await _server.Introspect(refreshed.AccessToken)).Json.ContainsKey("roles"));
        Assert.Equal(["manager"], Texts((await Refresh(refreshed, "items:read")).Claims, "roles"));
    }

    [Fact]
    [Trait("Case", "STA-05")]
    public async Task A_role_of_a_client_taken_away_is_gone_at_once_too()
    {
        var token = (await Tokens("client_credentials", "items:read")).AccessToken;
        using var cli = Cli.Beside(_server);
        await cli.Done("role", "unassign", "manager", "--client", "both");
        Assert.Equal(["items:audit"], Texts((await _server.Introspect(token)).Json, "permissions"));
        Assert.Equal(["items:audit"], Texts((await Tokens("client_credentials", "items:read")).Claims, "permissions"));
    }

    [Fact]
    public async Task A_role_or_permission_of_the_same_name_that_is_made_later_is_held_by_nobody()
    {
        var token = (await Tokens("password", "items:read")).AccessToken;
        using var cli = Cli.Beside(_server);
        await cli.Done("role", "delete", "manager");
        await cli.Done("role", "add", "manager", "--permission", "items:delete");
        Assert.Equal(["auditor"], Texts((await Tokens("password", "items:read")).Claims, "roles"));
        Assert.Equal(["auditor"], Texts((await _server.Introspect(token)).Json, "roles"));
        await cli.Done("permission", "delete", "items:audit");
        await cli.Done("permission", "add", "items:audit", "--resource", IdpServer.Api);
        Assert.False((await Tokens("password", "items:read")).Claims.ContainsKey("permissions"));
    }

    private Task Change(Func<RoleStatements, IdP.Storage.IdpDbContext, Task> change) =>
        _server.Change((db, _) => change(_server.App.Services.GetRequiredService<RoleStatements>(), db));

    private async Task<Answer> Tokens(string grant, string scope, string? claims = null)
    {
        Answer answer;
        switch (grant)
        {
            case "client_credentials": answer = await _server.ClientCredentials("both", scope); break;
            case "password": answer = await _server.PasswordGrant("alice", clientId: "both", scope: scope); break;
            case "refresh_token": return await Refresh(await Tokens("authorization_code", $"openid offline_access {scope}"), scope);
            default:
                var flow = new CodeFlow { ClientId = "both", RedirectUri = "https://both.test/callback", Scope = scope, With = { ["claims"] = claims, ["prompt"] = "consent" } };
                using (var browser = new Browser(_server))
                    answer = await flow.Redeem(_server, FrontChannel.IsCode(_server, await browser.Complete(flow.Parameters()), flow));
                break;
        }
        Assert.True(answer.Status == 200, answer.Body);
        return answer;
    }

    private async Task<Answer> Refresh(Answer tokens, string scope)
    {
        var answer = await _server.Post("/connect/token", "both", ("grant_type", "refresh_token"), ("refresh_token", tokens.Json["refresh_token"]!.GetValue<string>()), ("scope", scope));
        Assert.True(answer.Status == 200, answer.Body);
        return answer;
    }

    private async Task<JsonObject> UserInfo(string token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/connect/userinfo") { Headers = { Authorization = new("Bearer", token) } };
        return (await _server.Send(request)).Json;
    }

    private static string[] Texts(JsonObject json, string name) => json[name]!.AsArray().Select(value => value!.GetValue<string>()).ToArray();
}
