using IdP.Accounts;
using IdP.Testing;
using IdP.Tests.Account;
using IdP.Tests.Support;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Xunit;
using Xunit.Abstractions;

namespace IdP.Tests.Recovery;

/// <summary>LGN-18: only the exact text of a link is one, on the page that it was made for.</summary>
[Trait("Case", "LGN-18")]
public abstract class MutatedLinks(ServerFixture fixture, ITestOutputHelper output)
{
    private const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    private readonly IdpServer _server = fixture.Server;

    [Fact]
    public async Task Ten_thousand_changed_links_open_nothing_change_nothing_and_break_nothing()
    {
        var user = await _server.AddUser("mutant");
        using var browser = new Browser(_server);
        await browser.Enter("/account", "mutant");
        var secrets = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["/recovery/password"] = await Link(MailLinkPurpose.ResetPassword, user, user.Email!),
            ["/account/email/confirm"] = await Link(MailLinkPurpose.ConfirmEmail, user, "mutant-next@example.com"),
        };
        var random = new Random(18);
        var form = (await browser.Get($"/recovery/password?{MailLinks.Parameter}={secrets["/recovery/password"]}")).Fields();
        Assert.Contains("form_token", form.Keys);
        var before = await State();

        for (var i = Volume.Of(output, full: 10_000, part: 240); i > 0; i--)
        {
            var (page, secret) = secrets.ElementAt(random.Next(secrets.Count));
            // Every so often a good one on the page of another purpose.
            var changed = i % 20 == 0 ? secrets.First(pair => pair.Key != page).Value : Changed(secret, random);
            var answer = i % 4 == 0
                ? await browser.Post(page, new Dictionary<string, string>(form, StringComparer.Ordinal) { [MailLinks.Parameter] = changed, ["password"] = "a-new-Password-for-me", ["name"] = "Mutant" })
                : await browser.Get($"{page}?{MailLinks.Parameter}={Uri.EscapeDataString(changed)}");
            Assert.True(answer.Status is 400 or 404, $"{page}: {answer.Status} {answer.Location}");
            Assert.Empty(answer.All("#password"));
        }

        Assert.Equal(before, await State());
        foreach (var (page, secret) in secrets) Assert.Equal(200, (await browser.Get($"{page}?{MailLinks.Parameter}={secret}")).Status);
    }

    private static string Changed(string secret, Random random)
    {
        var at = random.Next(secret.Length);
        return random.Next(9) switch
        {
            0 => secret[..at],
            1 => secret + Alphabet[random.Next(64)],
            2 => secret + "=",
            3 => secret[..at] + secret[(at + 1)..],
            4 => secret[..at] + (char)random.Next(1, 0x2FF) + secret[at..],
            // The last character has bits that count for nothing: another one of the same bytes is not the link.
            5 => secret[..^1] + Alphabet[(Alphabet.IndexOf(secret[^1], StringComparison.Ordinal) & ~3) | ((Alphabet.IndexOf(secret[^1], StringComparison.Ordinal) + 1 + random.Next(3)) & 3)],
            6 => FlipCase(secret, at),
            7 => new string([.. secret.Reverse()]),
            _ => secret[..at] + Alphabet[(Alphabet.IndexOf(secret[at], StringComparison.Ordinal) + 1 + random.Next(63)) % 64] + secret[(at + 1)..],
        };
    }

    private static string FlipCase(string secret, int from)
    {
        var at = Enumerable.Range(0, secret.Length).Select(i => (from + i) % secret.Length).First(i => char.IsAsciiLetter(secret[i]));
        return secret[..at] + (char)(secret[at] ^ 0x20) + secret[(at + 1)..];
    }

    private Task<string> Link(MailLinkPurpose purpose, User owner, string email) => _server.Database.Write(
        db => _server.App.Services.GetRequiredService<MailLinks>().Add(db, purpose, owner, email, sealedInteraction: null, CancellationToken.None), CancellationToken.None);

    private async Task<string> State()
    {
        await using var db = _server.Database.OpenForReading();
        var users = await db.Users.OrderBy(u => u.Id).Select(u => $"{u.UserName} {u.Email} {u.PasswordHash} {u.SecurityStamp}").ToListAsync();
        return $"{string.Join('\n', users)} {await _server.Count("MailLinks")} {await _server.Count("Sessions")} {await _server.Count("Outbox")}";
    }
}

public sealed class MutatedLinksOnSqlite(SqliteServer fixture, ITestOutputHelper output) : MutatedLinks(fixture, output), IClassFixture<SqliteServer>;

public sealed class MutatedLinksOnPostgres(PostgresServer fixture, ITestOutputHelper output) : MutatedLinks(fixture, output), IClassFixture<PostgresServer>;
