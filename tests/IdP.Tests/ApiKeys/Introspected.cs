using System.Text.Json.Nodes;
using IdP.Accounts;
using IdP.ApiKeys;
using IdP.Clients;
using IdP.Protocol;
using IdP.Resources;
using IdP.Roles;
using IdP.Storage;
using IdP.Testing;
using IdP.Tests.Support;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace IdP.Tests.ApiKeys;

/// <summary>What an API is told of a key, on every node, and that whatever takes the key away counts at once.</summary>
public abstract class Introspected(ServerFixture fixture)
{
    private const string Inactive = """{"active":false}""";
    private readonly IdpServer _server = fixture.Server;

    [Fact]
    public async Task A_persons_key_is_described_to_its_API()
    {
        var alice = await User("alice");
        var key = await _server.ApiKeyOfUser("alice", "items:write items:read", days: 30);

        var answer = await _server.Introspect(key);

        var expected = new JsonObject
        {
            ["active"] = true, ["iss"] = _server.Issuer, ["sub"] = alice.Subject, ["aud"] = new JsonArray(IdpServer.Api, "https://api.test"), ["scope"] = "items:read items:write",
            ["token_type"] = "ApiKey", ["jti"] = MadeKeys.KeyId(key),
        };
        Assert.True(answer.Json["iat"]!.GetValue<long>() <= _server.Clock.GetUtcNow().ToUnixTimeSeconds());
        Assert.Equal(30 * 86400, answer.Json["exp"]!.GetValue<long>() - answer.Json["iat"]!.GetValue<long>());
        var told = answer.Json;
        told.Remove("iat");
        told.Remove("exp");
        Assert.True(JsonNode.DeepEquals(expected, told), answer.Body);
        Assert.Equal("no-store", answer.Header("Cache-Control"));
    }

    [Fact]
    public async Task A_clients_key_is_described_to_its_API_and_to_the_client_and_to_nobody_else()
    {
        var other = await _server.AddResource("urn:test:other", ["other:read"]);
        await _server.AddClient("other-api", "", "", c => c.ResourceId = other);
        var key = await _server.ApiKeyOfClient("service");

        foreach (var caller in (string[])["api", "service"])
        {
            var answer = await _server.Introspect(key, caller);
            Assert.Equal(("service", "service", "ApiKey"), ((string)answer.Json["sub"]!, (string)answer.Json["client_id"]!, (string)answer.Json["token_type"]!));
        }
        foreach (var stranger in (string[])["app", "other-api"]) Assert.Equal(Inactive, (await _server.Introspect(key, stranger)).Body);
        Assert.Equal(Inactive, (await _server.Introspect(await _server.ApiKeyOfUser("bob"), "service")).Body);
    }

    [Fact]
    [Trait("Case", "KEY-02")]
    [Trait("Case", "STA-01")]
    [Trait("Case", "STA-02")]
    [Trait("Case", "STA-06")]
    public async Task A_key_ends_at_once_on_every_node_with_whatever_takes_it_away()
    {
        await using var nodes = await Nodes.Start(fixture, 2);
        var name = Guid.NewGuid().ToString("N");
        await _server.AddUser($"u{name}");
        await _server.AddClient($"c{name}", "client_credentials", "items:read items:write");
        foreach (var node in nodes.All) await node.App.Services.GetRequiredService<ChangePoll>().Poll(CancellationToken.None);
        var (user, client) = ($"u{name}", $"c{name}");
        Task Accounts(Func<UserStatements, IdpDbContext, Task> change) => Write(nodes[1], (services, db) => change(services.GetRequiredService<UserStatements>(), db));
        Task Apps(Func<ClientStatements, IdpDbContext, Task> change) => Write(nodes[1], (services, db) => change(services.GetRequiredService<ClientStatements>(), db));

        var revoked = await _server.ApiKeyOfUser(user);
        await All(nodes, revoked, true);
        Assert.True(await nodes[1].Revoke(revoked));
        await All(nodes, revoked, false);

        var (persons, clients) = (await _server.ApiKeyOfUser(user), await _server.ApiKeyOfClient(client));
        await All(nodes, persons, true);
        await Accounts((accounts, db) => accounts.Disable(db, user, "cli", CancellationToken.None));
        await All(nodes, persons, false);
        // A credential, as the password is: with the account it comes back.
        await Accounts((accounts, db) => accounts.Enable(db, user, "cli", CancellationToken.None));
        await All(nodes, persons, true);

        await All(nodes, clients, true);
        await Apps((apps, db) => apps.Disable(db, client, "cli", CancellationToken.None));
        await All(nodes, clients, false);
        await Apps((apps, db) => apps.Enable(db, client, "cli", CancellationToken.None));
        await All(nodes, clients, true);

        await Write(nodes[1], (_, db) => db.Users.Where(u => u.UserName == user).ExecuteDeleteAsync());
        await All(nodes, persons, false);
        await _server.AddUser(user);
        await All(nodes, persons, false);
        await Write(nodes[1], (_, db) => db.Set<Client>().Where(c => c.ClientId == client).ExecuteDeleteAsync());
        await All(nodes, clients, false);
    }

