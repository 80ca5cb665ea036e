using System.Globalization;
using IdP.Audit;
using IdP.Testing;
using IdP.Tests.Account;
using IdP.Tests.Support;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace IdP.Tests.Throttles;

/// <summary>Guesses at one account from many places: strangers to it wait longer and longer, its owner does not.</summary>
public sealed class GuessesAtOneAccount
{
    private const int Limit = 4;

    [Fact]
    [Trait("Case", "LGN-04")]
    [Trait("Case", "LGN-08")]
    public async Task Strangers_wait_wherever_they_are_and_a_name_that_nobody_has_waits_alike()
    {
        await using var server = await IdpServer.Start(options => (options.Limits.WrongPasswordsPerAccount, options.Passwords.LockoutAttempts) = (Limit, 1000), https: true);
        using var own = new Browser(server);
        await own.Complete(new CodeFlow().Parameters(), "bob");

        foreach (var name in (string[])["bob", "nobody"])
        {
            for (var i = 0; i < Limit; i++) Assert.Equal(400, await Guess(server, name));
            using var guesser = new Browser(server);
            await LongWaits.Of(guesser, await guesser.Authorize(new CodeFlow().Parameters()), server, name);
            using var stranger = new Browser(server);
            var refused = await stranger.SignIn(await stranger.Authorize(new CodeFlow().Parameters()), name);
            Assert.Equal(429, refused.Status);
            Assert.InRange(int.Parse(refused.Header("Retry-After"), CultureInfo.InvariantCulture), LongWaits.Seconds / 2, LongWaits.Seconds);
            Assert.Equal(429, (await server.PasswordGrant(name)).Status);
        }
        Assert.Equal("invalid_grant", (await server.PasswordGrant("alice", "wrong")).Error);
        // The owner's browser, another account, and the owner once they have proved that the address is theirs.
        Assert.Equal(303, (await own.SignIn(await own.Authorize(new CodeFlow { With = { ["prompt"] = "login" } }.Parameters()), "bob")).Status);
        Assert.Equal(200, (await server.PasswordGrant("alice")).Status);
        using var phone = new Browser(server);
        await phone.Submit(await phone.Get("/recovery"), "/recovery", ("username", "bob"));
        var form = await phone.Get((await server.NextMail("bob@example.com")).Link);
        Assert.NotNull((await phone.Submit(form, "/recovery/password", ("password", "a-new-Password-for-bob"))).Text("#password-changed"));
        Assert.Equal(200, (await server.PasswordGrant("bob", "a-new-Password-for-bob")).Status);

        await using var db = server.Database.OpenForReading();
        var events = await db.Set<AuditEvent>().Where(e => e.Type == "sign_in.account_throttled").OrderBy(e => e.Id).ToListAsync();
        Assert.Equal(2, events.Count);
        Assert.Single(events, one => one.Target is not null && one.UserId is not null);
    }

    private static async Task<int> Guess(IdpServer server, string name)
    {
        using var browser = new Browser(server);
        return (await browser.SignIn(await browser.Authorize(new CodeFlow().Parameters()), name, "spring2026")).Status;
    }
}
