using System.Globalization;
using IdP.Protocol.Jose;

namespace IdP.Protocol.Tests.Rfc7515;

public sealed class TokenDigestCacheTests
{
    [Fact]
    public void What_was_added_is_found_and_nothing_else()
    {
        var cache = new TokenDigestCache<string>(10);
        cache.Add(TokenDigest.Of("token"), "value");
        Assert.True(cache.TryGet(TokenDigest.Of("token"), out var value));
        Assert.Equal("value", value);
        foreach (var other in (string[])["Token", "token ", "toke", "", "token\0", "\u0174oken"]) Assert.False(cache.TryGet(TokenDigest.Of(other), out _));
        cache.Clear();
        Assert.False(cache.TryGet(TokenDigest.Of("token"), out _));
    }

    [Fact]
    public void What_is_added_again_takes_the_place_of_the_old()
    {
        var cache = new TokenDigestCache<string>(2);
        cache.Add(TokenDigest.Of("token"), "old");
        cache.Add(TokenDigest.Of("token"), "new");
        Assert.True(cache.TryGet(TokenDigest.Of("token"), out var value));
        Assert.Equal("new", value);
        cache.Add(TokenDigest.Of("token"), "newest");
        Assert.True(cache.TryGet(TokenDigest.Of("token"), out value));
        Assert.Equal("newest", value);
    }

    [Fact]
    public void A_cache_that_does_not_remember_at_once_keeps_what_is_offered_twice()
    {
        var cache = new TokenDigestCache<string>(100, remembersAtOnce: false);
        cache.Add(TokenDigest.Of("token"), "value");
        Assert.False(cache.TryGet(TokenDigest.Of("token"), out _));
        cache.Add(TokenDigest.Of("token"), "value");
        Assert.True(cache.TryGet(TokenDigest.Of("token"), out _));
    }

    [Theory, InlineData(100, 200), InlineData(1_000, 10_000)]
    public void Tokens_that_come_in_turn_are_all_kept_soon(int tokens, int capacity)
    {
        var cache = new TokenDigestCache<string>(capacity, remembersAtOnce: false);
        var digests = Enumerable.Range(0, tokens).Select(i => TokenDigest.Of(i.ToString(CultureInfo.InvariantCulture))).ToList();
        for (var round = 0; round < 10; round++)
        {
            foreach (var digest in digests)
            {
                if (!cache.TryGet(digest, out _)) cache.Add(digest, "x");
            }
        }

        Assert.All(digests, digest => Assert.True(cache.TryGet(digest, out _)));
    }

    [Theory, InlineData(1), InlineData(2), InlineData(100), InlineData(101)]
    public void It_never_holds_more_than_its_capacity(int capacity)
    {
        var cache = new TokenDigestCache<string>(capacity);
        var digests = Enumerable.Range(0, 1000).Select(i => TokenDigest.Of(i.ToString(CultureInfo.InvariantCulture))).ToList();
        foreach (var digest in digests) cache.Add(digest, "x");

        // Counted from the newest, so that looking does not move old entries forward.
        var held = 0;
        foreach (var digest in Enumerable.Reverse(digests))
        {
            if (!cache.TryGet(digest, out _)) break;
            held++;
        }

        Assert.InRange(held, 1, capacity);
    }

    [Fact]
    public void What_is_asked_for_stays_while_others_come_and_go()
    {
        var cache = new TokenDigestCache<string>(100);
        var favourite = TokenDigest.Of("favourite");
        cache.Add(favourite, "x");
        for (var i = 0; i < 10_000; i++)
        {
            cache.Add(TokenDigest.Of(i.ToString(CultureInfo.InvariantCulture)), "y");
            Assert.True(cache.TryGet(favourite, out _));
        }
    }

    [Fact]
    public void A_capacity_of_nought_remembers_nothing()
    {
        var cache = new TokenDigestCache<string>(0);
        cache.Add(TokenDigest.Of("token"), "value");
        Assert.False(cache.TryGet(TokenDigest.Of("token"), out _));
    }

    [Fact]
    public void Many_threads_may_use_it()
    {
        var cache = new TokenDigestCache<string>(64);
        Parallel.For(0, 100_000, i =>
        {
            var text = (i % 500).ToString(CultureInfo.InvariantCulture);
            if (cache.TryGet(TokenDigest.Of(text), out var value)) Assert.Equal(text, value);
            else cache.Add(TokenDigest.Of(text), text);
        });
    }
}
