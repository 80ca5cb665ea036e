using IdP.Protocol.OAuth;
using IdP.Storage;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.Core.Infrastructure;
using Microsoft.AspNetCore.Mvc.Filters;

namespace IdP.Ui;

/// <summary>
/// What holds for every page without its doing: the headers, a page instead of an empty answer when a form lacks its antiforgery token,
/// no answer to a method that the page has no handler for (the framework would show the page as if nobody had to be asked), and none that
/// waits for a database that does not answer.
/// </summary>
internal sealed class PageRules(ChangePoll poll) : IAsyncPageFilter, IAsyncAlwaysRunResultFilter
{
    public Task OnPageHandlerSelectionAsync(PageHandlerSelectedContext context) => Task.CompletedTask;

    public async Task OnPageHandlerExecutionAsync(PageHandlerExecutingContext context, PageHandlerExecutionDelegate next)
    {
        var http = context.HttpContext;
        PageHeaders.Set(http);
        if (context.HandlerMethod is null)
        {
            http.Response.Headers.Allow = "GET, HEAD, POST";
            await ErrorPage.Show(http, new OAuthError("invalid_request", "this page takes GET and POST", 405));
            context.Result = new EmptyResult();
        }
        // The error page is what says so.
        else if (http.Request.Path != PageAddresses.Error && await poll.Unreachable(http.RequestAborted) is { } unreachable)
        {
            await ErrorPage.Show(http, unreachable);
            context.Result = new EmptyResult();
        }
        else await next();
    }

    public Task OnResultExecutionAsync(ResultExecutingContext context, ResultExecutionDelegate next) =>
        context.Result is IAntiforgeryValidationFailedResult ? ErrorPage.Show(context.HttpContext, ErrorPage.NotOurForm) : next();
}
