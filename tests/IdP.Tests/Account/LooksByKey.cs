using System.Text.RegularExpressions;
using IdP.Account;
using IdP.Testing;
using IdP.Tests.Support;
using Xunit;

namespace IdP.Tests.Account;

public sealed class LooksByKeyOnSqlite(SqliteServer fixture) : LooksByKey(fixture), IClassFixture<SqliteServer>;

public sealed class LooksByKeyOnPostgres(PostgresServer fixture) : LooksByKey(fixture), IClassFixture<PostgresServer>;

/// <summary>What the account pages ask of tables with a row or more for each person is found by an index, however many people there are.</summary>
public abstract partial class LooksByKey(ServerFixture fixture)
{
    private readonly IdpServer _server = fixture.Server;

    [Fact]
    public async Task No_page_goes_through_a_whole_table()
    {
        var user = await _server.AddUser("ada");
        var app = await LogoutApp.Register(_server);
        using var browser = new Browser(_server);
        using var there = new Browser(_server);
        await app.SignIn(browser, "ada");
        await there.Enter("/account", "ada");
        using var asked = new AskedCommands(value => value is Guid id ? id == user.Id : value is byte[] { Length: 16 } bytes && new Guid(bytes, bigEndian: true) == user.Id);

        foreach (var section in AccountSection.All) Assert.Equal(200, (await browser.Enter(section.Path)).Status);
        await browser.Enter($"/account/events?before={Guid.CreateVersion7(_server.Clock.GetUtcNow().AddDays(1)):N}");
        await browser.Press(await browser.Enter("/account/sessions"), "/account/sessions?handler=EndOthers");

        var tables = new HashSet<string>(StringComparer.Ordinal);
        foreach (var command in asked.All)
        {
            var plan = await _server.FoundByIndex(command);
            // By the person first: the open sessions of everybody are an index's worth as well.
            Assert.DoesNotContain(plan, line => line.Contains("(EndedAt=", StringComparison.Ordinal));
            tables.UnionWith(Table().Matches(command.Text).Select(match => match.Groups["name"].Value));
        }
        foreach (var table in (string[])["Users", "Sessions", "Consents", "Grants", "AuditEvents"]) Assert.Contains(table, tables);
    }

    [GeneratedRegex("(FROM|JOIN|UPDATE) \"(?<name>[A-Za-z]+)\"", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Table();
}
