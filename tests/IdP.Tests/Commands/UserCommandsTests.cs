using System.Globalization;
using System.Text.Json;
using IdP.Accounts;
using IdP.Audit;
using IdP.Commands;
using IdP.Storage;
using IdP.Testing;
using Microsoft.EntityFrameworkCore;
using Xunit;
using static IdP.Tests.Commands.Printed;

namespace IdP.Tests.Commands;

public sealed class UserCommandsTests(Cli cli) : IClassFixture<Cli>
{
    private const string Password = "a-fine-Password";

    [Fact]
    public async Task Add_keeps_what_it_was_told_and_nobody_sees_the_password()
    {
        var added = await Add("carol", "--email", "Carol+list@Bücher.EXAMPLE", "--email-confirmed", "--name", "Carol Ünal");

        Assert.Equal(["sub", "user_name", "email", "email_confirmed", "name", "created_at", "disabled_at"], Names(added));
        Assert.Matches("^[0-9a-f]{32}$", Text(added, "sub"));
        // One form of an address: its domain as ASCII in lower case.
        Assert.Equal("Carol+list@xn--bcher-kva.example", Text(added, "email"));
        Assert.True(added.GetProperty("email_confirmed").GetBoolean());
        Assert.Equal("Carol Ünal", Text(added, "name"));
        var listed = (await cli.Json("user", "list")).EnumerateArray().Single(user => Text(user, "user_name") == "carol");
        Assert.True(JsonElement.DeepEquals(added, listed), $"{added} is listed as {listed}");
        using var offline = await Offline.Open(cli.Data);
        await using var db = offline.Get<Database>().OpenForReading();
        var stored = await db.Users.SingleAsync(user => user.UserName == "carol");
        foreach (var output in (string[])[(await cli.Done("user", "list")).Output, (await cli.Done("user", "list", "--json")).Output])
        {
            Assert.DoesNotContain(Password, output, StringComparison.Ordinal);
            Assert.DoesNotContain(stored.PasswordHash!, output, StringComparison.Ordinal);
            Assert.DoesNotContain(stored.SecurityStamp!, output, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Every_change_is_in_the_audit_without_a_secret()
    {
        var sub = Text(await Add("audited"), "sub");
        await cli.Done("user", "disable", "audited");
        await cli.Done("user", "enable", "audited");
        await cli.Done("user", "password", "audited", "--password", Password + "2");
        await cli.Done("user", "sign-out", "audited");
        Assert.Contains("Deleted the user audited", (await cli.Done("user", "delete", "audited")).Output, StringComparison.Ordinal);

        using var offline = await Offline.Open(cli.Data);
        await using var db = offline.Get<Database>().OpenForReading();
        var events = await db.Set<AuditEvent>().Where(e => e.Target == $"user:{sub}").OrderBy(e => e.At).ToListAsync();
        Assert.Equal(["user.created", "user.disabled", "user.enabled", "user.password_changed", "user.signed_out", "user.deleted"], events.Select(e => e.Type));
        Assert.All(events, e => Assert.Equal("cli", e.Actor));
        Assert.DoesNotContain(events, e => e.Details?.Contains(Password, StringComparison.Ordinal) == true);
    }

    [Theory]
    [InlineData("line breaks", "evil\nname")]
    [InlineData("line breaks", "bell\a")]
    [InlineData("line breaks", " space")]
    [InlineData("line breaks", "space ")]
    [InlineData("line breaks", "")]
    [InlineData("line breaks", "right\u202eleft")]
    [InlineData("not an e-mail address", "x", "--email", "nobody")]
    [InlineData("not an e-mail address", "x", "--email", "a@b@c.example")]
    [InlineData("not an e-mail address", "x", "--email", "\"quoted\"@example.com")]
    [InlineData("not an e-mail address", "x", "--email", "a@example.com.")]
    [InlineData("not an e-mail address", "x", "--email", "a@exa mple.com")]
    [InlineData("not an e-mail address", "x", "--email", "a\0@example.com")]
    [InlineData("not an e-mail address", "x", "--email", "a..b@example.com")]
    [InlineData("not an e-mail address", "x", "--email", "a@example..com")]
    [InlineData("--email-confirmed needs --email", "x", "--email-confirmed")]
    [InlineData("line breaks", "x", "--name", "two\nlines")]
    [Trait("Case", "UNI-03")]
    [Trait("Case", "UNI-04")]
    public async Task A_name_or_address_that_breaks_a_rule_is_refused(string text, string name, params string[] options)
    {
        await cli.Refused(ExitCodes.Usage, text, ["user", "add", name, "--password", Password, .. options]);
        Assert.DoesNotContain((await cli.Json("user", "list")).EnumerateArray(), user => Text(user, "user_name") == name);
    }

    [Fact]
    [Trait("Case", "UNI-04")]
    public async Task Half_a_code_point_is_no_text()
    {
        // In an attribute the compiler would replace it.
        var half = "half-an-emoji-" + '\ud83d';

        await cli.Refused(ExitCodes.Usage, "line breaks", "user", "add", half, "--password", Password);
        await cli.Refused(ExitCodes.Usage, "line breaks", "user", "add", "half-an-emoji-\ufffd", "--password", Password);
        await cli.Refused(ExitCodes.Usage, "typed", "user", "add", "x", "--password", half);
        await cli.Refused(ExitCodes.NotFound, "no user", "user", "disable", half);
    }

    [Fact]
    public async Task A_name_has_at_most_256_characters()
    {
        await Add(new string('n', 256));
        await cli.Refused(ExitCodes.Usage, "1 to 256", "user", "add", new string('n', 257), "--password", Password);
    }

    [Theory]
    [InlineData("Dora", "dora")]
    [InlineData("dörte", "DÖRTE")]
    // The same name as one code point and as two.
    [InlineData("d\u00fcnya", "du\u0308nya")]
    public async Task Names_that_people_would_take_for_one_are_one(string first, string second)
    {
        await Add(first);
        await cli.Refused(ExitCodes.Conflict, "already", "user", "add", second, "--password", Password);
    }

    [Fact]
    [Trait("Case", "UNI-02")]
    public async Task The_culture_of_the_machine_changes_no_name()
    {
        var culture = CultureInfo.CurrentCulture;
        CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo("tr-TR");
        try
        {
            await Add("ivy");
            await cli.Refused(ExitCodes.Conflict, "already", "user", "add", "IVY", "--password", Password);
        }
        finally
        {
            CultureInfo.CurrentCulture = culture;
        }
        await cli.Refused(ExitCodes.Conflict, "already", "user", "add", "Ivy", "--password", Password);
        await cli.Done("user", "disable", "IVY");
    }

    [Fact]
    public async Task Nobody_can_take_what_somebody_else_signs_in_with()
    {
        await Add("erin", "--email", "erin@example.com");
        await Add("frank@example.com");

        await cli.Refused(ExitCodes.Conflict, "e-mail address", "user", "add", "ERIN@example.com", "--password", Password);
        await cli.Refused(ExitCodes.Conflict, "already", "user", "add", "x", "--password", Password, "--email", "Frank@Example.com");
        await cli.Refused(ExitCodes.Conflict, "already", "user", "add", "x", "--password", Password, "--email", "erin@EXAMPLE.com");
        // One's own address as the user name is fine.
        await Add("grace@example.com", "--email", "grace@example.com");
    }

    [Theory]
    [InlineData(true, "12345-678")]
    [InlineData(true, "        x")]
    [InlineData(true, "пароль-из-букв")]
    [InlineData(true, "🔑🐴🔑🐴🔑🐴🔑🐴")]
    [InlineData(false, "1234567")]
    [InlineData(false, "🔑🔑🔑🔑🔑🔑🔑")]
    [InlineData(false, "")]
    [InlineData(false, "with\ttabulator")]
    [InlineData(false, "with\nline break")]
    public async Task A_password_has_8_characters_and_can_be_typed(bool isFine, string password)
    {
        var name = $"password-{Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.Unicode.GetBytes(password)).AsSpan(0, 8))}";

        var ran = await cli.Run("user", "add", name, "--password", password);
        Assert.Equal(isFine ? ExitCodes.Ok : ExitCodes.Usage, ran.ExitCode);
        if (!isFine) ran.AssertOneSentence();
        if (password.Length > 0) Assert.DoesNotContain(password, ran.Error + ran.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_password_has_at_most_256_characters()
    {
        var longest = string.Concat(Enumerable.Repeat("pq", 128));
        await cli.Done("user", "add", "longest-password", "--password", longest);
        // What takes two units of UTF-16 is one character.
        await cli.Done("user", "add", "longest-emoji", "--password", string.Concat(Enumerable.Repeat("🔑🐴", 128)));
        await cli.Refused(ExitCodes.Usage, "8 to 256", "user", "add", "too-long", "--password", longest + "p");
        await cli.Refused(ExitCodes.Usage, "8 to 256", "user", "add", "too-long", "--password-file", cli.WriteFile("long", new string('p', 1_000_000)));
    }

    [Fact]
    public async Task A_password_comes_from_one_place()
    {
        var file = cli.WriteFile("password", Password + "\n");

        await cli.Done("user", "add", "from-file", "--password-file", file);
        await cli.Refused(ExitCodes.Usage, "--password-file, --password-stdin, --password", "user", "add", "x");
        await cli.Refused(ExitCodes.Usage, "only one of", "user", "add", "x", "--password-file", file, "--password", Password);
        await cli.Refused(ExitCodes.Usage, "cannot be read", "user", "add", "x", "--password-file", "/no/such/file");
        await cli.Refused(ExitCodes.Usage, "cannot be read", "user", "add", "x", "--password-file", cli.Data);
        await cli.Refused(ExitCodes.Usage, "UTF-8", "user", "add", "x", "--password-file", NotText());

        string NotText()
        {
            var path = cli.WriteFile("latin", "");
            File.WriteAllBytes(path, [.. "passw"u8, 0xf6, .. "rd"u8]);
            return path;
        }
    }

    [Theory]
    [InlineData("--password-stdin")]
    [InlineData("--password-file /dev/stdin")]
    public async Task A_password_can_be_piped_in(string option)
    {
        var name = $"piped{option.Length}";
        await ChildProcess.Run(["sh", "-c", $"printf '{Password}\\n' | \"$@\" {option}", "sh", .. ChildProcess.Provider, "user", "add", name, "--data", cli.Data]);

        using var offline = await Offline.Open(cli.Data);
        await using var db = offline.Get<Database>().OpenForReading();
        var user = await db.Users.SingleAsync(u => u.UserName == name);
        using var place = offline.Get<HashPool>().TryEnter()!;
        Assert.NotEqual(Microsoft.AspNetCore.Identity.PasswordVerificationResult.Failed, await place.Verify(user, Password));
    }

    [Fact]
    public async Task Disable_enable_and_password_say_what_they_changed()
    {
        await Add("heidi");

        Assert.True((await cli.Json("user", "disable", "HEIDI")).GetProperty("changed").GetBoolean());
        Assert.Contains("already", (await cli.Done("user", "disable", "heidi")).Output, StringComparison.Ordinal);
        Assert.NotEqual(JsonValueKind.Null, (await cli.Json("user", "list")).EnumerateArray().Single(u => Text(u, "user_name") == "heidi").GetProperty("disabled_at").ValueKind);
        Assert.True((await cli.Json("user", "enable", "heidi")).GetProperty("changed").GetBoolean());
        Assert.False((await cli.Json("user", "enable", "heidi")).GetProperty("changed").GetBoolean());
        Assert.Equal(["user_name", "password_changed"], Names(await cli.Json("user", "password", "heidi", "--password", Password + "2")));
        foreach (var command in (string[])["disable", "enable"]) await cli.Refused(ExitCodes.NotFound, "no user 'nobody'", "user", command, "nobody");
        await cli.Refused(ExitCodes.NotFound, "no user 'nobody'", "user", "password", "nobody", "--password", Password);
    }

    private Task<JsonElement> Add(string name, params string[] options) => cli.Json(["user", "add", name, "--password", Password, .. options]);
}
