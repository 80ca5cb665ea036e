using System.Diagnostics;
using IdP.Storage;

namespace IdP.Observability;

/// <summary>Measures what the database is asked. While nobody listens a task passes through untouched.</summary>
internal static class DatabaseWatch
{
    public const string Read = "read";
    public const string Write = "write";
    public const string Commit = "commit";
    public const string Poll = "poll";

    private static readonly KeyValuePair<string, object?> OfReads = new("operation", Read);
    private static readonly KeyValuePair<string, object?> OfWrites = new("operation", Write);
    private static readonly KeyValuePair<string, object?> OfCommits = new("operation", Commit);

    private static bool IsOn => Telemetry.DatabaseDuration.Enabled || Telemetry.Activities.HasListeners();

    /// <summary>Where a read begins; 0 while nobody wants to know.</summary>
    public static long Start() => IsOn ? Stopwatch.GetTimestamp() : 0;

    public static ValueTask<T> Reading<T>(long start, ValueTask<T> read)
    {
        if (start == 0) return read;
        // On SQLite it is over by now.
        if (!read.IsCompletedSuccessfully) return Awaited(start, read);
        Telemetry.DatabaseDuration.Record(Stopwatch.GetElapsedTime(start).TotalSeconds, OfReads);
        return read;

        static async ValueTask<T> Awaited(long start, ValueTask<T> read) => await Measured(start, read.AsTask(), OfReads);
    }

    public static Task<T> Writing<T>(long start, Task<T> write) => start == 0 ? write : Measured(start, write, OfWrites);

    public static void Committed(long start, int changes)
    {
        if (start == 0) return;
        Telemetry.DatabaseDuration.Record(Stopwatch.GetElapsedTime(start).TotalSeconds, OfCommits);
        Telemetry.SqliteBatch.Record(changes);
    }

    public static void Failed(string operation) => Telemetry.Count(Telemetry.DatabaseFailures, "operation", operation);

    private static async Task<T> Measured<T>(long start, Task<T> work, KeyValuePair<string, object?> operation)
    {
        using var activity = Telemetry.Activities.StartActivity((string)operation.Value! == Read ? "database read" : "database write", ActivityKind.Client);
        try
        {
            return await work;
        }
        catch (Exception failure) when (StorageException.IsStorageFailure(failure) && !Database.IsUniqueViolation(failure))
        {
            activity?.SetStatus(ActivityStatusCode.Error);
            Failed((string)operation.Value!);
            throw;
        }
        finally
        {
            Telemetry.DatabaseDuration.Record(Stopwatch.GetElapsedTime(start).TotalSeconds, operation);
        }
    }
}
