namespace IdP.Ui;

/// <summary>The rest of the pipeline, for an endpoint that wants a page to answer in its place.</summary>
internal sealed record PipelineStart(RequestDelegate Next);

/// <summary>Lets a page answer a request that was for something else; the address in the browser stays.</summary>
internal static class PageRunner
{
    public static Task Run(HttpContext http, string page)
    {
        http.SetEndpoint(null);
        http.Request.RouteValues.Clear();
        (http.Request.Method, http.Request.Path, http.Request.QueryString) = (HttpMethods.Get, page, QueryString.Empty);
        return http.Features.Get<PipelineStart>()!.Next(http);
    }
}
