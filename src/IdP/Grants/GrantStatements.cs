using System.Data.Common;
using IdP.Storage;

namespace IdP.Grants;

/// <summary>A grant as a refresh sees it.</summary>
internal sealed record StoredGrant
{
    public required Guid Id { get; init; }
    public required GrantState State { get; init; }
    public required long ClientKey { get; init; }
    public required Guid UserId { get; init; }
    public required string Scope { get; init; }
    public required string? ResourceIdentifier { get; init; }
    public required byte[] Seed { get; init; }
    public required int Generation { get; init; }
    public required DateTimeOffset RotatedAt { get; init; }
    public required int Retries { get; init; }
    public required DateTimeOffset IdleExpiresAt { get; init; }
    public required DateTimeOffset AbsoluteExpiresAt { get; init; }
    public required DateTimeOffset AuthenticatedAt { get; init; }
    public required bool PersonIsEnabled { get; init; }
}

/// <summary>The few hot statements of a grant. Each write names the state that was checked, and its affected-row count is the gate.</summary>
internal sealed class GrantStatements(PreparedStatements statements, Database database)
{
    private const string ReadSql =
        """
        SELECT g."State", g."ClientKey", g."UserId", g."Scope", g."ResourceIdentifier", g."Seed", g."Generation", g."RotatedAt", g."Retries",
               g."IdleExpiresAt", g."AbsoluteExpiresAt", g."AuthenticatedAt", u."DisabledAt"
        FROM "Grants" g JOIN "Users" u ON u."Id" = g."UserId" WHERE g."Id" = @p0
        """;

    private const string RotateSql =
        """
        UPDATE "Grants" SET "Generation" = "Generation" + 1, "RotatedAt" = @p2, "Retries" = 0, "IdleExpiresAt" = @p3, "ExpiresAt" = @p4
        WHERE "Id" = @p0 AND "State" = 1 AND "Generation" = @p1
        """;

    private const string KeepSql =
        """
        UPDATE "Grants" SET "IdleExpiresAt" = @p2, "ExpiresAt" = @p3 WHERE "Id" = @p0 AND "State" = 1 AND "Generation" = @p1
        """;

    private const string GiveAgainSql =
        """
        UPDATE "Grants" SET "Retries" = "Retries" + 1 WHERE "Id" = @p0 AND "State" = 1 AND "Generation" = @p1 AND "Retries" = @p2
        """;

    public ValueTask<StoredGrant?> Read(Guid id, CancellationToken ct) => statements.Read(ReadSql, [id], row => new StoredGrant
    {
        Id = id,
        State = (GrantState)row.GetInt32(0),
        ClientKey = row.GetInt64(1),
        UserId = Id(row, 2),
        Scope = row.GetString(3),
        ResourceIdentifier = row.IsDBNull(4) ? null : row.GetString(4),
        Seed = row.GetFieldValue<byte[]>(5),
        Generation = row.GetInt32(6),
        RotatedAt = Instant(row, 7),
        Retries = row.GetInt32(8),
        IdleExpiresAt = Instant(row, 9),
        AbsoluteExpiresAt = Instant(row, 10),
        AuthenticatedAt = Instant(row, 11),
        PersonIsEnabled = row.IsDBNull(12),
    }, ct);

    public Task<int> Rotate(StoredGrant grant, DateTimeOffset now, DateTimeOffset idleExpiresAt, DateTimeOffset expiresAt, CancellationToken ct) =>
        statements.Execute(RotateSql, [grant.Id, grant.Generation, Number(now), Number(idleExpiresAt), Number(expiresAt)], ct);

    public Task<int> Keep(StoredGrant grant, DateTimeOffset idleExpiresAt, DateTimeOffset expiresAt, CancellationToken ct) =>
        statements.Execute(KeepSql, [grant.Id, grant.Generation, Number(idleExpiresAt), Number(expiresAt)], ct);

    public Task<int> GiveAgain(StoredGrant grant, CancellationToken ct) => statements.Execute(GiveAgainSql, [grant.Id, grant.Generation, grant.Retries], ct);

    private Guid Id(DbDataReader row, int column) =>
        database.Engine == Engine.Sqlite ? new Guid(row.GetFieldValue<byte[]>(column), bigEndian: true) : row.GetGuid(column);

    private static DateTimeOffset Instant(DbDataReader row, int column) =>
        row.IsDBNull(column) ? DateTimeOffset.UnixEpoch : DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(column));

    private static long Number(DateTimeOffset instant) => instant.ToUnixTimeMilliseconds();
}
