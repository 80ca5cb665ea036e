using IdP.Clients;
using IdP.Grants;
using IdP.Keys;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace IdP.Storage.Tests.Schema;

public sealed class SchemaOnSqlite(SqliteFixture fixture) : SchemaSuite(fixture), IClassFixture<SqliteFixture>
{
    protected override string ColumnsWithoutBinaryCollation =>
        """
        -- Without a word a column of SQLite compares bytes.
        SELECT m.name || '.' || c.name AS "Value" FROM sqlite_master m JOIN pragma_table_info(m.name) c
        WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name NOT LIKE '\_\_EF%' ESCAPE '\'
        AND c.type = 'TEXT' AND m.sql LIKE '%"' || c.name || '" TEXT%COLLATE%' AND m.sql NOT LIKE '%"' || c.name || '" TEXT%COLLATE BINARY%'
        """;

    protected override string InstantColumnsOfOtherTypes =>
        """
        SELECT m.name || '.' || c.name AS "Value" FROM sqlite_master m JOIN pragma_table_info(m.name) c
        WHERE m.type = 'table' AND (c.name LIKE '%At' OR c.name IN ('ActiveFrom', 'ActiveUntil')) AND c.type <> 'INTEGER'
        """;
}

public sealed class SchemaOnPostgres(PostgresFixture fixture) : SchemaSuite(fixture), IClassFixture<PostgresFixture>
{
    protected override string ColumnsWithoutBinaryCollation =>
        """
        SELECT table_name || '.' || column_name AS "Value" FROM information_schema.columns
        WHERE table_schema = 'public' AND table_name NOT LIKE '\_\_EF%' AND data_type IN ('text', 'character varying') AND collation_name IS DISTINCT FROM 'C'
        """;

    protected override string InstantColumnsOfOtherTypes =>
        """
        SELECT table_name || '.' || column_name AS "Value" FROM information_schema.columns
        WHERE table_schema = 'public' AND (column_name LIKE '%At' OR column_name IN ('ActiveFrom', 'ActiveUntil')) AND data_type <> 'bigint'
        """;
}

[Collection(IdP.Testing.SqlServerDatabase.Collection)]
public sealed class SchemaOnSqlServer(SqlServerFixture fixture) : SchemaSuite(fixture), IClassFixture<SqlServerFixture>
{
    // Lists are JSON without a length, which nothing compares.
    protected override string ColumnsWithoutBinaryCollation =>
        """
        SELECT t.name + N'.' + c.name AS "Value" FROM sys.columns c JOIN sys.tables t ON t.object_id = c.object_id
        WHERE t.name NOT LIKE N'[_][_]EF%' AND c.collation_name IS NOT NULL AND c.collation_name <> N'Latin1_General_100_BIN2'
        """;

    protected override string InstantColumnsOfOtherTypes =>
        """
        SELECT t.name + N'.' + c.name AS "Value" FROM sys.columns c JOIN sys.tables t ON t.object_id = c.object_id
        WHERE (c.name LIKE N'%At' OR c.name IN (N'ActiveFrom', N'ActiveUntil')) AND TYPE_NAME(c.user_type_id) <> N'bigint'
        """;
}

/// <summary>What the schema promises in every engine.</summary>
public abstract class SchemaSuite(StorageFixture fixture)
{
    protected abstract string ColumnsWithoutBinaryCollation { get; }

    protected abstract string InstantColumnsOfOtherTypes { get; }

    [StorageFact]
    public async Task The_migrations_make_exactly_the_model()
    {
        await using var db = fixture.Database.OpenForReading();
        Assert.False(db.Database.HasPendingModelChanges());
        Assert.Empty(await db.Database.GetPendingMigrationsAsync());
    }

    [StorageFact]
    public async Task Migrating_again_changes_nothing() =>
        Assert.Empty(await Migrator.Migrate(fixture.Database, CancellationToken.None));

