using System.Text.Json.Nodes;
using IdP.Account;
using IdP.Accounts;
using IdP.ApiKeys;
using IdP.Sessions;
using IdP.Testing;
using IdP.Tests.Support;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace IdP.Tests.Account;

/// <summary>All that is stored of a person, and no secret.</summary>
public sealed class DataDownload(PageServer fixture) : IClassFixture<PageServer>
{
    private readonly IdpServer _server = fixture.Server;

    [Fact]
    [Trait("Case", "LOG-02")]
    public async Task It_has_everything_but_secrets_and_nobody_else()
    {
        var user = await _server.AddUser("ada", configure: one => (one.Name, one.Country) = ("Ada <Lovelace>", "United Kingdom"));
        var other = await _server.AddUser("bertha");
        var app = await LogoutApp.Register(_server);
        using var stranger = new Browser(_server);
        await app.SignIn(stranger, "bertha");
        using var browser = new Browser(_server);
        var tokens = await app.SignIn(browser, "ada", "openid profile offline_access");
        var key = await _server.Database.Write(async db => (await _server.App.Services.GetRequiredService<ApiKeyStatements>()
            .AddForUser(db, "ada", new NewApiKey("My key", IdpServer.Api, ["items:read"], null), new ApiKeyActor("cli"), CancellationToken.None)).Text.ToString(), CancellationToken.None);
        var page = await browser.Enter("/account/data");

        var answer = await browser.Submit(page, "/account/data?handler=Download");

        Assert.Equal((200, "application/json", "no-store"), (answer.Status, answer.Header("Content-Type"), answer.Header("Cache-Control")));
        Assert.Equal($"attachment; filename=account-{user.Subject}.json; filename*=UTF-8''account-{user.Subject}.json", answer.Header("Content-Disposition"));
        var json = JsonNode.Parse(answer.Body)!;
        Assert.Equal((user.Subject, "ada", "Ada <Lovelace>", "United Kingdom"),
            ((string?)json["account"]!["sub"], (string?)json["account"]!["preferred_username"], (string?)json["account"]!["name"], (string?)json["account"]!["address"]!["country"]));
        Assert.Single(json["sessions"]!.AsArray());
        Assert.Equal(app.Id, (string?)json["consents"]![0]!["client_id"]);
        Assert.Equal("openid profile offline_access", (string?)json["grants"]![0]!["scope"]);
        Assert.Equal(("My key", "items:read"), ((string?)json["api_keys"]![0]!["name"], (string?)json["api_keys"]![0]!["scopes"]![0]));
        Assert.Contains(json["events"]!.AsArray(), one => (string?)one!["type"] == "user.data_downloaded");
        await using var db = _server.Database.OpenForReading();
        var stored = await db.Users.SingleAsync(u => u.Id == user.Id);
        var session = await db.Set<Session>().SingleAsync(s => s.UserId == user.Id);
        var grant = await db.Set<Grants.Grant>().FirstAsync(g => g.UserId == user.Id);
        foreach (var secret in (string[])[stored.PasswordHash!, stored.SecurityStamp!, IdpServer.Password, key, key.Split('_')[^1], tokens.AccessToken, tokens.RefreshToken!, other.Subject,
            Convert.ToBase64String(session.Seed), Convert.ToHexString(session.Seed), Convert.ToBase64String(grant.Seed)])
            Assert.DoesNotContain(secret, answer.Body, StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>Whoever adds a table with something of people adds it to <see cref="PersonalData"/>, or here, with the reason.</summary>
    [Fact]
    public void Every_table_that_is_about_people_is_in_it()
    {
        using var db = _server.Database.OpenForReading();
        // Identity's own tables, which nothing is written to.
        string[] unused = ["UserClaims", "UserLogins", "UserTokens"];
        var about = db.Model.GetEntityTypes().Where(type => type.GetForeignKeys().Any(key => key.PrincipalEntityType.ClrType == typeof(User))).Where(type => !unused.Any(name => type.GetTableName()!.EndsWith(name, StringComparison.Ordinal)));

        Assert.Empty(about.Select(type => type.ClrType).Except(PersonalData.Covered));
    }
}
