using IdP.Commands;
using Xunit;

namespace IdP.Tests.Commands;

public sealed class UpstreamCommandsTests : IAsyncLifetime
{
    private readonly Cli _cli = new();
    private static readonly string[] Add = ["upstream", "add", "company", "--issuer", "https://login.company.example", "--client-id", "idp", "--secret", "s3cret-of-company"];

    public Task InitializeAsync() => _cli.InitializeAsync();

    public Task DisposeAsync()
    {
        _cli.Dispose();
        return Task.CompletedTask;
    }

    [Fact]
    public async Task A_provider_is_added_listed_disabled_enabled_and_removed()
    {
        var added = await _cli.Done([.. Add, "--display-name", "The Company"]);
        Assert.Contains("/sign-in/upstream/company", added.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", added.Output, StringComparison.Ordinal);
        var listed = Assert.Single((await _cli.Json("upstream", "list")).EnumerateArray().ToArray());
        Assert.Equal("https://login.company.example", Printed.Text(listed, "issuer"));
        Assert.Equal(["openid", "profile", "email"], Printed.Strings(listed, "scopes"));
        Assert.True(listed.GetProperty("has_secret").GetBoolean());
        Assert.True((await _cli.Json("upstream", "disable", "company")).GetProperty("changed").GetBoolean());
        Assert.False((await _cli.Json("upstream", "disable", "company")).GetProperty("changed").GetBoolean());
        Assert.True((await _cli.Json("upstream", "enable", "company")).GetProperty("changed").GetBoolean());
        await _cli.Done("upstream", "remove", "company");
        Assert.Empty((await _cli.Json("upstream", "list")).EnumerateArray());
    }

    [Theory]
    [InlineData("cannot be used", "upstream", "add", "Company", "--issuer", "https://a.example", "--client-id", "idp")]
    [InlineData("cannot be used", "upstream", "add", "-c", "--issuer", "https://a.example", "--client-id", "idp")]
    [InlineData("https URL", "upstream", "add", "c", "--issuer", "http://a.example", "--client-id", "idp")]
    [InlineData("https URL", "upstream", "add", "c", "--issuer", "https://a.example?x=y", "--client-id", "idp")]
    [InlineData("is no scope", "upstream", "add", "c", "--issuer", "https://a.example", "--client-id", "idp", "--scope", "a b")]
    [InlineData("OURS=THEIRS", "upstream", "add", "c", "--issuer", "https://a.example", "--client-id", "idp", "--claim", "password=x")]
    public async Task What_cannot_be_is_refused_in_one_sentence(string text, params string[] arguments) => await _cli.Refused(ExitCodes.Usage, text, arguments);

    [Fact]
    public async Task What_is_not_there_or_is_there_already_is_told()
    {
        await _cli.Done(Add);
        await _cli.Refused(ExitCodes.Conflict, "already", Add);
        await _cli.Refused(ExitCodes.NotFound, "'upstream list'", "upstream", "disable", "other");
        await _cli.Refused(ExitCodes.NotFound, "no user", "upstream", "logins", "nobody");
        await _cli.Done("user", "add", "carol", "--password", "carol-Password-42");
        await _cli.Refused(ExitCodes.NotFound, "not connected", "upstream", "unlink", "carol", "company");
        Assert.Empty((await _cli.Json("upstream", "logins", "carol")).EnumerateArray());
    }
}
