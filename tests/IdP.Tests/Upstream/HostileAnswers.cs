using System.Text;
using System.Text.Json.Nodes;
using IdP.Protocol.Jose;
using IdP.Sessions;
using IdP.Testing;
using IdP.Tests.Support;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace IdP.Tests.Upstream;

/// <summary>Answers that prove nobody: nothing begins, and the person is back on the sign-in page.</summary>
public sealed class HostileAnswers(OtherProvider other) : IClassFixture<OtherProvider>
{
    private IdpServer Server => other.Server;

    public static TheoryData<string> Tokens() => [.. Faults.Keys];

    private static readonly Dictionary<string, Action<OtherProvider>> Faults = new(StringComparer.Ordinal)
    {
        ["another issuer"] = o => o.Claims = c => c["iss"] = o.Issuer + "/",
        ["no issuer"] = o => o.Claims = c => c.Remove("iss"),
        ["another audience"] = o => o.Claims = c => c["aud"] = "somebody-else",
        ["several audiences without azp"] = o => o.Claims = c => c["aud"] = new JsonArray(OtherProvider.ClientId, "somebody-else"),
        ["another authorized party"] = o => o.Claims = c => c["azp"] = "somebody-else",
        ["no subject"] = o => o.Claims = c => c.Remove("sub"),
        ["an empty subject"] = o => o.Claims = c => c["sub"] = "",
        ["a subject of 256 characters"] = o => o.Claims = c => c["sub"] = new string('s', 256),
        ["expired"] = o => o.Claims = c => c["exp"] = o.Server.Clock.GetUtcNow().AddMinutes(-2).ToUnixTimeSeconds(),
        ["no expiry"] = o => o.Claims = c => c.Remove("exp"),
        ["from the future"] = o => o.Claims = c => c["iat"] = o.Server.Clock.GetUtcNow().AddMinutes(5).ToUnixTimeSeconds(),
        ["not valid yet"] = o => o.Claims = c => c["nbf"] = o.Server.Clock.GetUtcNow().AddMinutes(5).ToUnixTimeSeconds(),
        ["another nonce"] = o => o.Claims = c => c["nonce"] = CodeFlow.Random(),
        ["no nonce"] = o => o.Claims = c => c.Remove("nonce"),
        ["another key of the same id"] = o => o.Sign = c => ForgedJwt.WithSignature(ForgedJwt.Sign(OtherProvider.Key, c, "JWT"), ForgedJwt.SignInput(SigningKey.Generate(SigningAlgorithms.RS256), "x.y")),
        ["an unknown key"] = o => o.Sign = c => ForgedJwt.Sign(SigningKey.Generate(SigningAlgorithms.ES256), c, "JWT"),
        ["no signature"] = o => o.Sign = c => ForgedJwt.WithoutSignature("""{"alg":"none"}""", c.ToJsonString()),
        ["an HMAC with the client's secret"] = o => o.Sign = c => ForgedJwt.Hmac(Encoding.UTF8.GetBytes(OtherProvider.Secret), """{"alg":"HS256","typ":"JWT"}""", c.ToJsonString()),
        ["an access token"] = o => o.Sign = c => ForgedJwt.Sign(OtherProvider.Key, c, "at+jwt"),
    };

    [Theory]
    [MemberData(nameof(Tokens))]
    public async Task An_ID_token_with_a_fault_signs_nobody_in(string fault)
    {
        other.Subject = "whoever";
        using var browser = new Browser(Server);
        var pressed = await OtherProvider.Press(browser, await browser.Authorize(new CodeFlow().Parameters()));
        Faults[fault](other);
        try
        {
            await Refused(browser, other.Callback(pressed));
        }
        finally
        {
            (other.Claims, other.Sign) = (null, null);
        }
    }

    [Theory]
    [InlineData("iss", "https://attacker.example")]
    [InlineData("iss", null)]
    [InlineData("code", null)]
    [InlineData("error", "access_denied")]
    public async Task An_answer_with_a_fault_signs_nobody_in(string parameter, string? value)
    {
        using var browser = new Browser(Server);
        var pressed = await OtherProvider.Press(browser, await browser.Authorize(new CodeFlow().Parameters()));
        await Refused(browser, other.Callback(pressed, changed: (parameter, value)));
    }

    [Fact]
    public async Task An_answer_counts_once()
    {
        using var browser = new Browser(Server);
        var pressed = await OtherProvider.Press(browser, await browser.Authorize(new CodeFlow().Parameters()));
        var callback = other.Callback(pressed);
        FrontChannel.IsPage(await browser.Follow(await browser.Get(callback)), "id=\"link-notice\"");
        await browser.RefusedOnPage(Server, callback);
    }

