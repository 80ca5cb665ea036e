using IdP.Consents;
using IdP.Http;
using IdP.Resources;
using IdP.Ui;
using Microsoft.AspNetCore.Mvc;

namespace IdP.Account;

/// <summary>Which apps may have something of the person's, and how to take it back.</summary>
internal sealed class AppsModel(AccountDoor door, AppsOfPerson apps, ResourceCatalog catalog) : AccountPage(door)
{
    public IReadOnlyList<AppView> Apps { get; private set; } = [];

    public string Describe(string item) => ConsentItem.Describe(item, Texts.Of(HttpContext), catalog);

    public async Task OnGetAsync(CancellationToken ct) => Apps = await apps.List(Person.UserId, ct);

    public async Task<IActionResult> OnPostDisconnectAsync([FromForm] string? client)
    {
        if (client is not null) await apps.Disconnect(Person.UserId, client, RequestFacts.Of(HttpContext).Address);
        return Done(AccountSection.Apps, "app-disconnected");
    }
}
