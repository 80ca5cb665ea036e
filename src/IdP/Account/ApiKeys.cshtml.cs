using IdP.Http;
using Microsoft.AspNetCore.Mvc;

namespace IdP.Account;

/// <summary>The person's API keys, and their end.</summary>
internal sealed class ApiKeysModel(AccountDoor door, ApiKeysOfPerson keys) : AccountPage(door)
{
    public IReadOnlyList<ApiKeyView> Keys { get; private set; } = [];

    public bool MayMake => keys.Offered.Count > 0;

    public async Task OnGetAsync(CancellationToken ct) => Keys = await keys.List(Person.UserId, ct);

    public async Task<IActionResult> OnPostRevokeAsync([FromForm] string? id)
    {
        await keys.Revoke(Person.UserId, id, RequestFacts.Of(HttpContext).Address);
        return Done(AccountSection.ApiKeys, "key-revoked");
    }
}
