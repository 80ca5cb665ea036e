using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace IdP.Storage;

/// <summary>The one row that tells nodes that clients, resources, scopes or keys have changed, and the latest time seen.</summary>
internal sealed class ServerState
{
    public const int OnlyId = 1;

    public int Id { get; set; } = OnlyId;
    public long ChangeStamp { get; set; }
    public DateTimeOffset ClockHighWater { get; set; }

    /// <summary>Takes the next stamp; the caller writes it as Version into every row that it changes, in the same transaction.</summary>
    public static async Task<long> NextStamp(IdpDbContext db, CancellationToken ct)
    {
        // The row lock lets changes commit in the order of their stamps, so that a poll misses none.
        await db.Set<ServerState>().Where(s => s.Id == OnlyId)
            .ExecuteUpdateAsync(set => set.SetProperty(s => s.ChangeStamp, s => s.ChangeStamp + 1), ct);
        return await db.Set<ServerState>().Where(s => s.Id == OnlyId).Select(s => s.ChangeStamp).SingleAsync(ct);
    }

    /// <summary>Waits for other changes by operators, on any node, to commit, so that what is looked up afterwards is still true at the commit.</summary>
    public static Task TakeTurn(IdpDbContext db, CancellationToken ct) => db.Set<ServerState>().Where(s => s.Id == OnlyId)
        .ExecuteUpdateAsync(set => set.SetProperty(s => s.ChangeStamp, s => s.ChangeStamp), ct);

    internal sealed class Mapping : IEntityTypeConfiguration<ServerState>
    {
        public void Configure(EntityTypeBuilder<ServerState> builder)
        {
            builder.ToTable("ServerState");
            builder.Property(s => s.Id).ValueGeneratedNever();
            builder.HasData(new ServerState { ClockHighWater = DateTimeOffset.UnixEpoch });
        }
    }
}
