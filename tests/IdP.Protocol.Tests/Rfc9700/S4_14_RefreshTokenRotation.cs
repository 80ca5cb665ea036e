using IdP.Protocol.OAuth;

namespace IdP.Protocol.Tests.Rfc9700;

public sealed class S4_14_RefreshTokenRotation
{
    [Theory]
    [Trait("Case", "REF-01")]
    [Trait("Case", "REF-02")]
    [Trait("Case", "REF-03")]
    [InlineData(5, 5, 1, 10, 0, RefreshStep.Rotate)]
    [InlineData(6, 5, 1, 10, 0, RefreshStep.FromTheFuture)]
    [InlineData(int.MaxValue, 5, 1, 10, 0, RefreshStep.FromTheFuture)]
    [InlineData(4, 5, 0, 10, 0, RefreshStep.GiveAgain)]
    [InlineData(4, 5, 9.999, 10, 1, RefreshStep.GiveAgain)]
    [InlineData(4, 5, 9.999, 10, 2, RefreshStep.TooOften)]
    [InlineData(4, 5, 10, 10, 0, RefreshStep.Reused)]
    [InlineData(4, 5, 10, 10, 2, RefreshStep.Reused)]
    [InlineData(3, 5, 0, 10, 0, RefreshStep.Reused)]
    [InlineData(0, 5, 0, 60, 0, RefreshStep.Reused)]
    [InlineData(int.MinValue, 5, 0, 60, 0, RefreshStep.Reused)]
    // Two nodes' clocks may differ by a moment; without an overlap that makes no overlap.
    [InlineData(4, 5, 0, 0, 0, RefreshStep.Reused)]
    [InlineData(4, 5, -0.002, 0, 0, RefreshStep.Reused)]
    [InlineData(4, 5, -0.002, 10, 0, RefreshStep.GiveAgain)]
    public void A_client_that_rotates(int presented, int newest, double seconds, double overlap, int retries, object expected) =>
        Assert.Equal(expected, RefreshRotation.Decide(presented, newest, rotates: true, TimeSpan.FromSeconds(seconds), TimeSpan.FromSeconds(overlap), retries));

    [Fact]
    public void A_client_that_keeps_its_token_uses_the_newest_for_ever()
    {
        for (var retries = 0; retries < 5; retries++)
            Assert.Equal(RefreshStep.Keep, RefreshRotation.Decide(1, 1, rotates: false, TimeSpan.FromDays(90), TimeSpan.FromSeconds(10), retries));
    }
}
