using IdP.Storage;

namespace IdP.Keys;

/// <summary>
/// Owns the keys: those that sign tokens, that seal opaque tokens and that key hashes. They live in the database, sealed under a
/// master key (<see cref="MasterKeys"/>) that the database does not hold. <see cref="KeyRing"/> has them in memory;
/// <see cref="KeyStatements"/> is everything that may happen to them. The next signing key is in the JWKS at least a day before its
/// first use, the old one until the last token that it signed has expired; a revoked one goes at once.
/// </summary>
internal static class KeysFeature
{
    public static void AddKeys(this IServiceCollection services)
    {
        services.AddSingleton<KeyRing>();
        services.AddSingleton<Sealer>();
        services.AddHostedService<KeyMaintenance>();
    }

    /// <summary>Rotation and removal run by themselves, on whichever node comes first.</summary>
    private sealed class KeyMaintenance(KeyRing keys, DatabaseClock clock, ILogger<KeyMaintenance> log) : BackgroundService
    {
        private static readonly TimeSpan Every = TimeSpan.FromMinutes(10);

        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            using var timer = new PeriodicTimer(Every);
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                try
                {
                    // A key that begins by a wrong clock would stand in the way of the right ones.
                    if (!clock.IsOff) await keys.Maintain(stoppingToken);
                }
                catch (Exception failure) when (!stoppingToken.IsCancellationRequested)
                {
                    log.LogError(failure, "Key maintenance failed; it is tried again in {Every}", Every);
                }
            }
        }
    }
}
