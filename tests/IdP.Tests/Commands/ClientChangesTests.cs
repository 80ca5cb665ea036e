using System.Text.Json;
using IdP.Audit;
using IdP.Clients;
using IdP.Commands;
using IdP.Storage;
using Microsoft.EntityFrameworkCore;
using Xunit;
using static IdP.Tests.Commands.Printed;

namespace IdP.Tests.Commands;

public sealed class ClientChangesTests(Cli cli) : IClassFixture<Cli>
{
    [Fact]
    public async Task Disable_and_enable_say_what_they_changed()
    {
        await cli.Done("client", "add", "switch", "--grant", "client_credentials", "--scope", "cli:read");

        var disabled = await cli.Json("client", "disable", "switch");
        Assert.Equal(["client_id", "disabled", "changed"], Names(disabled));
        Assert.True(disabled.GetProperty("disabled").GetBoolean() && disabled.GetProperty("changed").GetBoolean());
        Assert.Contains("already", (await cli.Done("client", "disable", "switch")).Output, StringComparison.Ordinal);
        Assert.NotEqual(JsonValueKind.Null, (await cli.Json("client", "show", "switch")).GetProperty("disabled_at").ValueKind);

        Assert.True((await cli.Json("client", "enable", "switch")).GetProperty("changed").GetBoolean());
        Assert.False((await cli.Json("client", "enable", "switch")).GetProperty("changed").GetBoolean());
        Assert.Equal(JsonValueKind.Null, (await cli.Json("client", "show", "switch")).GetProperty("disabled_at").ValueKind);
        using var offline = await Offline.Open(cli.Data);
        // One for each time that its tokens ended; it never goes back.
        Assert.Equal(2, (await offline.Get<ClientDirectory>().FindStored("switch", CancellationToken.None))!.Generation);
    }

    [Fact]
    public async Task Another_secret_ends_the_old_ones_or_lets_them_overlap()
    {
        await cli.Done("client", "add", "replace", "--secret", "the-first-secret-of-all", "--grant", "password", "--scope", "openid");

        var overlapping = await cli.Json("client", "secret", "replace", "--secret", "the-second-secret-of-all", "--overlap", "3600");
        Assert.Equal(ClientCommandsTests.Shape, Names(overlapping));
        Assert.Equal(2, overlapping.GetProperty("secrets").GetArrayLength());
        Assert.Equal(1, overlapping.GetProperty("secrets").EnumerateArray().Count(secret => secret.GetProperty("expires_at").ValueKind != JsonValueKind.Null));
        Assert.True(await cli.SecretMatches("replace", "the-first-secret-of-all") && await cli.SecretMatches("replace", "the-second-secret-of-all"));

        var made = await cli.Json("client", "secret", "replace");
        Assert.Equal(1, made.GetProperty("secrets").GetArrayLength());
        Assert.True(await cli.SecretMatches("replace", made.GetProperty("client_secret").GetString()!));
        Assert.False(await cli.SecretMatches("replace", "the-first-secret-of-all") || await cli.SecretMatches("replace", "the-second-secret-of-all"));

        await cli.Refused(ExitCodes.Usage, "7776000", "client", "secret", "replace", "--overlap", "7776001");
        await cli.Refused(ExitCodes.Usage, "7776000", "client", "secret", "replace", "--overlap", "0");
        await cli.Done("client", "add", "replace-public", "--public");
        await cli.Refused(ExitCodes.Usage, "is public", "client", "secret", "replace-public");
    }

    [Fact]
    public async Task Every_change_is_in_the_audit_and_a_refused_one_is_not()
    {
        await cli.Done("resource", "add", "urn:audited");
        await cli.Done("scope", "add", "audited:read", "--resource", "urn:audited");
        await cli.Done("client", "add", "audited", "--grant", "client_credentials", "--scope", "audited:read", "--secret", "audited-secret-canary");
        await cli.Done("client", "disable", "audited");
        await cli.Done("client", "enable", "audited");
        await cli.Done("client", "secret", "audited", "--secret", "audited-secret-canary-2");
        await cli.Refused(ExitCodes.Conflict, "already", "resource", "add", "urn:audited");
        await cli.Refused(ExitCodes.Conflict, "already", "client", "add", "audited");
        await cli.Refused(ExitCodes.NotFound, "unknown", "client", "add", "audited-2", "--scope", "nope");
        await cli.Done("client", "enable", "audited");

        using var offline = await Offline.Open(cli.Data);
        await using var db = offline.Get<Database>().OpenForReading();
        var events = (await db.Set<AuditEvent>().Where(e => e.Actor == "cli").OrderBy(e => e.Id).ToListAsync()).FindAll(e => e.Target!.Contains("audited", StringComparison.Ordinal));
        Assert.Equal(
            ["resource.created resource:urn:audited", "scope.created scope:audited:read", "client.created client:audited", "client.disabled client:audited", "client.enabled client:audited",
                "client.secret_replaced client:audited"],
            events.Select(e => $"{e.Type} {e.Target}"));
        Assert.All(events, e => Assert.Null(e.Details));
    }
}
