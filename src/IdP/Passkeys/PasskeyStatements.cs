using IdP.Accounts;
using IdP.Audit;
using IdP.Http;
using IdP.Mail;
using IdP.Outbox;
using IdP.Protocol;
using IdP.Sessions;
using IdP.Storage;
using IdP.Ui;
using IdP.Upstream;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;

namespace IdP.Passkeys;

/// <summary>What is done to passkeys. Each change writes its audit event in its own transaction, and the mail that tells the owner.</summary>
internal sealed class PasskeyStatements(Database database, PreparedStatements statements, Mailer mailer, OutboxSender outbox, TimeProvider clock)
{
    public const int Most = 20;

    // WebAuthn §6.1.1. Authenticators that do not count say 0 for ever; of two answers with one count one counts.
    private const string UseSql =
        """
        UPDATE "Passkeys" SET "SignCount" = @p1, "IsBackedUp" = @p2, "LastUsedAt" = @p3
        WHERE "Id" = @p0 AND ("SignCount" < @p1 OR ("SignCount" = 0 AND @p1 = 0))
        """;

    private const string FindSql =
        """
        SELECT p."Id", p."UserId", p."Name", p."PublicKey", p."SignCount", p."IsBackupEligible", p."IsBackedUp", p."CreatedAt", u."UserName", u."SecurityStamp", u."DisabledAt", p."CredentialId"
        FROM "Passkeys" p JOIN "Users" u ON u."Id" = p."UserId" WHERE p."CredentialId" = @p0
        """;

    public async Task<List<Passkey>> Of(Guid userId, CancellationToken ct)
    {
        await using var db = database.OpenForReading();
        return await db.Set<Passkey>().Where(p => p.UserId == userId).OrderBy(p => p.Id).ToListAsync(ct);
    }

    public async Task<bool> HasAny(Guid userId, CancellationToken ct)
    {
        await using var db = database.OpenForReading();
        return await db.Set<Passkey>().AnyAsync(p => p.UserId == userId, ct);
    }

    public async Task<User?> Owner(Guid userId, CancellationToken ct)
    {
        await using var db = database.OpenForReading();
        return await db.Users.SingleOrDefaultAsync(u => u.Id == userId, ct);
    }

    /// <summary>A passkey and whose it is, as far as a sign-in needs to know: one look by key.</summary>
    public async Task<(Passkey Passkey, User User)?> Find(byte[] credentialId, CancellationToken ct)
    {
        var found = await statements.Read(FindSql, [credentialId], row => new Found(
            new Passkey
            {
                Id = statements.Id(row, 0), UserId = statements.Id(row, 1), CredentialId = row.GetFieldValue<byte[]>(11), Name = row.GetString(2), PublicKey = row.GetFieldValue<byte[]>(3), SignCount = row.GetInt64(4),
                IsBackupEligible = row.GetBoolean(5), IsBackedUp = row.GetBoolean(6), CreatedAt = Instant.Read(row, 7),
            },
            new User { Id = statements.Id(row, 1), UserName = row.GetString(8), SecurityStamp = row.GetString(9), DisabledAt = Instant.ReadOrNull(row, 10) }), ct);
        // SQL Server's "=" does not see zero bytes at the end.
        return found is null || !found.Passkey.CredentialId.AsSpan().SequenceEqual(credentialId) ? null : (found.Passkey, found.User);
    }

    private sealed record Found(Passkey Passkey, User User);

    /// <summary>Notes a use and the counter; false when the counter did not go up, or the passkey is gone.</summary>
    public async Task<bool> Used(Passkey passkey, UserPasskeyInfo seen, CancellationToken ct) =>
        await statements.Execute(UseSql, [passkey.Id, (long)seen.SignCount, seen.IsBackedUp, clock.GetUtcNow().ToUnixTimeMilliseconds()], ct) == 1;

    /// <summary>Keeps a new passkey of the person of a session; false when the session has ended, there are too many, or somebody has it already.</summary>
    public async Task<bool> Add(SignedIn session, UserPasskeyInfo info, string name, RequestFacts facts, CancellationToken ct)
    {
        bool isAdded;
        try
        {
            isAdded = await database.Write(async db =>
            {
                await ServerState.TakeTurn(db, ct);
                if (!await IsLive(db, session, ct) || await db.Set<Passkey>().CountAsync(p => p.UserId == session.UserId, ct) >= Most) return false;
                var now = clock.GetUtcNow();
                var passkey = new Passkey
                {
                    Id = Guid.CreateVersion7(now),
                    UserId = session.UserId,
                    CredentialId = info.CredentialId,
                    Name = name,
                    PublicKey = info.PublicKey,
                    SignCount = info.SignCount,
                    Transports = [.. (info.Transports ?? []).Where(transport => transport.Length <= 16 && transport.All(c => char.IsAsciiLetterLower(c) || c == '-')).Take(8)],
                    IsBackupEligible = info.IsBackupEligible,
                    IsBackedUp = info.IsBackedUp,
                    CreatedAt = now,
                };
                db.Add(passkey);
                Record(db, now, new PasskeyAdded(passkey.Id, Told.Of(name)), session, facts);
                await Tell(db, session.UserId, MailKind.PasskeyAdded, ct);
                await db.SaveChangesAsync(ct);
                return true;
            }, ct);
        }
        catch (DbUpdateException failure) when (Database.IsUniqueViolation(failure))
        {
            return false;
        }
        if (isAdded) outbox.Wake();
        return isAdded;
    }

