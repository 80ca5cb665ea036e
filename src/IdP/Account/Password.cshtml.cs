using IdP.Ui;
using Microsoft.AspNetCore.Mvc;

namespace IdP.Account;

/// <summary>Another password. Whoever does not know the old one cannot set it, however they came to the session.</summary>
internal sealed class PasswordModel(AccountDoor door, ProfileOfPerson profile, PasswordOfPerson passwords) : AccountPage(door)
{
    public bool HasPassword { get; private set; }

    protected override TimeSpan? FreshWithin => AccountDoor.Fresh;

    public async Task OnGetAsync(CancellationToken ct) => HasPassword = await profile.Find(Person.UserId, ct) is { } user && PasswordOfPerson.Has(user);

    public async Task<IActionResult> OnPostAsync([FromForm] string? old, [FromForm(Name = "new")] string? password, [FromForm] string? again, CancellationToken ct)
    {
        var texts = Texts.Of(HttpContext);
        if (await profile.Find(Person.UserId, ct) is not { } user) return Again(texts["Account.Password.Changed"], 409);
        HasPassword = PasswordOfPerson.Has(user);
        if (string.IsNullOrEmpty(password) || (HasPassword && string.IsNullOrEmpty(old))) return Again(texts["Account.Password.Missing"]);
        if (password != again) return Again(texts["Account.Password.NotTheSame"]);
        if (await passwords.Change(HttpContext, Person, user, old ?? "", password) is not var (text, status, retryAfter)) return Done(AccountSection.Password, "password-changed");
        if (retryAfter is { } seconds) Response.Headers.RetryAfter = seconds.ToString();
        return Again(texts[text], status);
    }
}
