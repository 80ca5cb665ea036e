using IdP.Sessions;
using IdP.Testing;
using IdP.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace IdP.Tests.RefreshTokens;

/// <summary>A client may be set to get refresh tokens without offline_access: they last as long as the session in which they began.</summary>
public sealed class SessionBound(PageServer fixture) : IClassFixture<PageServer>
{
    private const string Client = "session-app";

    private IdpServer Server => fixture.Server;

    [Fact]
    public async Task They_work_while_the_session_lasts_and_end_when_nobody_uses_it()
    {
        var refreshToken = await Begin();
        Assert.Equal(200, (await Refresh(refreshToken)).Status);
        Server.Clock.Advance(TimeSpan.FromMinutes(480));
        Assert.Equal("invalid_grant", (await Refresh(refreshToken)).Error);
    }

    [Fact]
    public async Task They_end_when_the_session_is_ended_and_so_do_the_access_tokens()
    {
        var refreshToken = await Begin();
        var refreshed = await Refresh(refreshToken);
        await Server.Change((db, _) => SessionEnd.End(db, db.Set<Session>(), Server.Clock.GetUtcNow(), CancellationToken.None));
        Assert.Equal("invalid_grant", (await Refresh(refreshToken)).Error);
        Assert.False((await Server.Introspect(refreshed.AccessToken, Client)).Active);
    }

    [Fact]
    public async Task What_was_granted_for_the_time_without_the_person_outlives_the_session()
    {
        using var browser = new Browser(Server);
        var flow = new CodeFlow { Scope = "openid offline_access" };
        var tokens = await flow.Redeem(Server, (await browser.Complete(flow.Parameters())).ResponseParameters()["code"]);
        await Server.Change((db, _) => SessionEnd.End(db, db.Set<Session>(), Server.Clock.GetUtcNow(), CancellationToken.None));
        var refreshed = await Server.Post("/connect/token", "web", ("grant_type", "refresh_token"), ("refresh_token", tokens.Json["refresh_token"]!.GetValue<string>()));
        Assert.Equal(200, refreshed.Status);
        Assert.True((await Server.Introspect(refreshed.AccessToken, "web")).Active);
    }

    [Fact]
    [Trait("Case", "REF-17")]
    public async Task Other_clients_get_none_without_offline_access()
    {
        using var browser = new Browser(Server);
        var flow = new CodeFlow { Scope = "openid profile" };
        var tokens = await flow.Redeem(Server, (await browser.Complete(flow.Parameters())).ResponseParameters()["code"]);
        Assert.Equal(200, tokens.Status);
        Assert.False(tokens.Json.ContainsKey("refresh_token"));
    }

    private async Task<string> Begin()
    {
        if (await Server.App.Services.GetRequiredService<Clients.ClientDirectory>().Find(Client, CancellationToken.None) is null)
            await Server.AddClient(Client, "authorization_code refresh_token", "openid", c => (c.RedirectUris, c.SessionRefreshTokens) = (["https://session.test/cb"], true));
        using var browser = new Browser(Server);
        var flow = new CodeFlow { ClientId = Client, RedirectUri = "https://session.test/cb" };
        var tokens = await flow.Redeem(Server, (await browser.Complete(flow.Parameters())).ResponseParameters()["code"]);
        return tokens.Json["refresh_token"]!.GetValue<string>();
    }

    private Task<Answer> Refresh(string refreshToken) => Server.Post("/connect/token", Client, ("grant_type", "refresh_token"), ("refresh_token", refreshToken));
}