    [Fact]
    public async Task Twenty_equal_answers_at_once_count_once()
    {
        using var browser = new Browser(Server);
        var pressed = await OtherProvider.Press(browser, await browser.Authorize(new CodeFlow().Parameters()));
        var callback = other.Callback(pressed);
        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => browser.Get(callback)));
        Assert.Single(answers, answer => answer.Location?.Contains("link=", StringComparison.Ordinal) == true);
        Assert.Equal(19, answers.Count(answer => answer.Status == 400));
    }

    [Fact]
    public async Task An_answer_counts_in_the_browser_where_it_began_and_nowhere_else()
    {
        // Login CSRF: the attacker's answer brought to a victim signs nobody in, and the attacker's own try is still good.
        using var attacker = new Browser(Server);
        var pressed = await OtherProvider.Press(attacker, await attacker.Authorize(new CodeFlow().Parameters()));
        var callback = other.Callback(pressed);
        using var victim = new Browser(Server);
        await victim.RefusedOnPage(Server, callback);
        await victim.Authorize(new CodeFlow().Parameters());
        await victim.RefusedOnPage(Server, callback);
        FrontChannel.IsPage(await attacker.Follow(await attacker.Get(callback)), "id=\"link-notice\"");
    }

    [Fact]
    public async Task An_answer_to_another_providers_address_counts_nothing()
    {
        await other.Add("second");
        using var browser = new Browser(Server);
        var pressed = await OtherProvider.Press(browser, await browser.Authorize(new CodeFlow().Parameters()));
        await browser.RefusedOnPage(Server, other.Callback(pressed, "second"));
        await browser.RefusedOnPage(Server, new HttpRequestMessage(HttpMethod.Get, other.Callback(pressed, "nobody")), "not_found", 404);
    }

    [Fact]
    public async Task An_answer_after_ten_minutes_is_too_late()
    {
        using var browser = new Browser(Server);
        var pressed = await OtherProvider.Press(browser, await browser.Authorize(new CodeFlow().Parameters()));
        Server.Clock.Advance(TimeSpan.FromMinutes(10));
        await browser.RefusedOnPage(Server, other.Callback(pressed));
    }

    [Theory]
    [InlineData("state=")]
    [InlineData("code=a")]
    [InlineData("state=a&state=b")]
    [InlineData("state=%00")]
    [InlineData("state=%ff")]
    public async Task What_is_no_answer_is_told_on_a_page(string query)
    {
        using var browser = new Browser(Server);
        await browser.RefusedOnPage(Server, "/sign-in/upstream/other?" + query);
    }

    [Fact]
    public async Task A_link_of_another_browser_or_an_old_one_connects_nothing()
    {
        other.Subject = "attackers-account";
        using var attacker = new Browser(Server);
        var page = await other.Return(attacker, new CodeFlow());
        var link = page.Fields()["link"];
        using var victim = new Browser(Server);
        var signIn = await victim.Authorize(new CodeFlow().Parameters());
        await victim.Follow(await victim.Submit(signIn, "/sign-in", ("username", "alice"), ("password", IdpServer.Password), ("link", link)));
        Server.Clock.Advance(TimeSpan.FromMinutes(11));
        await attacker.SignIn(page, "bob");
        await using var db = Server.Database.OpenForReading();
        Assert.False(await db.Set<IdP.Upstream.UpstreamLogin>().AnyAsync(l => l.Subject == "attackers-account"));
    }

    [Theory]
    [InlineData("issuer", "https://attacker.example")]
    [InlineData("token_endpoint", "http://other.example/token")]
    [InlineData("token_endpoint", "javascript:alert(1)")]
    [InlineData("authorization_endpoint", "file:///etc/passwd")]
    [InlineData("authorization_endpoint", "//other.example")]
    public async Task Metadata_that_lead_elsewhere_are_not_followed(string member, string value)
    {
        other.Metadata = metadata => metadata[member] = value;
        other.Forget();
        using var browser = new Browser(Server);
        try
        {
            var answer = await OtherProvider.Press(browser, await browser.Authorize(new CodeFlow().Parameters()));
            FrontChannel.IsPage(answer, "id=\"problem\"", status: 503);
        }
        finally
        {
            other.Metadata = null;
            other.Forget();
        }
    }

    private async Task Refused(Browser browser, string callback)
    {
        await using var db = Server.Database.OpenForReading();
        var before = await db.Set<Session>().CountAsync();
        var page = await browser.Follow(await browser.Get(callback));
        FrontChannel.IsPage(page, "id=\"problem\"");
        Assert.DoesNotContain("id=\"link-notice\"", page.Body, StringComparison.Ordinal);
        Assert.Equal(before, await db.Set<Session>().CountAsync());
        await browser.RefusedToClient(Server, new CodeFlow { With = { ["prompt"] = "none" } }, "login_required");
    }
}
