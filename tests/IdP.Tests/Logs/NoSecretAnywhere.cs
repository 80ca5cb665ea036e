using System.Text;
using IdP.Testing;
using IdP.Tests.Support;
using Npgsql;
using Xunit;

namespace IdP.Tests.Logs;

/// <summary>
/// Every kind of request with secrets that can be recognized, right and wrong and in the wrong places: afterwards none of them is in any
/// log record of any level, in any column of any table, or in any answer but the one that issued it.
/// </summary>
public abstract class NoSecretAnywhere(ServerFixture fixture)
{
    private const string Password = "canary-Password-1";
    private const string WrongPassword = "canary-Password-2";
    private const string Secret = "canary-secret-of-a-client-1";
    private const string WrongSecret = "canary-secret-of-a-client-2";
    private readonly IdpServer _server = fixture.Server;
    private readonly List<string> _answers = [];
    private readonly List<string> _tokens = [];

    [Fact]
    [Trait("Case", "LOG-02")]
    [Trait("Case", "TOK-04")]
    public async Task Of_a_run_with_every_kind_of_request()
    {
        await _server.AddUser("canary", Password);
        await _server.AddResource("urn:canary:opaque", ["canary:opaque"], r => r.TokenFormat = Resources.TokenFormat.Opaque);
        await _server.AddClient("canary-app", "password client_credentials refresh_token", "openid offline_access items:read canary:opaque idp:api_keys", secret: Secret);

        foreach (var broken in (string?[])[null, "Users", "Clients", "RevokedTokens", "Grants"])
        {
            if (broken is not null) await _server.Sql($"""ALTER TABLE "{broken}" RENAME TO "{broken}Away" """);
            await Requests();
            if (broken is not null) await _server.Sql($"""ALTER TABLE "{broken}Away" RENAME TO "{broken}" """);
        }
        await Requests();
        await ApiKeys();
        await Malformed();
        await Task.Delay(100);

        Assert.True(_tokens.Count >= 8);
        List<string> secrets = [Password, WrongPassword, Secret, WrongSecret, Encoded(Secret), Encoded(WrongSecret), .. _tokens, .. _tokens.Where(t => t.Contains('.')).Select(t => t[(t.LastIndexOf('.') + 1)..]), .. Keys()];
        AssertNone("the log", _server.Log.Lines, secrets);
        AssertNone("the database", await _server.Text(), secrets);
        AssertNone("the answers", _answers, secrets);
    }

    private async Task Requests()
    {
        foreach (var secret in (string[])[Secret, WrongSecret])
            foreach (var inBody in (bool[])[false, true])
            {
                (string, string)[] client = inBody ? [("client_id", "canary-app"), ("client_secret", secret)] : [];
                Task<Answer> Send(string path, params (string, string)[] form) => Post(Invariants.Form(path, inBody ? null : "canary-app", secret, [.. client, .. form]));
                List<string> tokens =
                [
                    .. await Issued(Send("/connect/token", ("grant_type", "client_credentials"), ("scope", "items:read"))),
                    .. await Issued(Send("/connect/token", ("grant_type", "client_credentials"), ("scope", "canary:opaque"))),
                    .. await Issued(Send("/connect/token", ("grant_type", "password"), ("username", "canary"), ("password", Password), ("scope", "openid offline_access items:read"))),
                ];
                await Send("/connect/token", ("grant_type", "password"), ("username", "canary"), ("password", WrongPassword), ("scope", "items:read"));
                await Send("/connect/token", ("grant_type", "password"), ("username", Password), ("password", Password), ("scope", "items:read"));
                await Send("/connect/token", ("grant_type", "password"), ("username", "canary"), ("password", Password), ("password", Password));
                await Send("/connect/token", ("grant_type", "nonsense"), ("password", Password));
                await Send("/connect/token?password=" + Password, ("grant_type", "password"));
                foreach (var token in tokens.Concat(_tokens.Take(2)).ToList())
                {
                    foreach (var path in (string[])["/connect/introspect", "/connect/revoke"])
                    {
                        await Send(path, ("token", token));
                        await Send(path, ("token", token), ("token_type_hint", "refresh_token"));
                        await Send(path, ("token", token), ("token", token));
                        await Send($"{path}?token={token}", ("token", token));
                        await Send(path, ("token", token + "x"));
                    }
                    await Send("/connect/token", ("grant_type", "refresh_token"), ("refresh_token", token));
                    var bearer = new HttpRequestMessage(HttpMethod.Get, "/connect/userinfo");
                    bearer.Headers.TryAddWithoutValidation("Authorization", "Bearer " + token);
                    await Post(bearer);
                    await Post(new HttpRequestMessage(HttpMethod.Get, "/connect/userinfo?access_token=" + token));
                    await Post(Invariants.Raw("/connect/token", "Bearer " + token, "grant_type=client_credentials"));
                }
            }
        await Post(new HttpRequestMessage(HttpMethod.Get, $"/connect/token?client_secret={Secret}&password={Password}"));
        await Post(new HttpRequestMessage(HttpMethod.Get, $"/nowhere?client_secret={Secret}&password={Password}"));
        await Post(new HttpRequestMessage(HttpMethod.Get, "/health/ready?password=" + Password));
    }

