namespace IdP.Protocol.Tests;

public sealed class PlainTextTests
{
    [Theory]
    [InlineData("a")]
    [InlineData("two words")]
    [InlineData("Zoë, 李, Ольга")]
    [InlineData("👩‍🚀 with a joiner")]
    [InlineData("می‌خواهم")]
    public void Names_of_all_people_are_fine(string text) => Assert.True(PlainText.IsFine(text, 100));

    [Theory]
    [InlineData("")]
    [InlineData(" leading")]
    [InlineData("trailing ")]
    [InlineData("trailing\u00a0")]
    [InlineData("line\nbreak")]
    [InlineData("line\u2028break")]
    [InlineData("line\u0085break")]
    [InlineData("bell\a")]
    [InlineData("\u001b[31mred")]
    [InlineData("nul\0")]
    [InlineData("right\u202eleft")]
    [InlineData("iso\u2066late")]
    [InlineData("\ufffd")]
    [Trait("Case", "UNI-04")]
    public void What_could_harm_a_line_is_not(string text) => Assert.False(PlainText.IsFine(text, 100));

    [Fact]
    public void Neither_is_half_a_code_point_nor_too_much()
    {
        Assert.False(PlainText.IsFine("high " + '\ud83d' + "x", 100));
        Assert.False(PlainText.IsFine("low " + '\ude00', 100));
        Assert.False(PlainText.IsFine("end " + '\ud83d', 100));
        Assert.True(PlainText.IsFine(new string('x', 100), 100));
        Assert.False(PlainText.IsFine(new string('x', 101), 100));
    }

    [Fact]
    public void Quoted_text_is_short_and_safe()
    {
        Assert.Equal("'plain ü 🙂'", PlainText.Quoted("plain ü 🙂"));
        Assert.Equal("'a?b?c?[2J?'", PlainText.Quoted("a\nb\u202ec\u001b[2J\u2028"));
        Assert.Equal("'half ?'", PlainText.Quoted("half " + '\ud83d'));
        Assert.Equal($"'{new string('x', 80)}...'", PlainText.Quoted(new string('x', 81)));
    }
}
