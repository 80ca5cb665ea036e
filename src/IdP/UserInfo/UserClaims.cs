using System.Collections.Frozen;
using System.Text.Json;
using IdP.Accounts;
using IdP.Clients;

namespace IdP.UserInfo;

/// <summary>Which claims of a person scopes open and names ask for (OpenID Connect Core §5.4, §5.5), for userinfo and ID tokens alike. The one place that decides it.</summary>
internal static class UserClaims
{
    // OpenID Connect Core §5.4
    private static readonly Dictionary<string, string[]> ByScope = new(StringComparer.Ordinal)
    {
        ["profile"] =
        [
            "name", "family_name", "given_name", "middle_name", "nickname", "preferred_username", "profile", "picture", "website", "gender", "birthdate", "zoneinfo", "locale", "updated_at",
        ],
        ["email"] = ["email", "email_verified"],
        ["address"] = ["address"],
        ["phone"] = ["phone_number", "phone_number_verified"],
        ["roles"] = ["roles", "permissions"],
    };

    /// <summary>Whether roles or permissions are among them, which are not the account's own.</summary>
    public static bool AreRights(IReadOnlyCollection<string> names) => names.Contains("roles") || names.Contains("permissions");

    /// <summary>Every claim that some scope opens, for discovery.</summary>
    public static readonly IReadOnlyCollection<string> Names = ByScope.Values.SelectMany(names => names).ToFrozenSet(StringComparer.Ordinal);

    /// <summary>Those of the claims asked for by name that the client may have: a scope of its own opens each of them.</summary>
    public static IEnumerable<string> Requested(IEnumerable<string> names, Client client) =>
        names.Where(name => ByScope.Any(scope => scope.Value.Contains(name) && client.Scopes.Contains(scope.Key)));

    /// <summary>The claims that scopes open, and those asked for by name.</summary>
    public static HashSet<string> Opened(IEnumerable<string> scopes, IEnumerable<string> requested)
    {
        var names = requested.ToHashSet(StringComparer.Ordinal);
        foreach (var scope in scopes)
            if (ByScope.TryGetValue(scope, out var opened)) names.UnionWith(opened);
        return names;
    }

    /// <summary>Writes those of the claims that the person has; what is unknown is left out, never null or empty.</summary>
    public static void Write(Utf8JsonWriter writer, User user, IReadOnlyCollection<string> names)
    {
        (string Name, string? Value)[] texts =
        [
            ("name", user.Name), ("family_name", user.FamilyName), ("given_name", user.GivenName), ("middle_name", user.MiddleName), ("nickname", user.Nickname),
            ("preferred_username", user.UserName), ("profile", user.Profile), ("picture", user.Picture), ("website", user.Website), ("gender", user.Gender),
            ("birthdate", user.Birthdate), ("zoneinfo", user.ZoneInfo), ("locale", user.Locale), ("email", user.Email), ("phone_number", user.PhoneNumber),
        ];
        foreach (var (name, value) in texts)
            if (names.Contains(name)) WriteIfKnown(writer, name, value);
        if (names.Contains("updated_at")) writer.WriteNumber("updated_at"u8, user.UpdatedAt.ToUnixTimeSeconds());
        if (names.Contains("email_verified") && !string.IsNullOrEmpty(user.Email)) writer.WriteBoolean("email_verified"u8, user.EmailConfirmed);
        if (names.Contains("phone_number_verified") && !string.IsNullOrEmpty(user.PhoneNumber)) writer.WriteBoolean("phone_number_verified"u8, user.PhoneNumberConfirmed);
        if (names.Contains("address")) WriteAddress(writer, user);
    }

    // OpenID Connect Core §5.1.1
    private static void WriteAddress(Utf8JsonWriter writer, User user)
    {
        (string Name, string? Value)[] parts =
        [
            ("street_address", user.StreetAddress), ("locality", user.Locality), ("region", user.Region), ("postal_code", user.PostalCode), ("country", user.Country),
        ];
        if (parts.All(part => string.IsNullOrEmpty(part.Value))) return;
        writer.WriteStartObject("address"u8);
        writer.WriteString("formatted"u8, string.Join('\n', parts.Select(part => part.Value).Where(value => !string.IsNullOrEmpty(value))));
        foreach (var (name, value) in parts) WriteIfKnown(writer, name, value);
        writer.WriteEndObject();
    }

    private static void WriteIfKnown(Utf8JsonWriter writer, string name, string? value)
    {
        if (!string.IsNullOrEmpty(value)) writer.WriteString(name, value);
    }
}
