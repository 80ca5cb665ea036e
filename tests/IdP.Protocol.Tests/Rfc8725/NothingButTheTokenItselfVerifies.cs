using System.Text;
using IdP.Protocol.Jose;
using IdP.Testing;

namespace IdP.Protocol.Tests.Rfc8725;

public sealed class NothingButTheTokenItselfVerifies
{
    private const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    private static readonly JsonWebKeySet Keys = Example.Keys();

    [Theory, InlineData(SigningAlgorithms.ES256, 6_000), InlineData(SigningAlgorithms.RS256, 2_000), InlineData(SigningAlgorithms.PS256, 2_000)]
    [Trait("Case", "JWT-16")]
    public void Ten_thousand_flipped_bits_never_verify(string algorithm, int count)
    {
        var token = HostileTokens.Honest(Example.Key(algorithm), Example.Claims());
        var random = new Random(7515);
        for (var i = 0; i < count; i++)
        {
            var bytes = Encoding.Latin1.GetBytes(token);
            bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
            Assert.NotNull(Example.Verdict(Encoding.Latin1.GetString(bytes), Keys));
        }
    }

    [Theory, MemberData(nameof(Example.Algorithms), MemberType = typeof(Example))]
    [Trait("Case", "JWT-16")]
    public void A_flipped_bit_of_the_signature_never_verifies(string algorithm)
    {
        var token = HostileTokens.Honest(Example.Key(algorithm), Example.Claims());
        var signature = ForgedJwt.Signature(token);
        for (var bit = 0; bit < signature.Length * 8; bit++)
        {
            var flipped = (byte[])signature.Clone();
            flipped[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.NotNull(Example.Verdict(ForgedJwt.WithSignature(token, flipped), Keys));
        }
    }

    [Theory, MemberData(nameof(Example.Algorithms), MemberType = typeof(Example))]
    public void No_prefix_or_suffix_of_a_token_verifies(string algorithm)
    {
        var token = HostileTokens.Honest(Example.Key(algorithm), Example.Claims());
        for (var i = 0; i < token.Length; i++) Assert.NotNull(Example.Verdict(token[..i], Keys));
        for (var i = 1; i <= token.Length; i++) Assert.NotNull(Example.Verdict(token[i..], Keys));
        foreach (var extra in (string[])["=", "==", "A", ".", " ", "\n", "\0", "%"])
        {
            Assert.NotNull(Example.Verdict(token + extra, Keys));
            Assert.NotNull(Example.Verdict(extra + token, Keys));
        }
    }

    [Fact]
    [Trait("Case", "JWT-16")]
    public void A_token_that_differs_in_any_character_never_verifies()
    {
        // Every character of the last two groups of each part is tried with all others: that is where left-over bits hide.
        var token = HostileTokens.Honest(Example.Key(SigningAlgorithms.ES256), Example.Claims());
        var (first, last) = (token.IndexOf('.'), token.LastIndexOf('.'));
        foreach (var end in (int[])[first, last, token.Length])
        {
            for (var position = end - 8; position < end; position++) TryAllOthers(token, position);
        }

        // And all positions with the neighbours in the alphabet, the other alphabet, padding and white space.
        for (var position = 0; position < token.Length; position++)
        {
            foreach (var other in "+/=% \t\n\0\u00e9\u0141") Assert.NotNull(Example.Verdict(Replaced(token, position, other), Keys));
            Assert.NotNull(Example.Verdict(token.Insert(position, "="), Keys));
            Assert.NotNull(Example.Verdict(token.Insert(position, " "), Keys));
        }
    }

    [Fact]
    public void A_token_survives_being_parsed_by_many_threads_with_one_key()
    {
        var key = Example.Key(SigningAlgorithms.ES256);
        var verification = key.ToVerificationKey();
        Parallel.For(0, 2_000, new ParallelOptions { MaxDegreeOfParallelism = 16 }, i =>
        {
            var claims = Example.Claims();
            claims["jti"] = $"token-{i}";
            var jwt = Example.Parse(ForgedJwt.Sign(key, claims));
            Assert.True(jwt.Verify(verification));
            Assert.Equal($"token-{i}", jwt.Claims.JwtId);
        });
    }

    private static void TryAllOthers(string token, int position)
    {
        foreach (var other in Alphabet.Where(c => c != token[position])) Assert.NotNull(Example.Verdict(Replaced(token, position, other), Keys));
    }

    private static string Replaced(string token, int position, char other) => string.Concat(token.AsSpan(0, position), [other], token.AsSpan(position + 1));
}
