using System.Diagnostics;
using System.Text;
using IdP.Testing;
using Xunit;

namespace IdP.Tests.Support;

/// <summary>What holds after every adversarial request, whatever it was: checked here and nowhere else.</summary>
internal static class Invariants
{
    private const string RequestLog = "Information IdP.Http.RequestBoundary";

    /// <summary>Sends a request that must be refused with exactly this status and error, and checks everything that a refusal must hold.</summary>
    public static async Task<Answer> Refused(this IdpServer server, HttpRequestMessage request, int status, string error)
    {
        var (answer, before, after) = await server.Observed(request);
        Assert.True(status == answer.Status && error == answer.Error, $"expected {status} {error}, got {answer.Status} {answer.Body}");
        // I1: a refusal issues nothing.
        Assert.Equal(before, after);
        Assert.DoesNotContain("access_token", answer.Body, StringComparison.Ordinal);
        // RFC 9110 §15.5.2: a 401 says how to authenticate. §15.5.6, §15.5.14: 405 says what is allowed.
        Assert.Equal(status == 401, answer.Response.Headers.WwwAuthenticate.Count > 0);
        Assert.Equal(status == 405, answer.Response.Content.Headers.Allow.Count > 0);
        Assert.Equal(status is 429 or 503, answer.Response.Headers.RetryAfter?.Delta > TimeSpan.Zero);
        return answer;
    }

    public static Task<Answer> Refused(this IdpServer server, int status, string error, string path, string? clientId, params (string Name, string Value)[] form) =>
        server.Refused(Form(path, clientId, IdpServer.Secret, form), status, error);

    /// <summary>Sends a request and checks what holds of every answer of a protocol endpoint.</summary>
    public static async Task<Answer> Sent(this IdpServer server, HttpRequestMessage request) => (await server.Observed(request)).Answer;

    /// <summary>What holds of an answer of a protocol endpoint, however it went.</summary>
    public static void Hold(Answer answer)
    {
        // I2: never a failure of ours unless the test asks for one, and never anything internal.
        Assert.True(answer.Status is < 500 or 503, answer.Body);
        Assert.DoesNotContain("Exception", answer.Body, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("   at ", answer.Body, StringComparison.Ordinal);
        // I3, I4
        Assert.Equal("no-store", answer.Header("Cache-Control"));
        Assert.Equal("", answer.Header("Set-Cookie"));
        Assert.Equal("nosniff", answer.Header("X-Content-Type-Options"));
        Assert.Equal("", answer.Header("Server"));
        if (answer.Body.Length == 0) return;
        Assert.Equal("application/json", answer.Response.Content.Headers.ContentType?.ToString());
        var json = answer.Json;
        foreach (var name in (string[])["error", "error_description"])
            if (json[name]?.GetValue<string>() is { } text)
                // I6: RFC 6749 §5.2.
                Assert.True(text.All(c => c is >= ' ' and <= '~' and not '"' and not '\\'), $"{name}: {text}");
        Assert.Equal(answer.Status >= 400, json.ContainsKey("error"));
    }

    public static HttpRequestMessage Form(string path, string? clientId, params (string Name, string Value)[] form) => Form(path, clientId, IdpServer.Secret, form);

    public static HttpRequestMessage Form(string path, string? clientId, string secret, params (string Name, string Value)[] form)
    {
        var body = string.Join('&', form.Select(pair => $"{Uri.EscapeDataString(pair.Name)}={Uri.EscapeDataString(pair.Value)}"));
        return Raw(path, clientId is null ? null : IdpServer.Basic(clientId, secret).ToString(), body);
    }

    /// <summary>A POST with this body and this Authorization header, byte for byte.</summary>
    public static HttpRequestMessage Raw(string path, string? authorization, string body, string? contentType = "application/x-www-form-urlencoded")
    {
        var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new ByteArrayContent(Encoding.Latin1.GetBytes(body)) };
        // The server closes the connection on what it does not want to read: ask before sending that much.
        if (body.Length > 60_000) request.Headers.ExpectContinue = true;
        if (contentType is not null) request.Content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        if (authorization is not null) request.Headers.TryAddWithoutValidation("Authorization", authorization);
        return request;
    }

    private static async Task<(Answer Answer, long Before, long After)> Observed(this IdpServer server, HttpRequestMessage request)
    {
        var before = await server.Count("Grants");
        var trace = ActivityTraceId.CreateRandom().ToHexString();
        request.Headers.Add("traceparent", $"00-{trace}-{ActivitySpanId.CreateRandom().ToHexString()}-01");
        var lines = server.Log.Lines.Count;
        var answer = await server.Send(request);
        Hold(answer);
        // I5: one record of the request log, with its outcome. It is written when the answer is on its way.
        var records = Records(server, lines, trace);
        for (var i = 0; i < 200 && records.Count == 0; i++)
        {
            await Task.Delay(10);
            records = Records(server, lines, trace);
        }
        var record = Assert.Single(records);
        Assert.Contains(answer.Body.Length > 0 && answer.Json["error"] is { } error ? $" outcome={error} " : " outcome=", record, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', record.TrimEnd());
        return (answer, before, await server.Count("Grants"));
    }

    internal static List<string> Records(IdpServer server, int after, string trace) =>
        server.Log.Lines.Skip(after).Where(line => line.StartsWith(RequestLog, StringComparison.Ordinal) && line.EndsWith($" trace={trace}", StringComparison.Ordinal)).ToList();
}
