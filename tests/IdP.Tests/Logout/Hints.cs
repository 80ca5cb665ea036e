using System.Text;
using IdP.Protocol.Jose;
using IdP.Testing;
using IdP.Tests.Support;
using Xunit;

namespace IdP.Tests.Logout;

/// <summary>RP-Initiated Logout §2, §4: a hint that is ours, and of this very sign-in, is the only thing that signs out without a question.</summary>
public sealed class Hints(PageServer fixture) : IClassFixture<PageServer>
{
    private readonly IdpServer _server = fixture.Server;

    [Theory]
    [Trait("Case", "LGO-03")]
    [InlineData("another key")]
    [InlineData("our kid, another key")]
    [InlineData("alg none")]
    [InlineData("HMAC with the public key")]
    [InlineData("modified")]
    [InlineData("another issuer")]
    [InlineData("access token")]
    [InlineData("logout token")]
    [InlineData("no subject")]
    [InlineData("rubbish")]
    public async Task A_hint_that_is_not_an_id_token_of_ours_only_has_the_person_asked(string how)
    {
        var app = await LogoutApp.Register(_server);
        using var browser = new Browser(_server);
        var signIn = await app.SignIn(browser);
        var hint = Forge(how, signIn);
        foreach (var address in (string[])[
            LogoutApp.Address(("id_token_hint", hint), ("post_logout_redirect_uri", app.SignedOut), ("state", "s")),
            LogoutApp.Address(("id_token_hint", hint), ("client_id", app.Id), ("post_logout_redirect_uri", app.SignedOut), ("state", "s"))])
        {
            var page = await browser.Follow(await browser.Get(address));
            Assert.True(LogoutApp.Asks(page), page.Body);
            LogoutApp.AssertLeadsNowhere(page);
            await app.AssertSignedIn(browser);
        }
        var asked = await browser.Follow(await browser.Get(LogoutApp.Address(("id_token_hint", hint), ("client_id", app.Id), ("post_logout_redirect_uri", app.SignedOut))));
        var done = await browser.Follow(await LogoutApp.Confirm(browser, asked));
        Assert.True(LogoutApp.IsDone(done), done.Body);
        LogoutApp.AssertLeadsNowhere(done);
        await app.AssertSignedOut(browser);
    }

    [Fact]
    [Trait("Case", "LGO-03")]
    public async Task An_expired_hint_of_this_sign_in_counts()
    {
        var app = await LogoutApp.Register(_server);
        using var browser = new Browser(_server);
        var signIn = await app.SignIn(browser);
        _server.Clock.Advance(TimeSpan.FromHours(2));
        var answer = await browser.Get(LogoutApp.Address(("id_token_hint", signIn.IdToken), ("post_logout_redirect_uri", app.SignedOut)));
        Assert.Equal(app.SignedOut, answer.Location);
        await app.AssertSignedOut(browser);
    }

