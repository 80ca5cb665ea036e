using System.Diagnostics;
using IdP.Testing;
using Xunit;

namespace IdP.Tests.Support;

/// <summary>What holds of every answer that a browser gets, however hostile the request: the front channel's counterpart of <see cref="Invariants"/>.</summary>
internal static class FrontChannel
{
    private static readonly string[] Issued = ["Grants", "Sessions", "SessionClients", "Consents", "Outbox"];

    /// <summary>Brings a request that must end on the error page: nothing proves who asked or where an answer may go.</summary>
    public static Task<PageAnswer> RefusedOnPage(this Browser browser, IdpServer server, string address, string error = "invalid_request") =>
        browser.RefusedOnPage(server, new HttpRequestMessage(HttpMethod.Get, address), error);

    public static async Task<PageAnswer> RefusedOnPage(this Browser browser, IdpServer server, HttpRequestMessage request, string error = "invalid_request", int status = 400)
    {
        var answer = await browser.SentWithoutEffect(server, request);
        IsErrorPage(answer, error, status);
        return answer;
    }

    /// <summary>Brings an authorization request that must be refused to the client's proven address.</summary>
    public static async Task<PageAnswer> RefusedToClient(this Browser browser, IdpServer server, CodeFlow flow, string error, string? address = null)
    {
        var answer = await browser.SentWithoutEffect(server, new HttpRequestMessage(HttpMethod.Get, address ?? Browser.Address(flow.Parameters())));
        IsRefusal(server, answer, flow, error);
        return answer;
    }

    /// <summary>An error that went to the client: by redirect, with iss and the state as it was sent, and with nothing that could be used.</summary>
    public static void IsRefusal(IdpServer server, PageAnswer answer, CodeFlow flow, string error, bool hasState = true)
    {
        HoldRedirect(answer, flow.RedirectUri);
        var parameters = Parameters(answer);
        Assert.True(error == parameters.GetValueOrDefault("error"), $"expected {error}, got {answer.Location}");
        Assert.Equal(server.Issuer, parameters["iss"]);
        // I8: byte for byte.
        Assert.Equal(hasState ? Uri.EscapeDataString(flow.State) : null, Raw(answer, "state"));
        Assert.All((string[])["code", "access_token", "id_token", "token"], name => Assert.DoesNotContain(name, parameters.Keys));
        // I6: RFC 6749 §4.1.2.1.
        Assert.True(parameters["error_description"].All(c => c is >= ' ' and <= '~' and not '"' and not '\\'), parameters["error_description"]);
    }

    /// <summary>A code that went to the client; the code.</summary>
    public static string IsCode(IdpServer server, PageAnswer answer, CodeFlow flow)
    {
        HoldRedirect(answer, flow.RedirectUri);
        var parameters = Parameters(answer);
        Assert.True(parameters.ContainsKey("code"), answer.Location);
        Assert.Equal(server.Issuer, parameters["iss"]);
        Assert.Equal(Uri.EscapeDataString(flow.State), Raw(answer, "state"));
        Assert.Equal(["code", "iss", "state"], parameters.Keys.Order(StringComparer.Ordinal));
        return parameters["code"];
    }

    /// <summary>The page for what cannot be answered to a client.</summary>
    public static void IsErrorPage(PageAnswer page, string error = "invalid_request", int status = 400)
    {
        Assert.True(status == page.Status, $"expected {status}, got {page.Status} {page.Location} {page.Body}");
        HoldPage(page);
        Assert.Contains("op-error", page.Body, StringComparison.Ordinal);
        Assert.Contains($"<code>{error}</code>", page.Body, StringComparison.Ordinal);
    }

    /// <summary>The sign-in page, and nothing that would be worth anything.</summary>
    public static void IsSignIn(PageAnswer page) => IsPage(page, "id=\"login-submit\"");

    public static void IsConsent(PageAnswer page) => IsPage(page, "id=\"consent-accept\"");

    public static void IsPage(PageAnswer page, string marker, int status = 200)
    {
        Assert.True(status == page.Status, $"expected {status}, got {page.Status} {page.Location} {page.Body}");
        HoldPage(page);
        Assert.Contains(marker, page.Body, StringComparison.Ordinal);
    }

