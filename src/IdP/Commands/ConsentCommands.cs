using System.CommandLine;
using IdP.Accounts;
using IdP.Clients;
using IdP.Consents;
using IdP.Storage;
using Microsoft.EntityFrameworkCore;

namespace IdP.Commands;

/// <summary>consent list, withdraw.</summary>
internal static class ConsentCommands
{
    public static Command Build() => new("consent", "What users have let clients have") { List(), Withdraw() };

    private static Argument<string> User() => new("USER") { Description = "The user name" };

    private static Command List()
    {
        var user = User();
        var command = new Command("list", "List what a user has let clients have.\n\nExample: IdP consent list alice") { user };
        command.SetAction((parsed, ct) => CommandHost.Run(parsed, async context =>
        {
            await using var db = context.Get<Database>().OpenForReading();
            var person = await UserStatements.Require(db, parsed.GetRequiredValue(user), ct);
            var consents = (await db.Set<Consent>().Where(c => c.UserId == person.Id)
                .Join(db.Set<Client>(), c => c.ClientKey, c => c.Id, (consent, client) => new { client.ClientId, consent.Items, consent.GivenAt })
                .OrderBy(c => c.ClientId).ToListAsync(ct)).ConvertAll(c => new View(c.ClientId, c.Items.Split(' '), c.GivenAt));
            context.Print(consents, consents.Count == 0
                ? $"{person.UserName} has let no client have anything."
                : Table.Of(["CLIENT", "MAY HAVE", "SINCE"], consents.ConvertAll(c => new[] { c.ClientId, string.Join(' ', c.Items), Table.Time(c.GivenAt) })));
        }, ct));
        return command;
    }

    private static Command Withdraw()
    {
        var user = User();
        var client = new Argument<string>("CLIENT") { Description = "The client id" };
        var command = new Command("withdraw",
            "Take back what a user has let a client have: its tokens for that user end, and it has to ask again; it is done when the command returns.\n\nExample: IdP consent withdraw alice my-app") { user, client };
        command.SetAction((parsed, ct) => CommandHost.Run(parsed, async context =>
        {
            var (name, clientId, now) = (parsed.GetRequiredValue(user), parsed.GetRequiredValue(client), context.Get<TimeProvider>().GetUtcNow());
            var changed = await context.Change(async db =>
                await Consent.Withdraw(db, (await UserStatements.Require(db, name, ct)).Id, await ClientStatements.Require(db, clientId, ct), CommandContext.Actor, now, ct));
            await context.Propagate();
            context.Print(new { UserName = name, ClientId = clientId, Withdrawn = true, Changed = changed },
                changed ? $"The client {clientId} has lost what {name} had let it have." : $"{name} had let the client {clientId} have nothing.");
        }, ct));
        return command;
    }

    private sealed record View(string ClientId, string[] Items, DateTimeOffset GivenAt);
}
