using System.Security.Cryptography;
using System.Text.RegularExpressions;
using IdP.Testing;
using Npgsql;
using Xunit;

namespace IdP.Tests.Clusters;

/// <summary>Three processes of the built program with the demo's data on one PostgreSQL, behind Debian's nginx, which gives each request to the next of them.</summary>
public sealed class ThreeNodes : IAsyncLifetime
{
    // nginx looks again after a node that did not answer when this has passed.
    private static readonly TimeSpan FailTimeout = TimeSpan.FromSeconds(1);
    private readonly string _folder = Directory.CreateTempSubdirectory("idp-nodes-").FullName;
    private readonly string[] _roles = [.. Enumerable.Range(0, 3).Select(node => $"node_{node}_{Guid.NewGuid():n}")];
    private readonly string[] _urls = [.. Enumerable.Range(0, 3).Select(_ => $"http://127.0.0.1:{ChildProcess.FreePort()}")];
    private readonly ChildProcess?[] _nodes = new ChildProcess?[3];
    private PostgresDatabase _database = null!;
    private Dictionary<string, string> _settings = null!;
    private ChildProcess? _nginx;

    /// <summary>nginx, and the issuer of all nodes.</summary>
    public string Url { get; } = $"http://127.0.0.1:{ChildProcess.FreePort()}";

    public IReadOnlyList<string> Nodes => _urls;

