using Microsoft.AspNetCore.Mvc.RazorPages;

namespace IdP.Ui;

internal static class PageStatus
{
    /// <summary>The page as its answer, with a status that programs understand too.</summary>
    public static PageResult PageWith(this PageModel model, int status)
    {
        var page = model.Page();
        page.StatusCode = status;
        // A page that knows better has said so before.
        if (status == 503 && model.Response.Headers.RetryAfter.Count == 0) model.Response.Headers.RetryAfter = "5";
        return page;
    }
}
