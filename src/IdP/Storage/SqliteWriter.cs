using System.Threading.Channels;
using IdP.Observability;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;

namespace IdP.Storage;

/// <summary>The one writer of the embedded database: group commit, with a savepoint for each change.</summary>
internal sealed class SqliteWriter : IDisposable
{
    private const int LargestBatch = 256;
    private readonly Channel<Change> _queue = Channel.CreateBounded<Change>(new BoundedChannelOptions(4096) { SingleReader = true });
    private readonly string _connectionString;
    private readonly int _busySeconds;
    private readonly Lazy<Thread> _thread;

    public SqliteWriter(string connectionString, int busySeconds)
    {
        (_connectionString, _busySeconds) = (connectionString, busySeconds);
        _thread = new(() =>
        {
            var thread = new Thread(Run) { IsBackground = true, Name = "sqlite-writer" };
            thread.Start();
            return thread;
        });
    }

    public Task<T> Write<T>(Func<IdpDbContext, Task<T>> work, CancellationToken ct) => Enqueue(new ContextChange<T>(work, ct), ct);

    /// <summary>One prepared statement, without a context.</summary>
    public Task<int> Execute(string sql, object[] values, CancellationToken ct) => Enqueue(new StatementChange(sql, values, ct), ct);

    public int Waiting => _queue.Reader.Count;

    /// <summary>Several, up to a gate that changes nothing.</summary>
    public Task<bool> Execute(IReadOnlyList<Statement> all, CancellationToken ct) => Enqueue(new StatementsChange(all, ct), ct);

    private async Task<T> Enqueue<T>(Change<T> change, CancellationToken ct)
    {
        _ = _thread.Value;
        await _queue.Writer.WriteAsync(change, ct);
        return await change.Completion;
    }

    private void Run()
    {
        var batch = new List<Change>(LargestBatch);
        Session? session = null;
        while (_queue.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
        {
            batch.Clear();
            while (batch.Count < LargestBatch && _queue.Reader.TryRead(out var change))
                if (!change.IsCancelled) batch.Add(change);
            if (batch.Count == 0) continue;
            try
            {
                session ??= new Session(_connectionString, _busySeconds);
                Commit(session, batch);
            }
            catch (Exception failure)
            {
                // A failed COMMIT undoes the whole batch; nobody has been told otherwise.
                var sentence = Migrator.Explain($"database {new SqliteConnectionStringBuilder(_connectionString).DataSource}", failure) ?? "The database refused the change.";
                foreach (var change in batch) change.Fail(new StorageException(sentence, failure));
                session?.Dispose();
                session = null;
                continue;
            }
            foreach (var change in batch) change.Answer();
        }
        session?.Dispose();
    }

    private static void Commit(Session session, List<Change> batch)
    {
        var start = DatabaseWatch.Start();
        using var transaction = session.Connection.BeginTransaction(deferred: false);
        foreach (var change in batch) change.Run(session, transaction);
        transaction.Commit();
        DatabaseWatch.Committed(start, batch.Count);
    }

    public void Dispose()
    {
        _queue.Writer.TryComplete();
        if (_thread.IsValueCreated) _thread.Value.Join();
    }

    /// <summary>The writer's connection with what is prepared on it.</summary>
    private sealed class Session : IDisposable
    {
        public Session(string connectionString, int busySeconds)
        {
            Connection = new SqliteConnection(connectionString) { DefaultTimeout = busySeconds };
            Connection.Open();
            Statements = new SqliteStatements(Connection);
            Options = new DbContextOptionsBuilder<SqliteIdpDbContext>().UseSqlite(Connection).Options;
            Execute("PRAGMA synchronous = FULL", transaction: null);
            try
            {
                // A restore that was killed has left it otherwise; then readers and the writer would wait for each other.
                Execute("PRAGMA journal_mode = WAL", transaction: null);
            }
            catch (SqliteException failure) when (failure.SqliteErrorCode == 5)
            {
                // Somebody reads at this moment; the next start sees to it.
            }
        }

        public SqliteConnection Connection { get; }
        public SqliteStatements Statements { get; }
        public DbContextOptions<SqliteIdpDbContext> Options { get; }

        public void Execute(string sql, SqliteTransaction? transaction) => Statements.Bind(sql, [], transaction).ExecuteNonQuery();

        public void Dispose() => Statements.Dispose();
    }

    private abstract class Change
    {
        public abstract bool IsCancelled { get; }
        public abstract void Run(Session session, SqliteTransaction transaction);
        public abstract void Answer();
        public abstract void Fail(Exception failure);
    }

    private abstract class Change<T>(CancellationToken ct) : Change
    {
        private readonly TaskCompletionSource<T> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private T? _value;
        private Exception? _failure;

        public Task<T> Completion => _completion.Task;

        public override bool IsCancelled => ct.IsCancellationRequested && _completion.TrySetCanceled(ct);

        /// <summary>Does the work; false when it failed and must be undone.</summary>
        protected bool Try(Func<T> work)
        {
            try
            {
                _value = work();
                return true;
            }
            catch (Exception failure)
            {
                _failure = failure;
                return false;
            }
        }

        public override void Answer()
        {
            if (_failure is not null) _completion.TrySetException(_failure);
            else _completion.TrySetResult(_value!);
        }

        public override void Fail(Exception failure) => _completion.TrySetException(_failure ?? failure);
    }

    private sealed class ContextChange<T>(Func<IdpDbContext, Task<T>> work, CancellationToken ct) : Change<T>(ct)
    {
        public override void Run(Session session, SqliteTransaction transaction)
        {
            session.Execute("SAVEPOINT item", transaction);
            using (var db = new SqliteIdpDbContext(session.Options))
            {
                db.Database.AutoSavepointsEnabled = false;
                db.Database.UseTransaction(transaction);
                // SQLite's asynchronous calls complete synchronously, so this waits for nothing.
                if (!Try(() => work(db).GetAwaiter().GetResult())) session.Execute("ROLLBACK TO item", transaction);
            }
            session.Execute("RELEASE item", transaction);
        }
    }

    private sealed class StatementsChange(IReadOnlyList<Statement> all, CancellationToken ct) : Change<bool>(ct)
    {
        public override void Run(Session session, SqliteTransaction transaction)
        {
            session.Execute("SAVEPOINT item", transaction);
            if (!Try(() => all.All(one => session.Statements.Bind(one.Sql, one.Values, transaction).ExecuteNonQuery() > 0 || !one.IsGate))) session.Execute("ROLLBACK TO item", transaction);
            session.Execute("RELEASE item", transaction);
        }
    }

    private sealed class StatementChange(string sql, object[] values, CancellationToken ct) : Change<int>(ct)
    {
        // A statement that fails changes nothing, so it needs no savepoint.
        public override void Run(Session session, SqliteTransaction transaction) =>
            Try(() => session.Statements.Bind(sql, values, transaction).ExecuteNonQuery());
    }
}
