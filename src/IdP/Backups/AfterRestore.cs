using System.Security.Cryptography;
using IdP.Accounts;
using IdP.ApiKeys;
using IdP.Clients;
using IdP.Consents;
using IdP.Grants;
using IdP.Keys;
using IdP.Outbox;
using IdP.Passkeys;
using IdP.Protocol;
using IdP.SecondFactors;
using IdP.Sessions;
using IdP.Storage;
using IdP.Upstream;
using Microsoft.EntityFrameworkCore;

namespace IdP.Backups;

/// <summary>What was ended after a restore.</summary>
internal sealed record Ended(int Grants, int Sessions, int ApiKeys, int Keys, int Consents, int PeopleWithRecoveryCodes, int MailLinks, int WaitingMessages);

/// <summary>
/// A restored database has forgotten what was used up or revoked since it was backed up. Whatever somebody could still hold and present is
/// ended, table by table. What cannot be told apart stays as it was at the backup, and the operator is told: passwords, passkeys,
/// authenticator apps, client secrets, and who is enabled and may do what.
/// </summary>
internal static class AfterRestore
{
    /// <summary>Ends what could come alive again and makes new keys, in the caller's transaction.</summary>
    public static async Task<Ended> End(IdpDbContext db, MasterKeys masters, bool keepsApiKeys, IdpOptions options, DateTimeOffset now, CancellationToken ct)
    {
        // Millions of rows take their time.
        if (db.Engine != Engine.Sqlite) db.Database.SetCommandTimeout(0);
        await ServerState.TakeTurn(db, ct);
        // A code that was redeemed is there unredeemed, a refresh token that was replaced is the newest, a grant that was revoked is active.
        var grants = await Grant.Revoke(db.Set<Grant>(), now, ct);
        // Nobody has signed out here, so apps are not told; those of sessions that began after the backup could not be told anyway.
        var sessions = await db.Set<Session>().Where(s => s.EndedAt == null).ExecuteUpdateAsync(set => set.SetProperty(s => s.EndedAt, now), ct);
        // Tokens of clients have no grant: a number that no operator has counted up to ends them, whatever signed them.
        var (stamp, ahead) = (await ServerState.NextStamp(db, ct), now.ToUnixTimeSeconds());
        await db.Set<Client>().ExecuteUpdateAsync(set => set.SetProperty(c => c.Generation, c => c.Generation + ahead).SetProperty(c => c.Version, stamp), ct);
        var apiKeys = keepsApiKeys ? 0 : await db.Set<ApiKey>().Where(k => k.RevokedAt == null)
            .ExecuteUpdateAsync(set => set.SetProperty(k => k.RevokedAt, now).SetProperty(k => k.ExpiresAt, k => k.ExpiresAt < now ? k.ExpiresAt : now).SetProperty(k => k.PreviousEndsAt, (DateTimeOffset?)null), ct);
        // Tokens that were revoked one by one, trusted browsers, forms, and what was on its way in browsers: all of it is signed or sealed.
        var keys = await KeyStatements.ReplaceAll(db, masters, now, ct);
        // Links in mails and trusted browsers hang on it as well.
        var security = RandomNumberGenerator.GetHexString(32);
        await db.Users.ExecuteUpdateAsync(set => set.SetProperty(u => u.SecurityStamp, security), ct);
        // A consent that was withdrawn would let the app in without a question.
        var consents = await db.Set<Consent>().ExecuteDeleteAsync(ct);
        // Which of the recovery codes were used up nobody knows.
        var people = await db.Set<RecoveryCode>().Select(c => c.UserId).Distinct().CountAsync(ct);
        await db.Set<RecoveryCode>().ExecuteDeleteAsync(ct);
        // One-time passwords that may have been used a moment ago.
        var step = OneTimePassword.StepOf(now) + options.SecondFactors.StepTolerance;
        await db.Set<Authenticator>().Where(a => a.LastStep < step).ExecuteUpdateAsync(set => set.SetProperty(a => a.LastStep, step), ct);
        var links = await db.Set<MailLink>().ExecuteDeleteAsync(ct);
        await db.Set<PasskeyChallenge>().ExecuteDeleteAsync(ct);
        await db.Set<UpstreamRequest>().ExecuteDeleteAsync(ct);
        // Sent long ago, most of it.
        var messages = await db.Set<OutboxItem>().ExecuteDeleteAsync(ct);
        // Whoever held one is gone.
        await db.Set<Lease>().ExecuteUpdateAsync(set => set.SetProperty(l => l.ExpiresAt, DateTimeOffset.UnixEpoch), ct);
        return new Ended(grants, sessions, apiKeys, keys, consents, people, links, messages);
    }
}
