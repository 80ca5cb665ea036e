using System.Collections.Concurrent;
using IdP.Storage;

namespace IdP.ApiKeys;

/// <summary>
/// Remembers when keys were used and writes it down beside everything else: at most once a minute for a key, nobody waits for it, and
/// what has come together goes to the writer at once. A use that is lost with the process was only for people to look at.
/// </summary>
internal sealed class LastUses(PreparedStatements statements, TimeProvider clock, ILogger<LastUses> log) : BackgroundService
{
    public static readonly TimeSpan Precision = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(10);
    private const int Most = 10_000;

    private const string Statement =
        """UPDATE "ApiKeys" SET "LastUsedAt" = @p1 WHERE "Id" = @p0 AND ("LastUsedAt" IS NULL OR "LastUsedAt" < @p1)""";

    private readonly ConcurrentDictionary<Guid, DateTimeOffset> _pending = new();

    public void Saw(PresentedApiKey key)
    {
        var now = clock.GetUtcNow();
        if (key.LastUsedAt > now - Precision || _pending.Count >= Most) return;
        _pending.TryAdd(key.Id, now);
    }

    /// <summary>Writes what is waiting.</summary>
    public async Task Write(CancellationToken ct)
    {
        var writes = new List<Task>();
        foreach (var (id, at) in _pending)
        {
            _pending.TryRemove(id, out _);
            writes.Add(statements.Execute(Statement, [id, at.ToUnixTimeMilliseconds()], ct));
            // So many share a commit; more would stand in the way of others.
            if (writes.Count < 64) continue;
            await Task.WhenAll(writes);
            writes.Clear();
        }
        await Task.WhenAll(writes);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Every);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken)) await WriteOrSay(stoppingToken);
        }
        catch (OperationCanceledException)
        {
            await WriteOrSay(CancellationToken.None);
        }
    }

    private async Task WriteOrSay(CancellationToken ct)
    {
        try
        {
            await Write(ct);
        }
        catch (Exception failure) when (!ct.IsCancellationRequested)
        {
            log.LogWarning(failure, "When API keys were last used could not be written down");
        }
    }
}
