using IdP.Testing;
using Xunit;

namespace IdP.Tests.Http;

/// <summary>A proxy ends TLS and speaks plain http to the server, whose issuer is https.</summary>
public sealed class BehindAProxy
{
    [Fact]
    [Trait("Case", "LGN-17")]
    public async Task Pages_work_and_their_cookies_are_for_https_alone()
    {
        await using var server = await IdpServer.Start(options =>
        {
            options.Issuer = "https://login.example";
            options.Http.AllowedHosts = "localhost";
        });
        var (cookies, answer) = (new List<string>(), await Get(server, Browser.Address(new CodeFlow().Parameters()), []));
        Assert.Equal(303, answer.Status);
        Collect(answer, cookies);
        answer = await Get(server, answer.Response.Headers.Location!.OriginalString, cookies);
        Assert.Contains("login-submit", answer.Body, StringComparison.Ordinal);
        Collect(answer, cookies);
        Assert.Equal(2, cookies.Count);

        var fields = new PageAnswer(answer.Response, answer.Body).Fields();
        (fields["username"], fields["password"]) = ("alice", IdpServer.Password);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/sign-in") { Content = new FormUrlEncodedContent(fields) };
        request.Headers.Add("Cookie", string.Join("; ", cookies));
        answer = await server.Send(request);
        Assert.Equal(303, answer.Status);
        Collect(answer, cookies);
        Assert.Contains(cookies, cookie => cookie.StartsWith("__Host-idp_session=", StringComparison.Ordinal));
    }

    private static async Task<Answer> Get(IdpServer server, string address, List<string> cookies)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        if (cookies.Count > 0) request.Headers.Add("Cookie", string.Join("; ", cookies));
        return await server.Send(request);
    }

    private static void Collect(Answer answer, List<string> cookies)
    {
        foreach (var cookie in answer.Response.Headers.TryGetValues("Set-Cookie", out var set) ? set : [])
        {
            Assert.StartsWith("__Host-", cookie);
            Assert.Contains("secure", cookie, StringComparison.OrdinalIgnoreCase);
            cookies.Add(cookie.Split(';')[0]);
        }
    }
}
