namespace IdP.Account;

/// <summary>Where somebody begins who wants to look after their account.</summary>
internal sealed class OverviewModel(AccountDoor door) : AccountPage(door)
{
    public string Name { get; private set; } = "";

    public void OnGet() => Name = Person.DisplayName ?? Person.UserName;
}
