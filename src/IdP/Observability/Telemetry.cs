using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace IdP.Observability;

/// <summary>
/// Every instrument that code on the way of a request or of a piece of work writes to. Nothing happens in them while nobody listens. What
/// a label says is always one of a few words of ours, never text from a request. What is asked rather than counted is in <see cref="StateGauges"/>.
/// </summary>
internal static class Telemetry
{
    public const string Name = "IdP";

    private static readonly double[] Seconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
    private static readonly Meter Meter = new(Name);

    public static readonly ActivitySource Activities = new(Name);

    public static readonly Counter<long> TokensIssued = Meter.CreateCounter<long>("idp.tokens.issued", "{response}", "Answers of the token endpoint with tokens in them");
    public static readonly Counter<long> RequestsRefused = Meter.CreateCounter<long>("idp.requests.refused", "{request}", "Requests that were refused, by endpoint, error code and status");
    public static readonly Counter<long> Introspections = Meter.CreateCounter<long>("idp.introspections", "{request}", "Introspections that were answered, by whether the token was active");
    public static readonly Counter<long> Revocations = Meter.CreateCounter<long>("idp.revocations", "{request}", "Revocations that were answered, by whether there was something to revoke");
    public static readonly Counter<long> SignIns = Meter.CreateCounter<long>("idp.sign_ins", "{step}", "Steps of sign-ins on our pages, by the way and what became of it");
    public static readonly Counter<long> PasswordChecks = Meter.CreateCounter<long>("idp.password.checks", "{check}", "Passwords that were checked, on pages and in the password grant, by what became of it");

    public static readonly Counter<long> HashesRefused = Meter.CreateCounter<long>("idp.hash.refused", "{check}", "Password checks that found no place in the queue of the hash threads (answered 503)");
    public static readonly Histogram<double> HashDuration = Histogram("idp.hash.duration", "Time for one password hash, without the wait for a thread");
    public static readonly Histogram<double> HashWait = Histogram("idp.hash.wait", "Time that a password hash waited for a thread");

    public static readonly Histogram<double> DatabaseDuration = Histogram("idp.database.duration", "Time for one prepared read, one write as its caller sees it, or one commit of the embedded database");
    public static readonly Counter<long> DatabaseFailures = Meter.CreateCounter<long>("idp.database.failures", "{operation}", "Reads, writes and polls that the database did not do");
    public static readonly Histogram<int> SqliteBatch = Meter.CreateHistogram("idp.sqlite.batch.size", "{change}", "Changes that one commit of the embedded database took along",
        advice: new InstrumentAdvice<int> { HistogramBucketBoundaries = [1, 2, 4, 8, 16, 32, 64, 128, 256] });

    public static readonly Counter<long> OutboxAttempts = Meter.CreateCounter<long>("idp.outbox.attempts", "{attempt}", "Attempts to send mails and sign-out notices, by kind and what became of it");
    public static readonly Counter<long> RowsRemoved = Meter.CreateCounter<long>("idp.retention.rows_removed", "{row}", "Expired rows that this node has removed");

    private static Histogram<double> Histogram(string name, string description) =>
        Meter.CreateHistogram(name, "s", description, advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = Seconds });

    /// <summary>Begins what may not happen for long at 0: an alert on its growth would miss the first one otherwise.</summary>
    public static void Begin()
    {
        HashesRefused.Add(0);
        RowsRemoved.Add(0);
        foreach (var operation in (string[])[DatabaseWatch.Read, DatabaseWatch.Write, DatabaseWatch.Poll]) DatabaseFailures.Add(0, new KeyValuePair<string, object?>("operation", operation));
        foreach (var outcome in (string[])["right", "wrong", "locked", "throttled"]) PasswordChecks.Add(0, new KeyValuePair<string, object?>("outcome", outcome));
        foreach (var kind in (string[])[Outbox.OutboxItem.Mail, Outbox.OutboxItem.BackChannelLogout])
            foreach (var outcome in (string[])["delivered", "failed", "given_up"]) OutboxAttempts.Add(0, new("kind", kind), new("outcome", outcome));
    }

    public static void Count(Counter<long> counter, string label, string value)
    {
        if (counter.Enabled) counter.Add(1, new KeyValuePair<string, object?>(label, value));
    }

    /// <summary>Where a duration begins; 0 while nobody wants to know.</summary>
    public static long Start(Histogram<double> histogram) => histogram.Enabled ? Stopwatch.GetTimestamp() : 0;

    public static void Record(Histogram<double> histogram, long start)
    {
        if (start != 0) histogram.Record(Stopwatch.GetElapsedTime(start).TotalSeconds);
    }
}
