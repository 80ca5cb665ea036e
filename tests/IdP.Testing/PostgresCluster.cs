using System.Diagnostics;
using System.Security.Cryptography;
using Npgsql;

namespace IdP.Testing;

/// <summary>
/// One PostgreSQL cluster for each test process, started when the first test asks for a database and gone with the process,
/// however that ends. <c>IDP_TEST_POSTGRES</c> (a connection string whose user may create databases) takes its place.
/// </summary>
public static class PostgresCluster
{
    private static readonly Lazy<Task<string>> Server = new(Start);

    /// <summary>Creates an empty database with a name of its own; disposing it drops it.</summary>
    public static async Task<PostgresDatabase> CreateDatabase()
    {
        var server = await Server.Value;
        var name = "idp_test_" + RandomNumberGenerator.GetHexString(16, lowercase: true);
        // template0: nobody is ever connected to it, so tests may create databases at the same time.
        await Execute(server, $"CREATE DATABASE {name} TEMPLATE template0");
        return new PostgresDatabase(server, name);
    }

    /// <summary>
    /// Gives a database a clock that tests can move, because a node whose machine's clock is far from the database's issues nothing.
    /// The connection string that comes back finds it before PostgreSQL's own function of that name.
    /// </summary>
    internal static async Task<string> LetTimePass(string connectionString)
    {
        await Execute(connectionString, """
            SELECT pg_advisory_lock(7);
            CREATE SCHEMA IF NOT EXISTS moved;
            CREATE TABLE IF NOT EXISTS moved.ahead (milliseconds bigint NOT NULL);
            INSERT INTO moved.ahead SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM moved.ahead);
            CREATE OR REPLACE FUNCTION moved.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE
                AS 'SELECT pg_catalog.clock_timestamp() + (SELECT milliseconds FROM moved.ahead) * interval ''1 millisecond''';
            """);
        return new NpgsqlConnectionStringBuilder(connectionString) { SearchPath = "public,moved,pg_catalog" }.ConnectionString;
    }

    /// <summary>Moves the clock of such a database.</summary>
    internal static Task SetPassed(string connectionString, TimeSpan time) =>
        Execute(connectionString, $"UPDATE moved.ahead SET milliseconds = {(long)time.TotalMilliseconds}");

