using System.Data.Common;
using IdP.Storage;

namespace IdP.Grants;

/// <summary>A grant as one look at the database found it.</summary>
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
    public required string Origin { get; init; }
    public required Guid? SessionId { get; init; }
    public required bool EndsWithSession { get; init; }
    public required string? Acr { get; init; }
    public required string? Amr { get; init; }
    public required string? RedirectUri { get; init; }
    public required string? CodeChallenge { get; init; }
    public required string? Nonce { get; init; }
    public required string? Claims { get; init; }
    public required DateTimeOffset HandleExpiresAt { get; init; }
    public required int WrongTries { get; init; }
    public required string? Request { get; init; }

    /// <summary>When the session ends that the grant ends with; long ago when it has ended. It means nothing for other grants.</summary>
    public required DateTimeOffset SessionExpiresAt { get; init; }

    public bool IsOutOfSession(DateTimeOffset now) => EndsWithSession && SessionExpiresAt <= now;
}

/// <summary>The few hot statements of a grant. Each write names the state that was checked, and its affected-row count is the gate.</summary>
internal sealed class GrantStatements(PreparedStatements statements)
{
    private const string ReadSql =
        """
        SELECT g."State", g."Origin", g."ClientKey", g."UserId", g."Scope", g."ResourceIdentifier", g."Seed", g."Generation", g."RotatedAt", g."Retries",
               g."IdleExpiresAt", g."AbsoluteExpiresAt", g."AuthenticatedAt", u."DisabledAt", g."SessionId", g."EndsWithSession", g."Acr", g."Amr",
               g."RedirectUri", g."CodeChallenge", g."Nonce", g."Claims", g."HandleExpiresAt", g."WrongTries", g."Request",
               s."EndedAt", s."IdleExpiresAt", s."AbsoluteExpiresAt"
        FROM "Grants" g LEFT JOIN "Users" u ON u."Id" = g."UserId" LEFT JOIN "Sessions" s ON s."Id" = g."SessionId" AND CAST(g."EndsWithSession" AS integer) = 1
        WHERE g."Id" = @p0
        """;

    // A code comes of a person, a session, a client and a consent that are all there. Locked until the commit where there is more than one
    // writer, so that whoever takes one of them away waits and then takes the code away too; the person first, as everybody does.
    private const string LiveSql =
        """
        FROM "Users" u {held} JOIN "Sessions" s {held} ON s."UserId" = u."Id" JOIN "Clients" c {held} ON c."Id" = @p15
            JOIN "Consents" k {held} ON k."UserId" = u."Id" AND k."ClientKey" = c."Id"
        WHERE s."Id" = @p16 AND s."EndedAt" IS NULL AND u."DisabledAt" IS NULL AND c."DisabledAt" IS NULL {share}
        """;

    private const string InsertCodeSql =
        $$"""
        INSERT INTO "Grants" ("Id", "State", "Origin", "ClientKey", "UserId", "Scope", "ResourceIdentifier", "Seed", "Generation", "Retries", "CreatedAt", "AuthenticatedAt",
            "SessionId", "EndsWithSession", "Acr", "Amr", "RedirectUri", "CodeChallenge", "Nonce", "Claims", "HandleExpiresAt", "WrongTries", "ExpiresAt")
        SELECT @p0, 4, @p1, c."Id", u."Id", @p2, @p3, @p4, 0, 0, @p5, @p6, s."Id", @p7, @p8, @p9, @p10, @p11, @p12, @p13, @p14, 0, @p14
        {{LiveSql}}
        """;

    // The row that was pushed becomes the code's: that is its single use.
    private const string UsePushedSql =
        $$"""
        UPDATE "Grants" SET "State" = 4, "Origin" = @p1, "UserId" = live."UserId", "Scope" = @p2, "ResourceIdentifier" = @p3, "Seed" = @p4, "CreatedAt" = @p5, "AuthenticatedAt" = @p6,
            "SessionId" = live."SessionId", "EndsWithSession" = @p7, "Acr" = @p8, "Amr" = @p9, "RedirectUri" = @p10, "CodeChallenge" = @p11, "Nonce" = @p12, "Claims" = @p13,
            "HandleExpiresAt" = @p14, "ExpiresAt" = @p14, "Request" = NULL
        FROM (SELECT s."Id" AS "SessionId", u."Id" AS "UserId" {{LiveSql}}) live
        WHERE "Grants"."Id" = @p0 AND "Grants"."State" = 3 AND "Grants"."ClientKey" = @p15
        """;

    private const string PushSql =
        """
        INSERT INTO "Grants" ("Id", "State", "Origin", "ClientKey", "Scope", "Seed", "Generation", "Retries", "CreatedAt", "AuthenticatedAt", "EndsWithSession", "WrongTries", "Request",
            "HandleExpiresAt", "ExpiresAt")
        SELECT @p0, 3, @p1, c."Id", '', @p2, 0, 0, @p3, 0, @p4, 0, @p5, @p6, @p7 FROM "Clients" c WHERE c."Id" = @p8 AND c."DisabledAt" IS NULL
        """;

    private const string RedeemSql =
        """
        UPDATE "Grants" SET "State" = 1, "Generation" = @p1, "RotatedAt" = @p2, "IdleExpiresAt" = @p3, "AbsoluteExpiresAt" = @p4, "ExpiresAt" = @p5 WHERE "Id" = @p0 AND "State" = 4
        """;

