using IdP.Ui;

namespace IdP.Account;

/// <summary>A page under /account as navigation and overview name it: its texts are <c>Account.ID</c> and <c>Account.ID.About</c>.</summary>
internal sealed record AccountSection(string Id, string Path)
{
    public const string Overview = "/account";
    public const string Profile = "/account/profile";
    public const string Password = "/account/password";
    public const string Sessions = "/account/sessions";
    public const string SecondFactors = "/account/second-factors";
    public const string Apps = "/account/apps";
    public const string ApiKeys = "/account/api-keys";
    public const string Events = "/account/events";
    public const string Data = "/account/data";

    /// <summary>In the order in which they are shown. A new page is one line here and two texts.</summary>
    public static readonly IReadOnlyList<AccountSection> All =
    [
        new("Overview", Overview),
        new("Profile", Profile),
        new("Password", Password),
        new("Sessions", Sessions),
        new("SecondFactors", SecondFactors),
        new("Passkeys", PageAddresses.Passkeys),
        new("Email", PageAddresses.Email),
        new("Apps", Apps),
        new("ApiKeys", ApiKeys),
        new("Events", Events),
        new("Data", Data),
    ];

    public string Title => $"Account.{Id}";

    public string About => $"Account.{Id}.About";

    /// <summary>Whether the address is this page, or one that belongs to it.</summary>
    public bool Holds(PathString address) =>
        address == Path || (Path != Overview && address.StartsWithSegments(Path, StringComparison.Ordinal));
}