    [Fact]
    [Trait("Case", "KEY-02")]
    public async Task A_scope_that_is_removed_is_gone_from_every_key_and_does_not_come_back_with_its_name()
    {
        await using var nodes = await Nodes.Start(fixture, 2);
        var id = await _server.AddResource("urn:test:shrinks", ["shrinks:a", "shrinks:b"]);
        await _server.AddClient("shrinks-api", "", "", c => c.ResourceId = id);
        var key = await _server.ApiKeyOfUser("alice", "shrinks:a shrinks:b", resource: "urn:test:shrinks");
        foreach (var node in nodes.All) await node.App.Services.GetRequiredService<ChangePoll>().Poll(CancellationToken.None);
        Task Remove(string name) => Write(nodes[1], (_, db) => db.Set<Scope>().Where(s => s.Name == name).ExecuteDeleteAsync());

        Assert.Equal("shrinks:a shrinks:b", (string)(await _server.Introspect(key, "shrinks-api")).Json["scope"]!);
        await Remove("shrinks:a");
        foreach (var node in nodes.All) Assert.Equal("shrinks:b", (string)(await node.Introspect(key, "shrinks-api")).Json["scope"]!);
        await _server.Change(async (db, version) =>
        {
            db.Add(new Scope { Name = "shrinks:a", ResourceId = id, Version = version });
            await db.SaveChangesAsync();
        });
        Assert.Equal("shrinks:b", (string)(await _server.Introspect(key, "shrinks-api")).Json["scope"]!);
        await Remove("shrinks:b");
        foreach (var node in nodes.All) Assert.Equal(Inactive, (await node.Introspect(key, "shrinks-api")).Body);
    }

    [Fact]
    public async Task A_scope_that_the_client_has_lost_its_key_has_lost()
    {
        await _server.AddClient("loser", "client_credentials", "items:read items:write");
        var key = await _server.ApiKeyOfClient("loser", "items:read items:write");
        await _server.Change(async (db, version) =>
        {
            var client = await db.Set<Client>().AsTracking().SingleAsync(c => c.ClientId == "loser");
            (client.Scopes, client.Version) = (["items:read"], version);
            await db.SaveChangesAsync();
        });

        Assert.Equal("items:read", (string)(await _server.Introspect(key)).Json["scope"]!);
    }

    [Fact]
    public async Task A_rotated_key_keeps_its_id_and_the_old_secret_ends_at_once_or_after_the_overlap()
    {
        await using var nodes = await Nodes.Start(fixture, 2);
        var first = await _server.ApiKeyOfUser("alice");
        var second = await _server.Rotate(first);

        Assert.Equal(MadeKeys.KeyId(first), MadeKeys.KeyId(second));
        Assert.NotEqual(first, second);
        await All(nodes, first, false);
        await All(nodes, second, true);

        var third = await nodes[1].Rotate(second, overlapSeconds: 60);
        await All(nodes, second, true);
        await All(nodes, third, true);
        var fourth = await nodes[1].Rotate(third, overlapSeconds: 60);
        // One at a time may be on its way out.
        await All(nodes, second, false);
        await All(nodes, third, true);
        await All(nodes, fourth, true);
    }

