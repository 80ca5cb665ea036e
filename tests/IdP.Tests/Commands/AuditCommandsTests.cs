using System.Text.Json;
using IdP.Audit;
using IdP.Commands;
using IdP.Storage;
using Microsoft.EntityFrameworkCore;
using Xunit;
using static IdP.Tests.Commands.Printed;

namespace IdP.Tests.Commands;

public sealed class AuditCommandsTests(Cli cli) : IClassFixture<Cli>
{
    [Fact]
    [Trait("Case", "LOG-03")]
    public async Task Events_are_listed_filtered_exported_and_verified()
    {
        foreach (var name in (string[])["heard", "other"]) await cli.Done("user", "add", name, "--password", "a-fine-Password");
        await cli.Done("user", "disable", "heard");
        var sub = Text((await cli.Json("user", "list")).EnumerateArray().Single(user => Text(user, "user_name") == "heard"), "sub");

        Assert.Equal(["user.created", "user.disabled"], Types(await cli.Json("audit", "list", "--target", $"user:{sub}")));
        Assert.Equal(["user.disabled"], Types(await cli.Json("audit", "list", "--target", $"user:{sub}", "--type", "user.disabled")));
        Assert.Equal(3, (await cli.Json("audit", "list", "--type", "user.*", "--actor", "cli", "--since", "2000-01-01")).GetArrayLength());
        Assert.Equal(0, (await cli.Json("audit", "list", "--until", "2000-01-01")).GetArrayLength());

        Assert.Equal(0, (await cli.Json("audit", "verify")).GetProperty("sealed").GetInt64());
        using var offline = await Offline.Open(cli.Data);
        Assert.True(await AuditChain.SealOnce(offline.Get<Database>(), Lease.Me, offline.Get<TimeProvider>().GetUtcNow(), CancellationToken.None) > 3);
        var verdict = await cli.Json("audit", "verify");
        Assert.Equal((true, 0), (verdict.GetProperty("intact").GetBoolean(), verdict.GetProperty("unsealed").GetInt32()));
        await cli.Done("audit", "verify", "--expect", Text(verdict, "head")!);

        var lines = (await cli.Done("audit", "export")).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonElement.Parse(line)).ToList();
        Assert.Equal(verdict.GetProperty("sealed").GetInt64(), lines.Count);
        Assert.All(lines, line => Assert.Matches("^[0-9a-f]{64}$", Text(line, "hash")!));

        await offline.Get<Database>().Write(db => db.Set<AuditEvent>().Where(e => e.Type == "user.disabled").ExecuteUpdateAsync(set => set.SetProperty(e => e.Actor, "nobody")), CancellationToken.None);
        await cli.Refused(ExitCodes.Failed, "is not what was sealed", "audit", "verify");
        await cli.Refused(ExitCodes.Usage, "must be a time", "audit", "list", "--since", "yesterday");
        await cli.Refused(ExitCodes.Usage, "NUMBER:HASH", "audit", "verify", "--expect", "7");
    }

    [Fact]
    public async Task Whoever_follows_hears_each_event_once()
    {
        using var offline = await Offline.Open(cli.Data);
        using var enough = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        await using var heard = AuditTrail.Follow(offline.Get<Database>(), new AuditFilter(Type: "permission.*"), offline.Get<TimeProvider>(), enough.Token).GetAsyncEnumerator(enough.Token);
        var next = heard.MoveNextAsync().AsTask();
        await Happen(new PermissionCreated());
        Assert.True(await next);
        Assert.Equal("permission.created", heard.Current.Type);
        next = heard.MoveNextAsync().AsTask();
        await Happen(new PermissionDeleted());
        Assert.True(await next);
        Assert.Equal("permission.deleted", heard.Current.Type);

        Task Happen(Event what) => offline.Get<Database>().Write(async db =>
        {
            AuditEvent.Record(db, offline.Get<TimeProvider>().GetUtcNow(), what, "cli");
            await db.SaveChangesAsync();
        }, CancellationToken.None);
    }

    private static string[] Types(JsonElement events) => events.EnumerateArray().Select(one => Text(one, "type")!).ToArray();
}
