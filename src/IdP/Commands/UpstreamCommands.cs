using System.CommandLine;
using IdP.Accounts;
using IdP.Http;
using IdP.Storage;
using IdP.Upstream;
using Microsoft.EntityFrameworkCore;

namespace IdP.Commands;

/// <summary>upstream add, list, disable, enable, remove, logins, unlink.</summary>
internal static class UpstreamCommands
{
    public static Command Build() => new("upstream", "Other OpenID Connect providers that people may sign in with") { Add(), List(), Disable(), Enable(), Remove(), Logins(), Unlink() };

    private static Argument<string> Name() => new("NAME") { Description = "The provider's name here" };

    private static Command Add()
    {
        var name = new Argument<string>("NAME") { Description = "Its name here: small letters, digits and hyphens; it stands in the address that it answers to" };
        var issuer = new Option<string>("--issuer") { Description = "Its issuer, exactly as its metadata has it", HelpName = "URL", Required = true };
        var clientId = new Option<string>("--client-id") { Description = "The client id that it gave this provider", HelpName = "ID", Required = true };
        var secret = new SecretInput("secret", "; none for a public client", hasStdin: true);
        var display = new Option<string?>("--display-name") { Description = "What people read on the button", HelpName = "TEXT" };
        var scope = new Option<string[]>("--scope") { Description = "A scope to ask for besides openid; repeatable. Default: profile and email", HelpName = "SCOPE" };
        var claim = new Option<string[]>("--claim") { Description = "A claim that is called otherwise there; repeatable", HelpName = "OURS=THEIRS" };
        var create = new Option<bool>("--create-accounts") { Description = "Give whoever signs in there for the first time an account; otherwise only people who have one here can connect it" };
        var command = new Command("add", "Let people sign in with another provider.\n\nExample: IdP upstream add company --issuer https://login.company.example --client-id idp --secret-file company.txt --display-name Company")
        {
            name, issuer, clientId, display, scope, claim, create,
        };
        secret.AddTo(command);
        command.SetAction((parsed, ct) => CommandHost.Run(parsed, async context =>
        {
            var scopes = parsed.GetValue(scope) ?? [];
            var asked = new NewUpstream(parsed.GetRequiredValue(name), parsed.GetRequiredValue(issuer), parsed.GetRequiredValue(clientId))
            {
                Secret = await secret.Read(parsed),
                DisplayName = parsed.GetValue(display),
                Scopes = scopes.Length > 0 ? scopes : ["profile", "email"],
                ClaimNames = parsed.GetValue(claim) ?? [],
                CreatesAccounts = parsed.GetValue(create),
            };
            var added = await context.Change(db => context.Get<UpstreamStatements>().Add(db, asked, CommandContext.Actor, ct));
            var callback = new Issuer(context.Get<IdpOptions>()).Url(UpstreamFlow.CallbackPath(added.Name));
            context.Print(View.Of(added), $"Added the provider {added.Name}. Register this redirect address there: {callback}");
        }, ct));
        return command;
    }

    private static Command List()
    {
        var command = new Command("list", "List the providers.\n\nExample: IdP upstream list");
        command.SetAction((parsed, ct) => CommandHost.Run(parsed, async context =>
        {
            await using var db = context.Get<Database>().OpenForReading();
            var providers = (await db.Set<UpstreamProvider>().OrderBy(p => p.Name).ToListAsync(ct)).ConvertAll(View.Of);
            context.Print(providers, providers.Count == 0 ? "There are no other providers." : Table.Of(
                ["NAME", "ISSUER", "CLIENT ID", "SCOPES", "NEW PEOPLE", "STATE"],
                providers.ConvertAll(p => new[] { p.Name, p.Issuer, p.ClientId, string.Join(' ', p.Scopes), p.CreatesAccounts ? "get an account" : "connect one", p.DisabledAt is null ? "enabled" : "disabled" })));
        }, ct));
        return command;
    }

    private static Command Disable()
    {
        var name = Name();
        var command = new Command("disable", "Let nobody in through a provider any more and end the sessions that began there; it is done when the command returns.\n\nExample: IdP upstream disable company") { name };
        command.SetAction((parsed, ct) => CommandHost.Run(parsed, async context =>
        {
            var provider = parsed.GetRequiredValue(name);
            var changed = await context.Change(db => context.Get<UpstreamStatements>().Disable(db, provider, CommandContext.Actor, ct));
            await context.Propagate();
            context.Print(new { Name = provider, Disabled = true, Changed = changed }, changed ? $"Disabled the provider {provider}; the sessions that began there have ended." : $"The provider {provider} was disabled already.");
        }, ct));
        return command;
    }

