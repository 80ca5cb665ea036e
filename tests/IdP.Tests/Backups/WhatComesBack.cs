using System.Text.Json;
using IdP.Audit;
using IdP.Commands;
using IdP.Grants;
using IdP.Resources;
using IdP.SecondFactors;
using IdP.Testing;
using IdP.Tests.Account;
using IdP.Tests.Commands;
using IdP.Tests.SecondFactors;
using IdP.Tests.Support;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace IdP.Tests.Backups;

/// <summary>
/// A ledger of what people and clients held at the time of a backup and what they got or lost after it; then the backup is restored. By default
/// none of it works again, whatever kind it is; with --unsafe-keep-tokens the backup's state is back, and it is said so.
/// </summary>
public sealed class WhatComesBack : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("idp-restored-").FullName;
    private readonly string _url = $"https://localhost:{ChildProcess.FreePort()}";
    private IdpServer _server = null!;

    private string File => Path.Combine(_folder, "..", Path.GetFileName(_folder) + ".backup");

    public async Task InitializeAsync()
    {
        _server = await Start();
        await _server.Seed();
    }

    public async Task DisposeAsync()
    {
        await _server.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
        System.IO.File.Delete(File);
    }

    [Fact]
    public async Task Nothing_of_before_works_and_everything_can_begin_anew()
    {
        using var held = await Ledger.Open(_server);
        await BackUp();
        await held.GoesOn(_server);
        var report = await Restore();
        // The same passwords, clients and people; nothing else of what anybody held.
        await held.AssertDead(_server);

        var ended = report.GetProperty("ended");
        Assert.True(ended.GetProperty("grants").GetInt32() >= 3 && ended.GetProperty("sessions").GetInt32() >= 2, report.ToString());
        Assert.Equal((2, 1), (ended.GetProperty("api_keys").GetInt32(), ended.GetProperty("people_with_recovery_codes").GetInt32()));
        Assert.True(System.IO.File.Exists(report.GetProperty("kept_aside").GetString()));

        var service = await _server.ClientCredentials();
        Assert.True((await _server.Introspect(service.AccessToken)).Active);
        Assert.True((await _server.Introspect((await _server.PasswordGrant("bob")).AccessToken)).Active);
        using var browser = new Browser(_server);
        var flow = new CodeFlow { Scope = "openid offline_access" };
        var signIn = await browser.Authorize(flow.Parameters());
        // A consent that was withdrawn after the backup is no consent.
        var consent = await browser.SignIn(signIn);
        FrontChannel.IsConsent(consent);
        Assert.Equal(200, (await flow.Redeem(_server, FrontChannel.IsCode(_server, await browser.Accept(consent), flow))).Status);

        var restored = Assert.Single(await Events("database.restored"));
        Assert.Contains("\"tokens\":\"ended\"", restored.Details, StringComparison.Ordinal);
        Assert.Null((await AuditChain.Verify(_server.Database, expected: null, CancellationToken.None)).Problem);
    }

    [Fact]
    public async Task With_unsafe_keep_tokens_the_backup_s_state_is_back_and_the_start_says_so()
    {
        using var held = await Ledger.Open(_server);
        await BackUp();
        await held.GoesOn(_server);
        await Restore("--unsafe-keep-tokens");

        // The newer refresh token is unknown here: refused, and the grant stays.
        await _server.Refused(400, "invalid_grant", "/connect/token", null, ("grant_type", "refresh_token"), ("refresh_token", held.NewRefreshToken), ("client_id", "spa"));
        Assert.Equal(200, (await _server.Post("/connect/token", null, ("grant_type", "refresh_token"), ("refresh_token", held.RefreshToken), ("client_id", "spa"))).Status);
        Assert.Single(await Events("refresh_token.from_the_future"));
        Assert.True((await _server.Introspect(held.RevokedToken)).Active);
        Assert.True((await _server.Introspect(held.RevokedApiKey)).Active);
        Assert.Contains("\"tokens\":\"kept\"", Assert.Single(await Events("database.restored")).Details, StringComparison.Ordinal);

        // The real start, once.
        await _server.DisposeAsync();
        foreach (var isSaid in (bool[])[true, false])
        {
            var url = $"http://localhost:{ChildProcess.FreePort()}";
            var process = await ChildProcess.Serve(new Uri($"{url}/health/ready"), [.. ChildProcess.Provider, "serve", "--data", _folder, "--urls", url]);
            await process.DisposeAsync();
            Assert.Equal(isSaid, process.Output.Contains("The database was restored with --unsafe-keep-tokens", StringComparison.Ordinal));
        }
        _server = await Start();
    }

    [Fact]
    public async Task A_database_that_its_own_tools_have_restored_gets_the_same_by_a_command_of_its_own()
    {
        using var held = await Ledger.Open(_server);
        await BackUp();
        await held.GoesOn(_server);
        await Restore("--unsafe-keep-tokens");

        using var cli = Cli.Beside(_server);
        var ended = (await cli.Json("restore", "--after-external-restore")).GetProperty("ended");

        Assert.Equal(2, ended.GetProperty("api_keys").GetInt32());
        await held.AssertDead(_server);
        Assert.True((await _server.Introspect((await _server.ClientCredentials()).AccessToken)).Active);
    }

    [Fact]
    public async Task Api_keys_can_be_left_alone()
    {
        var key = await _server.ApiKeyOfClient("service");
        await BackUp();
        await Restore("--unsafe-keep-api-keys");

        Assert.True((await _server.Introspect(key)).Active);
    }

    private Task<IdpServer> Start() => IdpServer.StartEmpty(options => (options.Urls, options.Issuer) = (_url, _url), _folder, https: true);

    private async Task BackUp()
    {
        using var cli = Cli.Beside(_server);
        await cli.Done("backup", File);
    }

    private async Task<JsonElement> Restore(params string[] options)
    {
        using var cli = Cli.Beside(_server);
        // Not while a server runs.
        await cli.Refused(ExitCodes.Conflict, "A program uses the database", "restore", File, "--replace");
        await _server.DisposeAsync();
        SqliteConnection.ClearAllPools();
        var report = await cli.Json(["restore", File, "--replace", .. options]);
        _server = await Start();
        return report;
    }

    private async Task<List<AuditEvent>> Events(string type)
    {
        await using var db = _server.Database.OpenForReading();
        return await db.Set<AuditEvent>().Where(e => e.Type == type).ToListAsync();
    }

    /// <summary>What is held when the backup is made, and what becomes of it afterwards.</summary>
    private sealed class Ledger : IDisposable
    {
        private readonly CodeFlow _flow = new() { Scope = "openid offline_access" };
        private readonly CodeFlow _spa = new() { ClientId = "spa", RedirectUri = "https://spa.test/callback", Scope = "openid offline_access items:read" };
        private readonly Browser _alice;
        private readonly Browser _trusted;
        private readonly Browser _bob;

        /// <summary>Access tokens, each with a caller that may ask about it.</summary>
        private readonly List<(string Token, string Caller)> _tokens = [];
        private PhoneApp _phone = null!;
        private string _codeBefore = "";
        private string _code = "";
        private string _pushed = "";
        private string _webRefreshToken = "";
        private string _liveApiKey = "";
        private string _linkInMail = "";

        private Ledger(IdpServer server) => (_alice, _trusted, _bob) = (new Browser(server), new Browser(server), new Browser(server));

        public string RefreshToken { get; private set; } = "";
        public string NewRefreshToken { get; private set; } = "";
        public string RevokedToken { get; private set; } = "";
        public string RevokedApiKey { get; private set; } = "";

        public static async Task<Ledger> Open(IdpServer server)
        {
            var ledger = new Ledger(server);
            var (alice, flow, spa) = (ledger._alice, ledger._flow, ledger._spa);
            await server.AddResource("urn:test:opaque", ["sealed:read"], resource => resource.TokenFormat = TokenFormat.Opaque);
            await server.AddClient("opaque", "client_credentials", "sealed:read");

            // Alice is signed in, has an app's refresh token, another app's code, and a pushed request.
            var web = await flow.Redeem(server, FrontChannel.IsCode(server, await alice.Complete(flow.Parameters()), flow));
            ledger._webRefreshToken = web.Json["refresh_token"]!.GetValue<string>();
            var tokens = await spa.Redeem(server, FrontChannel.IsCode(server, await alice.Complete(spa.Parameters()), spa), isPublic: true);
            ledger.RefreshToken = tokens.Json["refresh_token"]!.GetValue<string>();
            ledger._code = FrontChannel.IsCode(server, await alice.Authorize(flow.Parameters()), flow);
            ledger._pushed = (await server.Post("/connect/par", "web", [.. flow.Parameters().Where(pair => pair.Key != "client_id").Select(pair => (pair.Key, pair.Value))])).Json["request_uri"]!.GetValue<string>();
            ledger.RevokedToken = (await server.ClientCredentials()).AccessToken;
            ledger._tokens.AddRange([(web.AccessToken, "web"), (tokens.AccessToken, "api"), ((await server.ClientCredentials()).AccessToken, "api"), ((await server.PasswordGrant("bob")).AccessToken, "api"),
                ((await server.ClientCredentials("opaque", "sealed:read")).AccessToken, "opaque"), (ledger.RevokedToken, "api")]);
            (ledger._liveApiKey, ledger.RevokedApiKey) = (await server.ApiKeyOfUser("alice"), await server.ApiKeyOfClient("service"));

            // Carla has two factors and trusts her browser.
            await server.AddUser("carla");
            ledger._phone = await PhoneApp.SetUp(new Browser(server), server, "carla");
            await ledger._trusted.Confirm(await ledger._trusted.SignIn(await ledger._trusted.Authorize(new CodeFlow().Parameters()), "carla"), ledger._phone.NextCode(), remember: true);

            // Bob has asked for a link by mail.
            var page = await ledger._bob.Authorize(new CodeFlow().Parameters());
            await ledger._bob.Submit(await ledger._bob.Get(page.All("#to-recovery")[0].GetAttribute("href")!), "/recovery", ("username", "bob"));
            ledger._linkInMail = (await server.NextMail("bob@example.com")).Link;

            // All of it works now, or it would prove nothing that it does not later.
            foreach (var (token, caller) in (IEnumerable<(string, string)>)[.. ledger._tokens, (ledger._liveApiKey, "api"), (ledger.RevokedApiKey, "api")])
                Assert.True((await server.Introspect(token, caller)).Active, caller);
            Assert.Equal(200, (await alice.Get("/account")).Status);
            Assert.False((await ledger._trusted.SignIn(await ledger._trusted.Authorize(Again.Parameters()), "carla")).AsksForCode());
            return ledger;
        }

        /// <summary>After the backup everything is used up, replaced or revoked.</summary>
        public async Task GoesOn(IdpServer server)
        {
            using var cli = Cli.Beside(server);
            Assert.Equal(200, (await _flow.Redeem(server, _code)).Status);
            var rotated = await server.Post("/connect/token", null, ("grant_type", "refresh_token"), ("refresh_token", RefreshToken), ("client_id", "spa"));
            NewRefreshToken = rotated.Json["refresh_token"]!.GetValue<string>();
            _tokens.Add((rotated.AccessToken, "api"));
            Assert.Equal(200, (await server.Post("/connect/revoke", "service", ("token", RevokedToken))).Status);
            Assert.True(await server.Revoke(RevokedApiKey));
            await cli.Done("consent", "withdraw", "alice", "web");

            var check = server.App.Services.GetRequiredService<SecondFactorCheck>();
            await using (var db = server.Database.OpenForReading())
                Assert.NotNull(await check.Prove(await db.Users.SingleAsync(u => u.UserName == "carla"), _phone.RecoveryCodes[0], Facts, device: null));
            var form = await _bob.Get(_linkInMail);
            Assert.NotNull((await _bob.Submit(form, "/recovery/password", ("password", "a-new-Password-for-bob"))).Text("#password-changed"));
            await cli.Done("user", "sign-out", "alice");
            Assert.True((await _alice.Follow(await _alice.Get("/account"))).AsksToSignIn());
            _codeBefore = _phone.Code();
        }

        public async Task AssertDead(IdpServer server)
        {
            foreach (var (token, caller) in _tokens) Assert.Equal("""{"active":false}""", (await server.Introspect(token, caller)).Body);
            foreach (var key in (string[])[_liveApiKey, RevokedApiKey]) Assert.Equal("""{"active":false}""", (await server.Introspect(key)).Body);
            foreach (var refreshToken in (string[])[RefreshToken, NewRefreshToken])
                await server.Refused(400, "invalid_grant", "/connect/token", null, ("grant_type", "refresh_token"), ("refresh_token", refreshToken), ("client_id", "spa"));
            await server.Refused(400, "invalid_grant", "/connect/token", "web", ("grant_type", "refresh_token"), ("refresh_token", _webRefreshToken));
            Assert.Equal("invalid_grant", (await _flow.Redeem(server, _code)).Error);

            using var anybody = new Browser(server);
            await anybody.RefusedOnPage(server, $"/connect/authorize?client_id=web&request_uri={Uri.EscapeDataString(_pushed)}", "invalid_request_uri");
            Assert.True((await _alice.Follow(await _alice.Get("/account"))).AsksToSignIn());
            // The trusted browser is asked for the second factor.
            Assert.True((await _trusted.SignIn(await _trusted.Authorize(Again.Parameters()), "carla")).AsksForCode());
            var check = server.App.Services.GetRequiredService<SecondFactorCheck>();
            await using var db = server.Database.OpenForReading();
            var carla = await db.Users.SingleAsync(u => u.UserName == "carla");
            Assert.False(await db.Set<RecoveryCode>().AnyAsync());
            Assert.Null(await check.Prove(carla, _phone.RecoveryCodes[0], Facts, device: null));
            // It may have been typed in a moment before the restore.
            Assert.Null(await check.Prove(carla, _codeBefore, Facts, device: null));
            Assert.Equal(400, (await _bob.Get(_linkInMail)).Status);
            Assert.False(await db.Set<Grant>().AnyAsync(g => g.State != GrantState.Revoked));
        }

        public void Dispose()
        {
            _alice.Dispose();
            _trusted.Dispose();
            _bob.Dispose();
        }

        private static CodeFlow Again => new() { With = { ["prompt"] = "login" } };

        private static IdP.Http.RequestFacts Facts => new() { Address = "192.0.2.1", Method = "POST", Path = "/" };
    }
}
