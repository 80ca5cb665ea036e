using System.Diagnostics;
using IdP.Protocol.OAuth;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace IdP.Ui;

[IgnoreAntiforgeryToken]
internal sealed class ErrorModel : PageModel
{
    public OAuthError Error { get; private set; } = ErrorPage.NotFound;

    /// <summary>Which texts tell the person what happened.</summary>
    public string Kind => Error switch
    {
        _ when Error == ErrorPage.Expired || Error == ErrorPage.NotOurForm => "Error.Expired",
        { Status: 404 or 405 } => "Error.NotFound",
        { Status: 429 or 503 } => "Error.Busy",
        { Status: >= 500 } => "Error.Ours",
        _ => "Error",
    };

    /// <summary>Under this the log has more.</summary>
    public string? Trace { get; private set; }

    public void OnGet()
    {
        Error = HttpContext.Features.Get<PageError>()?.Error ?? ErrorPage.NotFound;
        Trace = Activity.Current?.TraceId.ToHexString();
        Response.StatusCode = Error.Status;
    }
}
