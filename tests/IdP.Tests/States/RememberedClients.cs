using IdP.Clients;
using IdP.Storage;
using IdP.Testing;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace IdP.Tests.States;

/// <summary>Reading a client and hearing of its change may overlap; whichever ends last, the change stays.</summary>
public sealed class RememberedClients
{
    [Fact]
    public async Task What_was_read_of_a_client_before_a_change_does_not_take_the_place_of_what_was_read_after_it()
    {
        await using var server = await IdpServer.Start();
        var directory = server.App.Services.GetRequiredService<ClientDirectory>();
        var before = await directory.FindStored("service", CancellationToken.None);
        var statements = server.App.Services.GetRequiredService<ClientStatements>();
        await server.Database.Write(db => statements.Disable(db, "service", "cli", CancellationToken.None), CancellationToken.None);
        await server.App.Services.GetRequiredService<ChangePoll>().Poll(CancellationToken.None);

        // A request that read the client before the change gets to remembering it only now.
        directory.Remember(before!);

        Assert.True((await directory.Find("service", CancellationToken.None))!.IsDisabled);
    }

    [Fact]
    public async Task What_was_read_of_a_client_that_nobody_remembered_is_not_remembered_once_it_has_changed()
    {
        await using var server = await IdpServer.Start();
        var directory = server.App.Services.GetRequiredService<ClientDirectory>();
        await using var reader = await IdpServer.StartEmpty(options => options.Issuer = server.Issuer, Path.GetDirectoryName(server.Database.File));
        var before = await reader.App.Services.GetRequiredService<ClientDirectory>().FindStored("service", CancellationToken.None);
        var statements = server.App.Services.GetRequiredService<ClientStatements>();
        await server.Database.Write(db => statements.Disable(db, "service", "cli", CancellationToken.None), CancellationToken.None);
        await server.App.Services.GetRequiredService<ChangePoll>().Poll(CancellationToken.None);

        directory.Remember(before!);

        Assert.True((await directory.Find("service", CancellationToken.None))!.IsDisabled);
    }
}