    internal static async Task Execute(string connectionString, string sql)
    {
        // No pool: an idle connection would hold a place in the cluster until the process ends.
        var unpooled = new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false };
        await using var connection = new NpgsqlConnection(unpooled.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<string> Start()
    {
        if (Environment.GetEnvironmentVariable("IDP_TEST_POSTGRES") is { Length: > 0 } given) return given;

        var programs = FindPrograms();
        // A port that is free now may be taken a moment later, so a second and third try are worth it.
        for (var attempt = 1; ; attempt++)
        {
            var password = RandomNumberGenerator.GetHexString(32);
            var port = ChildProcess.FreePort();
            if (await StartOn(programs, port, password) is not { } problem)
            {
                return new NpgsqlConnectionStringBuilder
                {
                    Host = "127.0.0.1", Port = port, Username = "postgres", Password = password, Database = "postgres", IncludeErrorDetail = true,
                }.ConnectionString;
            }

            if (attempt == 3) throw new InvalidOperationException($"PostgreSQL from {programs} does not start: {problem}");
        }
    }

    private static string FindPrograms()
    {
        // Debian's folder, not the PATH: what another package calls `postgres` there may lack initdb, ICU or its libraries.
        const string root = "/usr/lib/postgresql";
        var newest = Directory.Exists(root)
            ? Directory.GetDirectories(root)
                .Where(version => File.Exists(Path.Combine(version, "bin", "initdb")))
                .MaxBy(version => int.TryParse(Path.GetFileName(version), out var number) ? number : 0)
            : null;
        return newest is null
            ? throw new InvalidOperationException(
                "These tests need PostgreSQL: run `make setup` or `apt-get install postgresql`, or set IDP_TEST_POSTGRES to the connection string of a server.")
            : Path.Combine(newest, "bin");
    }

    private static async Task<string?> StartOn(string programs, int port, string password)
    {
        var start = new ProcessStartInfo("setsid")
        {
            ArgumentList = { "sh", "-c", Keeper, "idp-postgres-keeper", programs, port.ToString() },
            UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        var keeper = Process.Start(start)!;
        await keeper.StandardInput.WriteLineAsync(password);
        await keeper.StandardInput.FlushAsync();
        if (await keeper.StandardOutput.ReadLineAsync() != "ready")
            return (await keeper.StandardOutput.ReadToEndAsync() + await keeper.StandardError.ReadToEndAsync()).Trim();

        AppDomain.CurrentDomain.ProcessExit += (_, _) =>
        {
            keeper.StandardInput.Close();
            keeper.WaitForExit(TimeSpan.FromSeconds(10));
        };
        return null;
    }

    // Owns cluster and folder, and ends both when its standard input ends: that happens even when the test process is killed.
    // In a session of its own, so that a Ctrl-C or a kill of the test's process group does not take the keeper first.
    private const string Keeper =
        """
        set -eu
        programs=$1; port=$2
        IFS= read -r password
        folder=$(mktemp -d "${TMPDIR:-/tmp}/idp-pg-XXXXXX")
        server=
        end() {
          if [ -n "$server" ]; then kill -QUIT "$server" 2>/dev/null || true; wait "$server" || true; fi
          cd /; rm -rf "$folder"
        }
        trap end EXIT
        trap 'exit 1' INT HUP TERM
        umask 077
        printf '%s\n' "$password" >"$folder/password"
        # PostgreSQL refuses to run as root.
        if [ "$(id -u)" = 0 ]; then
          id postgres >/dev/null
          chown -R postgres "$folder"
          drop='setpriv --reuid=postgres --regid=postgres --init-groups'
        else
          drop=
        fi
        cd "$folder"
        # ICU sorts and folds as people do: a column that forgot its binary collation shows here.
        if ! $drop "$programs/initdb" -D "$folder/data" -U postgres --auth=scram-sha-256 --pwfile="$folder/password" --no-sync \
          -E UTF8 --locale=C.UTF-8 --locale-provider=icu --icu-locale=en-US >"$folder/log" 2>&1; then
          echo failed; cat "$folder/log"; exit 1
        fi
        # fsync=off: the cluster lives as long as the tests, there is no power cut to survive.
        $drop "$programs/postgres" -D "$folder/data" -p "$port" -k "$folder" -c listen_addresses=127.0.0.1 -c max_connections=400 \
          -c fsync=off -c full_page_writes=off -c shared_buffers=64MB >"$folder/log" 2>&1 </dev/null &
        server=$!
        # Not pg_isready: it would be content with somebody else's server on this port.
        tries=0
        until grep -qs '^ready' "$folder/data/postmaster.pid"; do
          tries=$((tries + 1))
          if [ "$tries" = 600 ] || grep -q FATAL "$folder/log"; then echo failed; cat "$folder/log"; exit 1; fi
          sleep 0.05
        done
        echo ready
        IFS= read -r _ || true
        """;
}

/// <summary>An empty database of the test that asked for it.</summary>
public sealed class PostgresDatabase : IAsyncDisposable
{
    private readonly string _server;
    private readonly string _name;

    internal PostgresDatabase(string server, string name)
    {
        _server = server;
        _name = name;
        ConnectionString = new NpgsqlConnectionStringBuilder(server) { Database = name }.ConnectionString;
    }

    /// <summary>For Npgsql, with pooling as it is in production.</summary>
    public string ConnectionString { get; }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await using (var connection = new NpgsqlConnection(ConnectionString)) NpgsqlConnection.ClearPool(connection);
        // FORCE: a test that leaks a connection must not keep the next run's server full.
        await PostgresCluster.Execute(_server, $"DROP DATABASE IF EXISTS {_name} WITH (FORCE)");
    }
}
