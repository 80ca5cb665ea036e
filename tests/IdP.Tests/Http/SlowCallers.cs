using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using IdP.Testing;
using IdP.Tests.Support;
using Xunit;

namespace IdP.Tests.Http;

public sealed class SlowCallers(SqliteServer fixture) : IClassFixture<SqliteServer>
{
    private readonly IdpServer _server = fixture.Server;

    [Fact]
    [Trait("Case", "NET-05")]
    public Task Who_sends_a_byte_a_second_is_cut_off_within_half_a_minute_and_nobody_else_notices() =>
        Task.WhenAll(((string[])["headers", "body", "nothing"]).Select(Send));

    private async Task Send(string slow)
    {
        var url = new Uri(_server.Url);
        using var client = new TcpClient();
        await client.ConnectAsync(url.Host, url.Port);
        await using var stream = client.GetStream();
        var started = Stopwatch.GetTimestamp();
        var begin = slow switch
        {
            "headers" => $"POST /connect/token HTTP/1.1\r\nHost: {url.Authority}\r\n",
            "body" => $"POST /connect/token HTTP/1.1\r\nHost: {url.Authority}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\n",
            _ => "P",
        };
        await stream.WriteAsync(Encoding.ASCII.GetBytes(begin));
        var closed = Closed(stream);
        for (var i = 0; !closed.IsCompleted && Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(30); i++)
        {
            try
            {
                if (slow != "nothing") await stream.WriteAsync("x"u8.ToArray());
            }
            catch (IOException)
            {
                break;
            }
            if (i == 2) Assert.Equal(200, (await _server.ClientCredentials()).Status);
            await Task.WhenAny(closed, Task.Delay(TimeSpan.FromSeconds(1)));
        }

        Assert.True(await Task.WhenAny(closed, Task.Delay(TimeSpan.FromSeconds(2))) == closed, "still open");
        var answer = await closed;
        Assert.True(answer.Length == 0 || RawHttp.Status(answer) is 400 or 408, answer);
    }

    private static async Task<string> Closed(NetworkStream stream)
    {
        var (answer, buffer) = (new StringBuilder(), new byte[1024]);
        try
        {
            for (int read; (read = await stream.ReadAsync(buffer)) > 0;) answer.Append(Encoding.Latin1.GetString(buffer, 0, read));
        }
        catch (IOException)
        {
            // Reset is closed as well.
        }
        return answer.ToString();
    }
}
