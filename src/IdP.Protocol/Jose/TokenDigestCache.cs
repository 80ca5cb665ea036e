using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace IdP.Protocol.Jose;

/// <summary>The SHA-256 digest of a token's text: what is kept of a token instead of the token.</summary>
[StructLayout(LayoutKind.Auto)]
public readonly record struct TokenDigest
{
    private readonly ulong _a;
    private readonly ulong _b;
    private readonly ulong _c;
    private readonly ulong _d;

    private TokenDigest(ReadOnlySpan<ulong> words) => (_a, _b, _c, _d) = (words[0], words[1], words[2], words[3]);

    /// <summary>Computes the digest; texts that differ in any character have different digests.</summary>
    public static TokenDigest Of(ReadOnlySpan<char> token)
    {
        Span<ulong> words = stackalloc ulong[SHA256.HashSizeInBytes / sizeof(ulong)];
        SHA256.HashData(MemoryMarshal.AsBytes(token), MemoryMarshal.AsBytes(words));
        return new TokenDigest(words);
    }

    internal ulong Mark => _b;

    /// <inheritdoc/>
    public override int GetHashCode() => (int)_a;
}

/// <summary>
/// Remembers something about tokens by their digest, at most so many of them: what was not asked for lately goes first.
/// Safe for concurrent use; a look-up takes no lock.
/// </summary>
/// <typeparam name="TValue">What is remembered, immutable: it is given to every caller.</typeparam>
public sealed class TokenDigestCache<TValue>
    where TValue : class
{
    private const int MarksInSet = 4;

    private readonly int _generationSize;

    // Marks of digests that were offered once. Most tokens never come back, and what is kept of them would only be moved about by the
    // garbage collector: a token is remembered when it is offered the second time.
    private readonly ulong[] _offered;
    private uint _random;
    private volatile Generations _generations = new(new(), new());

    /// <param name="capacity">The greatest number of entries; 0 switches the cache off.</param>
    /// <param name="remembersAtOnce">False lets a token's first offer only leave a mark, so that tokens seen once cost no memory.</param>
    public TokenDigestCache(int capacity, bool remembersAtOnce = true)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(capacity);
        Capacity = capacity;
        _generationSize = Math.Max(1, capacity / 2);
        _offered = remembersAtOnce ? [] : new ulong[BitOperations.RoundUpToPowerOf2((uint)Math.Max(MarksInSet, capacity))];
    }

    /// <summary>The greatest number of entries.</summary>
    public int Capacity { get; }

    /// <summary>Looks a token up.</summary>
    public bool TryGet(in TokenDigest digest, [NotNullWhen(true)] out TValue? value)
    {
        var generations = _generations;
        if (generations.Young.TryGetValue(digest, out value)) return true;
        if (!generations.Old.TryGetValue(digest, out value)) return false;
        if (generations.Young.TryAdd(digest, value)) CountOne(generations);
        return true;
    }

    /// <summary>Remembers something about a token, in place of what was remembered before.</summary>
    public void Add(in TokenDigest digest, TValue value)
    {
        if (Capacity == 0 || !IsOfferedAgain(digest)) return;
        var generations = _generations;
        if (generations.Young.TryAdd(digest, value)) CountOne(generations);
        else generations.Young[digest] = value;
    }

    // A mark lost to a race or to another token costs a verification more, two digests of one mark an entry earlier.
    private bool IsOfferedAgain(in TokenDigest digest)
    {
        if (_offered.Length == 0) return true;
        var set = _offered.AsSpan((int)(digest.Mark & (ulong)(_offered.Length - MarksInSet)), MarksInSet);
        foreach (ref var mark in set)
        {
            if (Volatile.Read(ref mark) == digest.Mark) return true;
        }

        // Any of them, not the oldest: tokens of one set that come in turn would push one another out for ever.
        _random = (_random * 1664525) + 1013904223;
        Volatile.Write(ref set[(int)(_random >> 30)], digest.Mark);
        return false;
    }

    /// <summary>Forgets everything.</summary>
    public void Clear() => _generations = new Generations(new(), new());

    private void CountOne(Generations generations)
    {
        // The young generation is full: it becomes the old one, and what nobody asked for since the last turn is gone.
        if (generations.CountOne() >= _generationSize)
            Interlocked.CompareExchange(ref _generations, new Generations(new(), generations.Young), generations);
    }

    private sealed class Generations(ConcurrentDictionary<TokenDigest, TValue> young, ConcurrentDictionary<TokenDigest, TValue> old)
    {
        private int _added;

        public ConcurrentDictionary<TokenDigest, TValue> Young { get; } = young;

        public ConcurrentDictionary<TokenDigest, TValue> Old { get; } = old;

        public int CountOne() => Interlocked.Increment(ref _added);
    }
}
