using System.Text.Json.Nodes;
using IdP.Audit;
using IdP.Passkeys;
using IdP.Testing;
using IdP.Tests.Support;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace IdP.Tests.Passkeys;

/// <summary>WebAuthn §7.2: whose answer counts, and for what.</summary>
public sealed class SigningIn(PageServer fixture) : IClassFixture<PageServer>
{
    private readonly IdpServer _server = fixture.Server;
    private readonly VirtualAuthenticator _authenticator = new(fixture.Server.Issuer);

    [Theory]
    [InlineData(false, "hwk")]
    [InlineData(true, "swk")]
    public async Task A_passkey_alone_is_a_whole_sign_in_and_the_token_says_how(bool isBackupEligible, string method)
    {
        var passkey = await _server.Register(_authenticator, isBackupEligible: isBackupEligible);
        using var browser = new Browser(_server);
        var flow = new CodeFlow();

        var answer = await browser.SignInBy(await browser.Authorize(flow.Parameters()), _authenticator, passkey);
        if (answer.Body.Contains("id=\"consent-accept\"", StringComparison.Ordinal)) answer = await browser.Accept(answer);
        var claims = IdToken.Claims(await flow.Redeem(_server, FrontChannel.IsCode(_server, answer, flow)));

        Assert.Equal("urn:idp:acr:mfa", claims["acr"]!.GetValue<string>());
        Assert.Equal([method, "user", "mfa"], claims["amr"]!.AsArray().Select(value => value!.GetValue<string>()));
    }

    [Fact]
    [Trait("Case", "PSK-03")]
    public async Task Answers_for_other_sites_other_types_and_from_frames_are_refused()
    {
        var passkey = await _server.Register(_authenticator);
        var port = new Uri(_server.Issuer).Port;
        Action<Ceremony>[] changes =
        [
            c => c.RpId = "example.com", c => c.RpId = "", c => c.Type = "webauthn.create", c => c.Type = "payment.get", c => c.CrossOrigin = true, c => c.TopOrigin = _server.Issuer,
            c => (c.CrossOrigin, c.TopOrigin) = (true, "https://evil.test"), c => c.Origin = "https://evil.test", c => c.Origin = $"http://localhost:{port}", c => c.Origin = "https://localhost",
            c => c.Origin = _server.Issuer + "/", c => c.Origin = _server.Issuer.ToUpperInvariant(), c => c.Origin = $"https://localhost.:{port}", c => c.Origin = $"https://localhost:{port}.evil.test", c => c.Origin = "null",
        ];

        foreach (var change in changes) await Refused(passkey, change);
        await Accepted(passkey, c => c.CrossOrigin = null);
    }

    [Fact]
    [Trait("Case", "PSK-04")]
    public async Task Nobody_present_or_nobody_verified_is_refused_whatever_the_page_made_of_the_question()
    {
        var passkey = await _server.Register(_authenticator);
        using var browser = new Browser(_server);
        var options = JsonNode.Parse(await browser.Options(await browser.Authorize(new CodeFlow().Parameters()), PasskeyPages.SignIn))!;
        Assert.Equal("required", options["userVerification"]!.GetValue<string>());

        await Refused(passkey, c => c.UserPresent = false);
        // As when a script asks for userVerification "discouraged" in place of what we said.
        await Refused(passkey, c => c.UserVerified = false);
        await Accepted(passkey);
    }

    [Fact]
    [Trait("Case", "PSK-05")]
    public async Task A_counter_that_does_not_go_up_is_refused_and_noted_and_one_that_does_not_count_is_fine()
    {
        var counting = await _server.Register(_authenticator);
        await Accepted(counting, c => c.Count = 10);
        await Refused(counting, c => c.Count = 5);
        await Refused(counting, c => c.Count = 10);
        await Refused(counting, c => c.Count = 0);
        Assert.Equal(3, await Events("passkey.counter_went_back"));
        await Accepted(counting, c => c.Count = 11);

        var silent = await _server.Register(_authenticator, isBackupEligible: true);
        await Accepted(silent);
        await Accepted(silent);
    }

    [Fact]
    [Trait("Case", "PSK-06")]
    public async Task Somebody_elses_handle_and_unknown_passkeys_get_one_answer()
    {
        var (alices, bobs) = (await _server.Register(_authenticator), await _server.Register(_authenticator, "bob"));

        await Refused(bobs, c => c.UserHandle = alices.UserHandle);
        await Refused(bobs, c => c.UserHandle = null);
        await Refused(bobs, c => c.UserHandle = "nobody"u8.ToArray());
        await Refused(bobs, c => c.Id = alices.Id);
        await Refused(new VirtualPasskey { UserHandle = alices.UserHandle });
        await Refused(new VirtualPasskey { UserHandle = "nobody"u8.ToArray() });
        await Accepted(bobs);
    }

