using IdP.ApiKeys;
using IdP.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace IdP.Tests.Support;

/// <summary>API keys for tests, made as a command makes them.</summary>
internal static class MadeKeys
{
    private static readonly ApiKeyActor Cli = new("cli");

    public static async Task<string> ApiKeyOfUser(this IdpServer server, string user, string scopes = "items:read", int? days = null, string resource = IdpServer.Api) =>
        (await server.Write((statements, db) => statements.AddForUser(db, user, new NewApiKey("Test", resource, scopes.Split(' '), days), Cli, CancellationToken.None))).Text.ToString();

    public static async Task<string> ApiKeyOfClient(this IdpServer server, string client, string scopes = "items:read", int? days = null, string resource = IdpServer.Api) =>
        (await server.Write((statements, db) => statements.AddForClient(db, client, new NewApiKey("Test", resource, scopes.Split(' '), days), Cli, CancellationToken.None))).Text.ToString();

    public static Task<string> Rotate(this IdpServer server, string key, int overlapSeconds = 0, int? days = null) => server.Write(async (statements, db) =>
        (await statements.Rotate(db, await ApiKeyStatements.Require(db, KeyId(key), CancellationToken.None), TimeSpan.FromSeconds(overlapSeconds), days, Cli, CancellationToken.None)).ToString());

    public static Task<bool> Revoke(this IdpServer server, string key) => server.Write(async (statements, db) =>
        await statements.Revoke(db, await ApiKeyStatements.Require(db, KeyId(key), CancellationToken.None), Cli, CancellationToken.None));

    /// <summary>What is written of its last use, after all that is waiting has been written.</summary>
    public static async Task<DateTimeOffset?> LastUse(this IdpServer server, string key)
    {
        foreach (var node in server.Nodes) await node.App.Services.GetRequiredService<LastUses>().Write(CancellationToken.None);
        await using var db = server.Database.OpenForReading();
        var id = KeyId(key);
        return await db.Set<ApiKey>().Where(k => k.KeyId == id).Select(k => k.LastUsedAt).SingleAsync();
    }

    public static string KeyId(string key) => key[4..16];

    private static Task<T> Write<T>(this IdpServer server, Func<ApiKeyStatements, Storage.IdpDbContext, Task<T>> change) =>
        server.Database.Write(db => change(server.App.Services.GetRequiredService<ApiKeyStatements>(), db), CancellationToken.None);
}
