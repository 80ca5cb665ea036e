using System.Diagnostics.CodeAnalysis;
using IdP.Testing;
using Xunit;

namespace IdP.Tests.Interop;

/// <summary>The provider as its own process behind TLS, with a client for each program of tests/interop, all made by its own commands.</summary>
public sealed class InteropProvider : IAsyncLifetime
{
    public const string Api = "urn:interop:api";
    public const string OtherApi = "urn:interop:other";
    public const string User = "carol";
    public const string Password = "carol-Interop-4242";

    /// <summary>Every character of it is one that some encoding changes.</summary>
    public const string Secret = "s3cret: of/the+app%20&=é";
    private const string Scopes = "openid profile email offline_access items:read";
    private readonly string _data = Directory.CreateTempSubdirectory("idp-interop-").FullName;
    private ChildProcess? _provider;

    public string Issuer { get; } = $"https://localhost:{ChildProcess.FreePort()}";

    /// <summary>Where the programs in JavaScript are called back; nothing listens there but the app in the browser.</summary>
    public string App { get; } = $"http://localhost:{ChildProcess.FreePort()}";

    public async Task InitializeAsync()
    {
        _provider = await ChildProcess.Serve(new Uri(Issuer + "/health/ready"),
            [.. ChildProcess.Provider, "serve", "--data", _data, "--urls", Issuer, "--tls-cert", TestTls.CertificateFile, "--tls-key", TestTls.KeyFile]);
        await Command("resource", "add", Api);
        await Command("resource", "add", OtherApi);
        foreach (var (scope, resource) in ((string, string)[])[("items:read", Api), ("items:write", Api), ("other:read", OtherApi)])
            await Command("scope", "add", scope, "--resource", resource);
        await AddApp("web", "--secret", Secret, "--redirect-uri", App + "/callback", "--post-logout-redirect-uri", App + "/");
        await AddApp("strict", "--secret", Secret, "--redirect-uri", App + "/callback", "--require-pushed-requests", "--rotate-refresh-tokens", "true",
            "--id-token-alg", "ES256", "--userinfo-alg", "PS256");
        await AddApp("spa", "--public", "--redirect-uri", App + "/", "--post-logout-redirect-uri", App + "/", "--origin", App, "--access-token-lifetime", "62");
        await Command("user", "add", User, "--password", Password, "--email", "carol@example.com", "--email-confirmed", "--name", "Carol Interop");
    }

    public async Task DisposeAsync()
    {
        if (_provider is not null) await _provider.DisposeAsync();
        Directory.Delete(_data, recursive: true);
    }

    public Task AddApp(string id, params string[] options) =>
        Command(["client", "add", id, "--grant", "authorization_code", "--grant", "refresh_token", "--scope", Scopes, .. options]);

    public Task Command(params string[] arguments) => ChildProcess.Run([.. ChildProcess.Provider, .. arguments, "--data", _data]);

    /// <summary>Runs one scenario of a script in tests/interop/javascript; it throws what the script says when that fails.</summary>
    internal async Task Script(string script, string scenario, string clientId, string redirectPath, string? secret = Secret)
    {
        var folder = Path.Combine(ChildProcess.Repository, "tests", "interop", "javascript");
        if (!Directory.Exists(Path.Combine(folder, "node_modules")))
            throw new InvalidOperationException("These tests need packages from npm: run `make setup`.");

        var settings = new Dictionary<string, string>
        {
            ["IDP_ISSUER"] = Issuer, ["IDP_USERNAME"] = User, ["IDP_PASSWORD"] = Password, ["API_AUDIENCE"] = Api, ["CLIENT_ID"] = clientId,
            ["REDIRECT_URI"] = App + redirectPath, ["POST_LOGOUT_REDIRECT_URI"] = App + "/", ["NODE_EXTRA_CA_CERTS"] = TestTls.CertificateFile,
        };
        if (secret is not null) settings["CLIENT_SECRET"] = secret;
        Assert.EndsWith($"{scenario}: done\n", await ChildProcess.Run(["node", script, scenario], folder, settings), StringComparison.Ordinal);
    }
}

[CollectionDefinition(Name)]
[SuppressMessage("Naming", "CA1711:Identifiers should not have incorrect suffix", Justification = "xunit's word for it")]
public sealed class InteropCollection : ICollectionFixture<InteropProvider>
{
    public const string Name = "Clients that we did not write";
}
