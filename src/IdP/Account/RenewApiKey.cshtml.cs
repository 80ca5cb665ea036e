using IdP.Http;
using IdP.Ui;
using Microsoft.AspNetCore.Mvc;

namespace IdP.Account;

/// <summary>Gives an API key another secret and shows it, once.</summary>
internal sealed class RenewApiKeyModel(AccountDoor door, ApiKeysOfPerson keys, OnceForm once) : AccountPage(door)
{
    public const string Address = "/account/api-keys/renew";

    /// <summary>The whole key, when it has just been made.</summary>
    public string? Made { get; private set; }
    public ApiKeyView? Key { get; private set; }

    protected override TimeSpan? FreshWithin => AccountDoor.Fresh;

    public async Task<IActionResult> OnGetAsync([FromQuery] string? id, CancellationToken ct)
    {
        Key = await keys.Find(Person.UserId, id, ct);
        return Key is null ? new SeeOther(AccountSection.ApiKeys) : Page();
    }

    public async Task<IActionResult> OnPostAsync([FromForm] string? id, [FromForm] string? overlap, [FromForm(Name = OnceForm.Field)] string? sent)
    {
        if (!await once.IsFirst(Person.UserId, sent)) return Done(AccountSection.ApiKeys, "key-made-already");
        var (key, problem) = await keys.Renew(Person.UserId, id, overlap == "yes", RequestFacts.Of(HttpContext).Address);
        if (problem is not null) return Again(Texts.Of(HttpContext)[problem]);
        RequestFacts.Of(HttpContext).Outcome = "key-renewed";
        Made = key;
        return Page();
    }
}
