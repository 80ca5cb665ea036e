using Microsoft.AspNetCore.Mvc;

namespace IdP.Ui;

/// <summary>A redirect to an address of our own after a form: 303, so that the browser goes there with a GET.</summary>
internal sealed class SeeOther(string address) : ActionResult
{
    public override Task ExecuteResultAsync(ActionContext context) => Send(context.HttpContext, address);

    /// <summary>The same from an endpoint that is no page.</summary>
    public static Task Send(HttpContext http, string address)
    {
        http.Response.StatusCode = 303;
        http.Response.Headers.Location = address;
        http.Response.Headers.CacheControl = "no-store";
        http.Response.Headers["Referrer-Policy"] = "no-referrer";
        return Task.CompletedTask;
    }
}
