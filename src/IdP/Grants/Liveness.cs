using IdP.Storage;
using IdP.Tokens;

namespace IdP.Grants;

/// <summary>
/// Whether a token whose form is good is still worth anything: one prepared statement of look-ups by key, asked anew every time. If it
/// fails, so does the request (503); a token is never taken for active because the database could not be asked.
/// </summary>
internal sealed class Liveness(PreparedStatements statements)
{
    private const string NotRevoked =
        """
        NOT EXISTS (SELECT 1 FROM "RevokedTokens" r WHERE r."JwtId" = @p1)
        AND NOT EXISTS (SELECT 1 FROM "Keys" k WHERE k."KeyId" = @p2 AND k."RevokedAt" IS NOT NULL)
        """;

    private const string ClientToken =
        $$"""
        SELECT 1 FROM "Clients" c WHERE {client @p0} AND c."DisabledAt" IS NULL AND c."Generation" = @p3 AND {{NotRevoked}}
        """;

    private const string GrantToken =
        $"""
        SELECT 1 FROM "Grants" g
        WHERE g."Id" = @p3 AND g."State" = 1
        AND EXISTS (SELECT 1 FROM "Users" u WHERE u."Id" = g."UserId" AND u."DisabledAt" IS NULL)
        AND EXISTS (SELECT 1 FROM "Clients" c WHERE c."Id" = g."ClientKey" AND c."ClientId" = @p0 AND c."DisabledAt" IS NULL)
        AND {NotRevoked}
        """;

    private readonly string _clientToken = statements.Text(ClientToken);

    public async ValueTask<bool> IsAlive(AccessTokenClaims token, CancellationToken ct)
    {
        object[] values = [token.ClientId, token.RevocationId, token.KeyId, token.GrantId is { } grant ? grant : token.Generation!.Value];
        return await statements.Read(token.GrantId is null ? _clientToken : GrantToken, values, _ => true, ct);
    }
}
