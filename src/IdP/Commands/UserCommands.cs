using System.CommandLine;
using IdP.Accounts;
using IdP.SecondFactors;
using IdP.Storage;
using Microsoft.EntityFrameworkCore;

namespace IdP.Commands;

/// <summary>user add, list, disable, enable, password, sign-out, reset-factors, delete, import.</summary>
internal static class UserCommands
{
    public static Command Build() => new("user", "People who sign in") { Add(), List(), Disable(), Enable(), Password(), SignOut(), ResetFactors(), Delete(), UserImport.Build(), UserInvite.Build() };

    private static Argument<string> Name() => new("NAME") { Description = "The user name" };

    private static Command Add()
    {
        var name = Name();
        var password = new SecretInput("password", "", hasStdin: true);
        var email = new Option<string?>("--email") { Description = "E-mail address", HelpName = "ADDRESS" };
        var confirmed = new Option<bool>("--email-confirmed") { Description = "The address is known to be this person's: it can be signed in with" };
        var fullName = new Option<string?>("--name") { Description = "Full name", HelpName = "NAME" };
        var command = new Command("add", "Add a user.\n\nExample: IdP user add alice --password-file alice.txt --email alice@example.com") { name, email, confirmed, fullName };
        password.AddTo(command);
        command.SetAction((parsed, ct) => CommandHost.Run(parsed, async context =>
        {
            var user = new User { UserName = parsed.GetRequiredValue(name), Email = parsed.GetValue(email), EmailConfirmed = parsed.GetValue(confirmed), Name = parsed.GetValue(fullName) };
            if (user.EmailConfirmed && user.Email is null) throw CommandException.Usage("--email-confirmed needs --email: give the address too.");
            var hashed = await HashedPassword.Make(context.Get<HashPool>(), context.Get<PasswordRules>(), await password.Require(parsed), user);
            await context.Change(db => context.Get<UserStatements>().Add(db, user, hashed, CommandContext.Actor, ct));
            context.Print(View.Of(user), $"Added the user {user.UserName} (sub {user.Subject}).");
        }, ct));
        return command;
    }

    private static Command List()
    {
        var command = new Command("list", "List the users.\n\nExample: IdP user list");
        command.SetAction((parsed, ct) => CommandHost.Run(parsed, async context =>
        {
            await using var db = context.Get<Database>().OpenForReading();
            var users = (await db.Users.OrderBy(u => u.NormalizedUserName).ToListAsync(ct)).ConvertAll(View.Of);
            context.Print(users, users.Count == 0 ? "There are no users." : Table.Of(
                ["USER", "SUB", "E-MAIL", "STATE", "CREATED", "NAME"],
                users.ConvertAll(u => new[]
                {
                    u.UserName, u.Sub, u.Email is null || u.EmailConfirmed ? u.Email : $"{u.Email} (not confirmed)", u.DisabledAt is null ? "enabled" : "disabled", Table.Time(u.CreatedAt), u.Name,
                })));
        }, ct));
        return command;
    }

    private static Command Disable()
    {
        var name = Name();
        var command = new Command("disable", "End an account and all its tokens; it is done when the command returns.\n\nExample: IdP user disable alice") { name };
        command.SetAction((parsed, ct) => CommandHost.Run(parsed, async context =>
        {
            var user = parsed.GetRequiredValue(name);
            var changed = await context.Change(db => context.Get<UserStatements>().Disable(db, user, CommandContext.Actor, ct));
            await context.Propagate();
            context.Print(new { UserName = user, Disabled = true, Changed = changed }, changed ? $"Disabled the user {user}; their tokens have ended." : $"The user {user} was disabled already.");
        }, ct));
        return command;
    }

    private static Command Enable()
    {
        var name = Name();
        var command = new Command("enable", "Let a disabled user sign in again; the old tokens stay ended.\n\nExample: IdP user enable alice") { name };
        command.SetAction((parsed, ct) => CommandHost.Run(parsed, async context =>
        {
            var user = parsed.GetRequiredValue(name);
            var changed = await context.Change(db => context.Get<UserStatements>().Enable(db, user, CommandContext.Actor, ct));
            context.Print(new { UserName = user, Disabled = false, Changed = changed }, changed ? $"Enabled the user {user}." : $"The user {user} was not disabled.");
        }, ct));
        return command;
    }

