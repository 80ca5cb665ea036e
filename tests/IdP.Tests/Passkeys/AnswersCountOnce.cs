using IdP.Passkeys;
using IdP.Testing;
using IdP.Tests.Support;
using Xunit;

namespace IdP.Tests.Passkeys;

public sealed class AnswersCountOnceOnSqlite(SqliteServer fixture) : AnswersCountOnce(fixture), IClassFixture<SqliteServer>;

public sealed class AnswersCountOnceOnNodes(PostgresNodes fixture) : AnswersCountOnce(fixture), IClassFixture<PostgresNodes>;

/// <summary>WebAuthn §13.4.3: a challenge is good for one answer, for five minutes, in the browser that asked, for the purpose that it was made for.</summary>
public abstract class AnswersCountOnce(ServerFixture fixture)
{
    private readonly IdpServer _server = fixture.Server;
    private readonly VirtualAuthenticator _authenticator = new(fixture.Server.Issuer);

    [Fact]
    [Trait("Case", "PSK-01")]
    public async Task An_answer_counts_once_in_its_browser_for_its_purpose()
    {
        var passkey = await _server.Register(_authenticator);
        using var browser = new Browser(_server);
        using var other = new Browser(_server);
        var page = await browser.Authorize(new CodeFlow().Parameters());
        var otherPage = await other.Authorize(new CodeFlow().Parameters());

        // Another browser's challenge.
        var answer = _authenticator.Get(await browser.Options(page, PasskeyPages.SignIn), passkey);
        Assert.False(await IsAccepted(other, otherPage, answer));
        // In its own it is as good as before; then never again.
        Assert.True(await IsAccepted(browser, page, answer));
        Assert.False(await IsAccepted(browser, page, answer));
        // A question of a registration.
        var account = await browser.OpenPasskeys();
        Assert.False(await IsAccepted(browser, page, _authenticator.Get(await browser.Options(account, PasskeyPages.Account), passkey)));
    }

    [Fact]
    [Trait("Case", "PSK-01")]
    public async Task An_answer_counts_for_five_minutes()
    {
        var passkey = await _server.Register(_authenticator);
        using var browser = new Browser(_server);
        var page = await browser.Authorize(new CodeFlow().Parameters());
        foreach (var (late, isAccepted) in ((TimeSpan, bool)[])[(TimeSpan.FromSeconds(1), false), (TimeSpan.FromSeconds(-30), true)])
        {
            var answer = _authenticator.Get(await browser.Options(page, PasskeyPages.SignIn), passkey);
            _server.Clock.Advance(PasskeyChallenges.Life + late);
            Assert.Equal(isAccepted, await IsAccepted(browser, page, answer));
        }
    }

    [Fact]
    [Trait("Case", "PSK-01")]
    public async Task Of_twenty_at_once_with_one_answer_one_gets_in()
    {
        var passkey = await _server.Register(_authenticator);
        using var browser = new Browser(_server);
        var page = await browser.Authorize(new CodeFlow().Parameters());
        var answer = _authenticator.Get(await browser.Options(page, PasskeyPages.SignIn), passkey);

        var accepted = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => IsAccepted(browser, page, answer)));

        Assert.Single(accepted, one => one);
    }

    private static async Task<bool> IsAccepted(Browser browser, PageAnswer page, string answer)
    {
        var submitted = await browser.Submit(page, PasskeyPages.SignIn, ("credential", answer));
        Assert.Equal(303, submitted.Status);
        if (submitted.Location!.StartsWith("/connect/authorize?continue=", StringComparison.Ordinal)) return true;
        Assert.EndsWith("&problem=passkey", submitted.Location, StringComparison.Ordinal);
        return false;
    }
}