    // Counted and burnt in one statement: however many come at once, the last one allowed is the last one.
    private const string CountWrongTrySql =
        """
        UPDATE "Grants" SET "WrongTries" = "WrongTries" + 1, "State" = CASE WHEN "WrongTries" + 1 >= @p1 THEN 2 ELSE "State" END,
            "RevokedAt" = CASE WHEN "WrongTries" + 1 >= @p1 THEN @p2 ELSE "RevokedAt" END
        WHERE "Id" = @p0 AND "State" = 4
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

    private readonly string _insertCode = statements.Text(InsertCodeSql);
    private readonly string _usePushed = statements.Text(UsePushedSql);

    public ValueTask<StoredGrant?> Read(Guid id, CancellationToken ct) => statements.Read(ReadSql, [id], row => new StoredGrant
    {
        Id = id,
        State = (GrantState)row.GetInt32(0),
        Origin = row.GetString(1),
        ClientKey = row.GetInt64(2),
        UserId = row.IsDBNull(3) ? Guid.Empty : statements.Id(row, 3),
        Scope = row.GetString(4),
        ResourceIdentifier = Text(row, 5),
        Seed = row.GetFieldValue<byte[]>(6),
        Generation = row.GetInt32(7),
        RotatedAt = At(row, 8),
        Retries = row.GetInt32(9),
        IdleExpiresAt = At(row, 10),
        AbsoluteExpiresAt = At(row, 11),
        AuthenticatedAt = At(row, 12),
        PersonIsEnabled = row.IsDBNull(13) && !row.IsDBNull(3),
        SessionId = row.IsDBNull(14) ? null : statements.Id(row, 14),
        EndsWithSession = row.GetBoolean(15),
        Acr = Text(row, 16),
        Amr = Text(row, 17),
        RedirectUri = Text(row, 18),
        CodeChallenge = Text(row, 19),
        Nonce = Text(row, 20),
        Claims = Text(row, 21),
        HandleExpiresAt = At(row, 22),
        WrongTries = row.GetInt32(23),
        Request = Text(row, 24),
        SessionExpiresAt = row.IsDBNull(26) || !row.IsDBNull(25) ? DateTimeOffset.MinValue : At(row, row.GetInt64(26) < row.GetInt64(27) ? 26 : 27),
    }, ct);

    /// <summary>Stores a code if session, person and client are still alive; the number of rows.</summary>
    /// <param name="code">Its id is new, or that of the pushed request that it uses up.</param>
    /// <param name="isPushed">Whether the request was pushed.</param>
    /// <param name="ct">Cancels.</param>
    public Task<int> AddCode(Grant code, bool isPushed, CancellationToken ct) => statements.Execute(isPushed ? _usePushed : _insertCode,
        [
            code.Id, code.Origin, code.Scope, OrNull(code.ResourceIdentifier), code.Seed, Number(code.CreatedAt), Number(code.AuthenticatedAt), code.EndsWithSession, OrNull(code.Acr), OrNull(code.Amr),
            OrNull(code.RedirectUri), OrNull(code.CodeChallenge), OrNull(code.Nonce), OrNull(code.Claims), Number(code.HandleExpiresAt!.Value), code.ClientKey, code.SessionId!.Value,
        ], ct);

    public Task<int> Push(Grant pushed, CancellationToken ct) => statements.Execute(PushSql,
        [
            pushed.Id, pushed.Origin, pushed.Seed, Number(pushed.CreatedAt), false, pushed.Request!, Number(pushed.HandleExpiresAt!.Value), Number(pushed.ExpiresAt), pushed.ClientKey,
        ], ct);

    /// <summary>Turns a code into an active grant; of several that try, one gets a row.</summary>
    public Task<int> Redeem(Grant redeemed, CancellationToken ct) => statements.Execute(RedeemSql,
        [
            redeemed.Id, redeemed.Generation, Number(redeemed.RotatedAt ?? DateTimeOffset.UnixEpoch), Number(redeemed.IdleExpiresAt ?? DateTimeOffset.UnixEpoch),
            Number(redeemed.AbsoluteExpiresAt ?? DateTimeOffset.UnixEpoch), Number(redeemed.ExpiresAt),
        ], ct);

    /// <summary>Counts a failed redemption by the code's own client; the last of so many revokes the code.</summary>
    public Task<int> CountWrongTry(Guid id, int most, DateTimeOffset now, CancellationToken ct) => statements.Execute(CountWrongTrySql, [id, most, Number(now)], ct);

    public Task<int> Rotate(StoredGrant grant, DateTimeOffset now, DateTimeOffset idleExpiresAt, DateTimeOffset expiresAt, CancellationToken ct) =>
        statements.Execute(RotateSql, [grant.Id, grant.Generation, Number(now), Number(idleExpiresAt), Number(expiresAt)], ct);

    public Task<int> Keep(StoredGrant grant, DateTimeOffset idleExpiresAt, DateTimeOffset expiresAt, CancellationToken ct) =>
        statements.Execute(KeepSql, [grant.Id, grant.Generation, Number(idleExpiresAt), Number(expiresAt)], ct);

    public Task<int> GiveAgain(StoredGrant grant, CancellationToken ct) => statements.Execute(GiveAgainSql, [grant.Id, grant.Generation, grant.Retries], ct);

    private static string? Text(DbDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);

    private static object OrNull(string? text) => text is null ? DBNull.Value : text;

    private static DateTimeOffset At(DbDataReader row, int column) => Instant.ReadOrNull(row, column) ?? DateTimeOffset.UnixEpoch;

    private static long Number(DateTimeOffset instant) => instant.ToUnixTimeMilliseconds();
}