    private static Command Password()
    {
        var name = Name();
        var password = new SecretInput("password", "", hasStdin: true);
        var command = new Command("password", "Set another password and end all tokens of the user; it is done when the command returns.\n\nExample: IdP user password alice --password-file alice.txt") { name };
        password.AddTo(command);
        command.SetAction((parsed, ct) => CommandHost.Run(parsed, async context =>
        {
            var user = parsed.GetRequiredValue(name);
            var given = await password.Require(parsed);
            User owner;
            await using (var db = context.Get<Database>().OpenForReading()) owner = await UserStatements.Require(db, user, ct);
            var hashed = await HashedPassword.Make(context.Get<HashPool>(), context.Get<PasswordRules>(), given, owner);
            await context.Change(async db =>
            {
                await context.Get<UserStatements>().ChangePassword(db, user, hashed, CommandContext.Actor, ct);
                return true;
            });
            await context.Propagate();
            context.Print(new { UserName = user, PasswordChanged = true }, $"Changed the password of the user {user}; their tokens have ended.");
        }, ct));
        return command;
    }

    private static Command ResetFactors()
    {
        var name = Name();
        var command = new Command("reset-factors", "Take all second factors of a user away, passkeys too, for somebody who has lost them, and end all sessions and tokens; it is done when the command returns.\n\nExample: IdP user reset-factors alice") { name };
        command.SetAction((parsed, ct) => CommandHost.Run(parsed, async context =>
        {
            var user = parsed.GetRequiredValue(name);
            var changed = await context.Change(async db => await context.Get<SecondFactorStatements>().Reset(
                db, await UserStatements.Require(db, user, ct), CommandContext.Actor, context.Get<TimeProvider>().GetUtcNow(), ct));
            await context.Propagate();
            context.Print(new { UserName = user, Changed = changed }, changed ? $"{user} has no second factor any more; their tokens have ended." : $"The user {user} had no second factor.");
        }, ct));
        return command;
    }

    private static Command SignOut()
    {
        var name = Name();
        var command = new Command("sign-out", "End all sessions and tokens of a user, who may sign in again; it is done when the command returns.\n\nExample: IdP user sign-out alice") { name };
        command.SetAction((parsed, ct) => CommandHost.Run(parsed, async context =>
        {
            var user = parsed.GetRequiredValue(name);
            await context.Change(async db =>
            {
                await context.Get<UserStatements>().SignOut(db, user, CommandContext.Actor, ct);
                return true;
            });
            await context.Propagate();
            context.Print(new { UserName = user, SignedOut = true }, $"Signed the user {user} out everywhere; their tokens have ended.");
        }, ct));
        return command;
    }

    private static Command Delete()
    {
        var name = Name();
        var command = new Command("delete", "Remove an account with all that belongs to it, for good; its tokens end, and it is done when the command returns.\n\nExample: IdP user delete alice") { name };
        command.SetAction((parsed, ct) => CommandHost.Run(parsed, async context =>
        {
            var user = parsed.GetRequiredValue(name);
            await context.Change(async db =>
            {
                await context.Get<UserStatements>().Delete(db, (await UserStatements.Require(db, user, ct)).Id, CommandContext.Actor, ct);
                return true;
            });
            await context.Propagate();
            context.Print(new { UserName = user, Deleted = true }, $"Deleted the user {user}; their tokens have ended.");
        }, ct));
        return command;
    }

    private sealed record View(string Sub, string UserName, string? Email, bool EmailConfirmed, string? Name, DateTimeOffset CreatedAt, DateTimeOffset? DisabledAt)
    {
        public static View Of(User user) => new(user.Subject, user.UserName!, user.Email, user.EmailConfirmed, user.Name, user.CreatedAt, user.DisabledAt);
    }
}
