using System.Data.Common;
using System.Security.Cryptography;
using IdP.Account;
using IdP.Accounts;
using IdP.Audit;
using IdP.Authorize;
using IdP.Grants;
using IdP.Mail;
using IdP.Passkeys;
using IdP.Protocol.OpenId;
using IdP.Sessions;
using IdP.Storage;
using IdP.Ui;
using Microsoft.EntityFrameworkCore;

namespace IdP.SecondFactors;

/// <summary>The statements of second factors. Those that change run in their caller's transaction.</summary>
internal sealed class SecondFactorStatements(PreparedStatements statements, Mailer mailer, IdpOptions options)
{
    // One look by key at every sign-in, whatever it finds.
    private const string OfSql =
        """
        SELECT (SELECT CAST(COUNT(*) AS bigint) FROM "Authenticators" WHERE "UserId" = @p0),
               (SELECT CAST(COUNT(*) AS bigint) FROM "Passkeys" WHERE "UserId" = @p0),
               (SELECT CAST(COUNT(*) AS bigint) FROM "UserRoles" h JOIN "Roles" r ON r."Id" = h."RoleId" WHERE h."UserId" = @p0 AND CAST(r."RequiresSecondFactor" AS integer) = 1),
               (SELECT CAST(COUNT(*) AS bigint) FROM "UserRoles" h JOIN "Roles" r ON r."Id" = h."RoleId" WHERE h."UserId" = @p0 AND CAST(r."RequiresPasskey" AS integer) = 1)
        """;

    /// <summary>Of whoever waits with a first factor, else of whoever is signed in. A session that a passkey began has nothing to owe: nobody is asked.</summary>
    public async ValueTask<AccountFactors> Of(Interaction way, SignedIn? session, CancellationToken ct) =>
        way.FirstFactor is { } first ? await Of(first.UserId, ct)
        : session is null || PasskeyProof.IsIn(session.Amr) ? AccountFactors.None
        : await Of(session.UserId, ct);

    public async ValueTask<AccountFactors> Of(Guid userId, CancellationToken ct) =>
        await statements.Read(OfSql, [userId], Read, ct) ?? AccountFactors.None;

    private AccountFactors Read(DbDataReader row)
    {
        var (hasAuthenticator, hasPasskey) = (row.GetInt64(0) > 0, row.GetInt64(1) > 0);
        return new(hasAuthenticator, hasPasskey, IsAsked: hasAuthenticator || (hasPasskey && options.Passkeys.AskAsSecondFactor), MustHave: row.GetInt64(2) > 0, MustHavePasskey: row.GetInt64(3) > 0);
    }

    /// <summary>Takes a step of the authenticator: once, and no earlier one after it (RFC 6238 §5.2).</summary>
    public static async Task<bool> TakeStep(IdpDbContext db, Guid userId, long step, CancellationToken ct) =>
        await db.Set<Authenticator>().Where(a => a.UserId == userId && a.LastStep < step).ExecuteUpdateAsync(set => set.SetProperty(a => a.LastStep, step), ct) == 1;

    /// <summary>Uses a recovery code up.</summary>
    public static async Task<bool> TakeRecoveryCode(IdpDbContext db, Guid userId, byte[] hash, CancellationToken ct) =>
        await db.Set<RecoveryCode>().Where(c => c.UserId == userId && c.Hash == hash).ExecuteDeleteAsync(ct) == 1;

    /// <summary>Replaces all recovery codes by new ones, which are told here and never again.</summary>
    public static async Task<List<string>> MakeRecoveryCodes(IdpDbContext db, Guid userId, CancellationToken ct)
    {
        await db.Set<RecoveryCode>().Where(c => c.UserId == userId).ExecuteDeleteAsync(ct);
        var codes = RecoveryCodes.Make();
        foreach (var code in codes) db.Add(new RecoveryCode { UserId = userId, Hash = RecoveryCodes.HashOf(code)! });
        await db.SaveChangesAsync(ct);
        return codes;
    }

    /// <summary>Tells the owner, in the transaction of the change.</summary>
    public void Tell(IdpDbContext db, User user, MailKind kind) => mailer.Tell(db, user, kind, AccountSection.SecondFactors);

    /// <summary>
    /// Takes the app and its recovery codes away, and with them what was proved by them: the person's other sessions, tokens of the stronger
    /// kind, and browsers that were remembered. A session that is kept counts as what is left of its proof. False when there was none.
    /// </summary>
    public Task<bool> Remove(IdpDbContext db, User user, Guid keptSession, string actor, string? address, DateTimeOffset now, CancellationToken ct) =>
        Remove(db, user, keptSession, passkeys: [], actor, address, now, ct);

    /// <summary>Takes everything away, passkeys too, for somebody who has lost it, and ends all sessions and tokens. False when there was nothing.</summary>
    public async Task<bool> Reset(IdpDbContext db, User user, string actor, DateTimeOffset now, CancellationToken ct)
    {
        // A passkey that is being added at this moment goes too, or comes after the sessions have ended.
        await ServerState.TakeTurn(db, ct);
        return await Remove(db, user, keptSession: null, await db.Set<Passkey>().Where(p => p.UserId == user.Id).ToListAsync(ct), actor, address: null, now, ct);
    }

    private async Task<bool> Remove(IdpDbContext db, User user, Guid? keptSession, List<Passkey> passkeys, string actor, string? address, DateTimeOffset now, CancellationToken ct)
    {
        await db.Set<RecoveryCode>().Where(c => c.UserId == user.Id).ExecuteDeleteAsync(ct);
        var hadApp = await db.Set<Authenticator>().Where(a => a.UserId == user.Id).ExecuteDeleteAsync(ct) > 0;
        if (!hadApp && passkeys.Count == 0) return false;
        db.RemoveRange(passkeys);
        var stamp = RandomNumberGenerator.GetHexString(32);
        await db.Users.Where(u => u.Id == user.Id).ExecuteUpdateAsync(set => set.SetProperty(u => u.SecurityStamp, stamp).SetProperty(u => u.UpdatedAt, now), ct);
        await SessionEnd.End(db, db.Set<Session>().Where(s => s.UserId == user.Id && s.Id != keptSession), now, ct);
        await Grant.Revoke(db.Set<Grant>().Where(g => g.UserId == user.Id && (g.SessionId == null || g.SessionId != keptSession || g.Acr == Acr.MultiFactor)), now, ct);
        await db.Set<Session>().Where(s => s.Id == keptSession && s.UserId == user.Id && s.Acr == Acr.MultiFactor && !s.Amr.Contains("hwk") && !s.Amr.Contains("swk"))
            .ExecuteUpdateAsync(set => set.SetProperty(s => s.Acr, s => s.UpstreamProviderId == null ? Acr.Password : Acr.Upstream)
                .SetProperty(s => s.Amr, s => s.UpstreamProviderId == null ? Acr.PasswordMethod : Acr.UpstreamMethod), ct);
        if (hadApp)
        {
            AuditEvent.Record(db, now, new SecondFactorRemoved(), actor, $"user:{user.Subject}", address);
            Tell(db, user, MailKind.SecondFactorRemoved);
        }
        foreach (var passkey in passkeys) AuditEvent.Record(db, now, new PasskeyRemoved(passkey.Id, Told.Of(passkey.Name)), actor, $"user:{user.Subject}", address);
        if (passkeys.Count > 0) mailer.Tell(db, user, MailKind.PasskeyRemoved, PageAddresses.Passkeys);
        await db.SaveChangesAsync(ct);
        return true;
    }
}