    [Fact]
    [Trait("Case", "LGO-03")]
    public async Task An_expired_hint_of_a_sign_in_that_is_over_leads_on_by_a_link_only()
    {
        var app = await LogoutApp.Register(_server);
        using var browser = new Browser(_server);
        var signIn = await app.SignIn(browser);
        var address = LogoutApp.Address(("id_token_hint", signIn.IdToken), ("post_logout_redirect_uri", app.SignedOut));
        Assert.Equal(app.SignedOut, (await browser.Get(address)).Location);
        // While it is valid it still leads back: the app may have been slower than the person.
        Assert.Equal(app.SignedOut, (await browser.Get(address)).Location);

        _server.Clock.Advance(TimeSpan.FromHours(2));
        var page = await browser.Follow(await browser.Get(address));
        Assert.True(LogoutApp.IsDone(page), page.Body);
        Assert.Null(page.Location);
        Assert.DoesNotContain("<script", page.Body, StringComparison.Ordinal);
        Assert.DoesNotContain("http-equiv", page.Body, StringComparison.Ordinal);
        Assert.Contains($"href=\"{app.SignedOut}\"", page.Body, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Case", "LGO-04")]
    public async Task A_hint_of_somebody_else_has_the_person_asked()
    {
        var app = await LogoutApp.Register(_server);
        using var bobs = new Browser(_server);
        using var browser = new Browser(_server);
        var bob = await app.SignIn(bobs, "bob");
        await app.SignIn(browser);
        await Asked(app, browser, bob.IdToken, shown: "alice");
        // Bob's own session, in his browser, is untouched.
        await app.AssertSignedIn(bobs);
    }

    [Fact]
    [Trait("Case", "LGO-04")]
    public async Task A_hint_of_another_sign_in_of_the_same_person_has_them_asked()
    {
        var app = await LogoutApp.Register(_server);
        using var elsewhere = new Browser(_server);
        using var browser = new Browser(_server);
        var other = await app.SignIn(elsewhere);
        await app.SignIn(browser);
        await Asked(app, browser, other.IdToken, shown: "alice");
        await app.AssertSignedIn(elsewhere);
    }

    [Fact]
    public async Task The_question_ends_only_the_sign_in_that_it_was_asked_for()
    {
        var app = await LogoutApp.Register(_server);
        using var browser = new Browser(_server);
        await app.SignIn(browser);
        var page = await browser.Follow(await browser.Get("/connect/logout"));
        // In another tab: signed out, and somebody else signs in.
        await LogoutApp.Confirm(browser, page);
        await app.SignIn(browser, "bob");
        var again = await LogoutApp.Confirm(browser, page);
        Assert.True(LogoutApp.Asks(again), again.Body);
        Assert.Contains("bob", again.Body, StringComparison.Ordinal);
        await app.AssertSignedIn(browser);
    }

    [Fact]
    public async Task A_hint_of_a_client_with_pairwise_subjects_counts()
    {
        var app = await LogoutApp.Register(_server, c => c.Sector = $"{c.ClientId}.test");
        using var browser = new Browser(_server);
        var signIn = await app.SignIn(browser);
        Assert.Equal(app.SignedOut, (await browser.Get(LogoutApp.Address(("id_token_hint", signIn.IdToken), ("post_logout_redirect_uri", app.SignedOut)))).Location);
        await app.AssertSignedOut(browser);
    }

    private static async Task Asked(LogoutApp app, Browser browser, string hint, string shown)
    {
        var page = await browser.Follow(await browser.Get(LogoutApp.Address(("id_token_hint", hint), ("post_logout_redirect_uri", app.SignedOut), ("state", "s"))));
        Assert.True(LogoutApp.Asks(page), page.Body);
        Assert.Contains(shown, page.Body, StringComparison.Ordinal);
        await app.AssertSignedIn(browser);
        Assert.Equal($"{app.SignedOut}?state=s", (await LogoutApp.Confirm(browser, page)).Location);
        await app.AssertSignedOut(browser);
    }

    private string Forge(string how, AppSignIn signIn)
    {
        var (claims, ours) = (signIn.Claims, LogoutApp.Header(signIn.IdToken));
        var kid = ours["kid"]!.GetValue<string>();
        var parts = signIn.IdToken.Split('.');
        switch (how)
        {
            case "another key":
                return ForgedJwt.Sign(SigningKey.Generate(SigningAlgorithms.RS256), claims, "JWT");
            case "our kid, another key":
                return ForgedJwt.Sign(SigningKey.Generate(SigningAlgorithms.RS256), ours.ToJsonString(), claims.ToJsonString());
            case "alg none":
                return ForgedJwt.WithoutSignature("""{"alg":"none","typ":"JWT"}""", claims.ToJsonString());
            case "HMAC with the public key":
                return ForgedJwt.Hmac(Encoding.ASCII.GetBytes(kid), $$"""{"alg":"HS256","typ":"JWT","kid":"{{kid}}"}""", claims.ToJsonString());
            case "modified":
                claims["exp"] = claims["exp"]!.GetValue<long>() + 1;
                return $"{parts[0]}.{System.Buffers.Text.Base64Url.EncodeToString(Encoding.UTF8.GetBytes(claims.ToJsonString()))}.{parts[2]}";
            case "another issuer":
                claims["iss"] = "https://other.test";
                return ForgedJwt.Sign(_server.Keys.Signer(SigningAlgorithms.RS256), claims, "JWT");
            case "access token":
                return signIn.AccessToken;
            case "logout token":
                return ForgedJwt.Sign(_server.Keys.Signer(SigningAlgorithms.RS256), claims, "logout+jwt");
            case "no subject":
                claims.Remove("sub");
                return ForgedJwt.Sign(_server.Keys.Signer(SigningAlgorithms.RS256), claims, "JWT");
            default:
                return "rubbish";
        }
    }
}
