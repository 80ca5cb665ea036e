using System.Collections.Concurrent;
using System.Data.Common;
using System.Diagnostics;
using IdP.Storage;
using IdP.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Xunit;

namespace IdP.Tests.Support;

/// <summary>A statement that was run, with what it was run with.</summary>
internal sealed record AskedCommand(string Text, List<(string Name, object Value)> Parameters);

/// <summary>Keeps the statements that have a parameter of a test's own, in the whole process.</summary>
internal sealed class AskedCommands : IDisposable, IObserver<DiagnosticListener>, IObserver<KeyValuePair<string, object?>>
{
    private readonly Func<object, bool> _isOurs;
    private readonly ConcurrentBag<IDisposable> _subscriptions = [];
    private readonly ConcurrentDictionary<string, AskedCommand> _commands = new(StringComparer.Ordinal);

    public AskedCommands(Func<object, bool> isOurs)
    {
        _isOurs = isOurs;
        _subscriptions.Add(DiagnosticListener.AllListeners.Subscribe(this));
    }

    public IEnumerable<AskedCommand> All => _commands.Values;

    public void OnNext(DiagnosticListener value)
    {
        if (value.Name == DbLoggerCategory.Name) _subscriptions.Add(value.Subscribe(this));
    }

    public void OnNext(KeyValuePair<string, object?> value)
    {
        if (value.Value is not CommandEventData data || value.Key != RelationalEventId.CommandExecuting.Name) return;
        // What is only written looks for nothing.
        if (data.Command.CommandText.StartsWith("INSERT", StringComparison.Ordinal)) return;
        var parameters = data.Command.Parameters.Cast<DbParameter>().Select(parameter => (parameter.ParameterName, parameter.Value!)).ToList();
        if (parameters.Exists(one => _isOurs(one.Item2))) _commands.TryAdd(data.Command.CommandText, new AskedCommand(data.Command.CommandText, parameters));
    }

    public void OnCompleted()
    {
    }

    public void OnError(Exception error)
    {
    }

    public void Dispose()
    {
        foreach (var subscription in _subscriptions) subscription.Dispose();
    }
}

/// <summary>How an engine would find what a statement asks for.</summary>
internal static class QueryPlans
{
    /// <summary>Fails when the statement goes through a whole table; the lines of the plan.</summary>
    public static async Task<List<string>> FoundByIndex(this IdpServer server, AskedCommand asked)
    {
        var isSqlite = server.Database.Engine == Engine.Sqlite;
        await using var connection = server.Database.OpenConnection();
        await using var command = connection.CreateCommand();
        // Small tables are scanned by choice: with that taken away, what still scans has no index to go by.
        command.CommandText = (isSqlite ? "EXPLAIN QUERY PLAN " : "SET enable_seqscan = off; EXPLAIN ") + asked.Text;
        foreach (var (name, value) in asked.Parameters)
        {
            var parameter = command.CreateParameter();
            (parameter.ParameterName, parameter.Value) = (name, value);
            command.Parameters.Add(parameter);
        }
        var lines = new List<string>();
        await using (var rows = await command.ExecuteReaderAsync())
            while (await rows.ReadAsync()) lines.Add(rows.GetString(rows.FieldCount - 1));
        Assert.NotEmpty(lines);
        // SQLite searches by an index and scans without one; a list of parameters is no table, nor is what a statement within has found.
        var scan = lines.Find(line => isSqlite ? line.StartsWith("SCAN ", StringComparison.Ordinal) && !line.Contains("VIRTUAL TABLE", StringComparison.Ordinal) && !lines.Contains($"CO-ROUTINE {line[5..]}") : line.Contains("Seq Scan on", StringComparison.Ordinal));
        Assert.True(scan is null, $"{asked.Text}\n{string.Join('\n', lines)}");
        return lines;
    }
}
