using IdP.Account;
using IdP.Accounts;
using IdP.Testing;
using IdP.Tests.Support;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace IdP.Tests.Account;

/// <summary>What people say of themselves.</summary>
public sealed class Profile(PageServer fixture) : IClassFixture<PageServer>
{
    private readonly IdpServer _server = fixture.Server;

    [Fact]
    public async Task Every_claim_can_be_given_changed_and_taken_out()
    {
        await _server.AddUser("ada", configure: user => (user.PhoneNumber, user.PhoneNumberConfirmed, user.Nickname) = ("+44 1", true, "Addi"));
        using var browser = new Browser(_server);
        var page = await browser.Enter("/account/profile", "ada");
        Assert.Equal("Addi", page.Fields()["nickname"]);
        (string, string)[] filled =
        [
            ("name", "Ada <b>Lovelace</b>"), ("given_name", "Ada"), ("family_name", "Lovelace"), ("nickname", ""), ("phone_number", "+44 1865 276150"), ("birthdate", "0000-12-10"), ("website", "https://ada.example"),
            ("locale", "en-GB"), ("zoneinfo", "Europe/London"), ("country", " United Kingdom "),
        ];

        var after = await browser.Press(page, "/account/profile", filled);

        Assert.Equal("Saved.", after.Text("#notice"));
        var stored = await Stored("ada");
        Assert.Equal(("Ada <b>Lovelace</b>", null, "United Kingdom", "0000-12-10"), (stored.Name, stored.Nickname, stored.Country, stored.Birthdate));
        // Another number is one that nobody has confirmed.
        Assert.Equal(("+44 1865 276150", false), (stored.PhoneNumber, stored.PhoneNumberConfirmed));
        Assert.Equal("Ada <b>Lovelace</b>", after.Fields()["name"]);
        Assert.Empty(after.All("b"));
        await using var db = _server.Database.OpenForReading();
        var recorded = await db.Set<Audit.AuditEvent>().SingleAsync(e => e.UserId == stored.Id && e.Type == "user.profile_changed");
        Assert.Contains("nickname", recorded.Details, StringComparison.Ordinal);
        Assert.DoesNotContain("Lovelace", recorded.Details, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Case", "PWR-12")]
    public async Task Nobody_confirms_or_changes_by_this_form_what_has_to_be_proved()
    {
        var before = await _server.AddUser("berta", configure: user => (user.EmailConfirmed, user.PhoneNumberConfirmed) = (false, false));
        var victim = await _server.AddUser("victim");
        using var browser = new Browser(_server);
        var page = await browser.Enter("/account/profile", "berta");

        await browser.Press(page, "/account/profile", ("name", "Berta"), ("email", "victim@example.com"), ("email_verified", "true"), ("EmailConfirmed", "true"), ("phone_number_verified", "true"),
            ("PhoneNumberConfirmed", "true"), ("UserName", "root"), ("preferred_username", "root"), ("id", victim.Subject), ("sub", victim.Subject), ("PasswordHash", "x"), ("SecurityStamp", "x"), ("DisabledAt", "0"));

        var stored = await Stored("berta");
        Assert.Equal(("Berta", before.Email, false, false), (stored.Name, stored.Email, stored.EmailConfirmed, stored.PhoneNumberConfirmed));
        Assert.Equal((before.PasswordHash, before.SecurityStamp, null), (stored.PasswordHash, stored.SecurityStamp, stored.DisabledAt));
        Assert.Null((await Stored("victim")).Name);
    }

    [Theory]
    [InlineData("name", "two\nlines")]
    [InlineData("name", "turned \u202e round")]
    [InlineData("website", "javascript:alert(1)")]
    [InlineData("picture", "data:image/png;base64,AAAA")]
    [InlineData("birthdate", "10.12.1815")]
    [InlineData("birthdate", "1815-13-10")]
    [InlineData("zoneinfo", "../../etc/passwd")]
    [InlineData("locale", "english please")]
    [InlineData("phone_number", "call me")]
    public async Task What_breaks_a_rule_is_named_and_nothing_is_saved(string claim, string value)
    {
        await using (var db = _server.Database.OpenForReading())
            if (!await UserStatements.Exists(db, "cara", CancellationToken.None)) await _server.AddUser("cara");
        using var browser = new Browser(_server);
        var page = await browser.Enter("/account/profile", "cara");

        var refused = await browser.Submit(page, "/account/profile", ("gender", "unknown"), (claim, value));

        Assert.Equal(400, refused.Status);
        Assert.StartsWith("This cannot be saved", refused.Text("#problem"), StringComparison.Ordinal);
        Assert.Equal(claim, refused.All("[aria-invalid=true]").Single().Id);
        Assert.Equal("unknown", refused.Fields()["gender"]);
        Assert.Null((await Stored("cara")).Gender);
    }

    [Theory]
    [InlineData("birthdate", "1990", true)]
    [InlineData("birthdate", "0000-02-29", true)]
    [InlineData("birthdate", "0990", false)]
    [InlineData("locale", "de", true)]
    [InlineData("zoneinfo", "Europe/Berlin", true)]
    [InlineData("zoneinfo", "Mars/Olympus", false)]
    [InlineData("website", "https://user@evil.example", false)]
    public void Each_claim_has_its_form(string claim, string value, bool allowed) => Assert.Equal(allowed, ProfileField.All.Single(field => field.Claim == claim).Allows(value));

    private async Task<User> Stored(string name)
    {
        await using var db = _server.Database.OpenForReading();
        return await db.Users.SingleAsync(u => u.UserName == name);
    }
}
