using System.Text.Json.Nodes;
using IdP.Roles;
using IdP.Testing;
using IdP.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace IdP.Tests.Roles;

public abstract class OnSeveralNodes(ServerFixture fixture)
{
    [Fact]
    [Trait("Case", "STA-05")]
    public async Task A_role_taken_away_on_one_node_is_gone_on_the_other()
    {
        await using var nodes = await Nodes.Start(fixture, 2);
        var (one, two) = (nodes[0], nodes[1]);
        await Change(one, async (roles, db) =>
        {
            await roles.AddPermission(db, "items:delete", IdpServer.Api, null, "test", default);
            await roles.AddRole(db, "manager", null, "test", default);
            await roles.Permit(db, "manager", ["items:delete"], "test", default);
            await roles.Assign(db, "manager", new("alice", null), "test", default);
        });
        await two.Change((_, _) => Task.CompletedTask);
        var token = (await two.PasswordGrant("alice")).AccessToken;
        Assert.Equal("items:delete", (await one.Introspect(token)).Json["permissions"]!.AsArray().Single()!.GetValue<string>());
        await Change(one, (roles, db) => roles.Unassign(db, "manager", new("alice", null), "test", default));
        // Who holds what is never remembered: this needs no poll.
        JsonObject told = (await two.Introspect(token)).Json;
        Assert.True(told["active"]!.GetValue<bool>());
        Assert.False(told.ContainsKey("permissions"));
        Assert.False((await two.PasswordGrant("alice")).Claims.ContainsKey("roles"));
    }

    private static Task Change(IdpServer server, Func<RoleStatements, IdP.Storage.IdpDbContext, Task> change) =>
        server.Change((db, _) => change(server.App.Services.GetRequiredService<RoleStatements>(), db));
}

public sealed class OnSqliteNodes(SqliteServer fixture) : OnSeveralNodes(fixture), IClassFixture<SqliteServer>;

public sealed class OnPostgresNodes(PostgresServer fixture) : OnSeveralNodes(fixture), IClassFixture<PostgresServer>;

public sealed class OnPostgresNodesBalanced(PostgresNodes fixture) : OnSeveralNodes(fixture), IClassFixture<PostgresNodes>;
