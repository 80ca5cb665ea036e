using System.Text.Json;
using IdP.Http;

namespace IdP.Roles;

/// <summary>The roles that count at an API and the permissions there that come of them, each in ordinal order.</summary>
internal sealed record Rights(string[] Roles, string[] Permissions)
{
    public static readonly Rights None = new([], []);

    public bool IsEmpty => Roles.Length == 0 && Permissions.Length == 0;

    /// <summary>What both say: a right that was lost since is not told, and one that came since is for the next token.</summary>
    public Rights Intersect(Rights other) => new(Both(Roles, other.Roles), Both(Permissions, other.Permissions));

    /// <summary>What either says.</summary>
    public Rights Union(Rights other) => new(Sorted(Roles.Union(other.Roles, StringComparer.Ordinal)), Sorted(Permissions.Union(other.Permissions, StringComparer.Ordinal)));

    /// <summary>RFC 9068 §2.2.3.1 has <c>roles</c>; <c>permissions</c> is its twin. What is empty is left out.</summary>
    public void Write(Utf8JsonWriter writer)
    {
        WriteRoles(writer);
        WritePermissions(writer);
    }

    /// <summary>Only those of the two claims that were asked for.</summary>
    public void Write(Utf8JsonWriter writer, IReadOnlyCollection<string> names)
    {
        if (names.Contains("roles")) WriteRoles(writer);
        if (names.Contains("permissions")) WritePermissions(writer);
    }

    private void WriteRoles(Utf8JsonWriter writer)
    {
        if (Roles.Length > 0) writer.WriteList("roles", Roles);
    }

    private void WritePermissions(Utf8JsonWriter writer)
    {
        if (Permissions.Length > 0) writer.WriteList("permissions", Permissions);
    }

    private static string[] Both(string[] some, string[] others) => some.Length == 0 || others.Length == 0 ? [] : Sorted(some.Intersect(others, StringComparer.Ordinal));

    private static string[] Sorted(IEnumerable<string> values) => [.. values.Order(StringComparer.Ordinal)];
}
