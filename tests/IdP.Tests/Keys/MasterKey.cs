using System.Security.Cryptography;
using IdP.Keys;
using IdP.Storage;
using IdP.Testing;
using IdP.Tests.Support;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace IdP.Tests.Keys;

public sealed class MasterKey : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("idp-test-").FullName;
    private readonly TestClock _clock = new();
    private string _token = "";

    private string File => Path.Combine(_folder, "master.key");

    public async Task InitializeAsync()
    {
        await using var server = await IdpServer.StartEmpty(WithIssuer, _folder, _clock);
        await server.Seed();
        _token = (await server.ClientCredentials()).AccessToken;
    }

    public Task DisposeAsync()
    {
        Directory.Delete(_folder, recursive: true);
        return Task.CompletedTask;
    }

    [Fact]
    public async Task The_first_start_makes_one_however_the_engine_is_spelled()
    {
        await using var server = await IdpServer.StartEmpty(options => options.Storage.Provider = "SQLite");

        Assert.NotNull(server.Keys.Signer("ES256"));
    }

    [Fact]
    public async Task The_same_key_opens_the_same_database_and_yesterdays_tokens()
    {
        if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, System.IO.File.GetUnixFileMode(File));
        await using var server = await IdpServer.StartEmpty(WithIssuer, _folder, _clock);

        Assert.True((await server.Introspect(_token)).Active);
    }

    [Fact]
    public async Task A_wrong_missing_or_broken_key_stops_the_start_and_touches_nothing()
    {
        var right = await System.IO.File.ReadAllTextAsync(File);
        await System.IO.File.WriteAllTextAsync(File, Random());
        await Refused("sealed with master key");
        await System.IO.File.WriteAllTextAsync(File, "not a key");
        await Refused("is not a master key");
        await System.IO.File.WriteAllTextAsync(File, Convert.ToBase64String(RandomNumberGenerator.GetBytes(31)));
        await Refused("is not a master key");
        await System.IO.File.WriteAllTextAsync(File, "");
        await Refused("is empty");
        System.IO.File.Delete(File);
        await Refused("is missing");
        Assert.False(System.IO.File.Exists(File), "a new key would hide that the old one is lost");

        await System.IO.File.WriteAllTextAsync(File, right);
        await using var server = await IdpServer.StartEmpty(WithIssuer, _folder, _clock);
        Assert.True((await server.Introspect(_token)).Active);
    }

    [Fact]
    public async Task Several_keys_open_and_the_first_seals()
    {
        var (old, fresh) = ((await System.IO.File.ReadAllTextAsync(File)).Trim(), Random());
        await System.IO.File.WriteAllTextAsync(File, $"{fresh}\n{old}\n");
        await using (var server = await IdpServer.StartEmpty(WithIssuer, _folder, _clock))
        {
            Assert.True((await server.Introspect(_token)).Active);
            await server.Database.Write(db => KeyStatements.Reseal(db, server.Keys.Masters, _clock.GetUtcNow(), CancellationToken.None), CancellationToken.None);
        }

        // Everything is under the new one now: the old one may go.
        await System.IO.File.WriteAllTextAsync(File, fresh);
        await using (var server = await IdpServer.StartEmpty(WithIssuer, _folder, _clock)) Assert.True((await server.Introspect(_token)).Active);
        await System.IO.File.WriteAllTextAsync(File, old);
        await Refused("sealed with master key");
    }

    [Fact]
    public async Task A_sealed_key_that_was_changed_or_moved_to_another_row_is_damaged()
    {
        await using (var server = await IdpServer.StartEmpty(WithIssuer, _folder, _clock))
            await server.Database.Write(async db =>
            {
                var keys = await db.Set<StoredKey>().AsTracking().Where(k => k.Purpose != KeyPurpose.Sign).ToListAsync();
                (keys[0].Sealed, keys[1].Sealed) = (keys[1].Sealed, keys[0].Sealed);
                await db.SaveChangesAsync();
            }, CancellationToken.None);

        await Refused("is damaged");
    }

    [Fact]
    public async Task No_private_key_is_in_the_database_in_clear()
    {
        await using var server = await IdpServer.StartEmpty(WithIssuer, _folder, _clock);
        var signer = server.Keys.Signer("ES256").ExportPkcs8();
        using var ecdsa = ECDsa.Create();
        ecdsa.ImportPkcs8PrivateKey(signer, out _);
        byte[][] secrets = [ecdsa.ExportParameters(true).D!, server.Keys.Symmetric(KeyPurpose.Hash).Secret, server.Keys.Symmetric(KeyPurpose.SealToken).Secret];

        await using var connection = server.Database.OpenConnection();
        await using var command = connection.CreateCommand();
        command.CommandText = """SELECT "Sealed" FROM "Keys" """;
        await using var reader = await command.ExecuteReaderAsync();
        var rows = 0;
        for (; await reader.ReadAsync(); rows++)
            foreach (var secret in secrets) Assert.Equal(-1, ((byte[])reader.GetValue(0)).AsSpan().IndexOf(secret.AsSpan(0, 16)));
        Assert.True(rows >= 3);
    }

    private async Task Refused(string expected)
    {
        var before = System.IO.File.GetLastWriteTimeUtc(Path.Combine(_folder, "idp.db"));
        var failure = await Assert.ThrowsAsync<StorageException>(() => IdpServer.StartEmpty(WithIssuer, _folder, _clock));

        Assert.Contains(expected, failure.Message, StringComparison.Ordinal);
        Assert.Equal(before, System.IO.File.GetLastWriteTimeUtc(Path.Combine(_folder, "idp.db")));
    }

    private static void WithIssuer(IdpOptions options) => options.Issuer = "https://login.example";

    private static string Random() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));
}
