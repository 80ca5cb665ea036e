using System.Text.Json;
using IdP.Accounts;

namespace IdP.UserInfo;

/// <summary>Which claims of a person a set of scopes opens (OpenID Connect Core §5.4). The one place that decides it.</summary>
internal static class UserClaims
{
    /// <summary>Every claim that some scope opens, for discovery.</summary>
    public static readonly string[] Names =
    [
        "sub", "name", "family_name", "given_name", "middle_name", "nickname", "preferred_username", "profile", "picture", "website", "gender",
        "birthdate", "zoneinfo", "locale", "updated_at", "email", "email_verified", "address", "phone_number", "phone_number_verified",
    ];

    /// <summary>Writes the members of the claims that the scopes open and the person has; what is unknown is left out, never null or empty.</summary>
    public static void Write(Utf8JsonWriter writer, User user, ICollection<string> scopes)
    {
        if (scopes.Contains("profile")) WriteProfile(writer, user);
        if (scopes.Contains("email") && user.Email is { Length: > 0 } email)
        {
            writer.WriteString("email"u8, email);
            writer.WriteBoolean("email_verified"u8, user.EmailConfirmed);
        }
        if (scopes.Contains("address")) WriteAddress(writer, user);
        if (scopes.Contains("phone") && user.PhoneNumber is { Length: > 0 } phone)
        {
            writer.WriteString("phone_number"u8, phone);
            writer.WriteBoolean("phone_number_verified"u8, user.PhoneNumberConfirmed);
        }
    }

    private static void WriteProfile(Utf8JsonWriter writer, User user)
    {
        WriteIfKnown(writer, "name", user.Name);
        WriteIfKnown(writer, "family_name", user.FamilyName);
        WriteIfKnown(writer, "given_name", user.GivenName);
        WriteIfKnown(writer, "middle_name", user.MiddleName);
        WriteIfKnown(writer, "nickname", user.Nickname);
        WriteIfKnown(writer, "preferred_username", user.UserName);
        WriteIfKnown(writer, "profile", user.Profile);
        WriteIfKnown(writer, "picture", user.Picture);
        WriteIfKnown(writer, "website", user.Website);
        WriteIfKnown(writer, "gender", user.Gender);
        WriteIfKnown(writer, "birthdate", user.Birthdate);
        WriteIfKnown(writer, "zoneinfo", user.ZoneInfo);
        WriteIfKnown(writer, "locale", user.Locale);
        writer.WriteNumber("updated_at"u8, user.UpdatedAt.ToUnixTimeSeconds());
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
        foreach (var (name, value) in parts) WriteIfKnown(writer, name, value);
        writer.WriteEndObject();
    }

    private static void WriteIfKnown(Utf8JsonWriter writer, string name, string? value)
    {
        if (!string.IsNullOrEmpty(value)) writer.WriteString(name, value);
    }
}
