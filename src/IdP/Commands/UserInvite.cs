using System.CommandLine;
using IdP.Registration;
using IdP.Ui;

namespace IdP.Commands;

/// <summary>user invite: somebody makes an account for themselves by a link in a mail.</summary>
internal static class UserInvite
{
    public static Command Build()
    {
        var address = new Argument<string>("ADDRESS") { Description = "The e-mail address" };
        var language = new Option<string?>("--language") { Description = $"Language of the mail: {string.Join(" or ", Texts.Languages)}", HelpName = "LANGUAGE" };
        var command = new Command("invite",
            """
            Send somebody a mail with a link, good for a week, by which they make an account. Another invitation ends the one before.
            A running server sends it; Registration:Mode must be invitation or open.

            Example: IdP user invite carol@example.com
            """) { address, language };
        command.SetAction((parsed, ct) => CommandHost.Run(parsed, async context =>
        {
            var email = await context.Change(db => context.Get<Invitations>().Send(db, parsed.GetRequiredValue(address), parsed.GetValue(language), CommandContext.Actor, ct));
            context.Print(new { Email = email, Invited = true }, $"Invited {email}.");
        }, ct));
        return command;
    }
}
