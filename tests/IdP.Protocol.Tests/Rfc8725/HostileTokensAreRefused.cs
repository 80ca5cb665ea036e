using System.Diagnostics;
using IdP.Protocol.Jose;
using IdP.Testing;

namespace IdP.Protocol.Tests.Rfc8725;

/// <summary>Every hostile token of the cases file, for each algorithm, through parsing, key choice, signature and claims.</summary>
public sealed class HostileTokensAreRefused
{
    private static readonly JsonWebKeySet Keys = Example.Keys();

    [Theory, MemberData(nameof(Example.Algorithms), MemberType = typeof(Example))]
    public void The_honest_token_is_accepted(string algorithm) =>
        Assert.Null(Example.Verdict(HostileTokens.Honest(Example.Key(algorithm), Example.Claims()), Keys));

    [Theory, MemberData(nameof(Example.Algorithms), MemberType = typeof(Example))]
    [Trait("Case", "JWT-02")]
    [Trait("Case", "JWT-17")]
    public void An_algorithm_that_is_not_the_keys_is_refused(string algorithm) => AllRefused(algorithm, "JWT-02", "JWT-17");

    [Theory, MemberData(nameof(Example.Algorithms), MemberType = typeof(Example))]
    [Trait("Case", "JWT-03")]
    [Trait("Case", "JWT-04")]
    public void A_key_that_the_token_brings_along_or_points_to_is_ignored(string algorithm) => AllRefused(algorithm, "JWT-03", "JWT-04");

    [Theory, MemberData(nameof(Example.Algorithms), MemberType = typeof(Example))]
    [Trait("Case", "JWT-06")]
    public void A_key_id_is_a_name_and_nothing_else(string algorithm) => AllRefused(algorithm, "JWT-06");

    [Theory, MemberData(nameof(Example.Algorithms), MemberType = typeof(Example))]
    [Trait("Case", "JWT-08")]
    [Trait("Case", "JWT-09")]
    public void A_token_of_another_type_is_no_access_token(string algorithm) => AllRefused(algorithm, "JWT-08", "JWT-09");

    [Theory, MemberData(nameof(Example.Algorithms), MemberType = typeof(Example))]
    [Trait("Case", "JWT-10")]
    [Trait("Case", "JWT-11")]
    [Trait("Case", "JWT-21")]
    public void Audience_and_issuer_are_compared_ordinally(string algorithm) => AllRefused(algorithm, "JWT-10", "JWT-11", "JWT-21");

    [Theory, MemberData(nameof(Example.Algorithms), MemberType = typeof(Example))]
    [Trait("Case", "JWT-12")]
    public void A_missing_mistyped_or_untimely_claim_is_refused(string algorithm) => AllRefused(algorithm, "JWT-12");

    [Theory, MemberData(nameof(Example.Algorithms), MemberType = typeof(Example))]
    [Trait("Case", "JWT-13")]
    [Trait("Case", "JWT-14")]
    public void Extensions_and_repeated_members_are_refused(string algorithm) => AllRefused(algorithm, "JWT-13", "JWT-14");

    [Theory, MemberData(nameof(Example.Algorithms), MemberType = typeof(Example))]
    [Trait("Case", "JWT-15")]
    [Trait("Case", "JWT-22")]
    public void An_encrypted_token_is_refused_without_any_decryption(string algorithm) => AllRefused(algorithm, "JWT-15", "JWT-22");

    [Theory, MemberData(nameof(Example.Algorithms), MemberType = typeof(Example))]
    [Trait("Case", "JWT-16")]
    public void A_signature_in_any_other_form_is_refused(string algorithm) => AllRefused(algorithm, "JWT-16");

    [Theory, MemberData(nameof(Example.Algorithms), MemberType = typeof(Example))]
    [Trait("Case", "JWT-18")]
    [Trait("Case", "JWT-20")]
    public void Broken_or_enormous_encodings_are_refused_cheaply(string algorithm) => AllRefused(algorithm, "JWT-18", "JWT-20");

    private static void AllRefused(string algorithm, params string[] cases)
    {
        var tokens = HostileTokens.All(Example.Key(algorithm), Example.Claims(), Example.Now, Example.Skew).Where(token => cases.Contains(token.Case)).ToList();
        Assert.Equal(cases.Order(), tokens.Select(token => token.Case).Distinct().Order());
        foreach (var hostile in tokens)
        {
            var (started, before) = (Stopwatch.GetTimestamp(), GC.GetAllocatedBytesForCurrentThread());
            var verdict = Example.Verdict(hostile.Token, Keys);
            var (elapsed, allocated) = (Stopwatch.GetElapsedTime(started), GC.GetAllocatedBytesForCurrentThread() - before);

            Assert.True(verdict is not null, $"{hostile.Case} accepted: {hostile.What}");
            Assert.True(allocated < 2_000_000, $"{hostile.Case} allocated {allocated} bytes: {hostile.What}");

            // The bound of the case is 50 ms of processor time; the factor is for a machine that does something else meanwhile.
            Assert.True(elapsed < TimeSpan.FromMilliseconds(500), $"{hostile.Case} took {elapsed}: {hostile.What}");

            // RFC 6750 §3: error_description has no quotes, no backslash, nothing outside ASCII.
            Assert.All(verdict, c => Assert.True(c is ' ' or '!' or (>= '#' and <= '[') or (>= ']' and <= '~'), verdict));
        }
    }
}
