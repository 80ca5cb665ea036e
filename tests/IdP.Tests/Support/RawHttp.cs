using System.Net.Sockets;
using System.Text;

namespace IdP.Tests.Support;

/// <summary>Requests that no HTTP client would send.</summary>
internal static class RawHttp
{
    /// <summary>
    /// Sends the bytes and returns everything that comes back until the server closes, which it does after a broken request and after
    /// <c>Connection: close</c>; empty when it closes without an answer.
    /// </summary>
    public static async Task<string> Send(string issuer, string request)
    {
        var url = new Uri(issuer);
        using var client = new TcpClient();
        await client.ConnectAsync(url.Host, url.Port);
        await using var stream = client.GetStream();
        await stream.WriteAsync(Encoding.Latin1.GetBytes(request));
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        var (answer, buffer) = (new StringBuilder(), new byte[4096]);
        try
        {
            for (int read; (read = await stream.ReadAsync(buffer, deadline.Token)) > 0;) answer.Append(Encoding.Latin1.GetString(buffer, 0, read));
        }
        catch (IOException)
        {
            // Reset after the answer: the server did not care for the rest of the request.
        }
        return answer.ToString();
    }

    /// <summary>A form with any headers, repeated ones too.</summary>
    public static Task<string> Post(string issuer, string path, string form, params string[] headers) => Send(issuer,
        $"POST {path} HTTP/1.1\r\nHost: {new Uri(issuer).Authority}\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded\r\n" +
        $"Content-Length: {form.Length}\r\n{string.Concat(headers.Select(header => header + "\r\n"))}\r\n{form}");

    public static int Status(string answer) => answer.Length == 0 ? 0 : int.Parse(answer.AsSpan(9, 3));
}
