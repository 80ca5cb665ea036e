using IdP.Testing;
using IdP.Tests.Support;
using Xunit;

namespace IdP.Tests.Sessions;

/// <summary>What a sign-in leaves in the database, and a refresh: tables grow with people and apps, not with traffic.</summary>
public sealed class RowsWritten(PageServer fixture) : IClassFixture<PageServer>
{
    private IdpServer Server => fixture.Server;

    [Fact]
    public async Task A_sign_in_is_a_session_a_grant_a_session_client_and_an_audit_event_and_a_refresh_is_no_row()
    {
        var flow = new CodeFlow { Scope = "openid offline_access" };
        using (var first = new Browser(Server)) await first.Complete(flow.Parameters());

        var before = await Server.Count();
        using var browser = new Browser(Server);
        var tokens = await flow.Redeem(Server, (await browser.Complete(flow.Parameters())).ResponseParameters()["code"]);
        Assert.Equal(["AuditEvents 1", "Grants 1", "SessionClients 1", "Sessions 1"], await Since(before));

        before = await Server.Count();
        var refreshToken = tokens.Json["refresh_token"]!.GetValue<string>();
        for (var i = 0; i < 3; i++) Assert.Equal(200, (await Server.Post("/connect/token", "web", ("grant_type", "refresh_token"), ("refresh_token", refreshToken))).Status);
        Assert.Empty(await Since(before));
    }

    [Fact]
    public async Task A_request_that_leads_nowhere_is_nothing()
    {
        var before = await Server.Count();
        using var browser = new Browser(Server);
        var page = await browser.Authorize(new CodeFlow().Parameters());
        await browser.Submit(page, "/sign-in?handler=Cancel");
        Assert.Empty(await Since(before));
    }

    private async Task<List<string>> Since(SortedDictionary<string, long> before) =>
        (await Server.Count()).Where(now => now.Value != before[now.Key]).Select(now => $"{now.Key} {now.Value - before[now.Key]}").ToList();
}
