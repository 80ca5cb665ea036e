using IdP.Http;
using IdP.Sessions;
using IdP.Ui;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.Filters;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace IdP.Account;

/// <summary>What the pages under /account have in common: nobody gets to a handler of theirs without going through the door.</summary>
internal abstract class AccountPage(AccountDoor door) : PageModel
{
    /// <summary>Who is signed in. Whose account it is comes from here and never from a form.</summary>
    public SignedIn Person { get; private set; } = null!;

    /// <summary>What the person is told that went wrong.</summary>
    public string? Problem { get; private set; }

    /// <summary>What the person is told that has been done.</summary>
    public string? Notice => Request.Query["done"] is [{ } done] ? Texts.Of(HttpContext).Find($"Account.Done.{done}") : null;

    /// <summary>How old the sign-in may be at most; null for any age.</summary>
    protected virtual TimeSpan? FreshWithin => null;

    public override async Task OnPageHandlerExecutionAsync(PageHandlerExecutingContext context, PageHandlerExecutionDelegate next)
    {
        // Without a handler there is nothing to protect; the rules of all pages answer that.
        if (context.HandlerMethod is not null)
        {
            if (await door.Require(HttpContext, HttpContext.RequestAborted, FreshWithin) is not { } session)
            {
                context.Result = door.SignIn(HttpContext, FreshWithin);
                return;
            }
            Person = session;
        }
        await next();
    }

    /// <summary>The page once more, with what was wrong.</summary>
    protected PageResult Again(string problem, int status = 400)
    {
        RequestFacts.Of(HttpContext).Outcome = "refused";
        Problem = problem;
        return this.PageWith(status);
    }

    /// <summary>To a page that says what has been done, so that loading it again does nothing.</summary>
    protected SeeOther Done(string page, string what)
    {
        RequestFacts.Of(HttpContext).Outcome = what;
        return new SeeOther($"{page}?done={what}");
    }
}
