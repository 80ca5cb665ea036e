using IdP.Http;
using IdP.Ui;
using Microsoft.AspNetCore.Mvc;

namespace IdP.Account;

/// <summary>Makes an API key and shows it, once.</summary>
internal sealed class NewApiKeyModel(AccountDoor door, ApiKeysOfPerson keys, OnceForm once, IdpOptions options) : AccountPage(door)
{
    public const string Address = "/account/api-keys/new";

    /// <summary>The whole key, when it has just been made.</summary>
    public string? Made { get; private set; }
    public string KeyName { get; private set; } = "";
    public IReadOnlyCollection<string> Scopes { get; private set; } = [];
    public int Days { get; private set; } = options.ApiKeys.DefaultDays;
    public int LongestDays => options.ApiKeys.LongestDays;
    public IReadOnlyList<OfferedScope> Offered => keys.Offered;

    // A key opens an API for a long time: whoever finds a browser open must not take one along.
    protected override TimeSpan? FreshWithin => AccountDoor.Fresh;

    public IActionResult OnGet() => Offered.Count == 0 ? new SeeOther(AccountSection.ApiKeys) : Page();

    public async Task<IActionResult> OnPostAsync([FromForm] string? name, [FromForm(Name = "scope")] List<string>? scopes, [FromForm] int? days, [FromForm(Name = OnceForm.Field)] string? sent)
    {
        if (!await once.IsFirst(Person.UserId, sent)) return Done(AccountSection.ApiKeys, "key-made-already");
        (KeyName, Scopes, Days) = (name?.Trim() ?? "", [.. (scopes ?? []).Distinct(StringComparer.Ordinal)], days ?? 0);
        var (key, problem) = await keys.Make(Person.UserId, KeyName, Scopes, Days, RequestFacts.Of(HttpContext).Address);
        if (problem is not null) return Again(Texts.Of(HttpContext).Format(problem, LongestDays));
        RequestFacts.Of(HttpContext).Outcome = "key-made";
        Made = key;
        return Page();
    }
}
