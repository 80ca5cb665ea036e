using System.Text.Json;
using IdP.Audit;
using IdP.Commands;
using IdP.Retention;
using IdP.Storage;
using IdP.Testing;
using IdP.Tests.Commands;
using IdP.Tests.Support;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;
using static IdP.Tests.Commands.Printed;

namespace IdP.Tests.Retention;

public sealed class EventsOfTheAuditOnSqlite(SqliteServer fixture) : EventsOfTheAudit(fixture), IClassFixture<SqliteServer>;

public sealed class EventsOfTheAuditOnPostgres(PostgresServer fixture) : EventsOfTheAudit(fixture), IClassFixture<PostgresServer>;

/// <summary>What operators see of the audit of a running server whose old events go.</summary>
public abstract class EventsOfTheAudit(ServerFixture fixture)
{
    private readonly IdpServer _server = fixture.Server;

    [Fact]
    public async Task Commands_go_on_from_the_first_event_that_is_kept_and_say_where_that_is()
    {
        using var cli = Cli.Beside(_server);
        var now = _server.Clock.GetUtcNow();
        await Happen(new PermissionCreated(), now);
        var early = Text(await Sealed(cli), "head")!;
        Assert.Equal((1, JsonValueKind.Null), ((await Sealed(cli)).GetProperty("first").GetInt64(), (await Sealed(cli)).GetProperty("beginning").ValueKind));
        Assert.Contains("as they were sealed, from the first on. The head is", (await cli.Done("audit", "verify")).Output, StringComparison.Ordinal);
        await Happen(new PermissionDeleted(), now);
        var last = await Sealed(cli);
        foreach (var _ in Enumerable.Range(0, 3)) await Happen(new RoleCreated(), now.AddDays(60));
        var before = await Sealed(cli);
        Assert.Equal(last.GetProperty("sealed").GetInt64(), await Sweep(now.AddDays(70)));

        var after = await Sealed(cli);
        var first = last.GetProperty("sealed").GetInt64() + 1;
        Assert.Equal((first, Text(last, "head")), (after.GetProperty("first").GetInt64(), Text(after, "beginning")));
        Assert.Contains($"4 events are as they were sealed, from event {first} on, which follows {Text(last, "head")}; what was before has been removed.", (await cli.Done("audit", "verify")).Output, StringComparison.Ordinal);
        foreach (var kept in (string[])[Text(last, "head")!, Text(before, "head")!, Text(after, "head")!]) await cli.Done("audit", "verify", "--expect", kept);
        await cli.Refused(ExitCodes.Failed, $"The chain begins with event {first}, and the head that was kept lies before that", "audit", "verify", "--expect", early);

        var exported = (await cli.Done("audit", "export")).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonElement.Parse(line)).ToList();
        Assert.Equal([first, first + 1, first + 2, first + 3], exported.Select(line => line.GetProperty("sequence").GetInt64()));
        Assert.Equal(["role.created", "role.created", "role.created", "audit.shortened"], (await cli.Json("audit", "list")).EnumerateArray().Select(one => Text(one, "type")));
        Assert.Contains($"the head of the chain is {Text(after, "head")}", (await cli.Run("doctor")).Output, StringComparison.Ordinal);

        // Somebody who can write the database takes out the first that is kept.
        await _server.Database.Write(db => db.Set<AuditEvent>().Where(e => e.Sequence == first).ExecuteDeleteAsync(), CancellationToken.None);
        await cli.Refused(ExitCodes.Failed, $"The audit is broken: event {first} is missing", "audit", "verify", "--expect", early);
    }

    [Fact]
    public async Task The_old_ones_are_found_by_their_number()
    {
        await using var read = _server.Database.OpenForReading();
        var kept = await AuditBeginning.Of(read, CancellationToken.None);
        // Numbers that are in no other statement of the process.
        var marker = (1L << 60) + Random.Shared.Next();
        await Move(marker);
        using var asked = new AskedCommands(value => value is long number && (number == marker || number == marker + 5));
        var none = await OldEvents.Find(_server.Database, _server.Clock.GetUtcNow(), 100, CancellationToken.None);
        await _server.Database.Write(db => (none with { Last = marker + 5 }).Remove(db, 30, _server.Clock.GetUtcNow(), CancellationToken.None), CancellationToken.None);
        await Move(kept.Sequence);

        var found = asked.All.Where(one => one.Text.Contains("\"AuditEvents\"", StringComparison.Ordinal)).ToList();
        Assert.Equal((0, 2), (none.Count, found.Count));
        foreach (var command in found) Assert.DoesNotContain(await _server.FoundByIndex(command), line => line.Contains("TEMP B-TREE", StringComparison.Ordinal));

        Task Move(long sequence) => _server.Database.Write(db => db.Set<AuditBeginning>().ExecuteUpdateAsync(set => set.SetProperty(b => b.Sequence, sequence)), CancellationToken.None);
    }

    private Task Happen(Event what, DateTimeOffset at) => _server.Database.Write(async db =>
    {
        AuditEvent.Record(db, at, what, "cli");
        await db.SaveChangesAsync();
    }, CancellationToken.None);

    /// <summary>What verify says when everything is sealed.</summary>
    private async Task<JsonElement> Sealed(Cli cli)
    {
        await AuditChain.SealOnce(_server.Database, Lease.Me, _server.Clock.GetUtcNow(), CancellationToken.None);
        var verdict = await cli.Json("audit", "verify");
        Assert.Equal(0, verdict.GetProperty("unsealed").GetInt32());
        return verdict;
    }

    private async Task<int> Sweep(DateTimeOffset now) =>
        (await ExpiredRows.Of(new RetentionOptions { AuditDays = 30 }, NullLogger.Instance).Single(kind => kind.Name == "audit_events").Remove(_server.Database, now, 500, CancellationToken.None)).Rows;
}
