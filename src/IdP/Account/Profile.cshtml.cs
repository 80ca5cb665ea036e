using IdP.Http;
using IdP.Ui;
using Microsoft.AspNetCore.Mvc;

namespace IdP.Account;

/// <summary>The standard claims that people give about themselves.</summary>
internal sealed class ProfileModel(AccountDoor door, ProfileOfPerson profile) : AccountPage(door)
{
    /// <summary>What the fields show, by claim.</summary>
    public Dictionary<string, string?> Values { get; } = new(StringComparer.Ordinal);

    /// <summary>The claims that cannot be what was filled in.</summary>
    public IReadOnlyCollection<string> Wrong { get; private set; } = [];

    public async Task OnGetAsync(CancellationToken ct) => await Read(ct);

    public async Task<IActionResult> OnPostAsync([FromForm] IFormCollection form, CancellationToken ct)
    {
        // Only the fields of the list are looked at, whatever the form has (PWR-12); one that is not sent stays as it is.
        var sent = ProfileField.All.Where(field => form.ContainsKey(field.Claim)).ToDictionary(field => field.Claim, field => Filled(form[field.Claim].ToString()), StringComparer.Ordinal);
        Wrong = ProfileField.All.Where(field => sent.GetValueOrDefault(field.Claim) is { } value && !field.Allows(value)).Select(field => field.Claim).ToList();
        if (Wrong.Count > 0)
        {
            await Read(ct);
            foreach (var (claim, value) in sent) Values[claim] = value;
            var texts = Texts.Of(HttpContext);
            return Again(texts.Format("Account.Profile.Wrong", string.Join(", ", Wrong.Select(claim => texts[$"Claim.{claim}"]))));
        }
        await profile.Change(Person.UserId, sent, RequestFacts.Of(HttpContext).Address);
        return Done(AccountSection.Profile, "saved");
    }

    private async Task Read(CancellationToken ct)
    {
        if (await profile.Find(Person.UserId, ct) is not { } user) return;
        foreach (var field in ProfileField.All) Values[field.Claim] = field.Read(user);
    }

    private static string? Filled(string value) => value.Trim() is { Length: > 0 } text ? text : null;
}
