using Microsoft.AspNetCore.Mvc;

namespace IdP.Ui;

/// <summary>A redirect to an address of our own after a form: 303, so that the browser goes there with a GET.</summary>
internal sealed class SeeOther(string address) : ActionResult
{
    public override void ExecuteResult(ActionContext context)
    {
        context.HttpContext.Response.StatusCode = 303;
        context.HttpContext.Response.Headers.Location = address;
    }
}