    [Fact]
    public async Task The_last_use_of_a_live_key_is_written_down()
    {
        var (key, unused, ended) = (await _server.ApiKeyOfUser("alice"), await _server.ApiKeyOfUser("alice"), await _server.ApiKeyOfUser("alice"));
        await _server.Revoke(ended);

        foreach (var (text, caller) in ((string, string)[])[(unused[..^1] + (unused[^1] == 'x' ? "y" : "x"), "api"), (ended, "api"), (unused, "app"), (key, "api")]) await _server.Introspect(text, caller);

        Assert.Null(await _server.LastUse(unused));
        Assert.Null(await _server.LastUse(ended));
        Assert.NotNull(await _server.LastUse(key));
    }

    [Fact]
    public async Task A_key_has_the_roles_and_permissions_that_its_owner_has_at_the_API_now()
    {
        await using var nodes = await Nodes.Start(fixture, 2);
        await _server.AddUser("rosa");
        await _server.AddClient("robot", "client_credentials", "items:read");
        await _server.AddResource("urn:test:elsewhere", ["elsewhere:read"]);
        await Roles(async (roles, db) =>
        {
            await roles.AddPermission(db, "items:delete", IdpServer.Api, null, "test", default);
            await roles.AddPermission(db, "elsewhere:delete", "urn:test:elsewhere", null, "test", default);
            await roles.AddRole(db, "manager", null, "test", default);
            await roles.Permit(db, "manager", ["items:delete", "elsewhere:delete"], "test", default);
            await roles.Assign(db, "manager", new("rosa", null), "test", default);
            await roles.Assign(db, "manager", new(null, "robot"), "test", default);
        });
        foreach (var node in nodes.All) await node.App.Services.GetRequiredService<ChangePoll>().Poll(CancellationToken.None);

        foreach (var key in (string[])[await _server.ApiKeyOfUser("rosa"), await _server.ApiKeyOfClient("robot")])
            foreach (var node in nodes.All)
            {
                var told = (await node.Introspect(key)).Json;
                Assert.Equal(("""["manager"]""", """["items:delete"]"""), (told["roles"]!.ToJsonString(), told["permissions"]!.ToJsonString()));
            }
        var persons = await _server.ApiKeyOfUser("rosa");
        await Roles((roles, db) => roles.Unassign(db, "manager", new("rosa", null), "test", default));
        foreach (var node in nodes.All) Assert.False((await node.Introspect(persons)).Json.ContainsKey("permissions"));
    }

    private Task Roles(Func<RoleStatements, IdpDbContext, Task> change) => _server.Change((db, _) => change(_server.App.Services.GetRequiredService<RoleStatements>(), db));

    private static async Task All(Nodes nodes, string key, bool active)
    {
        foreach (var node in nodes.All)
        {
            var answer = await node.Introspect(key);
            Assert.Equal(200, answer.Status);
            if (active) Assert.True(answer.Active);
            else Assert.Equal(Inactive, answer.Body);
        }
    }

    private async Task<User> User(string name)
    {
        await using var db = _server.Database.OpenForReading();
        return await db.Users.SingleAsync(u => u.UserName == name);
    }

    private static Task Write(IdpServer node, Func<IServiceProvider, IdpDbContext, Task> change) => node.Database.Write(db => change(node.App.Services, db), CancellationToken.None);
}

public sealed class IntrospectedOnSqlite(SqliteServer fixture) : Introspected(fixture), IClassFixture<SqliteServer>;

public sealed class IntrospectedOnPostgres(PostgresServer fixture) : Introspected(fixture), IClassFixture<PostgresServer>;

public sealed class IntrospectedOnNodes(PostgresNodes fixture) : Introspected(fixture), IClassFixture<PostgresNodes>;
