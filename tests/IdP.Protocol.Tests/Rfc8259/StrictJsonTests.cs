using System.Text;
using System.Text.Json;

namespace IdP.Protocol.Tests.Rfc8259;

public sealed class StrictJsonTests
{
    [Theory]
    [InlineData("""{"a":"\ud83d\ude00"}""", true)]
    [InlineData("""{"a":"\\ud83d"}""", true)]
    [InlineData("""{"a":"\\\ud83d"}""", false)]
    [InlineData("""{"a":"\ud83d\n"}""", false)]
    [InlineData("""{"a":"\ud83dx\ude00"}""", false)]
    [InlineData("""{"a":"\ude00"}""", false)]
    [InlineData("""{"a":"\uD83D\uD83D\uDE00"}""", false)]
    [InlineData("""{"\ud83d":1}""", false)]
    [InlineData("""{"\ud83d":1,"\ud83d":2}""", false)]
    [InlineData("""{"a":"\u00zz"}""", false)]
    [InlineData("""{"a":"\""", false)]
    [InlineData("""{"a":"\u12""", false)]
    [InlineData("""{"a":1,"a":1}""", false)]
    [InlineData("""{"a":1,"\u0061":1}""", false)]
    [InlineData("""[{"a":1},{"a":1}]""", true)]
    [InlineData("""[{"b":{"a":1,"a":1}}]""", false)]
    [InlineData("""{"a":01}""", false)]
    [InlineData("""{'a':1}""", false)]
    [InlineData("""{"a":1} x""", false)]
    [InlineData("   ", false)]
    [Trait("Case", "JWT-14")]
    [Trait("Case", "JWT-18")]
    public void Only_text_that_can_be_read_without_an_error_is_parsed(string json, bool accepted)
    {
        Assert.Equal(accepted, StrictJson.TryParse(Encoding.UTF8.GetBytes(json), out var root));
        if (accepted) ReadAll(root);
    }

    [Fact]
    public void Random_damage_never_throws_and_whatever_is_parsed_can_be_read()
    {
        var random = new Random(8259);
        var source = Encoding.UTF8.GetBytes("""{"iss":"https://idp.example","aud":["a","\u00e9\ud83d\ude00"],"exp":1800000000,"x":{"y":[true,null,1.5e3,"\\\""]},"é":"日本"}""");
        var accepted = 0;
        for (var i = 0; i < 50_000; i++)
        {
            var bytes = (byte[])source.Clone();
            for (var n = random.Next(1, 4); n > 0; n--) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            if (!StrictJson.TryParse(bytes, out var root)) continue;
            accepted++;
            ReadAll(root);
        }

        Assert.InRange(accepted, 1, 49_999);
    }

    [Fact]
    public void An_object_is_asked_for_and_a_string_is_a_string()
    {
        Assert.False(StrictJson.TryParseObject("[]"u8, out _));
        Assert.True(StrictJson.TryParseObject("""{"a":"x","b":1}"""u8, out var root));
        Assert.True(StrictJson.TryGetString(root, "a", out var value));
        Assert.Equal("x", value);
        Assert.False(StrictJson.TryGetString(root, "b", out _));
        Assert.False(StrictJson.TryGetString(root, "c", out _));
    }

    private static void ReadAll(JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (var member in element.EnumerateObject())
                {
                    Assert.NotNull(member.Name);
                    ReadAll(member.Value);
                }

                break;
            case JsonValueKind.Array:
                foreach (var item in element.EnumerateArray()) ReadAll(item);
                break;
            case JsonValueKind.String:
                Assert.NotNull(element.GetString());
                break;
        }
    }
}
