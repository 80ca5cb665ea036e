using System.Collections.Concurrent;
using System.Data.Common;
using IdP.Observability;
using Microsoft.Data.Sqlite;

namespace IdP.Storage;

/// <summary>
/// One statement of the hot path at a time, prepared once for each connection: portable SQL with parameters @p0, @p1 ... Reads on SQLite
/// run on the caller's thread, because they answer from memory in microseconds; writes go the way of every write.
/// </summary>
internal sealed class PreparedStatements(Database database) : IDisposable
{
    private readonly ConcurrentBag<SqliteStatements> _readers = [];

    /// <summary>The first row, or default when there is none.</summary>
    public ValueTask<T?> Read<T>(string sql, object[] values, Func<DbDataReader, T> map, CancellationToken ct) =>
        DatabaseWatch.Reading(DatabaseWatch.Start(), ReadFirst(sql, values, map, ct));

    private async ValueTask<T?> ReadFirst<T>(string sql, object[] values, Func<DbDataReader, T> map, CancellationToken ct)
    {
        if (database.Engine != Engine.Sqlite)
        {
            await using var connection = await database.Connect(ct);
            await using var command = Bound(connection.CreateCommand(), sql, values);
            await using var rows = await command.ExecuteReaderAsync(ct);
            return await rows.ReadAsync(ct) ? map(rows) : default;
        }
        if (!_readers.TryTake(out var reader)) reader = new SqliteStatements((SqliteConnection)database.OpenConnection());
        T? row;
        try
        {
            using var rows = reader.Bind(sql, values, transaction: null).ExecuteReader();
            row = rows.Read() ? map(rows) : default;
        }
        catch
        {
            // A connection that failed is not worth keeping.
            reader.Dispose();
            throw;
        }
        _readers.Add(reader);
        return row;
    }

    /// <summary>Every row; for what there are few of.</summary>
    public async ValueTask<List<T>> ReadAll<T>(string sql, object[] values, Func<DbDataReader, T> map, CancellationToken ct)
    {
        var all = new List<T>();
        if (database.Engine != Engine.Sqlite)
        {
            await using var connection = await database.Connect(ct);
            await using var command = Bound(connection.CreateCommand(), sql, values);
            await using var rows = await command.ExecuteReaderAsync(ct);
            while (await rows.ReadAsync(ct)) all.Add(map(rows));
            return all;
        }
        // The map is called for each row; what it returns here is whether there was one at all.
        await Read(sql, values, row =>
        {
            do all.Add(map(row)); while (row.Read());
            return true;
        }, ct);
        return all;
    }

    /// <summary>An id in a row, in the form that the engine keeps it in.</summary>
    public Guid Id(DbDataReader row, int column) =>
        database.Engine == Engine.Postgres ? row.GetGuid(column) : new Guid(row.GetFieldValue<byte[]>(column), bigEndian: true);

    /// <summary>The text of a statement for this engine.</summary>
    public string Text(string sql) => Dialect.Of(database.Engine, sql);

    /// <summary>Runs one statement durably; the number of rows that it changed.</summary>
    public Task<int> Execute(string sql, object[] values, CancellationToken ct) => DatabaseWatch.Writing(DatabaseWatch.Start(), Run(sql, values, ct));

    private Task<int> Run(string sql, object[] values, CancellationToken ct) => database.Engine == Engine.Sqlite
        ? database.ExecuteSqlite(sql, values, ct)
        : Database.UntilItStands(async () =>
        {
            await using var connection = await database.Connect(ct);
            await using var command = Bound(connection.CreateCommand(), sql, values);
            return await command.ExecuteNonQueryAsync(ct);
        });

    /// <summary>Runs an INSERT that ends with {if absent} in the engine's text; nought when the key was there.</summary>
    public async Task<int> AddIfAbsent(string sql, object[] values, CancellationToken ct)
    {
        try
        {
            return await Execute(sql, values, ct);
        }
        catch (DbException failure) when (database.Engine == Engine.SqlServer && Database.IsUniqueViolationOfEngine(failure))
        {
            // The one engine that has no words for it.
            return 0;
        }
    }

    /// <summary>Runs statements in one transaction, durably; false when a gate stopped it, and then those before the gate have run.</summary>
    public Task<bool> ExecuteAll(IReadOnlyList<Statement> all, CancellationToken ct) => DatabaseWatch.Writing(DatabaseWatch.Start(), RunAll(all, ct));

    private Task<bool> RunAll(IReadOnlyList<Statement> all, CancellationToken ct) =>
        database.Engine == Engine.Sqlite ? database.ExecuteSqlite(all, ct) : Database.UntilItStands(() => RunAllOnServer(all, ct));

    private async Task<bool> RunAllOnServer(IReadOnlyList<Statement> all, CancellationToken ct)
    {
        await using var connection = await database.Connect(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        var passed = true;
        foreach (var one in all)
        {
            await using var command = Bound(connection.CreateCommand(), one.Sql, one.Values);
            command.Transaction = transaction;
            if (await command.ExecuteNonQueryAsync(ct) > 0 || !one.IsGate) continue;
            passed = false;
            break;
        }
        await transaction.CommitAsync(ct);
        return passed;
    }

    public void Dispose()
    {
        while (_readers.TryTake(out var reader)) reader.Dispose();
    }

    private DbCommand Bound(DbCommand command, string sql, object[] values)
    {
        command.CommandText = sql;
        if (database.Engine == Engine.SqlServer)
        {
            for (var i = 0; i < values.Length; i++) command.Parameters.Add(SqlServer.Parameter($"@p{i}", values[i]));
            return command;
        }
        for (var i = 0; i < values.Length; i++)
        {
            var parameter = command.CreateParameter();
            parameter.ParameterName = $"p{i}";
            parameter.Value = values[i];
            command.Parameters.Add(parameter);
        }
        return command;
    }
}

/// <summary>One of several statements of a change.</summary>
/// <param name="Sql">Portable SQL.</param>
/// <param name="Values">Its parameters.</param>
/// <param name="IsGate">Whether it must change a row, or nothing after it runs.</param>
internal sealed record Statement(string Sql, object[] Values, bool IsGate = false);

/// <summary>One SQLite connection and its prepared commands. For one thread at a time.</summary>
internal sealed class SqliteStatements(SqliteConnection connection) : IDisposable
{
    private readonly Dictionary<string, SqliteCommand> _prepared = new(StringComparer.Ordinal);

    public SqliteCommand Bind(string sql, object[] values, SqliteTransaction? transaction)
    {
        if (!_prepared.TryGetValue(sql, out var command))
        {
            command = connection.CreateCommand();
            command.CommandText = sql;
            for (var i = 0; i < values.Length; i++) command.Parameters.AddWithValue($"@p{i}", Native(values[i]));
            command.Transaction = transaction;
            command.Prepare();
            _prepared.Add(sql, command);
            return command;
        }
        for (var i = 0; i < values.Length; i++) command.Parameters[i].Value = Native(values[i]);
        command.Transaction = transaction;
        return command;
    }

    public void Dispose()
    {
        foreach (var command in _prepared.Values) command.Dispose();
        connection.Dispose();
    }

    private static object Native(object value) => value is Guid id ? id.ToByteArray(bigEndian: true) : value;
}
