using System.Diagnostics;
using IdP.Testing;
using IdP.Tests.Support;
using Xunit;

namespace IdP.Tests.Rfc6749;

public sealed class S3_2_TokenEndpoint(SqliteServer fixture) : IClassFixture<SqliteServer>
{
    private const string Token = "/connect/token";
    private readonly IdpServer _server = fixture.Server;

    public static TheoryData<string> Endpoints => ["/connect/token", "/connect/introspect", "/connect/revoke"];

    public static TheoryData<string, string> Parameters()
    {
        var all = new TheoryData<string, string>();
        foreach (var name in (string[])["grant_type", "scope", "client_id", "client_secret", "username", "password", "resource", "unknown"]) all.Add(Token, name);
        foreach (var path in (string[])["/connect/introspect", "/connect/revoke"])
            foreach (var name in (string[])["token", "token_type_hint", "client_id", "client_secret", "unknown"]) all.Add(path, name);
        return all;
    }

    [Theory, MemberData(nameof(Endpoints))]
    [Trait("Case", "TOK-01")]
    [Trait("Case", "INT-01")]
    public async Task Only_POST_is_taken(string path)
    {
        foreach (var method in (string[])["GET", "PUT", "DELETE", "PATCH", "TRACE", "FOO"])
        {
            var request = new HttpRequestMessage(new HttpMethod(method), $"{path}?grant_type=client_credentials&client_id=service&client_secret={IdpServer.Secret}&token=t");
            request.Headers.Authorization = IdpServer.Basic("service", IdpServer.Secret);
            var answer = await _server.Refused(request, 405, "invalid_request");
            Assert.Contains("POST", answer.Header("Allow").Split(", "));
            Assert.DoesNotContain(answer.Response.Content.Headers.Allow, allowed => allowed is "GET" or "HEAD" or "PUT");
        }
    }

    [Theory, MemberData(nameof(Parameters))]
    [Trait("Case", "TOK-03")]
    public async Task A_parameter_that_is_sent_twice_is_invalid_request(string path, string name)
    {
        Dictionary<string, string> good = path == Token
            ? new() { ["grant_type"] = "password", ["client_id"] = "app", ["client_secret"] = IdpServer.Secret, ["username"] = "alice", ["password"] = IdpServer.Password, ["scope"] = "items:read", ["resource"] = IdpServer.Api }
            : new() { ["token"] = "t", ["token_type_hint"] = "access_token", ["client_id"] = "app", ["client_secret"] = IdpServer.Secret };
        Assert.Equal(200, (await _server.Post(path, null, [.. good.Select(pair => (pair.Key, pair.Value))])).Status);
        var value = good.GetValueOrDefault(name, "x");

        // RFC 8707 §2 lets resource repeat; then it asks for two audiences, which one token does not have.
        var expected = name == "resource" ? "invalid_target" : "invalid_request";
        foreach (var (first, second) in ((string, string)[])[(value, value), (value, "other"), ("other", value)])
            await _server.Refused(400, expected, path, null, [.. good.Where(p => p.Key != name).Select(p => (p.Key, p.Value)), (name, first), (name, second)]);
        // RFC 6749 §3.2: a parameter without a value counts as not sent, and is still there twice.
        if (name == "resource") return;
        await _server.Refused(400, "invalid_request", path, null, [.. good.Where(p => p.Key != name).Select(p => (p.Key, p.Value)), (name, ""), (name, value)]);
        await _server.Refused(400, "invalid_request", path, null, [(name, value), .. good.Where(p => p.Key != name).Select(p => (p.Key, p.Value)), (name, "")]);
    }

    [Theory, MemberData(nameof(Endpoints))]
    [Trait("Case", "TOK-04")]
    public async Task Parameters_in_the_URL_are_refused_and_never_logged(string path)
    {
        foreach (var query in (string[])["?client_secret=canary-in-the-query", "?grant_type=client_credentials&canary-in-the-query", "?code=canary-in-the-query", "?token=canary-in-the-query", "?scope=canary-in-the-query"])
        {
            await _server.Refused(400, "invalid_request", path + query, "service", ("grant_type", "client_credentials"), ("token", "t"));
            await _server.Refused(400, "invalid_request", path + query, null);
        }

        // Nor by a method that is not taken, nor at an address where nothing is.
        await _server.Refused(new HttpRequestMessage(HttpMethod.Get, path + "?client_secret=canary-in-the-query"), 405, "invalid_request");
        await _server.Refused(new HttpRequestMessage(HttpMethod.Get, "/nowhere?client_secret=canary-in-the-query"), 404, "not_found");
        Assert.DoesNotContain(_server.Log.Lines, line => line.Contains("canary-in-the-query", StringComparison.Ordinal));
    }

