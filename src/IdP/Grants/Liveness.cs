using System.Collections.Concurrent;
using System.Data.Common;
using IdP.Storage;
using IdP.Tokens;
using Microsoft.Data.Sqlite;

namespace IdP.Grants;

/// <summary>
/// Whether a token whose form is good is still worth anything: one prepared statement of look-ups by key, asked anew every time. If it
/// fails, so does the request (503); a token is never taken for active because the database could not be asked.
/// </summary>
internal sealed class Liveness(Database database) : IDisposable
{
    private const string NotRevoked =
        """
        NOT EXISTS (SELECT 1 FROM "RevokedTokens" r WHERE r."JwtId" = @jti)
        AND NOT EXISTS (SELECT 1 FROM "Keys" k WHERE k."KeyId" = @kid AND k."RevokedAt" IS NOT NULL)
        """;

    private const string ClientToken =
        $"""
        SELECT 1 FROM "Clients" c WHERE c."ClientId" = @client AND c."DisabledAt" IS NULL AND c."Generation" = @generation AND {NotRevoked}
        """;

    private const string GrantToken =
        $"""
        SELECT 1 FROM "Grants" g
        WHERE g."Id" = @grant AND g."State" = 1
        AND EXISTS (SELECT 1 FROM "Users" u WHERE u."Id" = g."UserId" AND u."DisabledAt" IS NULL)
        AND EXISTS (SELECT 1 FROM "Clients" c WHERE c."Id" = g."ClientKey" AND c."ClientId" = @client AND c."DisabledAt" IS NULL)
        AND {NotRevoked}
        """;

    private readonly ConcurrentBag<Reader> _readers = [];

    public async ValueTask<bool> IsAlive(AccessTokenClaims token, CancellationToken ct)
    {
        if (database.Engine == Engine.Postgres)
        {
            await using var connection = await database.OpenPostgres(ct);
            await using var command = connection.CreateCommand();
            command.CommandText = token.GrantId is null ? ClientToken : GrantToken;
            Bind(command, token, id => id);
            return await command.ExecuteScalarAsync(ct) is not null;
        }
        // The embedded database answers from memory in microseconds; the statements stay prepared on their connection.
        if (!_readers.TryTake(out var reader)) reader = new Reader((SqliteConnection)database.OpenConnection());
        try
        {
            var alive = reader.IsAlive(token);
            _readers.Add(reader);
            return alive;
        }
        catch
        {
            reader.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        while (_readers.TryTake(out var reader)) reader.Dispose();
    }

    private static void Bind(DbCommand command, AccessTokenClaims token, Func<Guid, object> key)
    {
        Set("client", token.ClientId);
        Set("jti", token.JwtId);
        Set("kid", token.KeyId);
        if (token.GrantId is { } grant) Set("grant", key(grant));
        else Set("generation", token.Generation!.Value);

        void Set(string name, object value)
        {
            var parameter = command.CreateParameter();
            parameter.ParameterName = name;
            parameter.Value = value;
            command.Parameters.Add(parameter);
        }
    }

    private sealed class Reader(SqliteConnection connection) : IDisposable
    {
        private SqliteCommand? _clientToken;
        private SqliteCommand? _grantToken;

        public bool IsAlive(AccessTokenClaims token)
        {
            var command = token.GrantId is null ? _clientToken ??= Prepared(ClientToken, token) : _grantToken ??= Prepared(GrantToken, token);
            var parameters = command.Parameters;
            parameters[0].Value = token.ClientId;
            parameters[1].Value = token.JwtId;
            parameters[2].Value = token.KeyId;
            parameters[3].Value = token.GrantId is { } grant ? grant.ToByteArray(bigEndian: true) : token.Generation!.Value;
            return command.ExecuteScalar() is not null;
        }

        private SqliteCommand Prepared(string sql, AccessTokenClaims first)
        {
            var command = connection.CreateCommand();
            command.CommandText = sql;
            Bind(command, first, id => id.ToByteArray(bigEndian: true));
            command.Prepare();
            return command;
        }

        public void Dispose()
        {
            _clientToken?.Dispose();
            _grantToken?.Dispose();
            connection.Dispose();
        }
    }
}
