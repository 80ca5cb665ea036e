using IdP.Keys;
using IdP.Protocol.Jose;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace IdP.Storage.Tests.Keys;

public sealed class KeysOnSqlite(SqliteFixture fixture) : KeySuite(fixture), IClassFixture<SqliteFixture>;

public sealed class KeysOnPostgres(PostgresFixture fixture) : KeySuite(fixture), IClassFixture<PostgresFixture>;

[Collection(IdP.Testing.SqlServerDatabase.Collection)]
public sealed class KeysOnSqlServer(SqlServerFixture fixture) : KeySuite(fixture), IClassFixture<SqlServerFixture>;

/// <summary>Keys among several nodes on one database.</summary>
public abstract class KeySuite(StorageFixture fixture)
{
    [StorageFact]
    public async Task Nodes_that_start_at_once_on_an_empty_database_make_one_key_of_each_kind()
    {
        using var other = fixture.AnotherNode();
        var rings = new[] { fixture.Database, other, fixture.Database, other }.Select(d => new KeyRing(d, fixture.Options, fixture.Clock)).ToList();
        await Task.WhenAll(rings.Select(ring => ring.Open(CancellationToken.None)));
        await using var read = fixture.Database.OpenForReading();
        var keys = await read.Set<StoredKey>().Where(k => k.Algorithm != "X" && k.Algorithm != "Y").ToListAsync();
        var kinds = Enum.GetValues<KeyPurpose>().Length;
        Assert.Equal(kinds, keys.Count);
        Assert.Equal(kinds, keys.Select(k => k.Purpose).Distinct().Count());
        foreach (var ring in rings) await ring.Load(-1, CancellationToken.None);
        Assert.Single(rings.Select(ring => ring.Signer(SigningAlgorithms.ES256).KeyId).Distinct());
    }

    [StorageFact]
    public async Task A_private_key_is_nowhere_in_the_database()
    {
        var ring = new KeyRing(fixture.Database, fixture.Options, fixture.Clock);
        await ring.Open(CancellationToken.None);
        var secret = ring.Signer(SigningAlgorithms.ES256).ExportPkcs8();
        await using var read = fixture.Database.OpenForReading();
        foreach (var key in await read.Set<StoredKey>().ToListAsync())
            Assert.Equal(-1, key.Sealed.AsSpan().IndexOf(secret.AsSpan(secret.Length - 32)));
    }
}
