using IdP.Storage;
using Microsoft.EntityFrameworkCore;

namespace IdP.Upstream;

/// <summary>The providers that people may come from, in memory: there are few, and every sign-in page shows them.</summary>
internal sealed class UpstreamCatalog(Database database)
{
    private volatile IReadOnlyList<UpstreamProvider> _enabled = [];

    /// <summary>Those that are enabled, in the order of their names.</summary>
    public IReadOnlyList<UpstreamProvider> Enabled => _enabled;

    public UpstreamProvider? Find(string? name) => _enabled.FirstOrDefault(provider => provider.Name == name);

    public async Task Load(long sinceVersion, CancellationToken ct)
    {
        await using var db = database.OpenForReading();
        // One that was removed leaves no row behind, so all are read whenever anything has changed.
        _enabled = await db.Set<UpstreamProvider>().Where(p => p.DisabledAt == null).OrderBy(p => p.Name).ToListAsync(ct);
    }
}
