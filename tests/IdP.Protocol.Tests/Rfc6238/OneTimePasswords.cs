using System.Text;

namespace IdP.Protocol.Tests.Rfc6238;

public sealed class OneTimePasswords
{
    private static readonly byte[] Secret = Encoding.ASCII.GetBytes("12345678901234567890");

    /// <summary>RFC 6238 appendix B, of which apps show the last six digits.</summary>
    [Theory]
    [InlineData(59, "287082")]
    [InlineData(1111111109, "081804")]
    [InlineData(1111111111, "050471")]
    [InlineData(1234567890, "005924")]
    [InlineData(2000000000, "279037")]
    [InlineData(20000000000, "353130")]
    public void The_vectors_of_the_specification(long seconds, string code) =>
        Assert.Equal(code, OneTimePassword.Code(Secret, OneTimePassword.StepOf(DateTimeOffset.FromUnixTimeSeconds(seconds))));

    [Theory]
    [Trait("Case", "MFA-04")]
    [InlineData(-3, false)]
    [InlineData(-2, false)]
    [InlineData(-1, true)]
    [InlineData(0, true)]
    [InlineData(1, true)]
    [InlineData(2, false)]
    [InlineData(3, false)]
    public void A_code_counts_one_step_early_or_late(int away, bool counts)
    {
        var now = DateTimeOffset.FromUnixTimeSeconds(1111111111);
        var step = OneTimePassword.StepOf(now) + away;
        var code = OneTimePassword.Code(Secret, step);
        Assert.Equal(counts ? step : null, OneTimePassword.StepFor(Secret, code, now, 1));
        Assert.Equal(away == 0 ? step : null, OneTimePassword.StepFor(Secret, code, now, 0));
    }

    [Theory]
    [InlineData("")]
    [InlineData("05047")]
    [InlineData("0504711")]
    [InlineData("٠٥٠٤٧١")]
    public void Nothing_else_is_a_code(string text) => Assert.Null(OneTimePassword.StepFor(Secret, text, DateTimeOffset.FromUnixTimeSeconds(1111111111), 1));

    /// <summary>RFC 4648 §10, without the padding.</summary>
    [Theory]
    [InlineData("", "")]
    [InlineData("f", "MY")]
    [InlineData("fo", "MZXQ")]
    [InlineData("foo", "MZXW6")]
    [InlineData("foob", "MZXW6YQ")]
    [InlineData("fooba", "MZXW6YTB")]
    [InlineData("foobar", "MZXW6YTBOI")]
    public void Base_32(string bytes, string text) => Assert.Equal(text, OneTimePassword.Base32(Encoding.ASCII.GetBytes(bytes)));
}