    [Fact]
    [Trait("Case", "TOK-05")]
    public async Task A_parameter_without_a_value_counts_as_not_sent()
    {
        var withDefault = await _server.Post(Token, "service", ("grant_type", "client_credentials"), ("scope", ""), ("resource", ""));
        Assert.Equal("items:read", withDefault.Json["scope"]!.GetValue<string>());
        await _server.AddClient("no-default", "client_credentials password", "items:read");

        await _server.Refused(400, "invalid_scope", Token, "no-default", ("grant_type", "client_credentials"), ("scope", ""));
        await _server.Refused(400, "invalid_request", Token, "no-default", ("grant_type", ""));
        await _server.Refused(400, "invalid_request", Token, "no-default", ("grant_type", "password"), ("username", "alice"), ("password", ""), ("scope", "items:read"));
        await _server.Refused(400, "invalid_request", Token, "no-default", ("grant_type", "password"), ("username", ""), ("password", IdpServer.Password), ("scope", "items:read"));
        await _server.Refused(400, "invalid_request", "/connect/introspect", "service", ("token", ""));
        await _server.Refused(400, "invalid_request", "/connect/revoke", "service", ("token", ""));
        Assert.Equal(200, (await _server.Post(Token, "no-default", ("grant_type", "client_credentials"), ("scope", "items:read"), ("code_verifier", ""))).Status);
    }

    [Fact]
    public async Task Parameters_that_are_not_known_are_ignored()
    {
        var answer = await _server.Post(Token, "service", ("grant_type", "client_credentials"), ("scope", "items:read"), ("audience", "urn:other"), ("foo", "bar"), ("assertion", "x"));

        Assert.Equal(IdpServer.Api, answer.Claims["aud"]!.GetValue<string>());
    }

