using System.Collections.Concurrent;
using System.Data.Common;
using System.Diagnostics;
using System.Text.RegularExpressions;
using IdP.Account;
using IdP.Testing;
using IdP.Tests.Support;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Xunit;

namespace IdP.Tests.Account;

public sealed class LooksByKeyOnSqlite(SqliteServer fixture) : LooksByKey(fixture), IClassFixture<SqliteServer>
{
    protected override string Explain => "EXPLAIN QUERY PLAN ";

    // A search names its index; a scan goes through the whole table.
    protected override bool IsScan(string line) => line.StartsWith("SCAN ", StringComparison.Ordinal);
}

public sealed class LooksByKeyOnPostgres(PostgresServer fixture) : LooksByKey(fixture), IClassFixture<PostgresServer>
{
    protected override string Explain => "SET enable_seqscan = off; EXPLAIN ";

    // Small tables are scanned by choice: with that taken away, what still scans has no index to go by.
    protected override bool IsScan(string line) => line.Contains("Seq Scan on", StringComparison.Ordinal);
}

/// <summary>What the account pages ask of tables with a row or more for each person is found by an index, however many people there are.</summary>
public abstract partial class LooksByKey(ServerFixture fixture)
{
    private readonly IdpServer _server = fixture.Server;

    protected abstract string Explain { get; }

    protected abstract bool IsScan(string line);

    [Fact]
    public async Task No_page_goes_through_a_whole_table()
    {
        var user = await _server.AddUser("ada");
        var app = await LogoutApp.Register(_server);
        using var browser = new Browser(_server);
        using var there = new Browser(_server);
        await app.SignIn(browser, "ada");
        await there.Enter("/account", "ada");
        using var asked = new Asked(user.Id);

        foreach (var section in AccountSection.All) Assert.Equal(200, (await browser.Enter(section.Path)).Status);
        await browser.Enter($"/account/events?before={Guid.CreateVersion7(_server.Clock.GetUtcNow().AddDays(1)):N}");
        await browser.Press(await browser.Enter("/account/sessions"), "/account/sessions?handler=EndOthers");

        var tables = new HashSet<string>(StringComparer.Ordinal);
        foreach (var command in asked.Commands)
        {
            var plan = await Plan(command);
            Assert.False(plan.Exists(IsScan), $"{command.Text}\n{string.Join('\n', plan)}");
            tables.UnionWith(Table().Matches(command.Text).Select(match => match.Groups["name"].Value));
        }
        foreach (var table in (string[])["Users", "Sessions", "Consents", "Grants", "AuditEvents"]) Assert.Contains(table, tables);
    }

    private async Task<List<string>> Plan(AskedCommand asked)
    {
        await using var connection = _server.Database.OpenConnection();
        await using var command = connection.CreateCommand();
        command.CommandText = Explain + asked.Text;
        foreach (var (name, value) in asked.Parameters)
        {
            var parameter = command.CreateParameter();
            (parameter.ParameterName, parameter.Value) = (name, value);
            command.Parameters.Add(parameter);
        }
        var lines = new List<string>();
        await using var rows = await command.ExecuteReaderAsync();
        while (await rows.ReadAsync()) lines.Add(rows.GetString(rows.FieldCount - 1));
        Assert.NotEmpty(lines);
        return lines;
    }

    [GeneratedRegex("(FROM|JOIN|UPDATE) \"(?<name>[A-Za-z]+)\"", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Table();

    private sealed record AskedCommand(string Text, List<(string Name, object Value)> Parameters);

    /// <summary>Keeps what is asked about one person, in the whole process.</summary>
    private sealed class Asked : IDisposable, IObserver<DiagnosticListener>, IObserver<KeyValuePair<string, object?>>
    {
        private readonly Guid _user;
        private readonly ConcurrentBag<IDisposable> _subscriptions = [];
        private readonly ConcurrentDictionary<string, AskedCommand> _commands = new(StringComparer.Ordinal);

        public Asked(Guid user)
        {
            _user = user;
            _subscriptions.Add(DiagnosticListener.AllListeners.Subscribe(this));
        }

        public IEnumerable<AskedCommand> Commands => _commands.Values;

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
            if (parameters.Exists(one => one.Item2 is Guid id ? id == _user : one.Item2 is byte[] { Length: 16 } bytes && new Guid(bytes, bigEndian: true) == _user))
                _commands.TryAdd(data.Command.CommandText, new AskedCommand(data.Command.CommandText, parameters));
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
}
