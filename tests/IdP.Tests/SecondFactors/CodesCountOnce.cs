using IdP.Testing;
using IdP.Tests.Account;
using IdP.Tests.Support;
using Xunit;

namespace IdP.Tests.SecondFactors;

public sealed class CodesCountOnceOnSqlite(SqliteServer fixture) : CodesCountOnce(fixture), IClassFixture<SqliteServer>;

public sealed class CodesCountOnceOnNodes(PostgresNodes fixture) : CodesCountOnce(fixture), IClassFixture<PostgresNodes>;

/// <summary>RFC 6238 §5.2: a one-time password is accepted once, whoever types it where.</summary>
public abstract class CodesCountOnce(ServerFixture fixture)
{
    private readonly IdpServer _server = fixture.Server;

    [Fact]
    [Trait("Case", "MFA-03")]
    public async Task One_code_counts_once_at_once_and_later_the_one_that_set_the_app_up_too()
    {
        var user = (await _server.AddUser("bella")).UserName!;
        using var browser = new Browser(_server);
        var app = await PhoneApp.SetUp(browser, _server, user);
        var (browsers, pages) = (new List<Browser>(), new List<PageAnswer>());
        for (var i = 0; i < 20; i++)
        {
            browsers.Add(new Browser(_server));
            pages.Add(await browsers[i].SignIn(await browsers[i].Authorize(new CodeFlow().Parameters()), user));
            Assert.True(pages[i].AsksForCode());
        }
        Assert.Equal(400, (await browsers[0].Confirm(pages[0], app.FirstCode)).Status);
        // The next step's, which may be this early: no clock has to move.
        var code = app.Code(1);

        var answers = await Task.WhenAll(browsers.Select((one, i) => one.Confirm(pages[i], code)));

        Assert.Single(answers, answer => !answer.AsksForCode());
        Assert.All(answers.Where(answer => answer.AsksForCode()), answer => Assert.Equal(400, answer.Status));
        browsers.ForEach(one => one.Dispose());
    }
}