    [Fact]
    [Trait("Case", "PSK-10")]
    public async Task What_was_changed_on_the_way_is_refused()
    {
        var passkey = await _server.Register(_authenticator);
        Action<JsonObject>[] changes =
        [
            Flip("authenticatorData"), Flip("signature"), Flip("clientDataJSON"), answer => answer["response"]!["authenticatorData"] = "", answer => answer["response"]!["signature"] = "",
            answer => answer["response"]!["authenticatorData"] = answer["response"]!["authenticatorData"]!.GetValue<string>() + "AAAA", answer => answer["type"] = "password", answer => answer["id"] = "", answer => answer["id"] = 1,
            answer => answer.Remove("id"), answer => answer["response"] = "text", answer => answer.Remove("response"), answer => answer["response"]!["clientDataJSON"] = "e30", answer => answer["response"]!["clientDataJSON"] = "W10",
            answer => answer["more"] = new string('x', 20_000),
        ];
        foreach (var change in changes) await Refused(passkey, c => c.Afterwards = change);
        using var browser = new Browser(_server);
        foreach (var text in (string[])["", "{", "null", "[]", "1", "{\"response\":{\"clientDataJSON\":\"\"}}", new string('[', 5000)])
            await Refused(browser, await browser.Authorize(new CodeFlow().Parameters()), text);
        await Accepted(passkey);
    }

    [Fact]
    [Trait("Case", "PSK-12")]
    public async Task Nothing_is_told_of_anybodys_passkeys_before_one_has_answered()
    {
        await _server.Register(_authenticator);
        foreach (var hint in (string?[])[null, "alice", "nobody-of-that-name"])
        {
            using var browser = new Browser(_server);
            var page = await browser.Authorize(new CodeFlow { With = { ["login_hint"] = hint } }.Parameters());
            var options = JsonNode.Parse(await browser.Options(page, PasskeyPages.SignIn))!.AsObject();
            Assert.Equal(32, System.Buffers.Text.Base64Url.DecodeFromChars(options["challenge"]!.GetValue<string>()).Length);
            options.Remove("challenge");
            Assert.Equal("""{"timeout":300000,"rpId":"localhost","allowCredentials":[],"userVerification":"required","hints":[]}""", options.ToJsonString());
        }
    }

    [Fact]
    [Trait("Case", "STA-01")]
    public async Task A_disabled_account_gets_in_by_no_passkey()
    {
        var user = await _server.AddUser($"passing-{Guid.NewGuid():N}");
        var passkey = await _server.Register(_authenticator, user.UserName!);
        await Accepted(passkey);
        await _server.Change((db, _) => db.Users.Where(u => u.Id == user.Id).ExecuteUpdateAsync(set => set.SetProperty(u => u.DisabledAt, _server.Clock.GetUtcNow())));

        await Refused(passkey);
    }

    private static Action<JsonObject> Flip(string member) => answer =>
    {
        var text = answer["response"]![member]!.GetValue<string>();
        answer["response"]![member] = text[..10] + (text[10] == 'A' ? 'B' : 'A') + text[11..];
    };

    private async Task Accepted(VirtualPasskey passkey, Action<Ceremony>? change = null)
    {
        using var browser = new Browser(_server);
        var page = await browser.Authorize(new CodeFlow().Parameters());
        var answer = await browser.Submit(page, PasskeyPages.SignIn, ("credential", _authenticator.Get(await browser.Options(page, PasskeyPages.SignIn), passkey, change)));
        Assert.StartsWith("/connect/authorize?continue=", answer.Location, StringComparison.Ordinal);
    }

    private async Task Refused(VirtualPasskey passkey, Action<Ceremony>? change = null)
    {
        using var browser = new Browser(_server);
        var page = await browser.Authorize(new CodeFlow().Parameters());
        await Refused(browser, page, _authenticator.Get(await browser.Options(page, PasskeyPages.SignIn), passkey, change));
    }

    // Every refusal has one face, and begins nothing.
    private async Task Refused(Browser browser, PageAnswer page, string answer)
    {
        var before = await _server.Count("Sessions");
        var refused = await browser.Submit(page, PasskeyPages.SignIn, ("credential", answer));
        Assert.Equal(303, refused.Status);
        Assert.Equal($"/sign-in?continue={page.Fields()["continue"]}&problem=passkey", refused.Location);
        var shown = await browser.Follow(refused);
        FrontChannel.IsSignIn(shown);
        Assert.Contains("Signing in with a passkey did not work.", shown.Body, StringComparison.Ordinal);
        Assert.Equal(before, await _server.Count("Sessions"));
    }

    private async Task<int> Events(string type)
    {
        await using var db = _server.Database.OpenForReading();
        return await db.Set<AuditEvent>().CountAsync(e => e.Type == type);
    }
}