    /// <summary>Keys that are made, rotated, checked and sent to where they do not belong.</summary>
    private async Task ApiKeys()
    {
        // The other account is locked by its wrong passwords.
        await _server.AddUser("canary-owner", Password);
        var token = (await Issued(Post(Invariants.Form("/connect/token", "canary-app", Secret, ("grant_type", "password"), ("username", "canary-owner"), ("password", Password), ("scope", "idp:api_keys")))))[0];
        Task<Answer> Call(HttpMethod method, string path, string bearer, string? body = null)
        {
            var request = new HttpRequestMessage(method, path) { Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json") };
            request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + bearer);
            return Post(request);
        }
        async Task<string> Made(Task<Answer> answer)
        {
            var given = await answer;
            _answers.Remove(given.Body);
            _tokens.Add(given.Json["key"]!.GetValue<string>());
            return _tokens[^1];
        }
        var key = await Made(Call(HttpMethod.Post, "/api-keys", token, """{"name":"canary","resource":"urn:test:api","scopes":["items:read"]}"""));
        await Made(Call(HttpMethod.Post, $"/api-keys/{key[4..16]}/rotate", token, """{"overlap_seconds":60}"""));
        foreach (var secret in _tokens.Where(t => t.StartsWith("idp_", StringComparison.Ordinal)).SelectMany(t => (string[])[t, t[17..]]).ToList())
        {
            _tokens.Add(secret);
            foreach (var path in (string[])["/connect/introspect", "/connect/revoke"])
                foreach (var text in (string[])[secret, secret + "x"]) await Post(Invariants.Form(path, "api", IdpServer.Secret, ("token", text)));
            await Call(HttpMethod.Get, "/api-keys?key=" + secret, secret);
            await Call(HttpMethod.Get, "/api-keys", token);
            await Call(HttpMethod.Get, "/api-keys/" + secret[..8], token);
            await Call(HttpMethod.Post, "/api-keys", token, $$"""{"name":"{{secret}}\u0007"}""");
            await Call(HttpMethod.Get, "/connect/userinfo", secret);
        }
        await Call(HttpMethod.Delete, $"/api-keys/{key[4..16]}", token);
    }

