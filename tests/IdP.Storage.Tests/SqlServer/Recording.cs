using System.Data;
using System.Data.Common;
using System.Diagnostics.CodeAnalysis;
using Microsoft.Data.SqlClient;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace IdP.Storage.Tests.SqlServer;

/// <summary>A SQL Server in whose place nobody is: it writes down what it is asked and finds nothing.</summary>
internal sealed class Recording : IDisposable
{
    public Recording()
    {
        var options = new DbContextOptionsBuilder<SqlServerIdpDbContext>().UseSqlServer("Server=127.0.0.1").AddInterceptors(new Nobody(Asked)).Options;
        Database = new Database(Engine.SqlServer, () => new SqlServerIdpDbContext(options) { Database = { AutoSavepointsEnabled = false } });
    }

    public Database Database { get; }

    public List<string> Asked { get; } = [];

    /// <summary>Runs a change of the product, which does not get far where it expects to find something.</summary>
    public async Task Try(Func<IdpDbContext, Task> change)
    {
        try
        {
            await Database.Write(change, CancellationToken.None);
        }
        catch (Exception failure) when (failure is ChangeRefusedException or DbUpdateConcurrencyException or InvalidOperationException { Message: "Sequence contains no elements." or "Sequence contains no elements" })
        {
            // What it asked until then is written down.
        }
    }

    public void Dispose() => Database.Dispose();

    private sealed class Nobody(List<string> asked) : DbCommandInterceptor, IDbConnectionInterceptor, IDbTransactionInterceptor
    {
        public override InterceptionResult<DbCommand> CommandCreating(CommandCorrelatedEventData eventData, InterceptionResult<DbCommand> result) =>
            InterceptionResult<DbCommand>.SuppressWithResult(new RecordedCommand(asked));

        public ValueTask<InterceptionResult> ConnectionOpeningAsync(DbConnection connection, ConnectionEventData eventData, InterceptionResult result, CancellationToken cancellationToken = default) =>
            ValueTask.FromResult(InterceptionResult.Suppress());

        public InterceptionResult ConnectionOpening(DbConnection connection, ConnectionEventData eventData, InterceptionResult result) => InterceptionResult.Suppress();

        public ValueTask<InterceptionResult<DbTransaction>> TransactionStartingAsync(
            DbConnection connection, TransactionStartingEventData eventData, InterceptionResult<DbTransaction> result, CancellationToken cancellationToken = default) =>
            ValueTask.FromResult(InterceptionResult<DbTransaction>.SuppressWithResult(new NoTransaction(connection)));

        public InterceptionResult<DbTransaction> TransactionStarting(DbConnection connection, TransactionStartingEventData eventData, InterceptionResult<DbTransaction> result) =>
            InterceptionResult<DbTransaction>.SuppressWithResult(new NoTransaction(connection));
    }

    private sealed class NoTransaction(DbConnection connection) : DbTransaction
    {
        public override IsolationLevel IsolationLevel => IsolationLevel.ReadCommitted;
        protected override DbConnection DbConnection => connection;
        public override bool SupportsSavepoints => true;

        public override void Commit()
        {
        }

        public override void Rollback()
        {
        }

        public override void Save(string savepointName)
        {
        }

        public override void Rollback(string savepointName)
        {
        }
    }

    private sealed class RecordedCommand(List<string> asked) : DbCommand
    {
        // EF's types for SQL Server want its driver's parameters.
        private readonly SqlCommand _parameters = new();

        [AllowNull]
        public override string CommandText { get; set; } = "";
        public override int CommandTimeout { get; set; }
        public override CommandType CommandType { get; set; } = CommandType.Text;
        public override bool DesignTimeVisible { get; set; }
        public override UpdateRowSource UpdatedRowSource { get; set; }
        protected override DbConnection? DbConnection { get; set; }
        protected override DbTransaction? DbTransaction { get; set; }
        protected override DbParameterCollection DbParameterCollection => _parameters.Parameters;

        protected override DbParameter CreateDbParameter() => _parameters.CreateParameter();

        public override int ExecuteNonQuery()
        {
            asked.Add(CommandText);
            return 1;
        }

        public override object? ExecuteScalar()
        {
            asked.Add(CommandText);
            return null;
        }

        protected override DbDataReader ExecuteDbDataReader(CommandBehavior behavior)
        {
            asked.Add(CommandText);
            var found = new DataTable();
            // A look at a row that must be there finds it.
            found.Columns.Add("Value", typeof(int));
            // As many as any question has.
            for (var i = 0; i < 100; i++) found.Columns.Add($"Column{i}", typeof(int));
            if (CommandText.Contains("AS \"Value\"", StringComparison.Ordinal)) found.Rows.Add(1);
            return found.CreateDataReader();
        }

        public override void Prepare()
        {
        }

        public override void Cancel()
        {
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing) _parameters.Dispose();
            base.Dispose(disposing);
        }
    }
}
