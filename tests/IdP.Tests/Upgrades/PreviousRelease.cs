using System.Diagnostics;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using IdP.Testing;
using Xunit;

namespace IdP.Tests.Upgrades;

/// <summary>
/// A node of the previous release and one of this on one PostgreSQL database, as during an upgrade: the previous one made the database, this
/// one migrated it under its feet. The release is built from its tag; IDP_TEST_PREVIOUS names another commit.
/// </summary>
public sealed class PreviousRelease(PreviousRelease.Both nodes) : IClassFixture<PreviousRelease.Both>
{
    [NeedsPreviousRelease]
    public async Task What_one_issues_the_other_knows()
    {
        foreach (var (issuing, asked) in new[] { (nodes.Old, nodes.New), (nodes.New, nodes.Old) })
        {
            var token = await nodes.Token(issuing, "grant_type=client_credentials&scope=items:read");
            Assert.True((await nodes.Introspect(asked, token["access_token"]!.GetValue<string>()))["active"]!.GetValue<bool>());
        }
    }

    [NeedsPreviousRelease]
    public async Task A_grant_goes_back_and_forth_between_them()
    {
        var tokens = await nodes.Token(nodes.Old, $"grant_type=password&username=alice&password={Uri.EscapeDataString(Both.Password)}&scope=openid%20offline_access%20items:read");
        for (var i = 0; i < 4; i++)
        {
            var node = i % 2 == 0 ? nodes.New : nodes.Old;
            var next = await nodes.Token(node, $"grant_type=refresh_token&refresh_token={tokens["refresh_token"]}");
            Assert.NotEqual(tokens["refresh_token"]!.GetValue<string>(), next["refresh_token"]!.GetValue<string>());
            tokens = next;
        }
        await nodes.Post(nodes.Old, "/connect/revoke", $"token={tokens["refresh_token"]}");
        Assert.False((await nodes.Introspect(nodes.New, tokens["access_token"]!.GetValue<string>()))["active"]!.GetValue<bool>());
    }

    [NeedsPreviousRelease]
    public async Task What_is_made_with_the_new_program_serves_at_the_old_one()
    {
        await nodes.Command(ChildProcess.Provider, "client", "add", "made-later", "--secret", Both.Secret, "--grant", "client_credentials", "--scope", "items:read");
        var since = Stopwatch.StartNew();
        HttpResponseMessage answer;
        // Nodes hear of it at their next poll.
        while (!(answer = await nodes.Ask(nodes.Old, "/connect/token", "grant_type=client_credentials&scope=items:read", "made-later")).IsSuccessStatusCode && since.Elapsed < TimeSpan.FromSeconds(30))
            await Task.Delay(100);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    public sealed class Both : IAsyncLifetime
    {
        internal const string Secret = "the-secret-of-a-test-client", Password = "a long Password 4 nobody";
        private readonly string _folder = Directory.CreateTempSubdirectory("idp-previous-").FullName;
        private readonly HttpClient _http = new();
        private readonly List<ChildProcess> _servers = [];
        private readonly Dictionary<string, string> _settings = [];
        private PostgresDatabase? _database;

        public string Old { get; private set; } = "";
        public string New { get; private set; } = "";

        public async Task InitializeAsync()
        {
            if (NeedsPreviousReleaseAttribute.Commit is not { } commit) return;
            _database = await PostgresCluster.CreateDatabase();
            string[] previous = ["dotnet", Path.Combine(await Build(commit), "IdP.dll")];
            (Old, New) = ($"http://127.0.0.1:{ChildProcess.FreePort()}", $"http://127.0.0.1:{ChildProcess.FreePort()}");
            _settings["IDP__Storage__Provider"] = "postgres";
            _settings["IDP__Storage__ConnectionString"] = _database.ConnectionString;
            _settings["IDP__Storage__DataDirectory"] = _folder;
            _settings["IDP__Keys__MasterKey"] = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));
            _settings["IDP__Issuer"] = Old;

            await Command(previous, "migrate");
            await Command(previous, "resource", "add", "urn:test:items");
            await Command(previous, "scope", "add", "items:read", "--resource", "urn:test:items");
            await Command(previous, "client", "add", "app", "--secret", Secret, "--grant", "client_credentials", "--grant", "password", "--grant", "refresh_token",
                "--scope", "openid offline_access items:read", "--rotate-refresh-tokens", "true");
            await Command(previous, "client", "add", "api", "--secret", Secret, "--resource", "urn:test:items");
            await Command(previous, "user", "add", "alice", "--password", Password);
            await Serve(previous, Old);
            await Command(ChildProcess.Provider, "migrate");
            await Serve(ChildProcess.Provider, New);
        }