    private async Task Malformed()
    {
        var header = $"Authorization: Basic {Encoded(Secret)}";
        var host = $"Host: {new Uri(_server.Url).Authority}";
        foreach (var request in (string[])
            [
                $"GET /connect/token?client_secret={Secret} HTTP/1.1\r\nHost: evil.example\r\n{header}\r\nConnection: close\r\n\r\n",
                $"GET /connect/token?client_secret={Secret}\0 HTTP/1.1\r\n{host}\r\n\r\n",
                $"GET /connect/token?client_secret={Secret} HTTP/7.7\r\n{host}\r\n\r\n",
                $"POST /connect/token HTTP/1.1\r\n{host}\r\n{header}\0\r\n\r\n",
                $"POST /connect/token HTTP/1.1\r\n{host}\r\nAuthorization : Basic {Encoded(Secret)}\r\n\r\n",
                $"POST /connect/token HTTP/1.1\r\n{host}\r\nBad {header}\r\n\r\n",
                $"POST /connect/token HTTP/1.1\r\n{host}\r\n{header}\r\nContent-Length: {Secret}\r\n\r\n",
                $"POST /connect/token HTTP/1.1\r\n{host}\r\n{header}\r\nContent-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n{Secret}\r\n\r\n",
                $"POST /connect/token HTTP/1.1\r\n{host}\r\n{header}\r\nConnection: close\r\nContent-Type: {Secret}\r\nContent-Length: 0\r\n\r\n",
                $"POST /connect/token HTTP/1.1\r\n{host}\r\nCookie: session={Secret}\r\nX-Api-Key: {Secret}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
            ])
            _answers.Add(await RawHttp.Send(_server.Url, request));
    }

    /// <summary>The tokens of an answer, which is the only one that may hold them.</summary>
    private async Task<List<string>> Issued(Task<Answer> answer)
    {
        var given = await answer;
        var tokens = given.Status == 200 ? ((string[])["access_token", "refresh_token"]).Select(name => given.Json[name]?.GetValue<string>()).OfType<string>().ToList() : [];
        if (tokens.Count > 0) _answers.Remove(given.Body);
        _tokens.AddRange(tokens);
        return tokens;
    }

    private async Task<Answer> Post(HttpRequestMessage request)
    {
        var answer = await _server.Send(request);
        // A refresh is an answer that issues as well.
        if (answer.Status == 200 && answer.Body.Contains("\"access_token\"", StringComparison.Ordinal) && request.RequestUri!.OriginalString.StartsWith("/connect/token", StringComparison.Ordinal))
        {
            _tokens.AddRange(((string[])["access_token", "refresh_token"]).Select(name => answer.Json[name]?.GetValue<string>()).OfType<string>());
            _answers.Add(string.Join('\n', answer.Response.Headers.Select(h => $"{h.Key}: {string.Join(", ", h.Value)}")));
            return answer;
        }
        _answers.AddRange([answer.Body, string.Join('\n', answer.Response.Headers.Concat(answer.Response.Content.Headers).Select(h => $"{h.Key}: {string.Join(", ", h.Value)}"))]);
        return answer;
    }

    private IEnumerable<string> Keys()
    {
        var options = (IdpOptions)_server.App.Services.GetService(typeof(IdpOptions))!;
        if (options.Keys.MasterKey is { } inline) yield return inline;
        else yield return File.ReadAllText(Path.Combine(options.Storage.DataDirectory, "master.key")).Trim();
        if (options.Storage.ConnectionString is { } connection) yield return new NpgsqlConnectionStringBuilder(connection).Password!;
        yield return Convert.ToBase64String(_server.Keys.Signer("ES256").ExportPkcs8())[60..];
        yield return Convert.ToBase64String(_server.Keys.Symmetric(IdP.Keys.KeyPurpose.Hash).Secret);
    }

    private static string Encoded(string secret) => Convert.ToBase64String(Encoding.UTF8.GetBytes("canary-app:" + secret));

    private static void AssertNone(string where, IEnumerable<string> texts, List<string> secrets)
    {
        foreach (var text in texts)
            foreach (var secret in secrets)
                Assert.False(text.Contains(secret, StringComparison.Ordinal), $"{where} has {secret[..Math.Min(20, secret.Length)]}...: {text[..Math.Min(300, text.Length)]}");
    }
}

public sealed class NoSecretAnywhereOnSqlite(SqliteServer fixture) : NoSecretAnywhere(fixture), IClassFixture<SqliteServer>;

public sealed class NoSecretAnywhereOnPostgres(PostgresServer fixture) : NoSecretAnywhere(fixture), IClassFixture<PostgresServer>;
