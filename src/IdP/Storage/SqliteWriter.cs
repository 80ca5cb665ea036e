using System.Threading.Channels;
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

    public async Task<T> Write<T>(Func<IdpDbContext, Task<T>> work, CancellationToken ct)
    {
        _ = _thread.Value;
        var change = new Change<T>(work, ct);
        await _queue.Writer.WriteAsync(change, ct);
        return await change.Completion;
    }

    private void Run()
    {
        var batch = new List<Change>(LargestBatch);
        SqliteConnection? connection = null;
        while (_queue.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
        {
            batch.Clear();
            while (batch.Count < LargestBatch && _queue.Reader.TryRead(out var change))
                if (!change.IsCancelled) batch.Add(change);
            if (batch.Count == 0) continue;
            try
            {
                connection ??= Open();
                Commit(connection, batch);
            }
            catch (Exception failure)
            {
                // A failed COMMIT undoes the whole batch; nobody has been told otherwise.
                var sentence = Migrator.Explain($"database {new SqliteConnectionStringBuilder(_connectionString).DataSource}", failure) ?? "The database refused the change.";
                foreach (var change in batch) change.Fail(new StorageException(sentence, failure));
                connection?.Dispose();
                connection = null;
                continue;
            }
            foreach (var change in batch) change.Answer();
        }
        connection?.Dispose();
    }

    private SqliteConnection Open()
    {
        var connection = new SqliteConnection(_connectionString) { DefaultTimeout = _busySeconds };
        connection.Open();
        Execute(connection, "PRAGMA synchronous = FULL");
        return connection;
    }

    private static void Commit(SqliteConnection connection, List<Change> batch)
    {
        using var transaction = connection.BeginTransaction(deferred: false);
        var options = new DbContextOptionsBuilder<SqliteIdpDbContext>().UseSqlite(connection).Options;
        foreach (var change in batch)
        {
            Execute(connection, "SAVEPOINT item");
            using (var db = new SqliteIdpDbContext(options))
            {
                db.Database.AutoSavepointsEnabled = false;
                db.Database.UseTransaction(transaction);
                if (!change.Run(db)) Execute(connection, "ROLLBACK TO item");
            }
            Execute(connection, "RELEASE item");
        }
        transaction.Commit();
    }

    private static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    public void Dispose()
    {
        _queue.Writer.TryComplete();
        if (_thread.IsValueCreated) _thread.Value.Join();
    }

    private abstract class Change
    {
        public abstract bool IsCancelled { get; }
        public abstract bool Run(IdpDbContext db);
        public abstract void Answer();
        public abstract void Fail(Exception failure);
    }

    private sealed class Change<T>(Func<IdpDbContext, Task<T>> work, CancellationToken ct) : Change
    {
        private readonly TaskCompletionSource<T> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private T? _value;
        private Exception? _failure;

        public Task<T> Completion => _completion.Task;

        public override bool IsCancelled => ct.IsCancellationRequested && _completion.TrySetCanceled(ct);

        public override bool Run(IdpDbContext db)
        {
            try
            {
                // SQLite's asynchronous calls complete synchronously, so this waits for nothing.
                _value = work(db).GetAwaiter().GetResult();
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
}
