using System.Data.Common;

namespace IdP.Storage;

/// <summary>
/// Owns the database: its model (<see cref="IdpDbContext"/>), the way to it (<see cref="Database"/>), its migrations and its clock.
/// Reads take a context of their own. Every write goes through <see cref="Database.Write{T}"/>: on SQLite one thread runs what has
/// queued up in one transaction, each item in a savepoint, and answers only after COMMIT; on a database server each write is a
/// transaction on a pooled connection. Nodes share nothing but the database; <see cref="ChangePoll"/> asks each second whether
/// clients, resources, scopes or keys have changed and measures the clock.
/// </summary>
internal static class StorageFeature
{
    public static void AddStorage(this IServiceCollection services, bool isServing)
    {
        services.AddSingleton(provider => new Database(provider.GetRequiredService<IdpOptions>(), isServing));
        services.AddSingleton<PreparedStatements>();
        services.AddSingleton<TimeProvider>(provider => provider.GetRequiredService<DatabaseClock>());
        services.AddSingleton<ChangePoll>();
        services.AddHostedService(provider => provider.GetRequiredService<ChangePoll>());
    }
}

/// <summary>The database could not be used. Its message says in one sentence what to do; protocol endpoints answer 503.</summary>
internal sealed class StorageException(string message, Exception? inner = null) : Exception(message, inner)
{
    public static bool IsStorageFailure(Exception exception) =>
        exception is StorageException or DbException or TimeoutException { Source: "Npgsql" } ||
        // What Npgsql says of a connection that breaks at the moment at which a statement begins.
        (exception is ObjectDisposedException && exception.StackTrace?.Contains(" Npgsql.", StringComparison.Ordinal) == true) ||
        // A pool with no connection left says so in this way.
        exception is InvalidOperationException { Source: "Microsoft.Data.SqlClient" } ||
        (exception.InnerException is { } inner && exception is Microsoft.EntityFrameworkCore.DbUpdateException or InvalidOperationException && IsStorageFailure(inner));
}