    private static Command Enable()
    {
        var name = Name();
        var command = new Command("enable", "Let people sign in through a disabled provider again.\n\nExample: IdP upstream enable company") { name };
        command.SetAction((parsed, ct) => CommandHost.Run(parsed, async context =>
        {
            var provider = parsed.GetRequiredValue(name);
            var changed = await context.Change(db => context.Get<UpstreamStatements>().Enable(db, provider, CommandContext.Actor, ct));
            context.Print(new { Name = provider, Disabled = false, Changed = changed }, changed ? $"Enabled the provider {provider}." : $"The provider {provider} was not disabled.");
        }, ct));
        return command;
    }

    private static Command Remove()
    {
        var name = Name();
        var command = new Command("remove", "Remove a provider and everything that connects accounts with it; accounts without a password need one then. It is done when the command returns.\n\nExample: IdP upstream remove company") { name };
        command.SetAction((parsed, ct) => CommandHost.Run(parsed, async context =>
        {
            var provider = parsed.GetRequiredValue(name);
            await context.Change(async db =>
            {
                await context.Get<UpstreamStatements>().Remove(db, provider, CommandContext.Actor, ct);
                return true;
            });
            await context.Propagate();
            context.Print(new { Name = provider, Removed = true }, $"Removed the provider {provider}.");
        }, ct));
        return command;
    }

    private static Command Logins()
    {
        var user = new Argument<string>("USER") { Description = "The user name" };
        var command = new Command("logins", "List what an account is connected with.\n\nExample: IdP upstream logins alice") { user };
        command.SetAction((parsed, ct) => CommandHost.Run(parsed, async context =>
        {
            await using var db = context.Get<Database>().OpenForReading();
            var owner = await UserStatements.Require(db, parsed.GetRequiredValue(user), ct);
            var logins = await db.Set<UpstreamLogin>().Where(l => l.UserId == owner.Id).Join(db.Set<UpstreamProvider>(), l => l.ProviderId, p => p.Id, (l, p) => new LoginView(p.Name, l.Subject, l.Label, l.CreatedAt, l.LastUsedAt)).ToListAsync(ct);
            context.Print(logins, logins.Count == 0 ? "The account is connected with no other provider." : Table.Of(
                ["PROVIDER", "SUBJECT", "KNOWN AS", "CONNECTED", "LAST USE"], logins.ConvertAll(l => new[] { l.Provider, l.Subject, l.Label, Table.Time(l.CreatedAt), Table.Time(l.LastUsedAt) })));
        }, ct));
        return command;
    }

    private static Command Unlink()
    {
        var user = new Argument<string>("USER") { Description = "The user name" };
        var name = Name();
        var command = new Command("unlink", "Part an account from a provider; it is done when the command returns.\n\nExample: IdP upstream unlink alice company") { user, name };
        command.SetAction((parsed, ct) => CommandHost.Run(parsed, async context =>
        {
            var (owner, provider) = (parsed.GetRequiredValue(user), parsed.GetRequiredValue(name));
            await context.Change(async db =>
            {
                await context.Get<UpstreamStatements>().Unlink(db, owner, provider, CommandContext.Actor, ct);
                return true;
            });
            await context.Propagate();
            context.Print(new { UserName = owner, Provider = provider, Unlinked = true }, $"The user {owner} is not connected with {provider} any more.");
        }, ct));
        return command;
    }

    private sealed record View(string Name, string DisplayName, string Issuer, string ClientId, bool HasSecret, List<string> Scopes, List<string> ClaimNames, bool CreatesAccounts, DateTimeOffset CreatedAt, DateTimeOffset? DisabledAt)
    {
        public static View Of(UpstreamProvider p) => new(p.Name, p.DisplayName, p.Issuer, p.ClientId, p.SealedSecret is not null, p.Scopes, p.ClaimNames, p.CreatesAccounts, p.CreatedAt, p.DisabledAt);
    }

    private sealed record LoginView(string Provider, string Subject, string? Label, DateTimeOffset CreatedAt, DateTimeOffset LastUsedAt);
}
