using IdP.Protocol.Jose;
using IdP.Resources;
using IdP.Roles;
using IdP.Storage;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace IdP.Storage.Tests.Roles;

public sealed class RolesOnSqlite(SqliteFixture fixture) : RoleSuite(fixture), IClassFixture<SqliteFixture>;

public sealed class RolesOnPostgres(PostgresFixture fixture) : RoleSuite(fixture), IClassFixture<PostgresFixture>;

[Collection(IdP.Testing.SqlServerDatabase.Collection)]
public sealed class RolesOnSqlServer(SqlServerFixture fixture) : RoleSuite(fixture), IClassFixture<SqlServerFixture>;

/// <summary>What is deleted takes what hung on it along, and comes back with nothing.</summary>
public abstract class RoleSuite(StorageFixture fixture)
{
    private readonly string _id = Guid.CreateVersion7().ToString("N")[16..];

    private string Role => $"role-{_id}";

    private string Permission => $"permission-{_id}";

    [StorageFact]
    public async Task A_deleted_role_is_held_by_nobody_when_its_name_comes_back()
    {
        var old = await Fill();
        await Change((roles, db) => roles.DeleteRole(db, Role, "test", default));
        await Change((roles, db) => roles.AddRole(db, Role, null, "test", default));
        await using var db = fixture.Database.OpenForReading();
        var role = await db.Set<Role>().SingleAsync(r => r.Name == Role);
        Assert.NotEqual(old.Role, role.Id);
        foreach (var id in (long[])[old.Role, role.Id])
        {
            Assert.False(await db.Set<UserRole>().AnyAsync(r => r.RoleId == id));
            Assert.False(await db.Set<ClientRole>().AnyAsync(r => r.RoleId == id));
            Assert.False(await db.Set<RolePermission>().AnyAsync(r => r.RoleId == id));
        }
    }

    [StorageFact]
    public async Task A_deleted_permission_is_in_no_role_when_its_name_comes_back()
    {
        var old = await Fill();
        await Change((roles, db) => roles.DeletePermission(db, Permission, "test", default));
        await Change((roles, db) => roles.AddPermission(db, Permission, $"urn:test:{_id}", null, "test", default));
        await using var db = fixture.Database.OpenForReading();
        Assert.NotEqual(old.Permission, (await db.Set<Permission>().SingleAsync(p => p.Name == Permission)).Id);
        Assert.False(await db.Set<RolePermission>().AnyAsync(r => r.RoleId == old.Role));
    }

    [StorageFact]
    public async Task Two_nodes_that_make_one_name_at_once_make_it_once()
    {
        using var other = fixture.AnotherNode();
        var statements = new RoleStatements(fixture.Clock);
        var tries = new[] { fixture.Database, other, fixture.Database, other }.Select(async database =>
        {
            try
            {
                await database.Write(db => statements.AddRole(db, Role, null, "test", default), default);
                return 1;
            }
            catch (ChangeRefusedException)
            {
                return 0;
            }
        });
        Assert.Equal(1, (await Task.WhenAll(tries)).Sum());
    }

    private async Task<(long Role, long Permission)> Fill()
    {
        var (client, user) = (await fixture.AddClient($"client-{_id}"), await fixture.AddUser($"user-{_id}"));
        await fixture.Write(db => db.Add(new Resource { Identifiers = [new ResourceIdentifier { Value = $"urn:test:{_id}" }], Algorithm = SigningAlgorithms.ES256 }));
        await Change(async (roles, db) =>
        {
            await roles.AddPermission(db, Permission, $"urn:test:{_id}", null, "test", default);
            await roles.AddRole(db, Role, null, "test", default);
            await roles.Permit(db, Role, [Permission], "test", default);
            await roles.Assign(db, Role, new(user.UserName, null), "test", default);
            await roles.Assign(db, Role, new(null, client.ClientId), "test", default);
        });
        await using var read = fixture.Database.OpenForReading();
        return ((await read.Set<Role>().SingleAsync(r => r.Name == Role)).Id, (await read.Set<Permission>().SingleAsync(p => p.Name == Permission)).Id);
    }

    private Task Change(Func<RoleStatements, IdpDbContext, Task> change) => fixture.Database.Write(db => change(new RoleStatements(fixture.Clock), db), default);
}