    [Theory, MemberData(nameof(Endpoints))]
    public async Task Only_a_form_is_taken(string path)
    {
        var credentials = IdpServer.Basic("service", IdpServer.Secret).ToString();
        foreach (var type in (string?[])["application/json", "text/plain", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded2", "application/x-www-form-urlencoded, text/plain", "", null])
            await _server.Refused(Invariants.Raw(path, credentials, "grant_type=client_credentials&token=t", type), 400, "invalid_request");
        foreach (var type in (string[])["application/x-www-form-urlencoded; charset=UTF-8", "APPLICATION/X-WWW-FORM-URLENCODED", "application/x-www-form-urlencoded ;charset=utf-8"])
            Assert.Equal(200, (await _server.Sent(Invariants.Raw(path, credentials, "grant_type=client_credentials&token=t", type))).Status);
    }

    public static TheoryData<string, string> BrokenForms => new()
    {
        { "a broken escape", "grant_type=client_credentials&scope=%zz" },
        { "an escape cut off", "grant_type=client_credentials&scope=%2" },
        { "bytes that are not UTF-8", "grant_type=client_credentials&scope=\u00c3(" },
        { "escaped bytes that are not UTF-8", "grant_type=client_credentials&scope=%C3%28" },
        { "an overlong NUL", "grant_type=client_credentials&scope=%C0%80" },
        { "an encoded surrogate", "grant_type=client_credentials&scope=%ED%A0%80" },
        { "a name that is repeated in another spelling", "grant_type=client_credentials&gr%61nt_type=password" },
        { "a name in which bytes are not UTF-8", "grant_type=client_credentials&%FF=1" },
    };

    [Theory, MemberData(nameof(BrokenForms))]
    public async Task A_broken_form_is_invalid_request(string what, string body)
    {
        Assert.NotNull(what);
        foreach (var path in (string[])["/connect/token", "/connect/introspect", "/connect/revoke"])
            await _server.Refused(Invariants.Raw(path, IdpServer.Basic("service", IdpServer.Secret).ToString(), body + "&token=t"), 400, "invalid_request");
    }

    public static TheoryData<string> HostileTexts => ["a\r\nSet-Cookie: x=1", "\"quoted\\\"", "<script>alert(1)</script>", "a\u2028b\u2029", "\u001b[31mred", "a\0b", "\ud83d\ude00 \u202e\u200b", "%00%0d%0a", "{\"error\":\"x\"}", "\ufeff", "../../etc/passwd", "'; DROP TABLE \"Grants\"; --"];

    [Theory, MemberData(nameof(HostileTexts))]
    [Trait("Case", "TOK-14")]
    public async Task No_text_in_any_parameter_breaks_out_of_the_answer(string text)
    {
        (string, string)[] credentials = [("client_id", "app"), ("client_secret", IdpServer.Secret)];
        await _server.Refused(400, "unsupported_grant_type", Token, null, [.. credentials, ("grant_type", text)]);
        await _server.Refused(400, "invalid_scope", Token, null, [.. credentials, ("grant_type", "password"), ("username", "alice"), ("password", IdpServer.Password), ("scope", text)]);
        await _server.Refused(400, "invalid_target", Token, null, [.. credentials, ("grant_type", "password"), ("username", "alice"), ("password", IdpServer.Password), ("resource", text)]);
        await _server.Refused(400, "invalid_grant", Token, null, [.. credentials, ("grant_type", "password"), ("username", text), ("password", IdpServer.Password), ("scope", "items:read")]);
        await _server.Refused(400, "invalid_grant", Token, null, [.. credentials, ("grant_type", "password"), ("username", "bob"), ("password", text), ("scope", "items:read")]);
        await _server.Refused(401, "invalid_client", Token, null, ("client_id", text), ("client_secret", IdpServer.Secret), ("grant_type", "client_credentials"));
        await _server.Refused(401, "invalid_client", Token, null, ("client_id", "app"), ("client_secret", text), ("grant_type", "client_credentials"));
        // A name of a parameter comes back in a description: as JSON that is never taken for anything else, which Refused checks.
        await _server.Refused(400, "invalid_request", Token, null, [.. credentials, (text, "1"), (text, "2")]);
        Assert.Equal("""{"active":false}""", (await _server.Sent(Invariants.Form("/connect/introspect", "api", ("token", text), ("token_type_hint", text)))).Body);
        Assert.Equal(200, (await _server.Sent(Invariants.Form("/connect/revoke", "app", ("token", text), ("token_type_hint", text)))).Status);
    }

    [Fact]
    [Trait("Case", "NET-04")]
    public async Task A_form_of_very_many_or_very_strange_names_is_refused_quickly()
    {
        var credentials = IdpServer.Basic("service", IdpServer.Secret).ToString();
        foreach (var body in (string[])
            [
                string.Join('&', Enumerable.Range(0, 9_000).Select(i => $"k{i}=")),
                new string('&', 60_000) + string.Concat(Enumerable.Repeat("a&b&", 100)),
                string.Join('&', Enumerable.Range(0, 65).Select(i => $"k{i}=v")),
                new string('k', 8192) + "=1&" + new string('k', 8192) + "=2",
            ])
        {
            var started = Stopwatch.GetTimestamp();
            await _server.Refused(Invariants.Raw(Token, credentials, body), 400, "invalid_request");
            // The bound of the case is 50 ms of processor time; the factor is for a machine that does something else meanwhile.
            Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(1));
        }

        // Brackets mean nothing here: one name like any other.
        var nested = "a" + string.Concat(Enumerable.Repeat("[b]", 1000));
        Assert.Equal(200, (await _server.Sent(Invariants.Raw(Token, credentials, $"grant_type=client_credentials&{nested}=1"))).Status);
    }

    [Theory, MemberData(nameof(Endpoints))]
    [Trait("Case", "INT-03")]
    public async Task A_body_that_is_too_large_is_413_whether_its_length_is_announced_or_not(string path)
    {
        var credentials = IdpServer.Basic("service", IdpServer.Secret).ToString();
        await _server.Refused(Invariants.Raw(path, credentials, "token=" + new string('x', 64 * 1024)), 413, "invalid_request");
        var chunked = Invariants.Raw(path, credentials, "grant_type=client_credentials&token=" + new string('x', 70_000));
        (chunked.Headers.TransferEncodingChunked, chunked.Content!.Headers.ContentLength) = (true, null);
        await _server.Refused(chunked, 413, "invalid_request");
        await _server.Refused(Invariants.Raw(path, credentials, "token=" + new string('x', 1_000_000)), 413, "invalid_request");
    }

    [Theory, MemberData(nameof(Endpoints))]
    [Trait("Case", "NET-07")]
    public async Task A_compressed_body_is_415(string path)
    {
        foreach (var encoding in (string[])["gzip", "br", "deflate", "identity, gzip"])
        {
            var request = Invariants.Raw(path, IdpServer.Basic("service", IdpServer.Secret).ToString(), "grant_type=client_credentials&token=t");
            request.Content!.Headers.TryAddWithoutValidation("Content-Encoding", encoding);
            await _server.Refused(request, 415, "invalid_request");
        }
    }
}
