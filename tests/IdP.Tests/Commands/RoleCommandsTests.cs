using IdP.Commands;
using Xunit;

namespace IdP.Tests.Commands;

public sealed class RoleCommandsTests : IAsyncLifetime
{
    private readonly Cli _cli = new();

    public Task InitializeAsync() => _cli.InitializeAsync();

    public Task DisposeAsync()
    {
        _cli.Dispose();
        return Task.CompletedTask;
    }

    [Fact]
    public async Task Roles_are_made_filled_given_shown_and_taken_away()
    {
        await _cli.Done("permission", "add", "things:delete", "--resource", "urn:cli:api", "--description", "Delete things");
        await _cli.Done("permission", "add", "things:audit", "--resource", "https://api.cli.example");
        await _cli.Done("role", "add", "keeper", "--permission", "things:delete", "--description", "Keeps things");
        await _cli.Done("role", "permit", "keeper", "things:audit", "things:delete");
        await _cli.Done("user", "add", "carol", "--password", "carol-Password-42");
        await _cli.Done("client", "add", "worker", "--grant", "client_credentials", "--scope", "cli:read");
        Assert.True((await _cli.Json("role", "assign", "keeper", "--user", "carol")).GetProperty("changed").GetBoolean());
        Assert.False((await _cli.Json("role", "assign", "keeper", "--user", "carol")).GetProperty("changed").GetBoolean());
        await _cli.Done("role", "assign", "keeper", "--client", "worker");
        var shown = await _cli.Json("role", "show", "keeper");
        Assert.Equal(["things:audit", "things:delete"], Printed.Strings(shown, "permissions"));
        Assert.Equal(["carol"], Printed.Strings(shown, "users"));
        Assert.Equal(["worker"], Printed.Strings(shown, "clients"));
        Assert.Equal(1, (await _cli.Json("role", "forbid", "keeper", "things:delete")).GetProperty("removed").GetInt32());
        Assert.True((await _cli.Json("role", "unassign", "keeper", "--user", "carol")).GetProperty("changed").GetBoolean());
        var listed = Assert.Single((await _cli.Json("role", "list")).EnumerateArray().ToArray());
        Assert.Equal(["things:audit"], Printed.Strings(listed, "permissions"));
        Assert.Equal(2, (await _cli.Json("permission", "list")).GetArrayLength());
        await _cli.Done("permission", "delete", "things:audit");
        await _cli.Done("role", "delete", "keeper");
        Assert.Equal(0, (await _cli.Json("role", "list")).GetArrayLength());
    }

    [Fact]
    public async Task What_cannot_be_is_refused_in_one_sentence()
    {
        await _cli.Done("role", "add", "keeper");
        await _cli.Done("client", "add", "spa", "--public", "--grant", "authorization_code", "--redirect-uri", "https://spa.example/", "--scope", "cli:read");
        await _cli.Refused(ExitCodes.Conflict, "already", "role", "add", "keeper");
        await _cli.Refused(ExitCodes.Usage, "cannot be used", "role", "add", "two words");
        await _cli.Refused(ExitCodes.Usage, "provider's own", "permission", "add", "idp:admin", "--resource", "urn:cli:api");
        await _cli.Refused(ExitCodes.NotFound, "no resource", "permission", "add", "a", "--resource", "urn:nowhere");
        await _cli.Refused(ExitCodes.NotFound, "'permission list'", "role", "permit", "keeper", "nothing");
        await _cli.Refused(ExitCodes.NotFound, "'role list'", "role", "show", "nobody");
        await _cli.Refused(ExitCodes.NotFound, "no user", "role", "assign", "keeper", "--user", "nobody");
        await _cli.Refused(ExitCodes.Usage, "never acts for itself", "role", "assign", "keeper", "--client", "spa");
        await _cli.Refused(ExitCodes.Usage, "either --user or --client", "role", "assign", "keeper");
        await _cli.Refused(ExitCodes.Usage, "either --user or --client", "role", "assign", "keeper", "--user", "a", "--client", "b");
    }
}
