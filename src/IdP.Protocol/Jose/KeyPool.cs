namespace IdP.Protocol.Jose;

/// <summary>
/// Key objects for many threads without a lock: an instance of ECDsa or RSA is not documented as safe for concurrent use,
/// so each operation takes one out of a slot and puts it back; an empty slot costs one import.
/// </summary>
internal sealed class KeyPool<TKey>(Func<TKey> import)
    where TKey : class, IDisposable
{
    private readonly TKey?[] _slots = new TKey?[Math.Max(4, Environment.ProcessorCount * 2)];
    private volatile bool _closed;

    public TKey Rent()
    {
        ObjectDisposedException.ThrowIf(_closed, this);
        var start = Start();
        for (var i = 0; i < _slots.Length; i++)
        {
            if (Interlocked.Exchange(ref _slots[(start + i) % _slots.Length], null) is { } key) return key;
        }

        return import();
    }

    public void Return(TKey key)
    {
        var start = Start();
        for (var i = 0; i < _slots.Length && !_closed; i++)
        {
            ref var slot = ref _slots[(start + i) % _slots.Length];
            if (Interlocked.CompareExchange(ref slot, key, null) is not null) continue;

            // Closed between the check and the exchange: nobody will look into the slot again, so empty it here.
            if (_closed) Interlocked.Exchange(ref slot, null)?.Dispose();
            return;
        }

        key.Dispose();
    }

    /// <summary>Frees what is in the slots now; what is out is freed on its return. A pool that is only forgotten leaves that to the finalizers.</summary>
    public void Close()
    {
        _closed = true;
        for (var i = 0; i < _slots.Length; i++) Interlocked.Exchange(ref _slots[i], null)?.Dispose();
    }

    private int Start() => Thread.GetCurrentProcessorId() % _slots.Length;
}
