using IdP.Storage;

namespace IdP.Sessions;

/// <summary>Somebody who is signed in, as one look at the database found them.</summary>
internal sealed record SignedIn
{
    public required Guid SessionId { get; init; }
    public required int Generation { get; init; }
    public required Guid UserId { get; init; }
    public required string UserName { get; init; }
    public required string? DisplayName { get; init; }
    public required byte[] Seed { get; init; }
    public required DateTimeOffset AuthenticatedAt { get; init; }
    public required string Acr { get; init; }
    public required string Amr { get; init; }
    public required DateTimeOffset LastUsedAt { get; init; }
    public required DateTimeOffset IdleExpiresAt { get; init; }
    public required DateTimeOffset AbsoluteExpiresAt { get; init; }
    public required long? UpstreamProviderId { get; init; }
    public required bool IsOver { get; init; }
}

/// <summary>The few hot statements of a session.</summary>
internal sealed class SessionStatements(PreparedStatements statements)
{
    private const string ReadSql =
        """
        SELECT s."Generation", s."UserId", u."UserName", u."Name", s."Seed", s."AuthenticatedAt", s."Acr", s."Amr", s."LastUsedAt", s."IdleExpiresAt", s."AbsoluteExpiresAt",
               s."EndedAt", u."DisabledAt", s."UpstreamProviderId"
        FROM "Sessions" s JOIN "Users" u ON u."Id" = s."UserId" WHERE s."Id" = @p0
        """;

    // The person is held as they are until the commit, as everywhere that gives rights (see Grant.IsLive).
    private const string BeginSql =
        """
        INSERT INTO "Sessions" ("Id", "UserId", "Seed", "Generation", "CreatedAt", "AuthenticatedAt", "Acr", "Amr", "LastUsedAt", "IdleExpiresAt", "AbsoluteExpiresAt", "Address", "Browser", "UpstreamProviderId")
        SELECT @p0, u."Id", @p1, 1, @p2, @p3, @p4, @p5, @p2, @p6, @p7, @p8, @p9, CAST(@p10 AS bigint) FROM "Users" u {held} WHERE u."Id" = @p11 AND u."DisabledAt" IS NULL AND u."SecurityStamp" = @p12 {share}
        """;

    private const string UseSql = """UPDATE "Sessions" SET "LastUsedAt" = @p1, "IdleExpiresAt" = @p2 WHERE "Id" = @p0 AND "EndedAt" IS NULL""";

    private const string HasClientSql = """SELECT 1 FROM "SessionClients" WHERE "SessionId" = @p0 AND "ClientKey" = @p1""";

    private const string AddClientSql =
        """
        INSERT INTO "SessionClients" ("SessionId", "ClientKey", "FirstUsedAt") SELECT s."Id", c."Id", @p2 FROM "Sessions" s JOIN "Clients" c ON c."Id" = @p1
        WHERE s."Id" = @p0 AND s."EndedAt" IS NULL {if absent}
        """;

    private readonly string _addClient = statements.Text(AddClientSql);

    public ValueTask<SignedIn?> Read(Guid id, CancellationToken ct) => statements.Read(ReadSql, [id], row => new SignedIn
    {
        SessionId = id,
        Generation = row.GetInt32(0),
        UserId = statements.Id(row, 1),
        UserName = row.GetString(2),
        DisplayName = row.IsDBNull(3) ? null : row.GetString(3),
        Seed = row.GetFieldValue<byte[]>(4),
        AuthenticatedAt = Instant.Read(row, 5),
        Acr = row.GetString(6),
        Amr = row.GetString(7),
        LastUsedAt = Instant.Read(row, 8),
        IdleExpiresAt = Instant.Read(row, 9),
        AbsoluteExpiresAt = Instant.Read(row, 10),
        UpstreamProviderId = row.IsDBNull(13) ? null : row.GetInt64(13),
        IsOver = !row.IsDBNull(11) || !row.IsDBNull(12),
    }, ct);

    private readonly string _begin = statements.Text(BeginSql);

    /// <summary>Begins a session if its person is still as they were when they proved who they are; false when not. What else is given is written with it.</summary>
    public Task<bool> Begin(Session session, string securityStamp, IEnumerable<Statement> before, IEnumerable<Statement> after, CancellationToken ct)
    {
        object[] values =
        [
            session.Id, session.Seed, Number(session.CreatedAt), Number(session.AuthenticatedAt), session.Acr, session.Amr, Number(session.IdleExpiresAt), Number(session.AbsoluteExpiresAt),
            (object?)session.Address ?? DBNull.Value, (object?)session.Browser ?? DBNull.Value, (object?)session.UpstreamProviderId ?? DBNull.Value, session.UserId, securityStamp,
        ];
        return statements.ExecuteAll([.. before, new Statement(_begin, values, IsGate: true), .. after], ct);

        static long Number(DateTimeOffset instant) => instant.ToUnixTimeMilliseconds();
    }

    public Task<int> Use(Guid id, DateTimeOffset now, DateTimeOffset idleExpiresAt, CancellationToken ct) =>
        statements.Execute(UseSql, [id, now.ToUnixTimeMilliseconds(), idleExpiresAt.ToUnixTimeMilliseconds()], ct);

    /// <summary>Remembers that the client is told when the session ends. Written once for each client of a session.</summary>
    public async Task Join(Guid id, long clientKey, DateTimeOffset now, CancellationToken ct)
    {
        if (!await statements.Read(HasClientSql, [id, clientKey], _ => true, ct)) await statements.AddIfAbsent(_addClient, [id, clientKey, now.ToUnixTimeMilliseconds()], ct);
    }
}