        public async Task DisposeAsync()
        {
            foreach (var server in _servers) await server.DisposeAsync();
            if (_database is not null) await _database.DisposeAsync();
            _http.Dispose();
            if (Directory.Exists(Path.Combine(_folder, "source"))) await ChildProcess.Run(["git", "worktree", "remove", "--force", Path.Combine(_folder, "source")], ChildProcess.Repository);
            Directory.Delete(_folder, recursive: true);
        }

        internal Task<string> Command(string[] program, params string[] arguments) => ChildProcess.Run([.. program, .. arguments], environment: _settings);

        internal async Task<JsonNode> Token(string node, string form) => JsonNode.Parse(await Post(node, "/connect/token", form))!;

        internal async Task<JsonNode> Introspect(string node, string token) => JsonNode.Parse(await Post(node, "/connect/introspect", $"token={token}", "api"))!;

        internal async Task<string> Post(string node, string path, string form, string client = "app")
        {
            var answer = await Ask(node, path, form, client);
            var body = await answer.Content.ReadAsStringAsync();
            Assert.True(answer.IsSuccessStatusCode, $"{path} at {(node == Old ? "the previous release" : "this release")}: {body}");
            return body;
        }

        internal Task<HttpResponseMessage> Ask(string node, string path, string form, string client)
        {
            var request = new HttpRequestMessage(HttpMethod.Post, node + path) { Content = new StringContent(form, Encoding.ASCII, "application/x-www-form-urlencoded") };
            request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.ASCII.GetBytes($"{client}:{Secret}")));
            return _http.SendAsync(request);
        }

        private async Task Serve(string[] program, string url) =>
            _servers.Add(await ChildProcess.Serve(new Uri(url + "/health/ready"), [.. program, "serve", "--urls", url], environment: _settings));

        private async Task<string> Build(string commit)
        {
            var (source, output) = (Path.Combine(_folder, "source"), Path.Combine(_folder, "program"));
            await ChildProcess.Run(["git", "worktree", "add", "--detach", source, commit], ChildProcess.Repository);
            // Minutes on a busy machine: longer than other programs of tests may take.
            using var build = Process.Start(new ProcessStartInfo("dotnet", ["build", "src/IdP", "-c", "Release", "-v", "q", "-o", output]) { WorkingDirectory = source, UseShellExecute = false, RedirectStandardOutput = true })!;
            var said = await build.StandardOutput.ReadToEndAsync();
            await build.WaitForExitAsync();
            Assert.True(build.ExitCode == 0, $"{commit} does not build:\n{said}");
            return output;
        }
    }
}

/// <summary>A test that needs a release before this one.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class NeedsPreviousReleaseAttribute : FactAttribute
{
    public NeedsPreviousReleaseAttribute()
    {
        if (Commit is null) Skip = "There is no release before this one yet: no tag v* (IDP_TEST_PREVIOUS can name a commit).";
    }

    /// <summary>What IDP_TEST_PREVIOUS names, or the newest tag v* of an earlier commit.</summary>
    internal static string? Commit { get; } = Environment.GetEnvironmentVariable("IDP_TEST_PREVIOUS") is { Length: > 0 } given ? given : NewestTag();

    private static string? NewestTag()
    {
        using var git = Process.Start(new ProcessStartInfo("git", ["describe", "--tags", "--abbrev=0", "--match", "v*", "HEAD~1"])
        {
            WorkingDirectory = ChildProcess.Repository, UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true,
        })!;
        var tag = git.StandardOutput.ReadToEnd().Trim();
        git.WaitForExit();
        return git.ExitCode == 0 && tag.Length > 0 ? tag : null;
    }
}