    public async Task InitializeAsync()
    {
        if (!File.Exists("/usr/sbin/nginx")) throw new InvalidOperationException("These tests need packages from Debian: run `make setup`.");
        _database = await PostgresCluster.CreateDatabase();
        _settings = new Dictionary<string, string>
        {
            ["IDP__Issuer"] = Url,
            ["IDP__Storage__Provider"] = "postgres",
            ["IDP__Storage__ConnectionString"] = new NpgsqlConnectionStringBuilder(_database.ConnectionString) { MaxPoolSize = 20 }.ConnectionString,
            ["IDP__Storage__DataDirectory"] = _folder,
            ["IDP__Keys__MasterKey"] = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)),
            ["IDP__Passwords__Iterations"] = "1000",
            ["IDP__Tokens__RefreshOverlapSeconds"] = "60",
        };
        await Command("migrate");
        foreach (var role in _roles) await Sql($"CREATE ROLE {role} SUPERUSER LOGIN PASSWORD '{new NpgsqlConnectionStringBuilder(_database.ConnectionString).Password}'");
        for (var i = 0; i < 3; i++) await Start(i);
        await File.WriteAllTextAsync(Path.Combine(_folder, "nginx.conf"), Configuration());
        // Root's nginx serves as another user.
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(_folder, (UnixFileMode)0b111_101_101);
        _nginx = await ChildProcess.Serve(new Uri(Url + "/health/ready"), ["/usr/sbin/nginx", "-p", _folder + "/", "-c", "nginx.conf", "-e", "stderr", "-g", "daemon off;"]);
    }

    public async Task Start(int node) =>
        _nodes[node] = await ChildProcess.Serve(new Uri(_urls[node] + "/health/ready"), [.. ChildProcess.Provider, "serve", "--demo", "--urls", _urls[node]],
            environment: new Dictionary<string, string>(_settings)
            {
                ["IDP__Storage__ConnectionString"] = new NpgsqlConnectionStringBuilder(_database.ConnectionString) { MaxPoolSize = 20, Username = _roles[node] }.ConnectionString,
            });

    /// <summary>Has the database refuse one node, and close what that has open.</summary>
    public Task CutOff(int node) => Sql($"ALTER ROLE {_roles[node]} NOLOGIN; SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{_roles[node]}'");

    public Task LetIn(int node) => Sql($"ALTER ROLE {_roles[node]} LOGIN");

    public async Task Kill(int node)
    {
        await _nodes[node]!.Kill();
        await _nodes[node]!.DisposeAsync();
        _nodes[node] = null;
    }

    /// <summary>Stops a node as an operator would and starts it again; it is the next one's turn when nginx has found it.</summary>
    public async Task Restart(int node)
    {
        Assert.Equal(0, await _nodes[node]!.End());
        await _nodes[node]!.DisposeAsync();
        await Start(node);
        await Task.Delay(FailTimeout + TimeSpan.FromMilliseconds(200));
    }

    /// <summary>A command on the nodes' database, as an operator runs it on any machine.</summary>
    public Task<string> Command(params string[] arguments) => ChildProcess.Run([.. ChildProcess.Provider, .. arguments], environment: _settings);

    public Task Sql(string sql) => PostgresCluster.Execute(_database.ConnectionString, sql);

    /// <summary>Clients that keep a ledger (tests/faults/load.py): goes on until it is ended.</summary>
    public async Task<Load> StartLoad(params (string Name, string Value)[] settings)
    {
        var load = new Load(Path.Combine(_folder, $"ledger-{CodeFlow.Random()}.json"), Url, settings);
        await load.Run("prepare");
        load.Begin();
        return load;
    }

    public async Task DisposeAsync()
    {
        if (_nginx is not null) await _nginx.DisposeAsync();
        foreach (var node in _nodes)
            if (node is not null) await node.DisposeAsync();
        foreach (var role in _roles) await Sql($"DROP ROLE IF EXISTS {role}");
        await _database.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    // The one that operators are given, with other addresses, without TLS, and open about health and about where a request went.
    private string Configuration()
    {
        var shipped = File.ReadAllText(Path.Combine(ChildProcess.Repository, "deploy", "nginx", "idp-nodes.conf"));
        Replace(@"^    server 127\.0\.0\.1:8081 max_fails=1 fail_timeout=5s;\n.*$", Servers($"max_fails=1 fail_timeout={FailTimeout.TotalSeconds:0}s"));
        Replace(@"^    server 127\.0\.0\.1:8081 max_fails=0;\n.*$", Servers("max_fails=0"));
        // Port 80 only leads to TLS.
        Replace(@"^server \{\n    listen 80;\n(.*\n)+?\}\n", "");
        Replace(@"^    listen 443 ssl http2;\n.*\n    server_name .*$", $"    listen {new Uri(Url).Authority};\n    add_header X-Node $upstream_addr always;");
        Replace(@"^    ssl_(.*\n)+?\n", "");
        Replace("^    access_log .*$", "    access_log off;");
        Replace("Forwarded-Proto https", "Forwarded-Proto http");
        Replace(@"^    location /health/ \{\n.*\n    \}$", "");
        return $$"""
            pid nginx.pid;
            events {}
            http {
                client_body_temp_path body;
                proxy_temp_path proxy;
                fastcgi_temp_path fastcgi;
                uwsgi_temp_path uwsgi;
                scgi_temp_path scgi;
            {{shipped}}
            }
            """;

        string Servers(string settings) => string.Join('\n', _urls.Select(url => $"    server {new Uri(url).Authority} {settings};"));

        void Replace(string pattern, string by)
        {
            var replaced = Regex.Replace(shipped, pattern, by.Replace("$", "$$", StringComparison.Ordinal), RegexOptions.Multiline | RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1));
            if (replaced == shipped) throw new InvalidOperationException($"deploy/nginx/idp-nodes.conf has nothing like {pattern} any more.");
            shipped = replaced;
        }
    }
}

/// <summary>A run of tests/faults/load.py.</summary>
public sealed class Load(string ledger, string url, (string Name, string Value)[] settings)
{
    private static readonly string Program = Path.Combine(ChildProcess.Repository, "tests", "faults", "load.py");
    private readonly Dictionary<string, string> _settings = new(settings.Select(pair => KeyValuePair.Create(pair.Name, pair.Value))) { ["GATEWAY"] = "1", ["FAMILIES"] = "3", ["CODERS"] = "1" };
    private ChildProcess? _running;

    public void Begin() => _running = ChildProcess.Begin(Command("run"), environment: _settings);

    /// <summary>Ends it; what it did. It met nothing but what a fault may cause.</summary>
    public async Task<string> End()
    {
        await using var running = _running!;
        var code = await running.End();
        Assert.True(code == 0, running.Output);
        return running.Output;
    }

    /// <summary>One of its other steps, which must find nothing wrong; what it says.</summary>
    public async Task<string> Run(string step)
    {
        var ended = await ChildProcess.RunToEnd(Command(step), environment: _settings);
        Assert.True(ended.ExitCode == 0, ended.Output + ended.Error);
        return ended.Output;
    }

    private string[] Command(string step) => ["python3", Program, step, ledger, url];
}
