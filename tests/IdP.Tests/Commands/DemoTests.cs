using System.Text.Json;
using IdP.Testing;
using IdP.Tests.Support;
using Microsoft.EntityFrameworkCore;
using Xunit;
using static IdP.Tests.Commands.Printed;

namespace IdP.Tests.Commands;

public sealed class DemoTests
{
    private const string ApiUrl = "http://localhost:7009";

    [Fact]
    public async Task The_demo_has_exactly_the_clients_users_and_scopes_that_its_readers_know()
    {
        await using var server = await Filled();
        using var cli = Cli.Beside(server);

        var clients = await cli.Json("client", "list");
        Assert.Equal(["demo-api", "demo-bff", "demo-docs", "demo-password", "demo-service", "demo-spa", "demo-web"], clients.EnumerateArray().Select(c => Text(c, "client_id")));
        JsonElement Client(string id) => clients.EnumerateArray().Single(c => Text(c, "client_id") == id);
        Assert.Equal(["items:read", "items:write", "legacy:read"], Strings(Client("demo-service"), "scopes"));
        Assert.Equal(["client_credentials"], Strings(Client("demo-service"), "grants"));
        Assert.Equal(["openid", "profile", "email", "roles", "items:read", "items:write", "legacy:read"], Strings(Client("demo-password"), "scopes"));
        Assert.Equal(["password"], Strings(Client("demo-password"), "grants"));
        Assert.Empty(Strings(Client("demo-api"), "grants"));
        Assert.Equal("urn:demo:api", Text(Client("demo-api"), "resource"));
        Assert.Equal([$"{ApiUrl}/docs/oauth2-redirect.html", "http://localhost:7002/docs/oauth2-redirect"], Strings(Client("demo-docs"), "redirect_uris"));
        Assert.Equal([$"{ApiUrl}/session/callback", "http://localhost:7002/session/callback"], Strings(Client("demo-bff"), "redirect_uris"));
        foreach (var (app, isPublic, callback) in ((JsonElement, bool, string)[])[(Client("demo-spa"), true, "http://localhost:7200/spa.html"), (Client("demo-web"), false, "http://localhost:7200/callback")])
        {
            Assert.Equal(isPublic, app.GetProperty("public").GetBoolean());
            Assert.Equal(["authorization_code", "refresh_token"], Strings(app, "grants"));
            Assert.Equal([callback], Strings(app, "redirect_uris"));
            Assert.Contains("offline_access", Strings(app, "scopes"));
        }
        Assert.Equal(["http://localhost:7200/"], Strings(Client("demo-web"), "post_logout_redirect_uris"));
        var resources = await cli.Json("resource", "list");
        Assert.Equal(("HS256", 2), (Text(resources[1], "algorithm"), resources.GetArrayLength()));
        var resource = resources[0];
        Assert.Equal(["urn:demo:api", ApiUrl], Strings(resource, "identifiers"));
        Assert.Equal(["admin", "items:read", "items:write"], Strings(resource, "scopes"));
        Assert.Equal(["items:audit", "items:delete"], Strings(await cli.Json("role", "show", "manager"), "permissions"));
        Assert.Equal(["alice"], Strings(await cli.Json("role", "show", "manager"), "users"));
        Assert.Equal(["demo-service"], Strings(await cli.Json("role", "show", "auditor"), "clients"));
        var users = await cli.Json("user", "list");
        Assert.Equal(["alice", "bob", "mallory"], users.EnumerateArray().Select(u => Text(u, "user_name")));
        Assert.Equal(["mallory"], users.EnumerateArray().Where(u => u.GetProperty("disabled_at").ValueKind != JsonValueKind.Null).Select(u => Text(u, "user_name")));
    }

    [Fact]
    public async Task Its_credentials_work_at_once_and_only_as_far_as_they_should()
    {
        await using var server = await Filled();

        var service = await server.Post("/connect/token", "demo-service", "demo-service-secret", ("grant_type", "client_credentials"));
        Assert.Equal("items:read", service.Json["scope"]!.GetValue<string>());
        Assert.Equal("invalid_scope", (await server.Post("/connect/token", "demo-service", "demo-service-secret", ("grant_type", "client_credentials"), ("scope", "admin"))).Error);
        Assert.Equal("openid items:read", (await Person("alice", "alice-Wonderland-42")).Json["scope"]!.GetValue<string>());
        Assert.Equal(200, (await Person("bob", "bob-Builder-4242")).Status);
        Assert.Equal("invalid_grant", (await Person("mallory", "mallory-Hatter-4242")).Error);
        Assert.True((await server.Post("/connect/introspect", "demo-api", "demo-api-secret", ("token", service.AccessToken))).Active);
        Assert.Equal("unauthorized_client", (await server.Post("/connect/token", "demo-api", "demo-api-secret", ("grant_type", "client_credentials"))).Error);

        Task<Answer> Person(string name, string password) =>
            server.Post("/connect/token", "demo-password", "demo-password-secret", ("grant_type", "password"), ("username", name), ("password", password));
    }

