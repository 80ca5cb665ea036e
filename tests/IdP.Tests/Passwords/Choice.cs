using System.Security.Cryptography;
using System.Text;
using IdP.Accounts;
using IdP.Commands;
using IdP.Tests.Commands;
using Xunit;

namespace IdP.Tests.Passwords;

/// <summary>Which passwords one may choose (NIST SP 800-63B-4 §3.1.1.2).</summary>
public sealed class Choice(Cli cli) : IClassFixture<Cli>
{
    [Theory]
    [InlineData("12345678"), InlineData("Password1"), InlineData("something"), InlineData("QWERTYUIOP"), InlineData("trustno1"), InlineData("aaaaaaaaaaaa")]
    [Trait("Case", "LGN-08")]
    public Task What_guessers_try_first_is_refused(string password) => cli.Refused(ExitCodes.Usage, "guessed first", "user", "add", "common", "--password", password);

    [Theory]
    [InlineData("Thorfinn"), InlineData("thorfinn123"), InlineData("THORFINN@saga.example"), InlineData("saga-writer!"), InlineData("thorfinnthorfinn")]
    public Task What_is_little_more_than_ones_name_is_refused(string password) =>
        cli.Refused(ExitCodes.Usage, "little more than the user name", "user", "add", "thorfinn", "--email", password.StartsWith("saga", StringComparison.Ordinal) ? "saga-writer@saga.example" : "thorfinn@saga.example", "--password", password);

    [Theory]
    [InlineData("thorfinn-goes-to-Vinland"), InlineData("xo-and-ox-again"), InlineData("correct-horse-battery")]
    public async Task A_name_in_a_longer_password_does_no_harm(string password) =>
        await cli.Done("user", "add", $"t{password.Length}", "--password", password);

    [Fact]
    public async Task An_operator_who_sets_a_password_keeps_the_same_rules()
    {
        await cli.Done("user", "add", "freydis", "--password", "the-first-Password");

        await cli.Refused(ExitCodes.Usage, "little more than the user name", "user", "password", "FREYDIS", "--password", "freydis!!");
        await cli.Refused(ExitCodes.Usage, "guessed first", "user", "password", "freydis", "--password", "password123");
    }

    [Theory]
    [InlineData(1), InlineData(2), InlineData(7), InlineData(2000)]
    [Trait("Case", "LGN-08")]
    public void Breached_passwords_are_found_wherever_they_stand_in_the_file(int count)
    {
        var known = Enumerable.Range(0, count).Select(i => $"breached-{i}").ToList();
        foreach (var end in (string[])["\r\n", "\n"])
        {
            var file = cli.WriteFile("breached.txt", string.Concat(known.Select((password, i) => (Hash: Sha1(password), i)).OrderBy(pair => pair.Hash, StringComparer.Ordinal).Select(pair => $"{pair.Hash}:{1 << (pair.i % 30)}{end}")));
            var breached = new BreachedPasswords(new IdpOptions { Passwords = { BreachedFile = file } });

            Assert.Null(BreachedPasswords.Problem(file));
            Assert.All(known, password => Assert.True(breached.Contain(password), password));
            Assert.All(Enumerable.Range(0, 500), i => Assert.False(breached.Contain($"never-breached-{i}")));
        }
    }

    [Fact]
    [Trait("Case", "LGN-08")]
    public Task A_breached_password_cannot_be_chosen() => WithList(cli.WriteFile("list.txt", Sha1("ordinary-but-Breached") + ":3\n"), async () =>
    {
        await cli.Refused(ExitCodes.Usage, "known from a breach", "user", "add", "snorri", "--password", "ordinary-but-Breached");
        await cli.Done("user", "add", "snorri", "--password", "ordinary-and-not-Breached");
    });

    [Theory]
    [InlineData("", "does not begin with"), InlineData("secret words of somebody", "does not begin with"), InlineData(null, "cannot be read")]
    public Task A_list_that_cannot_be_searched_stops_the_start(string? content, string text) =>
        WithList(content is null ? "/no/such/list" : cli.WriteFile("no-list.txt", content), () => cli.Refused(ExitCodes.Failed, text, "user", "list"));

    /// <summary>With the list in the settings that every command of the fixture reads.</summary>
    private async Task WithList(string file, Func<Task> test)
    {
        cli.WriteFile("settings.json", $$$"""{"Passwords":{"Iterations":1000,"BreachedFile":"{{{file}}}"}}""");
        try
        {
            await test();
        }
        finally
        {
            cli.WriteFile("settings.json", """{"Passwords":{"Iterations":1000}}""");
        }
    }

    private static string Sha1(string password) =>
#pragma warning disable CA5350 // What the published lists are made of.
        Convert.ToHexString(SHA1.HashData(Encoding.UTF8.GetBytes(password)));
#pragma warning restore CA5350
}
