using System.Data;
using System.Reflection;
using IdP.Account;
using IdP.Accounts;
using IdP.ApiKeys;
using IdP.Audit;
using IdP.Clients;
using IdP.Consents;
using IdP.Grants;
using IdP.Keys;
using IdP.Resources;
using IdP.Retention;
using IdP.Roles;
using IdP.SecondFactors;
using IdP.Sessions;
using IdP.Testing;
using IdP.Upstream;
using Microsoft.Data.SqlClient;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.SqlServer.TransactSql.ScriptDom;
using Xunit;

namespace IdP.Storage.Tests.SqlServer;

/// <summary>What can be said of SQL Server without one: its statements can be read, its schema breaks none of its limits, its driver is complete.</summary>
public sealed class Statements
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public void Every_statement_that_is_written_by_hand_can_be_read_and_names_columns_that_are_there()
    {
        var statements = WrittenByHand();
        Assert.InRange(statements.Count, 25, 500);
        foreach (var sql in statements) TransactSql.ParseStatement(sql);
        TransactSql.Parse(Dialect.Time(Engine.SqlServer));
    }

    [Theory]
    [InlineData("""UPDATE "Grants" SET "State" = 1 WHERE "EndsWithSession" """)]
    [InlineData("""SELECT 1 FROM "Grants" WHERE "EndsWithSession" = TRUE""")]
    [InlineData("""SELECT "Id" FROM "Grants" LIMIT 1""")]
    [InlineData("""INSERT INTO "Leases" ("Name") VALUES (@p0) ON CONFLICT DO NOTHING""")]
    [InlineData("""SELECT 1 FROM "Users" WHERE "Id" = @p0 FOR SHARE""")]
    public void What_other_engines_say_is_noticed(string sql) => Assert.ThrowsAny<Xunit.Sdk.XunitException>(() => TransactSql.ParseStatement(sql));

    [Fact]
    public void A_statement_keeps_the_rows_that_it_depends_on()
    {
        var holding = WrittenByHand().Where(sql => sql.Contains("REPEATABLEREAD", StringComparison.Ordinal)).ToList();
        // A session, the two ways to a code, the person and the client of any other grant.
        Assert.Equal(5, holding.Count);
        Assert.DoesNotContain(WrittenByHand(), sql => sql.Contains('{', StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_the_model_makes_of_the_products_questions_can_be_read()
    {
        using var recording = new Recording();
        var (database, clock) = (recording.Database, new TestClock());
        var (now, id, options) = (clock.GetUtcNow(), Guid.CreateVersion7(), new IdpOptions());
        options.Keys.MasterKey = Convert.ToBase64String(new byte[32]);

        await RetentionFeature.SweepOnce(database, now, None);
        foreach (var kind in ExpiredRows.Of(new RetentionOptions { AuditDays = 30 }, NullLogger.Instance)) await recording.Try(db => kind.Count(db, now, 100, None));
        await recording.Try(db => Lease.IsHeldElsewhere(db, Lease.Retention, id, now, None));
        await recording.Try(db => SessionEnd.Expire(db, [id, Guid.CreateVersion7()], now, None));
        await recording.Try(db => SessionEnd.End(db, db.Set<Session>().Where(s => s.UserId == id), now, None));
        await recording.Try(db => ServerState.NextStamp(db, None));
        await recording.Try(db => Lease.Hold(db, Lease.Retention, id, now, TimeSpan.FromMinutes(1), None));
        await recording.Try(db => AttemptCounts.Return(db, new byte[32], None));
        await recording.Try(db => Grant.Insert(db, new Grant { Id = id, Origin = "password", ClientKey = 1, UserId = id, Scope = "openid", Seed = new byte[32], ExpiresAt = now }, "stamp", None));
        await recording.Try(db => Consent.Withdraw(db, id, new Client { Id = 1, ClientId = "web" }, "cli", now, None));
        await AuditChain.SealOnce(database, id, now, None);
        await recording.Try(_ => AuditChain.Verify(database, expected: null, None));
        await OldEvents.Find(database, now, 100, None);
        await recording.Try(db => new OldEvents(new AuditBeginning(), 7, new byte[32], Problem: null).Remove(db, 30, now, None));
        await recording.Try(async db =>
        {
            for (var i = 0; i < 3; i++) AuditEvent.Record(db, now, new KeysResealed(i), "cli", "user:1", "::1");
            await db.SaveChangesAsync();
        });

        var directory = new ClientDirectory(database);
        await directory.FindStored("web", None);
        await directory.FindByKey(1, None);
        await directory.Load(-1, None);
        await new ResourceCatalog(database).Load(-1, None);
        await new RoleCatalog(database).Load(-1, None);
        await new UpstreamCatalog(database).Load(-1, None);
        await new EventsOfPerson(database, directory).List(id, before: id, None);

        var users = new UserStatements(clock);
        await recording.Try(db => users.Add(db, new User { UserName = "bob", Email = "bob@example.com" }, password: null, "cli", None));
        await recording.Try(db => users.Disable(db, "alice", "cli", None));
        await recording.Try(db => users.Delete(db, id, "cli", None));
        await recording.Try(db => UserStatements.IsTaken(db, "alice@example.com", None, except: id));
        await recording.Try(db => UserStatements.Exists(db, "alice", None));
        await recording.Try(db => ClientStatements.Require(db, "web", None));
        await recording.Try(db => ResourceStatements.Require(db, "urn:api", None));
        await recording.Try(db => ApiKeyStatements.Require(db, "abc", None));
        var roles = new RoleStatements(clock);
        await recording.Try(db => roles.AddRole(db, "editor", null, "cli", None));
        await recording.Try(db => roles.AddPermission(db, "items:edit", "urn:api", null, "cli", None));
        await recording.Try(db => RoleStatements.RequireRole(db, "editor", None));
        await recording.Try(db => UpstreamStatements.Require(db, "corp", None));
        await recording.Try(db => SecondFactorStatements.TakeStep(db, id, 1, None));
        await recording.Try(db => SecondFactorStatements.TakeRecoveryCode(db, id, new byte[32], None));
        await recording.Try(db => SecondFactorStatements.MakeRecoveryCodes(db, id, None));
        await recording.Try(db => KeyStatements.RotateWhatIsDue(db, MasterKeys.Load(options, []), options, now, None));
        await recording.Try(db => KeyStatements.Sweep(db, now, None));
        await recording.Try(db => BrowserSessions.Refresh(db, NewSession(id, now), id, None));

        Assert.InRange(recording.Asked.Count, 60, 1000);
        foreach (var sql in recording.Asked) TransactSql.ParseStatement(sql);
    }

    [Fact]
    public void The_script_of_the_migrations_is_the_one_that_is_checked_in_and_can_be_read()
    {
        var options = new IdpOptions();
        (options.Storage.Provider, options.Storage.ConnectionString) = ("sqlserver", "Server=127.0.0.1");
        using var database = new Database(options);
        var script = Migrator.Script(database);
        TransactSql.Parse(script);
        Assert.True(script == File.ReadAllText(Path.Combine(Repository(), "deploy/sql/sqlserver.sql")), "deploy/sql/sqlserver.sql is stale: run 'make migration' or 'IdP migrate --script'");
        // sqlcmd has it off by itself, and then neither index can be made.
        Assert.Contains("QUOTED_IDENTIFIER", script, StringComparison.Ordinal);
    }

    [Fact]
    public void The_suites_own_statements_can_be_read() => TransactSql.Parse(SqlServerDatabase.RemoveTables);

    [Fact]
    public void The_migrations_make_exactly_the_model()
    {
        using var db = TransactSql.Context();
        Assert.False(db.Database.HasPendingModelChanges());
    }

    [Fact]
    public void A_deletion_reaches_no_table_on_two_ways()
    {
        // SQL Server refuses such a schema: error 1785.
        using var db = TransactSql.Context();
        var keys = db.Model.GetEntityTypes().SelectMany(type => type.GetForeignKeys()).Where(key => key.DeleteBehavior is DeleteBehavior.Cascade or DeleteBehavior.SetNull).ToList();
        Assert.NotEmpty(keys);
        foreach (var root in db.Model.GetEntityTypes())
        {
            var reached = new List<string>();
            Follow(root);
            Assert.True(reached.Count == reached.Distinct(StringComparer.Ordinal).Count(), $"{root.GetTableName()}: {string.Join(", ", reached.Order(StringComparer.Ordinal))}");

            void Follow(IEntityType from)
            {
                foreach (var key in keys.Where(key => key.PrincipalEntityType == from))
                {
                    reached.Add(key.DeclaringEntityType.GetTableName()!);
                    Assert.InRange(reached.Count, 1, 100);
                    Follow(key.DeclaringEntityType);
                }
            }
        }
    }

    [Fact]
    public void No_key_is_longer_than_an_index_takes()
    {
        using var db = TransactSql.Context();
        foreach (var table in db.Model.GetRelationalModel().Tables)
        {
            foreach (var index in table.Indexes) Assert.InRange(Bytes(index.Columns), 1, 1700);
            // The primary key is the order of the rows.
            Assert.InRange(Bytes(table.PrimaryKey!.Columns), 1, 900);
        }

        static int Bytes(IReadOnlyList<IColumn> columns) => columns.Sum(column => column.StoreType switch
        {
            "bigint" => 8,
            "int" => 4,
            "bit" => 1,
            ['n', 'v', 'a', 'r', 'c', 'h', 'a', 'r', '(', .. var size, ')'] when int.TryParse(size, out var characters) => 2 * characters,
            ['v', 'a', 'r', 'b', 'i', 'n', 'a', 'r', 'y', '(', .. var size, ')'] when int.TryParse(size, out var bytes) => bytes,
            ['b', 'i', 'n', 'a', 'r', 'y', '(', .. var size, ')'] when int.TryParse(size, out var bytes) => bytes,
            _ => int.MaxValue / 100,
        });
    }

    [Fact]
    public void Identifiers_compare_by_code_points_and_sort_by_time()
    {
        using var db = TransactSql.Context();
        var columns = db.GetService<IDesignTimeModel>().Model.GetRelationalModel().Tables.SelectMany(table => table.Columns).ToList();
        Assert.All(columns.Where(column => column.StoreType.StartsWith("nvarchar(", StringComparison.Ordinal) && column.StoreType != "nvarchar(max)"),
            column => Assert.True(column.PropertyMappings.All(mapping => mapping.Property.GetCollation() == "Latin1_General_100_BIN2"), column.Name));
        Assert.DoesNotContain(columns, column => column.StoreType is "uniqueidentifier" or "datetimeoffset" or "nvarchar(450)");
    }

    [Fact]
    public void A_parameter_has_a_type_that_does_not_depend_on_its_value()
    {
        Assert.Equal((SqlDbType.NVarChar, 4000), Type("a"));
        Assert.Equal((SqlDbType.NVarChar, 4000), Type(new string('a', 4000)));
        Assert.Equal((SqlDbType.NVarChar, -1), Type(new string('a', 4001)));
        Assert.Equal((SqlDbType.NVarChar, 4000), Type(DBNull.Value));
        Assert.Equal((SqlDbType.VarBinary, 8000), Type(new byte[32]));
        Assert.Equal((SqlDbType.Binary, 16), Type(Guid.Empty));
        Assert.Equal(SqlDbType.BigInt, Type(1L).Item1);
        Assert.Equal(SqlDbType.Int, Type(1).Item1);
        Assert.Equal(SqlDbType.Bit, Type(true).Item1);

        static (SqlDbType, int) Type(object value)
        {
            var parameter = (SqlParameter)Storage.SqlServer.Parameter("@p0", value);
            return (parameter.SqlDbType, parameter.Size);
        }
    }

    [Fact]
    public void The_driver_is_complete()
    {
        // The driver loads it as soon as a command has a parameter.
        Assert.NotNull(Assembly.Load("Microsoft.SqlServer.Server").GetType("Microsoft.SqlServer.Server.IBinarySerialize"));
        Assert.True(File.Exists(Path.Combine(AppContext.BaseDirectory, "Microsoft.SqlServer.Server.dll")));
        using var command = new SqlCommand("SELECT @p0");
        command.Parameters.Add(Storage.SqlServer.Parameter("@p0", Guid.CreateVersion7()));
        Assert.Equal(1, command.Parameters.Count);
    }

    private static List<string> WrittenByHand() =>
    [
        .. typeof(Database).Assembly.GetTypes().SelectMany(type => type.GetFields(BindingFlags.NonPublic | BindingFlags.Public | BindingFlags.Static | BindingFlags.DeclaredOnly))
            .Where(field => field is { IsLiteral: true } && field.FieldType == typeof(string) && !field.Name.StartsWith("Postgres", StringComparison.Ordinal))
            .Select(field => ((string)field.GetRawConstantValue()!).Trim())
            .Where(text => text.Split([' ', '\n'], 2)[0] is "SELECT" or "INSERT" or "UPDATE" or "DELETE" or "WITH" or "MERGE")
            // EF puts its own parameters in the place of {0}.
            .Select(text => Dialect.Of(Engine.SqlServer, text).Replace("{0}", "@p0", StringComparison.Ordinal).Replace("{1}", "@p1", StringComparison.Ordinal)),
    ];

    private static SignedIn NewSession(Guid id, DateTimeOffset now) => new()
    {
        SessionId = id, Generation = 1, UserId = id, UserName = "alice", DisplayName = null, Seed = new byte[32], AuthenticatedAt = now, Acr = "a", Amr = "pwd",
        LastUsedAt = now, IdleExpiresAt = now, AbsoluteExpiresAt = now, UpstreamProviderId = null, IsOver = false,
    };

    private static string Repository()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "IdentityProvider.sln"))) folder = folder.Parent!;
        return folder.FullName;
    }
}
