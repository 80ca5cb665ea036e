using System.Diagnostics.Metrics;
using IdP.Accounts;
using IdP.Keys;
using IdP.Storage;

namespace IdP.Observability;

/// <summary>What is asked when somebody looks: the state of this node's memory, and what <see cref="Backlogs"/> last found in the database. Asking never asks the database.</summary>
internal sealed class StateGauges : IDisposable
{
    private readonly Meter _meter = new(Telemetry.Name);

    public StateGauges(HashPool hashes, Database database, ChangePoll poll, DatabaseClock clock, KeyRing keys, Backlogs backlogs, IdpOptions options)
    {
        var program = new Measurement<int>(1, new("version", typeof(StateGauges).Assembly.GetName().Version!.ToString(3)), new("engine", database.Engine.ToString().ToLowerInvariant()));
        _meter.CreateObservableGauge("idp.build.info", () => program, null, "Always 1: which program this is, and on which database");

        _meter.CreateObservableGauge("idp.hash.queue", () => hashes.Waiting, "{check}", "Password checks that are computed or wait for it");
        _meter.CreateObservableGauge("idp.hash.places", () => hashes.Places, "{check}", "Password checks that there is room for; one more is answered 503");
        _meter.CreateObservableGauge("idp.hash.threads", () => hashes.Threads, "{thread}", "Threads that hash passwords");

        _meter.CreateObservableGauge("idp.change_poll.age", () => poll.Age.TotalSeconds, "s", "How long ago the database last answered the poll for changes; over 3 s nothing is issued");
        _meter.CreateObservableGauge("idp.clock.ahead", () => clock.Ahead.TotalSeconds, "s", "How far this machine's clock is ahead of the database server's");
        if (database.Engine == Engine.Sqlite)
            _meter.CreateObservableGauge("idp.sqlite.writer.queue", () => database.WaitingWrites, "{change}", "Changes that wait for the one writer of the embedded database");

        var lifetime = TimeSpan.FromDays(options.Keys.LifetimeDays);
        _meter.CreateObservableGauge("idp.signing_key.age", () => keys.ActiveSigning().Select(key => Of(key, (clock.GetUtcNow() - key.ActiveFrom).TotalSeconds)), "s", "How long the key that signs now has been in use");
        _meter.CreateObservableGauge("idp.signing_key.next_rotation", () => keys.ActiveSigning().Select(key => Of(key, ((key.ActiveUntil ?? key.ActiveFrom + lifetime) - clock.GetUtcNow()).TotalSeconds)),
            "s", "Until the next key takes over from the one that signs now; below 0 it is overdue");

        _meter.CreateObservableGauge("idp.thread_pool.queue", () => ThreadPool.PendingWorkItemCount, "{item}", "Pieces of work that wait for a thread");

        _meter.CreateObservableGauge("idp.outbox.items", () => backlogs.Outbox, "{item}", $"Mails and sign-out notices that are not delivered yet; counted to {Backlogs.Most}");
        _meter.CreateObservableGauge("idp.outbox.oldest", () => backlogs.OutboxOldest, "s", "How long the oldest of them has been waiting");
        _meter.CreateObservableGauge("idp.retention.expired_rows", () => backlogs.Expired, "{row}", $"Rows that a sweep should have removed five minutes ago, by table, counted to {Backlogs.Most}, not while another node removes them");
        _meter.CreateObservableGauge("idp.audit.unsealed_events", () => backlogs.Unsealed, "{event}", $"Audit events that are not in the chain yet; counted to {Backlogs.Most}");
        _meter.CreateObservableGauge("idp.backlogs.age", () => backlogs.Age, "s", "How long ago the backlogs were last counted");
    }

    public void Dispose() => _meter.Dispose();

    private static Measurement<double> Of(StoredKey key, double value) => new(value, new KeyValuePair<string, object?>("algorithm", key.Algorithm));
}
