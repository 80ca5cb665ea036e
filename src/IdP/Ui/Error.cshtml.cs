using IdP.Protocol.OAuth;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace IdP.Ui;

[IgnoreAntiforgeryToken]
internal sealed class ErrorModel : PageModel
{
    public string Code { get; private set; } = "";
    public string Description { get; private set; } = "";

    public void OnGet()
    {
        var error = HttpContext.Features.Get<PageError>()?.Error ?? new OAuthError("not_found", "there is nothing at this address", 404);
        (Code, Description) = (error.Code, error.Description);
        Response.StatusCode = error.Status;
        PageHeaders.Set(HttpContext);
    }
}
