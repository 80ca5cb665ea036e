using System.Data.Common;
using IdP.Clients;
using IdP.Protocol;
using IdP.Storage;

namespace IdP.ApiKeys;

/// <summary>What the database says of a key that somebody has proved to hold.</summary>
internal sealed record PresentedApiKey
{
    public required Guid Id { get; init; }
    public required string KeyId { get; init; }
    public required long ResourceId { get; init; }
    public Guid? UserId { get; init; }
    public long? ClientKey { get; init; }

    /// <summary>The owner's client id; null when a person owns it.</summary>
    public string? ClientId { get; init; }
    public required List<string> Scopes { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
    public required DateTimeOffset ExpiresAt { get; init; }
    public DateTimeOffset? LastUsedAt { get; init; }

    /// <summary>Neither revoked nor expired, and its owner is enabled.</summary>
    public required bool IsLive { get; init; }
}

/// <summary>
/// Finds the key that a text is: one prepared statement of look-ups by index, asked anew every time, so that whatever takes the key away
/// counts at once on every node. A key id that nobody has costs what a wrong secret costs.
/// </summary>
internal sealed class ApiKeyLookup(PreparedStatements statements, SecretHash secrets, TimeProvider clock)
{
    // One row a scope, or one without.
    public const string Statement =
        """
        SELECT k."Id", k."ResourceId", k."UserId", k."ClientKey", c."ClientId", k."CreatedAt", k."ExpiresAt", k."LastUsedAt",
        k."Hash", k."HashKeyId", k."PreviousHash", k."PreviousHashKeyId", k."PreviousEndsAt",
        CASE WHEN k."RevokedAt" IS NULL AND ((u."Id" IS NOT NULL AND u."DisabledAt" IS NULL) OR (c."Id" IS NOT NULL AND c."DisabledAt" IS NULL)) THEN 1 ELSE 0 END,
        s."Name"
        FROM "ApiKeys" k
        LEFT JOIN "Users" u ON u."Id" = k."UserId"
        LEFT JOIN "Clients" c ON c."Id" = k."ClientKey"
        LEFT JOIN "ApiKeyScopes" ks ON ks."ApiKeyId" = k."Id"
        LEFT JOIN "Scopes" s ON s."Id" = ks."ScopeId" AND s."ResourceId" = k."ResourceId"
        WHERE k."KeyId" = @p0
        """;

    /// <summary>The key if the text is one of ours, whether it still counts or not; null for every other text.</summary>
    public async ValueTask<PresentedApiKey?> Find(ApiKeyText text, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var row = await statements.Read(Statement, [text.KeyId], rows => Map(rows, text.KeyId, now), ct);
        var secret = text.ToString();
        // Both, whatever the first says: the time must not tell which it was, or that there was nothing.
        var isCurrent = secrets.Matches(row?.Hash, row?.HashKeyId, secret);
        var isPrevious = secrets.Matches(row?.PreviousHash, row?.PreviousHashKeyId, secret) & row?.PreviousEndsAt > now;
        return isCurrent | isPrevious ? row!.Key : null;
    }

    private Row Map(DbDataReader rows, string keyId, DateTimeOffset now)
    {
        var expires = Instant.Read(rows, 6);
        var key = new PresentedApiKey
        {
            Id = statements.Id(rows, 0),
            KeyId = keyId,
            ResourceId = rows.GetInt64(1),
            UserId = rows.IsDBNull(2) ? null : statements.Id(rows, 2),
            ClientKey = rows.IsDBNull(3) ? null : rows.GetInt64(3),
            ClientId = rows.IsDBNull(4) ? null : rows.GetString(4),
            CreatedAt = Instant.Read(rows, 5),
            ExpiresAt = expires,
            LastUsedAt = Instant.ReadOrNull(rows, 7),
            IsLive = rows.GetInt32(13) == 1 && expires > now,
            Scopes = [],
        };
        var row = new Row(key, (byte[])rows.GetValue(8), rows.GetString(9), rows.IsDBNull(10) ? null : (byte[])rows.GetValue(10), rows.IsDBNull(11) ? null : rows.GetString(11), Instant.ReadOrNull(rows, 12));
        do
        {
            if (!rows.IsDBNull(14)) key.Scopes.Add(rows.GetString(14));
        }
        while (rows.Read());
        key.Scopes.Sort(StringComparer.Ordinal);
        return row;
    }

    private sealed record Row(PresentedApiKey Key, byte[] Hash, string HashKeyId, byte[]? PreviousHash, string? PreviousHashKeyId, DateTimeOffset? PreviousEndsAt);
}
