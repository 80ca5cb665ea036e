using IdP.Storage;

namespace IdP.Retention;

/// <summary>
/// Owns the removal of rows that mean nothing any more (<see cref="ExpiredRows"/> says which those are). <see cref="Sweep"/> takes them out a
/// small batch at a time, each a write of its own, one node at a time, and spends no more of each second on it than it may: nobody waits for a
/// sweep, however much there is. Events of the audit stay unless Retention:AuditDays says for how long.
/// </summary>
internal static class RetentionFeature
{
    public static void AddRetention(this IServiceCollection services) => services.AddHostedService<Sweep>();

    /// <summary>Removes one batch of each kind; the number of rows that went.</summary>
    public static async Task<int> SweepOnce(Database database, DateTimeOffset now, CancellationToken ct)
    {
        var removed = 0;
        foreach (var kind in ExpiredRows.All) removed += (await kind.Remove(database, now, 500, ct)).Rows;
        return removed;
    }
}
