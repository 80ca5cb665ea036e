using Microsoft.AspNetCore.Mvc.RazorPages;

namespace IdP.Ui;

internal static class PageStatus
{
    /// <summary>The page as its answer, with a status that programs understand too.</summary>
    public static PageResult PageWith(this PageModel model, int status)
    {
        var page = model.Page();
        page.StatusCode = status;
        return page;
    }
}