    [StorageFact]
    [Trait("Case", "UNI-07")]
    public async Task Every_text_column_has_a_binary_collation()
    {
        await using var db = fixture.Database.OpenForReading();
        Assert.Empty(await db.Database.SqlQueryRaw<string>(ColumnsWithoutBinaryCollation).ToListAsync());
    }

    [StorageFact]
    public async Task Instants_are_numbers()
    {
        await using var db = fixture.Database.OpenForReading();
        Assert.Empty(await db.Database.SqlQueryRaw<string>(InstantColumnsOfOtherTypes).ToListAsync());
    }

    [StorageFact]
    [Trait("Case", "UNI-07")]
    public async Task The_letter_case_of_an_identifier_counts()
    {
        var now = fixture.Clock.GetUtcNow();
        await fixture.AddClient("Case-Client");
        await fixture.AddClient("case-client");
        await fixture.Write(db => db.AddRange(
            new RevokedToken { JwtId = "AbCdEf", ExpiresAt = now },
            new StoredKey { KeyId = "KeyId", Algorithm = "X", Sealed = [1], MasterKeyId = "m", CreatedAt = now, ActiveFrom = now }));
        await using var read = fixture.Database.OpenForReading();
        Assert.Equal(1, await read.Set<Client>().CountAsync(c => c.ClientId == "Case-Client"));
        Assert.False(await read.Set<Client>().AnyAsync(c => c.ClientId == "CASE-CLIENT"));
        Assert.False(await read.Set<RevokedToken>().AnyAsync(t => t.JwtId == "abcdef"));
        Assert.False(await read.Set<StoredKey>().AnyAsync(k => k.KeyId == "keyid"));
        await fixture.Write(db => db.Set<StoredKey>().Where(k => k.KeyId == "KeyId").ExecuteDelete());
    }

    [StorageFact]
    public async Task Keys_sort_by_the_time_at_which_they_were_made()
    {
        var (client, user) = (await fixture.AddClient("sorted"), await fixture.AddUser("sorted"));
        var start = fixture.Clock.GetUtcNow();
        var grants = Enumerable.Range(0, 50).Select(i =>
        {
            var grant = fixture.NewGrant(client, user);
            grant.Id = Guid.CreateVersion7(start.AddMilliseconds(i * 7));
            return grant;
        }).ToList();
        await fixture.Write(db => db.AddRange(grants.AsEnumerable().Reverse()));
        await using var read = fixture.Database.OpenForReading();
        var sorted = await read.Set<Grant>().Where(g => g.ClientKey == client.Id).OrderBy(g => g.Id).Select(g => g.Id).ToListAsync();
        Assert.Equal(grants.Select(g => g.Id), sorted);
    }

    [StorageFact]
    public async Task A_second_client_with_the_same_id_is_a_unique_violation()
    {
        await fixture.AddClient("twice");
        var failure = await Assert.ThrowsAnyAsync<Exception>(() => fixture.AddClient("twice"));
        Assert.True(Database.IsUniqueViolation(failure));
    }

    [StorageFact]
    public async Task A_database_from_which_a_newer_program_has_taken_something_away_is_refused()
    {
        await using var db = fixture.Database.OpenForReading();
        await db.Database.ExecuteSqlRawAsync("""INSERT INTO "__EFMigrationsHistory" ("MigrationId", "ProductVersion") VALUES ('29990101000000_Future_After29980101000000', '99')""");
        try
        {
            var failure = await Assert.ThrowsAsync<StorageException>(() => Migrator.Migrate(fixture.Database, CancellationToken.None));
            Assert.Contains("29990101000000_Future_After29980101000000", failure.Message, StringComparison.Ordinal);
        }
        finally
        {
            await db.Database.ExecuteSqlRawAsync("""DELETE FROM "__EFMigrationsHistory" WHERE "MigrationId" LIKE '2999%'""");
        }
    }
}