    /// <summary>What holds of every page: it stays where it is, unframed and unkept, and says nothing from inside.</summary>
    public static void HoldPage(PageAnswer page)
    {
        Assert.Null(page.Location);
        Assert.Equal("text/html; charset=utf-8", page.Header("Content-Type"));
        Assert.Contains("no-store", page.Header("Cache-Control"), StringComparison.Ordinal);
        Assert.Equal("DENY", page.Header("X-Frame-Options"));
        Assert.Equal("nosniff", page.Header("X-Content-Type-Options"));
        Assert.Equal("no-referrer", page.Header("Referrer-Policy"));
        var policy = page.Header("Content-Security-Policy");
        Assert.Contains("default-src 'none'", policy, StringComparison.Ordinal);
        Assert.Contains("frame-ancestors 'none'", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        HoldText(page);
    }

    /// <summary>What holds of every redirect to a client.</summary>
    public static void HoldRedirect(PageAnswer answer, string redirectUri)
    {
        // 303, never 307 or 308: nothing that was posted is posted again.
        Assert.True(answer.Status == 303, $"expected 303, got {answer.Status} {answer.Body}");
        var location = answer.Location!;
        Assert.True(location.StartsWith(redirectUri, StringComparison.Ordinal) && location[redirectUri.Length] is '?' or '#' or '&', location);
        Assert.True(location.All(c => c is > ' ' and <= '~'), location);
        Assert.Equal("no-store", answer.Header("Cache-Control"));
        Assert.Equal("no-referrer", answer.Header("Referrer-Policy"));
        Assert.Equal("", answer.Body);
    }

    /// <summary>The number of rows of everything that may be issued.</summary>
    public static async Task<string> IssuedRows(this IdpServer server)
    {
        var counts = new List<string>();
        foreach (var table in Issued) counts.Add($"{table}: {await server.Count(table)}");
        return string.Join(", ", counts);
    }

    /// <summary>A parameter of the response as it is on the wire; null when it is not there.</summary>
    public static string? Raw(PageAnswer answer, string name) =>
        answer.Location!.Split('?', '#', '&').Where(pair => pair.StartsWith(name + "=", StringComparison.Ordinal)).Select(pair => pair[(name.Length + 1)..]).SingleOrDefault();

    // Each of them once: a client that takes the first and one that takes the last see the same.
    public static Dictionary<string, string> Parameters(PageAnswer answer)
    {
        var location = answer.Location!;
        var names = location[location.IndexOfAny(['?', '#'])..].Split('?', '#', '&').Where(pair => pair.Length > 0).Select(pair => pair.Split('=')[0]).ToList();
        Assert.Equal(names.Distinct(), names);
        return answer.ResponseParameters();
    }

    private static void HoldText(PageAnswer answer)
    {
        Assert.True(answer.Status is < 500 or 503, answer.Body);
        Assert.DoesNotContain("Exception", answer.Body, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("   at ", answer.Body, StringComparison.Ordinal);
        Assert.Equal("", answer.Header("Server"));
    }

    // I1: nothing issued. I5: one record of the request log, with an outcome, on one line.
    private static async Task<PageAnswer> SentWithoutEffect(this Browser browser, IdpServer server, HttpRequestMessage request)
    {
        var before = await server.IssuedRows();
        var trace = ActivityTraceId.CreateRandom().ToHexString();
        request.Headers.Add("traceparent", $"00-{trace}-{ActivitySpanId.CreateRandom().ToHexString()}-01");
        var lines = server.Log.Lines.Count;
        var answer = await browser.Send(request);
        Assert.Equal(before, await server.IssuedRows());
        HoldText(answer);
        var records = Invariants.Records(server, lines, trace);
        for (var i = 0; i < 200 && records.Count == 0; i++)
        {
            await Task.Delay(10);
            records = Invariants.Records(server, lines, trace);
        }
        var record = Assert.Single(records);
        Assert.DoesNotContain(" outcome=- ", record, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', record.TrimEnd());
        return answer;
    }
}