    [Fact]
    public async Task Alice_has_every_standard_claim()
    {
        await using var server = await Filled();
        await using var db = server.Database.OpenForReading();

        var alice = await db.Users.SingleAsync(user => user.UserName == "alice");
        Assert.Equal(("alice@example.com", true, true), (alice.Email, alice.EmailConfirmed, alice.PhoneNumberConfirmed));
        Assert.All(
            (string?[])[alice.Name, alice.GivenName, alice.FamilyName, alice.MiddleName, alice.Nickname, alice.Profile, alice.Picture, alice.Website, alice.Gender, alice.Birthdate,
                alice.ZoneInfo, alice.Locale, alice.PhoneNumber, alice.StreetAddress, alice.Locality, alice.Region, alice.PostalCode, alice.Country],
            claim => Assert.False(string.IsNullOrEmpty(claim)));
    }

    [Fact]
    public async Task A_second_start_adds_nothing_and_restores_nothing_that_somebody_changed()
    {
        await using var server = await Filled();
        using var cli = Cli.Beside(server);
        await cli.Done("client", "disable", "demo-service");
        await cli.Done("client", "secret", "demo-api", "--secret", "another-secret-of-it");
        await cli.Done("user", "password", "bob", "--password", "another-Password");
        await server.Sql("DELETE FROM \"Users\" WHERE \"UserName\" = 'mallory'");
        var before = await server.Text();

        await DemoData.Fill(server.App.Services, "http://localhost:7010", CancellationToken.None);
        Assert.Equal(before, await server.Text());

        var printed = await Print(server);
        Assert.DoesNotContain("mallory", printed, StringComparison.Ordinal);
        Assert.Matches("demo-service +demo-service-secret +nothing: disabled", printed);
        Assert.Matches(@"demo-api +\(changed\)", printed);
        Assert.Matches("bob .*enabled, changed since", printed);
    }

    [Fact]
    public async Task A_database_with_contents_of_its_own_is_left_alone()
    {
        await using var server = await IdpServer.StartEmpty();
        await server.AddUser("alice");
        var before = await server.Text();

        await DemoData.Fill(server.App.Services, ApiUrl, CancellationToken.None);
        Assert.Equal(before, await server.Text());
        Assert.Contains("the demo data was not added", await Print(server), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_it_prints_at_start_can_be_tried_as_it_stands()
    {
        var (folder, url) = (Directory.CreateTempSubdirectory("idp-demo-").FullName, $"http://localhost:{ChildProcess.FreePort()}");
        try
        {
            // The folder inside is the demo's to make.
            await using var provider = await ChildProcess.Serve(new Uri(url + "/health/ready"), [.. ChildProcess.Provider, "serve", "--demo", "--data", Path.Combine(folder, "new"), "--urls", url]);
            var lines = (await OutputOf(provider, "connect/introspect")).Split('\n').Select(line => line.Trim()).Where(line => line.StartsWith("curl ", StringComparison.Ordinal)).ToList();

            Assert.Equal(3, lines.Count);
            // What is unwise is said at each start.
            const string warning = "checks tokens with a shared secret (HS256)";
            Assert.Contains(warning, await OutputOf(provider, warning), StringComparison.Ordinal);
            using var service = JsonDocument.Parse(await Shell(lines[0]));
            using var alice = JsonDocument.Parse(await Shell(lines[1]));
            foreach (var token in (JsonDocument[])[service, alice])
            {
                using var described = JsonDocument.Parse(await Shell(lines[2].Replace("ACCESS_TOKEN", Text(token.RootElement, "access_token"), StringComparison.Ordinal)));
                Assert.True(described.RootElement.GetProperty("active").GetBoolean());
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<IdpServer> Filled()
    {
        var server = await IdpServer.StartEmpty();
        await DemoData.Fill(server.App.Services, ApiUrl, CancellationToken.None);
        return server;
    }

    private static async Task<string> Print(IdpServer server)
    {
        using var output = new StringWriter();
        await DemoData.Print(server.App.Services, output, CancellationToken.None);
        return output.ToString();
    }

    /// <summary>What the program has written, once this is among it.</summary>
    private static async Task<string> OutputOf(ChildProcess program, string last)
    {
        for (var i = 0; i < 100 && !program.Output.Contains(last, StringComparison.Ordinal); i++) await Task.Delay(50);
        return program.Output;
    }

    private static Task<string> Shell(string line) => ChildProcess.Run(["sh", "-c", $"{line} -sS"]);
}
