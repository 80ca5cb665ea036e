using System.Globalization;
using System.Text.RegularExpressions;
using IdP.Accounts;
using IdP.Protocol;
using IdP.Protocol.OAuth;

namespace IdP.Account;

/// <summary>
/// A standard claim (OpenID Connect Core §5.1) that its owner may change: how it is read, written and judged. The user name, the e-mail address
/// and whether an address or number is confirmed are none of these.
/// </summary>
/// <param name="Claim">Its name, which is the name of the form's field too; its texts are <c>Claim.NAME</c> and, where it has a form, <c>Claim.NAME.Hint</c>.</param>
/// <param name="Read">What the account has.</param>
/// <param name="Write">Gives the account another.</param>
/// <param name="Autocomplete">What browsers know it by.</param>
/// <param name="HasForm">Whether a text has a form that this claim must have.</param>
internal sealed partial record ProfileField(string Claim, Func<User, string?> Read, Action<User, string?> Write, string? Autocomplete = null, Func<string, bool>? HasForm = null)
{
    public const int Longest = 256;

    public static readonly IReadOnlyList<ProfileField> All =
    [
        new("name", u => u.Name, (u, v) => u.Name = v, "name"),
        new("given_name", u => u.GivenName, (u, v) => u.GivenName = v, "given-name"),
        new("middle_name", u => u.MiddleName, (u, v) => u.MiddleName = v, "additional-name"),
        new("family_name", u => u.FamilyName, (u, v) => u.FamilyName = v, "family-name"),
        new("nickname", u => u.Nickname, (u, v) => u.Nickname = v, "nickname"),
        new("phone_number", u => u.PhoneNumber, WritePhone, "tel", v => Phone().IsMatch(v)),
        new("birthdate", u => u.Birthdate, (u, v) => u.Birthdate = v, "bday", IsDate),
        new("gender", u => u.Gender, (u, v) => u.Gender = v, "sex"),
        new("profile", u => u.Profile, (u, v) => u.Profile = v, null, IsWeb),
        new("picture", u => u.Picture, (u, v) => u.Picture = v, "photo", IsWeb),
        new("website", u => u.Website, (u, v) => u.Website = v, "url", IsWeb),
        new("locale", u => u.Locale, (u, v) => u.Locale = v, "language", v => Language().IsMatch(v)),
        new("zoneinfo", u => u.ZoneInfo, (u, v) => u.ZoneInfo = v, null, v => v.Contains('/', StringComparison.Ordinal) && TimeZoneInfo.TryFindSystemTimeZoneById(v, out _)),
        new("street_address", u => u.StreetAddress, (u, v) => u.StreetAddress = v, "street-address"),
        new("postal_code", u => u.PostalCode, (u, v) => u.PostalCode = v, "postal-code"),
        new("locality", u => u.Locality, (u, v) => u.Locality = v, "address-level2"),
        new("region", u => u.Region, (u, v) => u.Region = v, "address-level1"),
        new("country", u => u.Country, (u, v) => u.Country = v, "country-name"),
    ];

    /// <summary>Whether the claim may be this.</summary>
    public bool Allows(string value) => PlainText.IsFine(value, Longest) && HasForm?.Invoke(value) != false;

    // Another number is one that nobody has confirmed.
    private static void WritePhone(User user, string? value) => (user.PhoneNumber, user.PhoneNumberConfirmed) = (value, false);

    private static bool IsWeb(string value) => WebOrigin.Of(value) is not null;

    // OpenID Connect Core §5.1: the year alone, or a day whose year may be kept back as 0000.
    private static bool IsDate(string value) => Year().IsMatch(value) ||
        DateOnly.TryParseExact(value.StartsWith("0000-", StringComparison.Ordinal) ? $"2000{value[4..]}" : value, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _);

    [GeneratedRegex(@"^\+?[0-9][0-9 ()./-]{2,31}$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Phone();

    [GeneratedRegex("^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,4}$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Language();

    [GeneratedRegex("^[1-9][0-9]{3}$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Year();
}
