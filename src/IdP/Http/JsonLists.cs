using System.Text.Json;

namespace IdP.Http;

internal static class JsonLists
{
    /// <summary>A member that is an array of texts.</summary>
    public static void WriteList(this Utf8JsonWriter writer, string name, IEnumerable<string> values)
    {
        writer.WriteStartArray(name);
        foreach (var value in values) writer.WriteStringValue(value);
        writer.WriteEndArray();
    }
}
