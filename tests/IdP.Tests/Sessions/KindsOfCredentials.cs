using System.Net;
using IdP.Http;
using IdP.Testing;
using IdP.Tests.Support;
using Microsoft.IdentityModel.JsonWebTokens;
using Xunit;

namespace IdP.Tests.Sessions;

public sealed class KindsOfCredentialsOnSqlite(PageServer fixture) : KindsOfCredentials, IClassFixture<PageServer>
{
    private protected override IdpServer Server => fixture.Server;
}

public sealed class KindsOfCredentialsOnNodes(PostgresNodes fixture) : KindsOfCredentials, IClassFixture<PostgresNodes>
{
    private protected override IdpServer Server => fixture.Server;
}

/// <summary>Of all that this server makes nothing is taken for anything else, and nothing is used up by trying.</summary>
public abstract class KindsOfCredentials
{
    private protected abstract IdpServer Server { get; }

    [Fact]
    [Trait("Case", "COD-08")]
    public async Task One_kind_of_token_is_never_another()
    {
        await Server.AddClient("mixer", "client_credentials password refresh_token", "openid offline_access items:read", c => c.RotatesRefreshTokens = true);
        var person = await Server.PasswordGrant("alice", clientId: "mixer", scope: "openid offline_access items:read");
        var (access, refresh) = (person.AccessToken, person.Json["refresh_token"]!.GetValue<string>());
        var grant = new JsonWebToken(access).GetClaim("gid").Value;
        foreach (var text in (string[])[access, grant, new JsonWebToken(access).Id, access.Split('.')[2], (await Server.ClientCredentials("mixer")).AccessToken])
            await Server.Refused(400, "invalid_grant", "/connect/token", "mixer", ("grant_type", "refresh_token"), ("refresh_token", text));
        foreach (var text in (string[])[refresh, grant, new JsonWebToken(access).Id])
        {
            Assert.Equal("""{"active":false}""", (await Server.Introspect(text, "mixer")).Body);
            var bearer = new HttpRequestMessage(HttpMethod.Get, "/connect/userinfo");
            bearer.Headers.Authorization = new("Bearer", text);
            Assert.Equal(401, (await Server.Sent(bearer)).Status);
        }
        // Neither is used up or revoked by it.
        Assert.True((await Server.Introspect(access, "mixer")).Active);
        Assert.Equal(200, (await Server.Post("/connect/token", "mixer", ("grant_type", "refresh_token"), ("refresh_token", refresh))).Status);
    }

    [Fact]
    [Trait("Case", "COD-08")]
    public async Task One_kind_of_credential_is_never_another()
    {
        using var browser = new Browser(Server);
        var flow = new CodeFlow { Scope = "openid offline_access items:read" };
        var page = await browser.Authorize(flow.Parameters());
        var (interaction, form) = (page.Fields()["continue"], page.Fields()["form_token"]);
        var tokens = await flow.Redeem(Server, FrontChannel.IsCode(Server, await browser.Complete(flow.Parameters()), flow));
        var code = FrontChannel.IsCode(Server, await browser.Complete(flow.Parameters()), flow);
        var pushed = (await Server.Post("/connect/par", "web", [.. flow.Parameters().Select(pair => (pair.Key, pair.Value))])).Json["request_uri"]!.GetValue<string>();
        var handle = pushed[(pushed.LastIndexOf(':') + 1)..];
        var refresh = tokens.Json["refresh_token"]!.GetValue<string>();
        var kinds = new Dictionary<string, string>
        {
            ["code"] = code, ["refresh"] = refresh, ["pushed"] = handle, ["request_uri"] = pushed, ["session"] = Cookie(browser, Cookies.Session).Value, ["browser"] = Cookie(browser, Cookies.Browser).Value,
            ["interaction"] = interaction, ["form"] = form, ["access"] = tokens.AccessToken, ["id"] = tokens.Json["id_token"]!.GetValue<string>(), ["sid"] = IdToken.Claims(tokens)["sid"]!.GetValue<string>(),
        };
        var session = Cookie(browser, Cookies.Session);
        foreach (var cookie in browser.Cookies.GetAllCookies().Where(cookie => cookie.Name != session.Name)) kinds.TryAdd(cookie.Name, cookie.Value);
        foreach (var (kind, text) in kinds)
        {
            if (kind != "code") await Server.Refused(400, "invalid_grant", "/connect/token", "web", ("grant_type", "authorization_code"), ("code", text), ("redirect_uri", flow.RedirectUri), ("code_verifier", flow.Verifier));
            if (kind != "refresh") await Server.Refused(400, "invalid_grant", "/connect/token", "web", ("grant_type", "refresh_token"), ("refresh_token", text));
            if (kind is not ("pushed" or "request_uri"))
                await browser.RefusedOnPage(Server, $"/connect/authorize?client_id=web&request_uri={Uri.EscapeDataString("urn:ietf:params:oauth:request_uri:" + text)}", "invalid_request_uri");
            if (kind != "interaction") await browser.RefusedOnPage(Server, $"/connect/authorize?continue={Uri.EscapeDataString(text)}");
            await browser.RefusedOnPage(Server, $"/connect/authorize?posted={Uri.EscapeDataString(text)}");
            if (kind != "access")
            {
                Assert.False((await Server.Introspect(text, "web")).Active);
                Assert.Equal(401, (await Server.Sent(new HttpRequestMessage(HttpMethod.Get, "/connect/userinfo") { Headers = { { "Authorization", "Bearer " + text } } })).Status);
            }
            if (kind != "session" && text.Length < 3000)
            {
                using var thief = new Browser(Server);
                thief.Cookies.Add(new Uri(Server.Url), new Cookie(session.Name, text, "/") { Secure = session.Secure });
                await thief.RefusedToClient(Server, new CodeFlow { With = { ["prompt"] = "none" } }, "login_required");
            }
        }
        // None of them was used up by it.
        Assert.Equal(200, (await flow.Redeem(Server, code)).Status);
        Assert.Equal(200, (await Server.Post("/connect/token", "web", ("grant_type", "refresh_token"), ("refresh_token", refresh))).Status);
        FrontChannel.IsCode(Server, await browser.Complete(new Dictionary<string, string> { ["client_id"] = "web", ["request_uri"] = pushed }), flow);
    }

    private static Cookie Cookie(Browser browser, string name) => browser.Cookies.GetAllCookies().Single(cookie => cookie.Name.EndsWith(name, StringComparison.Ordinal));
}
