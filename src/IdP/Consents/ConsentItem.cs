using IdP.Authorize;
using IdP.Resources;
using IdP.Ui;

namespace IdP.Consents;

/// <summary>What a client may have, in the words of a page.</summary>
internal static class ConsentItem
{
    /// <param name="item">A scope, or a claim as <c>claim:NAME</c>.</param>
    /// <param name="texts">The language of the page.</param>
    /// <param name="catalog">What scopes of APIs are called.</param>
    public static string Describe(string item, Texts texts, ResourceCatalog catalog)
    {
        if (!item.StartsWith(AuthorizationRequest.ClaimItem, StringComparison.Ordinal))
            return ResourceCatalog.IdentityScopes.ContainsKey(item) ? texts[$"Scope.{item}"] : catalog.Current.Scope(item)?.Description ?? item;
        var claim = item[AuthorizationRequest.ClaimItem.Length..];
        return texts.Find($"Claim.{claim}") ?? texts.Format("Consent.Claim", claim);
    }
}
