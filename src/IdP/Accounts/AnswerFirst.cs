using System.Threading.Channels;

namespace IdP.Accounts;

/// <summary>
/// Work that is done after its answer, one after the other: what it finds (an account, an address that is taken) would show in the time of the
/// answer otherwise. What a stop does not leave time for is lost; whoever waits for a mail asks again.
/// </summary>
internal sealed class AnswerFirst(ILogger<AnswerFirst> log) : BackgroundService
{
    private const int MostWaiting = 1000;
    private readonly Channel<Func<Task>> _work = Channel.CreateBounded<Func<Task>>(MostWaiting);

    /// <summary>False when too much waits already.</summary>
    public bool TryAdd(Func<Task> work) => _work.Writer.TryWrite(work);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await using var stopping = stoppingToken.Register(() => _work.Writer.TryComplete());
        await foreach (var work in _work.Reader.ReadAllAsync(CancellationToken.None))
        {
            try
            {
                await work();
            }
            catch (Exception failure)
            {
                log.LogError(failure, "A mail that somebody asked for could not be prepared");
            }
        }
    }
}
