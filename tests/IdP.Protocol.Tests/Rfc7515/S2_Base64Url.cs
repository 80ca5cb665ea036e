using System.Security.Cryptography;
using IdP.Protocol.Jose;

namespace IdP.Protocol.Tests.Rfc7515;

public sealed class S2_Base64Url
{
    [Theory]
    [InlineData("QQ==")]
    [InlineData("QUI=")]
    [InlineData("QQ%%")]
    [InlineData("Q Q")]
    [InlineData(" QQ")]
    [InlineData("QQ\n")]
    [InlineData("\tQQ")]
    [InlineData("+/+/")]
    [InlineData("Q")]
    [InlineData("QUJDR")]
    [InlineData("QR")]
    [InlineData("QUJ")]
    [InlineData("QQ\u0130")]
    [InlineData("\uff21\uff21")]
    [InlineData("QQ\0\0")]
    public void Any_other_spelling_is_refused(string text)
    {
        Assert.False(CanonicalBase64Url.TryDecode(text, out var bytes));
        Assert.Null(bytes);
    }

    [Fact]
    public void Every_length_comes_back_as_it_was()
    {
        for (var length = 0; length < 200; length++)
        {
            var bytes = RandomNumberGenerator.GetBytes(length);
            var text = CanonicalBase64Url.Encode(bytes);
            Assert.Equal(length, CanonicalBase64Url.DecodedLength(text.Length));
            Assert.True(CanonicalBase64Url.TryDecode(text, out var decoded));
            Assert.Equal(bytes, decoded);
        }
    }

    [Fact]
    public void Whatever_is_accepted_is_what_encoding_gives()
    {
        // All texts of two characters of the alphabet and its neighbours: 64 * 4 of them are canonical.
        var accepted = 0;
        for (var first = '!'; first < '\u0080'; first++)
        {
            for (var second = '!'; second < '\u0080'; second++)
            {
                var text = new string([first, second]);
                if (!CanonicalBase64Url.TryDecode(text, out var bytes)) continue;
                accepted++;
                Assert.Equal(text, CanonicalBase64Url.Encode(bytes));
            }
        }

        Assert.Equal(256, accepted);
    }

    [Fact]
    public void A_buffer_that_is_too_small_is_refused() => Assert.False(CanonicalBase64Url.TryDecode("QUJD", new byte[2], out _));
}
