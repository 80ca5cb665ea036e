using System.Text;
using IdP.Audit;
using IdP.Http;
using IdP.Testing;
using IdP.Tests.Support;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace IdP.Tests.Logs;

public sealed class WhatIsSaidOutside(SqliteServer fixture) : IClassFixture<SqliteServer>
{
    private readonly IdpServer _server = fixture.Server;

    [Fact]
    [Trait("Case", "LOG-05")]
    public async Task A_bug_of_ours_is_a_generic_500_whose_reason_is_in_the_log_only()
    {
        using var log = new LogRecords();
        using var factory = LoggerFactory.Create(logging => logging.AddProvider(log));
        var boundary = new RequestBoundary(_ => throw new InvalidOperationException("the reason, with /a/path and a table"), new IdpOptions(), new Issuer(new IdpOptions()), factory.CreateLogger<RequestBoundary>());
        var http = new DefaultHttpContext { Response = { Body = new MemoryStream() } };
        (http.Request.Method, http.Request.Path, http.Request.Host) = ("POST", "/connect/token", new HostString("localhost"));
        http.Response.Headers.SetCookie = "half=done";

        await boundary.Invoke(http);

        var body = Encoding.UTF8.GetString(((MemoryStream)http.Response.Body).ToArray());
        Assert.Equal((500, "application/json", "no-store", "nosniff"), (http.Response.StatusCode, http.Response.ContentType, http.Response.Headers.CacheControl.ToString(), http.Response.Headers.XContentTypeOptions.ToString()));
        Assert.Matches("^{\"error\":\"server_error\",\"error_description\":\"something went wrong here; the log has it under trace [0-9a-f]*\"}$", body);
        Assert.Empty(http.Response.Headers.SetCookie.ToArray());
        Assert.Contains(log.Lines, line => line.StartsWith("Error", StringComparison.Ordinal) && line.Contains("the reason, with", StringComparison.Ordinal));
    }

    [Fact]
    [Trait("Case", "LOG-07")]
    public async Task Health_says_one_word_and_nothing_else_is_there_to_look_at()
    {
        foreach (var (path, word) in ((string, string)[])[("/health/live", "live"), ("/health/ready", "ready")])
        {
            var answer = await _server.Send(new HttpRequestMessage(HttpMethod.Get, path));
            Assert.Equal((200, word, "no-store"), (answer.Status, answer.Body, answer.Header("Cache-Control")));
        }
        foreach (var path in (string[])["/metrics", "/health", "/swagger", "/swagger/v1/swagger.json", "/openapi/v1.json", "/debug", "/debug/pprof", "/env", "/actuator", "/.env", "/.git/config", "/appsettings.json", "/idp.db", "/master.key", "/trace"])
            await _server.Refused(new HttpRequestMessage(HttpMethod.Get, path), 404, "not_found");
    }

    [Fact]
    [Trait("Case", "LOG-03")]
    public async Task What_happens_to_accounts_tokens_and_keys_is_an_event_with_who_when_and_where()
    {
        await _server.AddUser("witness");
        var token = (await _server.PasswordGrant("witness")).AccessToken;
        await _server.PasswordGrant("witness", "wrong");
        for (var i = 0; i < 5; i++) await _server.PasswordGrant("victim", "wrong");
        await _server.Post("/connect/revoke", "app", ("token", token));

        await using var db = _server.Database.OpenForReading();
        var events = await db.Set<AuditEvent>().OrderBy(e => e.At).ToListAsync();
        foreach (var type in (string[])["sign_in.succeeded", "sign_in.failed", "sign_in.locked", "token.revoked"])
        {
            var one = events.First(e => e.Type == type);
            Assert.Equal("client:app", one.Actor);
            Assert.NotNull(one.Address);
            Assert.True((one.At - _server.Clock.GetUtcNow()).Duration() < TimeSpan.FromMinutes(1));
        }
        Assert.Contains(events, e => e is { Type: "key.created", Actor: "server" });
        Assert.StartsWith("user:", events.First(e => e.Type == "sign_in.failed").Target, StringComparison.Ordinal);
        // Nobody's name is written down: it may be a password in the wrong field.
        Assert.All(events.Where(e => e.Type == "sign_in.locked"), e => Assert.Null(e.Target));
    }
}
