using System.Net;
using IdP.Testing;
using IdP.Tests.Support;
using Xunit;

namespace IdP.Tests.States;

/// <summary>A database that fails is 503 with a time to wait: never active, never revoked, never 500, and everything goes on when it is back.</summary>
public abstract class BrokenStorage(ServerFixture fixture)
{
    private readonly IdpServer _server = fixture.Server;

    [Theory]
    [Trait("Case", "REV-04")]
    [InlineData("Clients"), InlineData("RevokedTokens"), InlineData("Keys"), InlineData("Grants"), InlineData("Users")]
    public async Task Introspection_that_cannot_ask_is_503_and_never_active(string table)
    {
        var token = (await _server.PasswordGrant("alice")).AccessToken;
        Assert.True((await _server.Introspect(token)).Active);
        await using (await Broken(table))
        {
            var answer = await _server.Introspect(token);
            Invariants.Hold(answer);
            Assert.Equal((503, "temporarily_unavailable"), (answer.Status, answer.Error));
            Assert.True(answer.Response.Headers.RetryAfter?.Delta > TimeSpan.Zero);
            // What is no token needs no question.
            Assert.Equal("""{"active":false}""", (await _server.Introspect("garbage")).Body);
        }
        Assert.True((await _server.Introspect(token)).Active);
    }

    [Fact]
    [Trait("Case", "REV-04")]
    public async Task Revocation_that_cannot_write_is_503_and_works_when_it_is_tried_again()
    {
        var token = (await _server.ClientCredentials()).AccessToken;
        await using (await Broken("RevokedTokens"))
            for (var i = 0; i < 2; i++) await _server.Refused(503, "temporarily_unavailable", "/connect/revoke", "service", ("token", token));

        Assert.True((await _server.Introspect(token)).Active);
        Assert.Equal(200, (await _server.Post("/connect/revoke", "service", ("token", token))).Status);
        Assert.False((await _server.Introspect(token)).Active);
    }

    [Fact]
    [Trait("Case", "LOG-06")]
    public async Task A_revocation_whose_event_cannot_be_recorded_does_not_happen()
    {
        var token = (await _server.ClientCredentials()).AccessToken;
        var before = await _server.Count("RevokedTokens");
        await using (await Broken("AuditEvents")) await _server.Refused(503, "temporarily_unavailable", "/connect/revoke", "service", ("token", token));

        Assert.Equal(before, await _server.Count("RevokedTokens"));
        Assert.True((await _server.Introspect(token)).Active);
    }

    [Theory, InlineData("Users"), InlineData("SignInAttempts"), InlineData("AuditEvents")]
    public async Task A_password_that_cannot_be_checked_is_503_whether_it_is_right_or_wrong(string table)
    {
        await using (await Broken(table))
            foreach (var password in (string[])[IdpServer.Password, "wrong"])
                await _server.Refused(503, "temporarily_unavailable", "/connect/token", "app", ("grant_type", "password"), ("username", "bob"), ("password", password), ("scope", "items:read"));

        Assert.Equal(200, (await _server.PasswordGrant("bob")).Status);
    }

    [Fact]
    public async Task An_unknown_client_that_cannot_be_looked_up_is_503_and_not_unknown()
    {
        await using (await Broken("ClientSecrets"))
            await _server.Refused(503, "temporarily_unavailable", "/connect/token", "nobody-yet", ("grant_type", "client_credentials"), ("scope", "items:read"));
    }

    [Fact]
    public async Task A_server_that_has_lost_sight_of_its_database_stops_issuing_and_says_so()
    {
        await using (await Broken("ServerState"))
        {
            // The poll is a second apart, and three without an answer are too many.
            await Task.Delay(TimeSpan.FromSeconds(4.5));
            await _server.Refused(503, "temporarily_unavailable", "/connect/token", "service", ("grant_type", "client_credentials"), ("scope", "items:read"));
            await _server.Refused(503, "temporarily_unavailable", "/connect/token", "app", ("grant_type", "password"), ("username", "alice"), ("password", IdpServer.Password), ("scope", "items:read"));
            using var ready = await _server.Http.GetAsync(new Uri("/health/ready", UriKind.Relative));
            Assert.Equal(HttpStatusCode.ServiceUnavailable, ready.StatusCode);
            using var live = await _server.Http.GetAsync(new Uri("/health/live", UriKind.Relative));
            Assert.Equal(HttpStatusCode.OK, live.StatusCode);
            using var keys = await _server.Http.GetAsync(new Uri("/.well-known/jwks.json", UriKind.Relative));
            Assert.Equal(HttpStatusCode.OK, keys.StatusCode);
        }
        // It notices by itself, at the next request at the latest.
        Assert.Equal(200, (await _server.ClientCredentials()).Status);
    }

    /// <summary>The table is away until the result is disposed.</summary>
    private async Task<IAsyncDisposable> Broken(string table)
    {
        await _server.Sql($"""ALTER TABLE "{table}" RENAME TO "{table}Away" """);
        return new Back(_server, table);
    }

    private sealed class Back(IdpServer server, string table) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync() => await server.Sql($"""ALTER TABLE "{table}Away" RENAME TO "{table}" """);
    }
}

public sealed class BrokenStorageOnSqlite(SqliteServer fixture) : BrokenStorage(fixture), IClassFixture<SqliteServer>;

public sealed class BrokenStorageOnPostgres(PostgresServer fixture) : BrokenStorage(fixture), IClassFixture<PostgresServer>;

public sealed class BrokenStorageOnNodes(PostgresNodes fixture) : BrokenStorage(fixture), IClassFixture<PostgresNodes>;
