using IdP.Testing;
using IdP.Tests.Support;
using Xunit;

namespace IdP.Tests.Http;

public sealed class Hosts(SqliteServer fixture) : IClassFixture<SqliteServer>
{
    private readonly IdpServer _server = fixture.Server;

    private int Port => new Uri(_server.Url).Port;

    [Theory]
    [Trait("Case", "NET-06")]
    [Trait("Case", "DIS-01")]
    [InlineData("evil.example")]
    [InlineData("evil.example:PORT")]
    [InlineData("localhost.evil.example")]
    [InlineData("evil-localhost")]
    [InlineData("")]
    [InlineData("user@localhost")]
    [InlineData("localhost:PORT@evil.example")]
    [InlineData("localhost:port")]
    [InlineData("localhost/evil")]
    [InlineData("localhost\\evil")]
    [InlineData("localhost evil.example")]
    [InlineData("localhost,evil.example")]
    [InlineData("local%68ost")]
    [InlineData("localhost.")]
    [InlineData("2130706433")]
    [InlineData("127.1")]
    [InlineData("[::ffff:127.0.0.1]")]
    [InlineData("0.0.0.0")]
    public async Task A_Host_that_is_not_ours_is_400(string host)
    {
        foreach (var (method, path) in ((string, string)[])[("GET", "/.well-known/openid-configuration"), ("POST", "/connect/token"), ("GET", "/nowhere")])
        {
            var answer = await RawHttp.Send(_server.Url, $"{method} {path} HTTP/1.1\r\nHost: {host.Replace("PORT", Port.ToString(), StringComparison.Ordinal)}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");

            Assert.Equal(400, RawHttp.Status(answer));
            Assert.DoesNotContain("evil", answer, StringComparison.Ordinal);
        }
    }

    [Fact]
    [Trait("Case", "NET-06")]
    public async Task Two_Hosts_none_or_one_that_is_not_the_targets_are_400()
    {
        var host = $"localhost:{Port}";
        foreach (var request in (string[])
            [
                $"GET /.well-known/openid-configuration HTTP/1.1\r\nHost: {host}\r\nHost: {host}\r\nConnection: close\r\n\r\n",
                $"GET /.well-known/openid-configuration HTTP/1.1\r\nHost: {host}\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
                "GET /.well-known/openid-configuration HTTP/1.1\r\nConnection: close\r\n\r\n",
                $"GET http://evil.example/.well-known/openid-configuration HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n",
                $"GET http://{host}/.well-known/openid-configuration HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
                $"GET http://evil.example/.well-known/openid-configuration HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
            ])
        {
            var answer = await RawHttp.Send(_server.Url, request);
            Assert.Equal(400, RawHttp.Status(answer));
            Assert.DoesNotContain("evil.example/connect", answer, StringComparison.Ordinal);
        }
        Assert.Equal(200, RawHttp.Status(await RawHttp.Send(_server.Url, $"GET http://{host}/.well-known/openid-configuration HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")));
    }

    [Theory, InlineData("localhost"), InlineData("LOCALHOST"), InlineData("127.0.0.1"), InlineData("[::1]")]
    public async Task Our_own_names_are_answered_and_change_nothing(string host)
    {
        var plain = await _server.Http.GetStringAsync(new Uri("/.well-known/openid-configuration", UriKind.Relative));
        var answer = await RawHttp.Send(_server.Url, $"GET /.well-known/openid-configuration HTTP/1.1\r\nHost: {host}:{Port}\r\nConnection: close\r\n\r\n");

        Assert.EndsWith(plain, answer, StringComparison.Ordinal);
    }

    [Theory]
    [Trait("Case", "NET-01")]
    [InlineData("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\nG")]
    [InlineData("Transfer-Encoding: chunked\r\nContent-Length: 30\r\n", "0\r\n\r\n")]
    [InlineData("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n")]
    [InlineData("Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n")]
    [InlineData("Transfer-Encoding: chunked\r\n", "1;a\nb\r\nx\r\n0\r\n\r\n")]
    [InlineData("Transfer-Encoding: chunked\r\n", "FFFFFFFFFFFFFFFFF\r\nx\r\n0\r\n\r\n")]
    [InlineData("Content-Length: 5\r\nContent-Length: 6\r\n", "a=b&c=d")]
    [InlineData("Content-Length: -1\r\n", "")]
    public async Task Of_two_readings_of_where_a_request_ends_neither_smuggles_a_second_one(string headers, string body)
    {
        var lines = _server.Log.Lines.Count;
        var host = new Uri(_server.Url).Authority;
        var answer = await RawHttp.Send(_server.Url,
            $"POST /connect/token HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/x-www-form-urlencoded\r\n{headers}\r\n{body}GET /smuggled HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");

        Assert.True(answer.Length == 0 || RawHttp.Status(answer) is >= 400 and < 500, answer);
        // A whole second request after the first is pipelining; what must not be is an answer to what the first one's length covers.
        var isAmbiguous = headers.Contains("Content-Length", StringComparison.Ordinal) || !headers.Contains(": chunked\r\n", StringComparison.Ordinal) || body.StartsWith('1') || body.StartsWith('F');
        if (isAmbiguous) Assert.DoesNotContain(_server.Log.Lines.Skip(lines), line => line.Contains("/smuggled", StringComparison.Ordinal) && line.Contains("RequestBoundary", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Broken_requests_are_4xx_and_the_server_goes_on()
    {
        var host = new Uri(_server.Url).Authority;
        foreach (var request in (string[])
            [
                "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", $"GET /{new string('a', 20_000)} HTTP/1.1\r\nHost: {host}\r\n\r\n", $"GET / HTTP/1.1\r\nHost: {host}\r\n{new string('a', 200_000)}: x\r\n\r\n",
                $"GET / HTTP/1.1\r\nHost: {host}\r\nBad Header: x\r\n\r\n", $"GET / HTTP/1.1\r\nHost: {host}\r\nx: \0\r\n\r\n", $"G\0T / HTTP/1.1\r\nHost: {host}\r\n\r\n", $"OPTIONS * HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n",
                $"CONNECT {host} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n", $"GET /%00 HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n", $"GET /%ff%fe HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n",
                $"GET /?{new string('x', 7000)} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n",
            ])
        {
            var answer = await RawHttp.Send(_server.Url, request);
            Assert.True(answer.Length == 0 || RawHttp.Status(answer) is >= 400 and < 500 or 505, $"{request[..Math.Min(60, request.Length)]}: {answer[..Math.Min(200, answer.Length)]}");
        }
        Assert.Equal(200, (await _server.ClientCredentials()).Status);
    }
}
