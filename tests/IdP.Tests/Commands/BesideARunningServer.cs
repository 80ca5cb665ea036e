using System.Text.Json;
using IdP.Commands;
using IdP.Testing;
using IdP.Tests.Support;
using Xunit;

namespace IdP.Tests.Commands;

public sealed class OnSqlite(SqliteServer fixture) : BesideARunningServer(fixture), IClassFixture<SqliteServer>;

public sealed class OnPostgres(PostgresServer fixture) : BesideARunningServer(fixture), IClassFixture<PostgresServer>;

public sealed class OnNodes(PostgresNodes fixture) : BesideARunningServer(fixture), IClassFixture<PostgresNodes>;

/// <summary>What a command takes away is gone at the running server when the command returns.</summary>
public abstract class BesideARunningServer : IDisposable
{
    private readonly IdpServer _server;
    private readonly Cli _cli;
    private readonly string _name = $"n{Guid.NewGuid():N}"[..12];

    protected BesideARunningServer(ServerFixture fixture)
    {
        _server = fixture.Server;
        _cli = Cli.Beside(_server);
    }

    public void Dispose()
    {
        _cli.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    [Trait("Case", "STA-08")]
    [Trait("Case", "AUZ-17")]
    public async Task Withdrawn_consent_ends_the_client_s_tokens_and_is_asked_for_again()
    {
        await _server.AddUser(_name);
        using var browser = new Browser(_server);
        var flow = new CodeFlow { Scope = "openid offline_access" };
        var tokens = await flow.Redeem(_server, (await browser.Complete(flow.Parameters(), _name)).ResponseParameters()["code"]);
        var refreshToken = tokens.Json["refresh_token"]!.GetValue<string>();
        Assert.Contains("offline_access", (await _cli.Done("consent", "list", _name)).Output, StringComparison.Ordinal);

        await _cli.Done("consent", "withdraw", _name, "web");
        Assert.Equal(401, (await UserInfo(tokens.AccessToken)).Status);
        Assert.Equal("invalid_grant", (await _server.Post("/connect/token", "web", ("grant_type", "refresh_token"), ("refresh_token", refreshToken))).Error);
        Assert.Contains("consent-accept", (await browser.Authorize(flow.Parameters())).Body, StringComparison.Ordinal);
        Assert.DoesNotContain("offline_access", (await _cli.Done("consent", "list", _name)).Output, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Case", "REF-13")]
    [Trait("Case", "STA-09")]
    public async Task Whoever_is_signed_out_everywhere_has_no_session_and_no_token_left_and_may_sign_in_again()
    {
        await _server.AddUser(_name);
        using var browser = new Browser(_server);
        var flow = new CodeFlow { Scope = "openid offline_access" };
        var tokens = await flow.Redeem(_server, (await browser.Complete(flow.Parameters(), _name)).ResponseParameters()["code"]);

        await _cli.Done("user", "sign-out", _name);
        Assert.Equal(401, (await UserInfo(tokens.AccessToken)).Status);
        Assert.Equal("invalid_grant", (await _server.Post("/connect/token", "web", ("grant_type", "refresh_token"), ("refresh_token", tokens.Json["refresh_token"]!.GetValue<string>()))).Error);
        Assert.Contains("login-submit", (await browser.Authorize(flow.Parameters())).Body, StringComparison.Ordinal);
        Assert.True((await browser.Complete(flow.Parameters(), _name)).ResponseParameters().ContainsKey("code"));
    }

    private Task<Answer> UserInfo(string token)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, "/connect/userinfo");
        request.Headers.Authorization = new("Bearer", token);
        return _server.Send(request);
    }

    [Fact]
    [Trait("Case", "STA-06")]
    public async Task A_disabled_client_has_no_tokens_and_gets_none()
    {
        await AddClient();
        var own = await Token();
        var persons = await PersonsToken("alice");
        Assert.True(await IsActive(own) && await IsActive(persons));

        await _cli.Done("client", "disable", _name);
        Assert.False(await IsActive(own) || await IsActive(persons));
        Assert.Equal(401, (await _server.ClientCredentials(_name)).Status);
        Assert.Equal(401, (await _server.PasswordGrant("alice", clientId: _name)).Status);
        Assert.Equal(401, (await _server.Introspect(own, _name)).Status);

        await _cli.Done("client", "enable", _name);
        await Eventually(async () => (await _server.ClientCredentials(_name)).Status == 200);
        Assert.False(await IsActive(own) || await IsActive(persons));
        Assert.True(await IsActive(await Token()));
    }

    [Fact]
    [Trait("Case", "STA-01")]
    public async Task A_disabled_user_has_no_tokens_and_gets_none()
    {
        await _server.AddUser(_name);
        var token = await PersonsToken(_name, "app");

        await _cli.Done("user", "disable", _name);
        Assert.False(await IsActive(token));
        Assert.Equal("invalid_grant", (await _server.PasswordGrant(_name)).Error);

        await _cli.Done("user", "enable", _name);
        Assert.False(await IsActive(token));
        Assert.True(await IsActive(await PersonsToken(_name, "app")));
    }

    [Fact]
    [Trait("Case", "STA-03")]
    public async Task Another_password_ends_the_tokens_and_the_old_password()
    {
        await _server.AddUser(_name);
        var token = await PersonsToken(_name, "app");

        await _cli.Done("user", "password", _name, "--password", "another-Password");
        Assert.False(await IsActive(token));
        Assert.Equal("invalid_grant", (await _server.PasswordGrant(_name)).Error);
        Assert.True(await IsActive((await _server.PasswordGrant(_name, "another-Password")).AccessToken));
    }

    [Fact]
    [Trait("Case", "CLA-12")]
    public async Task A_replaced_secret_has_ended_and_an_overlapping_one_works_until_its_time()
    {
        await AddClient();
        Assert.Equal(200, (await _server.ClientCredentials(_name)).Status);

        await _cli.Done("client", "secret", _name, "--secret", "the-second-secret-of-it", "--overlap", "3600");
        Assert.Equal(200, (await _server.ClientCredentials(_name)).Status);
        Assert.Equal(200, await StatusWith("the-second-secret-of-it"));

        await _cli.Done("client", "secret", _name, "--secret", "the-third-secret-of-it");
        Assert.Equal(401, (await _server.ClientCredentials(_name)).Status);
        Assert.Equal(401, await StatusWith("the-second-secret-of-it"));
        Assert.Equal(200, await StatusWith("the-third-secret-of-it"));
    }

    [Fact]
    [Trait("Case", "STA-11")]
    public async Task A_revoked_key_ends_its_tokens_and_another_signs()
    {
        await AddClient();
        var token = await Token();
        var kid = KidOf(token);

        await _cli.Done("keys", "revoke", kid);
        Assert.False(await IsActive(token));
        var next = await Token();
        Assert.NotEqual(kid, KidOf(next));
        Assert.True(await IsActive(next));
        Assert.DoesNotContain(kid, await _server.Http.GetStringAsync(new Uri("/.well-known/jwks.json", UriKind.Relative)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_added_works_within_the_poll_interval()
    {
        await _cli.Done("resource", "add", $"urn:{_name}");
        await _cli.Done("scope", "add", $"{_name}:read", "--resource", $"urn:{_name}");
        await _cli.Done("client", "add", _name, "--secret", IdpServer.Secret, "--grant", "client_credentials", "--scope", $"{_name}:read");
        await _cli.Done("user", "add", _name, "--password", IdpServer.Password);

        await Eventually(async () => (await _server.ClientCredentials(_name, $"{_name}:read")).Status == 200);
        Assert.Equal(200, (await _server.PasswordGrant(_name)).Status);
        await _cli.Refused(ExitCodes.Conflict, "already", "client", "add", _name);
    }

    [Fact]
    public async Task Twenty_commands_at_once_all_succeed()
    {
        await Task.WhenAll(Enumerable.Range(0, 20).Select(i => _cli.Done("client", "add", $"{_name}-{i}", "--grant", "client_credentials", "--scope", "items:read")));

        var ids = (await _cli.Json("client", "list")).EnumerateArray().Select(client => client.GetProperty("client_id").GetString());
        Assert.Equal(20, ids.Count(id => id!.StartsWith($"{_name}-", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Of_commands_that_add_the_same_at_once_one_succeeds()
    {
        var ran = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => _cli.Run("user", "add", _name, "--password", IdpServer.Password)));

        Assert.Equal([ExitCodes.Ok, .. Enumerable.Repeat(ExitCodes.Conflict, 7)], ran.Select(r => r.ExitCode).Order());
        Assert.All(ran.Where(r => r.ExitCode != ExitCodes.Ok), r => r.AssertOneSentence());
    }

    private Task AddClient() => _server.AddClient(_name, "client_credentials password", "items:read");

    private async Task<string> Token() => (await _server.ClientCredentials(_name)).AccessToken;

    private async Task<string> PersonsToken(string user, string? client = null) => (await _server.PasswordGrant(user, clientId: client ?? _name)).AccessToken;

    private async Task<bool> IsActive(string token) => (await _server.Introspect(token)).Active;

    private async Task<int> StatusWith(string secret) =>
        (await _server.Post("/connect/token", _name, secret, ("grant_type", "client_credentials"), ("scope", "items:read"))).Status;

    private static string KidOf(string token)
    {
        using var header = JsonDocument.Parse(System.Buffers.Text.Base64Url.DecodeFromChars(token.Split('.')[0]));
        return header.RootElement.GetProperty("kid").GetString()!;
    }

    private static async Task Eventually(Func<Task<bool>> holds)
    {
        for (var i = 0; i < 50; i++)
        {
            if (await holds()) return;
            await Task.Delay(100);
        }
        Assert.Fail("It did not come true within five seconds.");
    }
}
