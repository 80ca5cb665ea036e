using System.Text.Json;
using System.Text.Json.Serialization;

namespace IdP.Audit;

/// <summary>A name, an identifier or a reason that may be told for ever: never what somebody proves something by. A longer one is cut.</summary>
internal readonly record struct Told
{
    public const int Longest = 8000;

    private Told(string text) => Text = text;

    public string Text => field ?? "";

    public static Told Of(string text) => new(text.Length <= Longest ? text : text[..(char.IsHighSurrogate(text[Longest - 1]) ? Longest - 1 : Longest)]);

    /// <summary>Several, separated by spaces.</summary>
    public static Told Of(IEnumerable<string> texts) => Of(string.Join(' ', texts));

    internal sealed class Json : JsonConverter<Told>
    {
        public override Told Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => Of(reader.GetString() ?? "");

        public override void Write(Utf8JsonWriter writer, Told value, JsonSerializerOptions options) => writer.WriteStringValue(value.Text);
    }

    /// <summary>An id as it stands everywhere else: 32 digits without hyphens.</summary>
    internal sealed class IdJson : JsonConverter<Guid>
    {
        public override Guid Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => Guid.ParseExact(reader.GetString()!, "N");

        public override void Write(Utf8JsonWriter writer, Guid value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString("N"));
    }
}
