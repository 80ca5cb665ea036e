using IdP.Accounts;
using IdP.Http;
using IdP.Mail;
using IdP.Outbox;
using IdP.Sessions;
using IdP.Storage;
using IdP.Ui;

namespace IdP.Account;

/// <summary>The change of one's own password: what is checked first, and the change itself.</summary>
internal sealed class PasswordOfPerson(
    PasswordCheck passwords, PasswordRules rules, HashPool pool, KnownDevices devices, BrowserSessions sessions, UserStatements users, Mailer mailer, Database database, OutboxSender outbox)
{
    public static bool Has(User user) => user.PasswordHash is not null;

    /// <summary>Changes it, or tells the text and the status of what stands in the way.</summary>
    /// <param name="http">The request; its browser gets another cookie for its session.</param>
    /// <param name="session">Who asks. The sign-in is fresh.</param>
    /// <param name="user">Their account.</param>
    /// <param name="old">The password until now; not asked for if there is none.</param>
    /// <param name="password">The new one.</param>
    public async Task<(string Text, int Status, int? RetryAfter)?> Change(HttpContext http, SignedIn session, User user, string old, string password)
    {
        var facts = RequestFacts.Of(http);
        // Before the old one is looked at: whoever is signed in may know the rules, and a try costs nothing here.
        if (rules.Problem(password, user.UserName!, user.Email) is { } problem) return ($"Password.{problem}", 400, null);
        var proven = ProvenPerson.WithoutPassword(user);
        if (Has(user))
        {
            if ((await passwords.Check(user.UserName!, old, facts, http.RequestAborted, devices.Find(http))).Failed(out var found, out var error))
            {
                facts.Detail = error.Detail;
                return error.RetryAfter is { } seconds ? (error.Status == 429 ? "SignIn.TooMany" : "SignIn.Busy", error.Status, seconds) : ("Account.Password.Wrong", 400, null);
            }
            // The account has another owner's name since: nothing here is theirs to change.
            if (found.User.Id != user.Id) return ("Account.Password.Wrong", 400, null);
            proven = found;
        }
        using var place = pool.TryEnter();
        if (place is null) return ("SignIn.Busy", 503, pool.RetryAfter);
        var hashed = await HashedPassword.Make(pool, rules, password, user);
        var kept = await database.Write(async db =>
        {
            await proven.Accept(db, CancellationToken.None);
            if (await users.ChangeOwnPassword(db, session, proven.User, hashed, facts.Address, CancellationToken.None) is not { } changed) return null;
            mailer.Tell(db, user, MailKind.PasswordChanged, PageAddresses.Recovery, Texts.Of(http).Language);
            await db.SaveChangesAsync();
            return changed;
        }, CancellationToken.None);
        if (kept is null) return ("Account.Password.Changed", 409, null);
        sessions.Keep(http, kept);
        outbox.Wake();
        return null;
    }
}
