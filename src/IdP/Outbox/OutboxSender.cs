using System.Collections.Concurrent;
using IdP.Audit;
using IdP.Logout;
using IdP.Mail;
using IdP.Observability;
using IdP.Protocol.OAuth;
using IdP.Storage;
using Microsoft.EntityFrameworkCore;

namespace IdP.Outbox;

/// <summary>
/// Sends what is in the outbox, beside everything else: nobody waits for it. Of several nodes one sends an item, because whoever takes
/// it first moves its time ahead; a node that dies while sending leaves it to the next. What cannot be delivered is tried again, later
/// and later, and given up within the hour.
/// </summary>
internal sealed class OutboxSender(Database database, LogoutNotifier logout, MailSender mails, Mailer mailer, TimeProvider clock, ILogger<OutboxSender> log) : BackgroundService
{
    /// <summary>How long after each failed attempt the next one comes; after the last there is none.</summary>
    public static readonly IReadOnlyList<TimeSpan> Pauses = [TimeSpan.FromSeconds(10), TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(10), TimeSpan.FromMinutes(45)];

    // Longer than an attempt can take.
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(30);

    // Other nodes and commands write items too, and nothing but a look tells.
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(2);
    private const int MostAtOnce = 32;

    // So that an app that hangs holds up nobody but itself.
    private const int MostForOneTarget = 4;
    private readonly SemaphoreSlim _wake = new(0, 1);
    private readonly ConcurrentDictionary<Guid, (string Target, Task Sent)> _sending = new();

    /// <summary>Something was committed: no need to wait for the next look.</summary>
    public void Wake()
    {
        try
        {
            _wake.Release();
        }
        catch (SemaphoreFullException)
        {
            // It is awake.
        }
    }

    public override void Dispose()
    {
        _wake.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (!stoppingToken.IsCancellationRequested)
            {
                try
                {
                    while (await StartDue(stoppingToken) > 0)
                    {
                        // There may be more than fitted into one look.
                    }
                }
                catch (Exception failure) when (!stoppingToken.IsCancellationRequested)
                {
                    log.LogError(failure, "The outbox cannot be read; it is tried again in {Every}", LookEvery);
                }
                await _wake.WaitAsync(LookEvery, stoppingToken);
            }
        }
        finally
        {
            await Task.WhenAll(_sending.Values.Select(one => one.Sent));
        }
    }

    private async Task<int> StartDue(CancellationToken ct)
    {
        var (now, free) = (clock.GetUtcNow(), MostAtOnce - _sending.Count);
        if (free <= 0) return 0;
        var busy = _sending.Values.GroupBy(one => one.Target).Where(group => group.Count() >= MostForOneTarget).Select(group => group.Key).ToList();
        List<OutboxItem> due;
        await using (var db = database.OpenForReading())
            due = await db.Set<OutboxItem>().Where(o => o.DueAt <= now && !busy.Contains(o.Target)).OrderBy(o => o.DueAt).Take(free).ToListAsync(ct);
        var started = 0;
        foreach (var item in due)
        {
            if (_sending.Values.Count(one => one.Target == item.Target) >= MostForOneTarget || !await Take(item, now, ct)) continue;
            started++;
            var begin = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _sending[item.Id] = (item.Target, Send(item, begin.Task, ct));
            begin.SetResult();
        }
        return started;
    }

    private async Task<bool> Take(OutboxItem item, DateTimeOffset now, CancellationToken ct)
    {
        var until = now + Lease;
        var taken = await database.Write(db => db.Set<OutboxItem>().Where(o => o.Id == item.Id && o.DueAt == item.DueAt)
            .ExecuteUpdateAsync(set => set.SetProperty(o => o.DueAt, until).SetProperty(o => o.Attempts, o => o.Attempts + 1), ct), ct) == 1;
        (item.DueAt, item.Attempts) = (until, item.Attempts + 1);
        return taken;
    }

    private async Task Send(OutboxItem item, Task begin, CancellationToken ct)
    {
        await begin;
        try
        {
            var problem = await Attempt(item, ct);
            Count(item, problem);
            if (problem is null) await database.Write(db => Mine(db, item).ExecuteDeleteAsync(ct), ct);
            else if (!problem.IsFinal && item.Attempts <= Pauses.Count) await Postpone(item, problem.Problem, ct);
            else await GiveUp(item, problem.Problem, ct);
        }
        catch (Exception failure)
        {
            // Nothing is lost: when the lease is over, somebody takes it again.
            if (!ct.IsCancellationRequested) log.LogError(failure, "What became of {Kind} to {Target} could not be stored", item.Kind, Origin(item));
        }
        finally
        {
            _sending.TryRemove(item.Id, out _);
            Wake();
        }
    }

    private static void Count(OutboxItem item, Undelivered? problem)
    {
        if (Telemetry.OutboxAttempts.Enabled)
            Telemetry.OutboxAttempts.Add(1, new("kind", item.Kind), new("outcome", problem is null ? "delivered" : !problem.IsFinal && item.Attempts <= Pauses.Count ? "failed" : "given_up"));
    }

    private async Task<Undelivered?> Attempt(OutboxItem item, CancellationToken ct)
    {
        try
        {
            if (item.Kind == OutboxItem.Mail) return await mails.Send(item, ct);
            return await logout.Tell(item, ct) is { } problem ? new Undelivered(problem) : null;
        }
        catch (Exception failure) when (!ct.IsCancellationRequested)
        {
            log.LogError(failure, "Making {Kind} for {Target} failed", item.Kind, Origin(item));
            return new Undelivered("it could not be made");
        }
    }

    private async Task Postpone(OutboxItem item, string problem, CancellationToken ct)
    {
        var pause = Pauses[item.Attempts - 1];
        var due = clock.GetUtcNow() + pause;
        await database.Write(db => Mine(db, item).ExecuteUpdateAsync(set => set.SetProperty(o => o.DueAt, due), ct), ct);
        log.LogInformation("{Kind} to {Target}, attempt {Attempt}: {Problem}; it is tried again in {Pause}", item.Kind, Origin(item), item.Attempts, problem, pause);
    }

    private async Task GiveUp(OutboxItem item, string problem, CancellationToken ct)
    {
        await database.Write(async db =>
        {
            if (await Mine(db, item).ExecuteDeleteAsync(ct) == 0) return;
            AuditEvent.Record(db, clock.GetUtcNow(), item.Kind == OutboxItem.Mail ? new MailUndelivered(Told.Of(problem)) : new LogoutUndelivered(Told.Of(problem)), "server", Whom(item));
            await db.SaveChangesAsync(ct);
        }, ct);
        log.LogWarning("{Kind} to {Target} is given up after {Attempts} attempts: {Problem}. {Consequence}", item.Kind, Origin(item), item.Attempts, problem,
            item.Kind == OutboxItem.Mail ? "The person has not got it" : "The app may still take the person for signed in");
    }

    private string? Whom(OutboxItem item) => item.Kind == OutboxItem.Mail
        ? mailer.Read(item)?.Subject is { } subject ? $"user:{subject}" : null
        : $"client:{LogoutNotices.Read(item).ClientId}";

    // Only while it is ours: an attempt that took longer than the lease is somebody else's by now.
    private static IQueryable<OutboxItem> Mine(IdpDbContext db, OutboxItem item) => db.Set<OutboxItem>().Where(o => o.Id == item.Id && o.DueAt == item.DueAt);

    // An address may have somebody's key in its query.
    private static string Origin(OutboxItem item) => WebOrigin.Of(item.Target) ?? item.Kind;
}
