using IdP.Accounts;
using IdP.ApiKeys;
using IdP.Audit;
using IdP.Grants;
using IdP.Observability;
using IdP.Outbox;
using IdP.Passkeys;
using IdP.Protocol.Jose;
using IdP.Resources;
using IdP.Retention;
using IdP.Sessions;
using IdP.Upstream;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace IdP.Storage.Tests.Writes;

public sealed class ExpiredRowsInFiguresOnSqlite(SqliteFixture fixture) : ExpiredRowsInFiguresSuite(fixture), IClassFixture<SqliteFixture>;

public sealed class ExpiredRowsInFiguresOnPostgres(PostgresFixture fixture) : ExpiredRowsInFiguresSuite(fixture), IClassFixture<PostgresFixture>;

[Collection(IdP.Testing.SqlServerDatabase.Collection)]
public sealed class ExpiredRowsInFiguresOnSqlServer(SqlServerFixture fixture) : ExpiredRowsInFiguresSuite(fixture), IClassFixture<SqlServerFixture>;

/// <summary>idp_retention_expired_rows, before it is a text.</summary>
public abstract class ExpiredRowsInFiguresSuite(StorageFixture fixture)
{
    private static readonly string[] Kinds =
        ["grants", "revoked_tokens", "sessions_run_out", "sessions", "upstream_requests", "passkey_challenges", "mail_links", "api_keys", "outbox", "counters"];

    [StorageFact]
    public async Task Every_kind_that_a_sweep_removes_is_counted_once_it_is_late_and_no_longer_when_it_is_gone()
    {
        var now = fixture.Clock.GetUtcNow();
        await Empty();
        await Add(now, late: TimeSpan.FromMinutes(4));
        Assert.Equal(Each(0), await Counted());

        await Add(now, late: TimeSpan.FromMinutes(6));
        Assert.Equal(Each(1), await Counted());
        // Where events are not kept for ever they are among them, and what is not sealed is not.
        Assert.Equal([.. Each(1), ("audit_events", 1)], await Counted(auditDays: 30));

        while (await RetentionFeature.SweepOnce(fixture.Database, now, CancellationToken.None) > 0)
        {
        }
        Assert.Equal(Each(0), await Counted());
    }

    [StorageFact]
    public async Task They_are_counted_unless_another_node_really_removes_them()
    {
        var now = fixture.Clock.GetUtcNow();
        await Empty();
        await fixture.Write(db => db.Add(new RevokedToken { JwtId = "late", ExpiresAt = now.AddDays(-1) }));

        await Held(Guid.NewGuid(), now.AddMinutes(2));
        Assert.Empty(await Counted());
        await Held(Guid.NewGuid(), now.AddMinutes(-1));
        Assert.Contains(("revoked_tokens", 1), await Counted());
        await Held(Lease.Me, now.AddMinutes(2));
        Assert.Contains(("revoked_tokens", 1), await Counted());
        // By a node whose clock was a year ahead: it has long been gone, and nobody else gets the lease.
        await Held(Guid.NewGuid(), now.AddDays(365));
        Assert.Contains(("revoked_tokens", 1), await Counted());

        Task Held(Guid holder, DateTimeOffset until) => fixture.Write(db =>
            db.Set<Lease>().Where(l => l.Name == Lease.Retention).ExecuteUpdate(set => set.SetProperty(l => l.Holder, holder).SetProperty(l => l.ExpiresAt, until)));
    }

    private static List<(string, int)> Each(int count) => [.. Kinds.Select(kind => (kind, count))];

    private async Task<List<(string, int)>> Counted(int? auditDays = null)
    {
        using var backlogs = new Backlogs(fixture.Database, new IdpOptions { Retention = { AuditDays = auditDays } }, fixture.Clock, NullLogger<Backlogs>.Instance);
        await backlogs.Look(CancellationToken.None);
        return [.. backlogs.Expired.Select(one => ((string)one.Tags.ToArray().Single(tag => tag.Key == "table").Value!, one.Value))];
    }

    private Task Empty() => fixture.Write(db =>
    {
        db.Set<Grant>().ExecuteDelete();
        db.Set<RevokedToken>().ExecuteDelete();
        db.Set<Session>().ExecuteDelete();
        db.Set<Lease>().ExecuteUpdate(set => set.SetProperty(l => l.ExpiresAt, DateTimeOffset.UnixEpoch));
    });

    /// <summary>One of each kind that a sweep would have removed so long ago, and one that it would have left.</summary>
    private async Task Add(DateTimeOffset now, TimeSpan late)
    {
        var name = $"late-{late.TotalMinutes:0}";
        var (client, user) = (await fixture.AddClient(name), await fixture.AddUser(name));
        var resource = new Resource { Identifiers = [new ResourceIdentifier { Value = $"urn:test:{name}" }], Algorithm = SigningAlgorithms.ES256 };
        await fixture.Write(db => db.Add(resource));
        var (due, grace, key) = (now - late, TimeSpan.FromMinutes(5), (byte)late.TotalMinutes);
        foreach (var at in (DateTimeOffset[])[due, now.AddHours(1)])
        {
            var (grant, named) = (fixture.NewGrant(client, user), fixture.NewGrant(client, user));
            var kept = NewSession(now.AddHours(1), at - grace);
            (grant.ExpiresAt, named.SessionId) = (at - grace, kept.Id);
            key += 100;
            await fixture.Write(db =>
            {
                db.AddRange(NewSession(at, endedAt: null), NewSession(now.AddHours(1), at - grace), kept);
                db.AddRange(grant, named, new RevokedToken { JwtId = $"{name}-{key}", ExpiresAt = at - grace },
                    new UpstreamRequest { StateHash = [key], Sealed = "x", ExpiresAt = at - grace },
                    new PasskeyChallenge { Hash = [key], Sealed = "x", ExpiresAt = at - grace },
                    new MailLink { Hash = [key], Email = "late@example.com", ExpiresAt = at - grace },
                    new ApiKey { Id = Guid.CreateVersion7(now), KeyId = $"{name}-{key}", Name = "late", ResourceId = resource.Id, ClientKey = client.Id, Hash = [key], HashKeyId = "k", CreatedAt = now, ExpiresAt = at.AddDays(-30) },
                    new OutboxItem { Id = Guid.CreateVersion7(now), Kind = "x", Target = "https://x.test/", Payload = "{}", DueAt = at.AddDays(-7), CreatedAt = now },
                    new SignInAttempts { Key = [key], WindowEndsAt = at - grace });
                AuditEvent.Record(db, at.AddDays(-30), new PermissionCreated(), "cli");
            });
        }
        await AuditChain.SealOnce(fixture.Database, Lease.Me, now, CancellationToken.None);
        await fixture.Write(db => AuditEvent.Record(db, due.AddDays(-30), new PermissionDeleted(), "cli"));

        Session NewSession(DateTimeOffset idle, DateTimeOffset? endedAt) => new()
        {
            Id = Guid.CreateVersion7(now), UserId = user.Id, Seed = new byte[32], CreatedAt = now, AuthenticatedAt = now, Acr = "a", Amr = "pwd", LastUsedAt = now,
            IdleExpiresAt = idle, AbsoluteExpiresAt = now.AddDays(7), EndedAt = endedAt,
        };
    }
}