    /// <summary>Gives a passkey of the person's another name; false when it is not theirs.</summary>
    public Task<bool> Rename(SignedIn session, Guid id, string name, RequestFacts facts, CancellationToken ct) => database.Write(async db =>
    {
        if (!await IsLive(db, session, ct)) return false;
        if (await db.Set<Passkey>().Where(p => p.Id == id && p.UserId == session.UserId).ExecuteUpdateAsync(set => set.SetProperty(p => p.Name, name), ct) == 0) return false;
        Record(db, clock.GetUtcNow(), new PasskeyRenamed(id, Told.Of(name)), session, facts);
        await db.SaveChangesAsync(ct);
        return true;
    }, ct);

    /// <summary>Removes a passkey of the person's, and ends what other browsers began with one; the text of why not, when it is not theirs, or all that they sign in with.</summary>
    public async Task<string?> Remove(SignedIn session, Guid id, RequestFacts facts, CancellationToken ct)
    {
        var problem = await database.Write(async db =>
        {
            if (!await IsLive(db, session, ct)) return "Passkeys.Gone";
            var name = await db.Set<Passkey>().Where(p => p.Id == id && p.UserId == session.UserId).Select(p => p.Name).SingleOrDefaultAsync(ct);
            if (name is null) return "Passkeys.Gone";
            if (await IsOnlyWay(db, session.UserId, id, ct)) return "Passkeys.OnlyWay";
            if (await db.Set<Passkey>().Where(p => p.Id == id && p.UserId == session.UserId).ExecuteDeleteAsync(ct) == 0) return "Passkeys.Gone";
            // Which of the passkeys a session began with is not noted: whoever signed in elsewhere with any of them does so again.
            var others = db.Set<Session>().Where(s => s.UserId == session.UserId && s.Id != session.SessionId && (s.Amr.Contains("hwk") || s.Amr.Contains("swk")));
            await SessionEnd.End(db, others, clock.GetUtcNow(), ct);
            Record(db, clock.GetUtcNow(), new PasskeyRemoved(id, Told.Of(name)), session, facts);
            await Tell(db, session.UserId, MailKind.PasskeyRemoved, ct);
            await db.SaveChangesAsync(ct);
            return null;
        }, ct);
        if (problem is null) outbox.Wake();
        return problem;
    }

    // Whoever has no password and no other provider would be left outside.
    private static Task<bool> IsOnlyWay(IdpDbContext db, Guid userId, Guid id, CancellationToken ct) =>
        db.Users.AnyAsync(u => u.Id == userId && u.PasswordHash == null && !db.Set<Passkey>().Any(p => p.UserId == userId && p.Id != id) && !db.Set<UpstreamLogin>().Any(l => l.UserId == userId), ct);

    public Task RecordFailure(User? user, string reason, RequestFacts facts, CancellationToken ct) => Record(user, new SignInFailed(Told.Of($"passkey: {reason}")), facts, ct);

    public Task RecordCopy(User user, Passkey passkey, uint seen, RequestFacts facts, CancellationToken ct) =>
        Record(user, new PasskeyCounterWentBack(passkey.Id, passkey.SignCount, seen), facts, ct);

    /// <summary>The name that is kept of what somebody typed; null when it cannot be one.</summary>
    public static string? NameOf(string? typed) => typed?.Trim() is { Length: > 0 } name && PlainText.IsFine(name, Passkey.LongestName) ? name : null;

    private async Task Tell(IdpDbContext db, Guid userId, MailKind kind, CancellationToken ct) =>
        mailer.Tell(db, await db.Users.AsNoTracking().SingleAsync(u => u.Id == userId, ct), kind, PageAddresses.Passkeys);

    private Task Record(User? user, Event what, RequestFacts facts, CancellationToken ct) => database.Write(async db =>
    {
        AuditEvent.Record(db, clock.GetUtcNow(), what, facts.Actor, user is null ? null : $"user:{user.Subject}", facts.Address);
        await db.SaveChangesAsync(ct);
    }, ct);

    private static void Record(IdpDbContext db, DateTimeOffset now, Event what, SignedIn session, RequestFacts facts) =>
        AuditEvent.Record(db, now, what, $"user:{session.UserId:N}", $"user:{session.UserId:N}", facts.Address);

    private static Task<bool> IsLive(IdpDbContext db, SignedIn session, CancellationToken ct) =>
        db.Set<Session>().AnyAsync(s => s.Id == session.SessionId && s.EndedAt == null && db.Users.Any(u => u.Id == s.UserId && u.DisabledAt == null), ct);
}
