using IdP.Http;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace IdP.Account;

/// <summary>What is left to say when the account is gone. It says it to anybody.</summary>
internal sealed class DeletedModel : PageModel
{
    public const string Address = "/account-deleted";

    public void OnGet() => RequestFacts.Of(HttpContext).Outcome = "deleted";
}
