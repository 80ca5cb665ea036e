using IdP.Testing;
using IdP.Ui;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.Filters;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace IdP.Tests.Pages;

/// <summary>A person gets a page that they can read, a program gets JSON, and neither learns anything of the inside.</summary>
public sealed class ErrorsInABrowser : IAsyncLifetime
{
    private IdpServer _server = null!;
    private Browser _browser = null!;

    public async Task InitializeAsync()
    {
        _server = await IdpServer.Start(https: true, customize: builder => builder.Services.Configure<MvcOptions>(options => options.Filters.Add<Breaker>()));
        _browser = new Browser(_server);
    }

    public async Task DisposeAsync()
    {
        _browser.Dispose();
        await _server.DisposeAsync();
    }

    [Theory]
    [InlineData("GET", "/nowhere", 404, "not_found")]
    [InlineData("GET", "/sign-in/", 400, "invalid_request")]
    [InlineData("GET", "/error", 404, "not_found")]
    [InlineData("PUT", "/connect/authorize", 405, "invalid_request")]
    [InlineData("POST", "/ui/idp.css.map", 404, "not_found")]
    [InlineData("OPTIONS", "/sign-in", 405, "invalid_request")]
    [InlineData("OPTIONS", "/consent", 405, "invalid_request")]
    [InlineData("POST", "/error", 405, "invalid_request")]
    [InlineData("DELETE", "/consent", 400, "invalid_request")]
    public async Task What_is_not_there_is_a_page(string method, string path, int status, string code)
    {
        var page = await _browser.Send(new HttpRequestMessage(new HttpMethod(method), path));

        IsErrorPage(page, status, code);
        Assert.Equal(status == 405, page.Response.Content.Headers.Allow.Count > 0);
    }

    [Theory]
    [InlineData("GET", "/nowhere", 404)]
    [InlineData("PUT", "/connect/authorize", 405)]
    public async Task A_program_gets_json(string method, string path, int status)
    {
        var answer = await _server.Send(new HttpRequestMessage(new HttpMethod(method), path));

        Assert.Equal((status, "application/json"), (answer.Status, answer.Header("Content-Type")));
        Assert.NotNull(answer.Error);
    }

    [Theory]
    [InlineData("GET", "/connect/token", 405)]
    [InlineData("GET", "/connect/introspect", 405)]
    [InlineData("GET", "/connect/nowhere", 404)]
    [InlineData("GET", "/.well-known/nowhere", 404)]
    [InlineData("GET", "/health/nowhere", 404)]
    [InlineData("POST", "/ui/idp.css", 405)]
    public async Task Where_programs_talk_even_a_browser_gets_json(string method, string path, int status)
    {
        var answer = await _browser.Send(new HttpRequestMessage(new HttpMethod(method), path));

        Assert.Equal((status, "application/json"), (answer.Status, answer.Header("Content-Type")));
    }

    [Fact]
    public async Task A_bug_of_ours_is_a_page_with_its_trace_and_without_its_reason()
    {
        var page = await Broken("/sign-in", "bug");

        IsErrorPage(page, 500, "server_error");
        var trace = Trace(page);
        Assert.Contains(_server.Log.Lines, line => line.StartsWith("Error", StringComparison.Ordinal) && line.Contains(Breaker.Reason, StringComparison.Ordinal) && line.Contains(trace, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_database_that_fails_is_a_page_that_asks_to_wait()
    {
        var page = await Broken("/sign-in", "database");

        IsErrorPage(page, 503, "temporarily_unavailable");
        Assert.True(page.Response.Headers.RetryAfter?.Delta > TimeSpan.Zero);
        Assert.Contains("Wait a few seconds", page.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task When_the_error_page_fails_too_there_is_an_answer_still()
    {
        var answer = await Broken("/nowhere", "bug");

        Assert.Equal((500, "application/json", "no-store"), (answer.Status, answer.Header("Content-Type"), answer.Header("Cache-Control")));
        Assert.DoesNotContain(Breaker.Reason, answer.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_page_speaks_the_browsers_language_and_escapes_what_it_quotes()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/connect/authorize?client_id=%3Cscript%3Ealert(1)%3C/script%3E&redirect_uri=javascript:alert(1)");
        request.Headers.Add("Accept-Language", "de");
        var page = await _browser.Send(request);

        IsErrorPage(page, 400, "invalid_request");
        Assert.Contains("<html lang=\"de\">", page.Body, StringComparison.Ordinal);
        Assert.DoesNotContain("<script", page.Body, StringComparison.OrdinalIgnoreCase);
        Assert.Null(page.Location);
    }

    private static void IsErrorPage(PageAnswer page, int status, string code)
    {
        Assert.Equal((status, "text/html; charset=utf-8"), (page.Status, page.Header("Content-Type")));
        Assert.Contains("op-error", page.Body, StringComparison.Ordinal);
        Assert.Contains($"<code>{code}</code>", page.Body, StringComparison.Ordinal);
        Assert.Equal(32, Trace(page).Length);
        Assert.DoesNotContain("Exception", page.Body, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain(Breaker.Reason, page.Body, StringComparison.Ordinal);
        Assert.Equal("no-store", page.Header("Cache-Control"));
        Assert.Contains("frame-ancestors 'none'", page.Header("Content-Security-Policy"), StringComparison.Ordinal);
        Assert.Equal("nosniff", page.Header("X-Content-Type-Options"));
        Assert.Null(page.Location);
    }

    private static string Trace(PageAnswer page) =>
        new AngleSharp.Html.Parser.HtmlParser().ParseDocument(page.Body).QuerySelector("#op-error dd:last-of-type code")!.TextContent;

    private Task<PageAnswer> Broken(string path, string kind)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Add(Breaker.Header, kind);
        return _browser.Send(request);
    }

    /// <summary>A page that fails when the test says so.</summary>
    private sealed class Breaker : IResourceFilter
    {
        public const string Header = "X-Break";
        public const string Reason = "the reason, with /a/path and a table";

        public void OnResourceExecuting(ResourceExecutingContext context)
        {
            var http = context.HttpContext;
            var kind = http.Request.Headers[Header].ToString();
            // The error page shows what happened unless it is itself what is to break.
            if (kind.Length == 0 || (http.Request.Path == PageAddresses.Error && http.Features.Get<PageError>()?.Error.Status is 500 or 503 && IdP.Http.RequestFacts.Of(http).Path != "/nowhere")) return;
            throw kind == "database" ? new SqliteException(Reason, 10) : new InvalidOperationException(Reason);
        }

        public void OnResourceExecuted(ResourceExecutedContext context)
        {
        }
    }
}
