using System.Text;
using IdP.Accounts;
using IdP.Audit;
using IdP.Http;
using IdP.Keys;
using IdP.Mail;
using IdP.Outbox;
using IdP.Protocol;
using IdP.Protocol.OpenId;
using IdP.Storage;
using Microsoft.EntityFrameworkCore;

namespace IdP.SecondFactors;

/// <summary>A secret that an authenticator app is to learn: sealed for one person, and stored nowhere until the app has shown that it knows it.</summary>
internal sealed record NewAuthenticator(byte[] Secret)
{
    public string Text => OneTimePassword.Base32(Secret);
}

/// <summary>
/// Judges codes: one-time passwords of the authenticator app and recovery codes, in one field. Guesses are counted like guesses of
/// passwords, and every code counts once.
/// </summary>
internal sealed class SecondFactorCheck(Database database, SecondFactorStatements factors, AttemptCounts counts, OutboxSender outbox, Sealer sealer, IdpOptions options, TimeProvider clock)
{
    private const string Use = "idp authenticator";

    /// <summary>How the code proves it, as <c>amr</c> tells it; null when it does not, or when too many were wrong.</summary>
    public async Task<string?> Prove(User user, string? code, RequestFacts facts, KnownDevice? device)
    {
        var plain = RecoveryCodes.Plain(code ?? "");
        if (plain.Length == 0) return null;
        // The owner's own browser has a count of its own, so that a stranger who has the password locks out strangers only.
        var attempt = counts.Key(device?.IsOf(user) == true ? $"factor:{device.Id}:{user.Subject}" : $"factor-unknown-device:{user.Subject}");
        // Not cancelled: an attempt that was reserved is settled.
        if (!await counts.TakeGuess(attempt, CancellationToken.None)) return null;
        return await database.Write(async db =>
        {
            var method = plain.Length == OneTimePassword.Digits
                ? await TakeStep(db, user, plain) ? $"{Acr.OneTimePasswordMethod} {Acr.MultiFactorMethod}" : null
                : RecoveryCodes.HashOf(plain) is { } hash && await SecondFactorStatements.TakeRecoveryCode(db, user.Id, hash, CancellationToken.None) ? Acr.MultiFactorMethod : null;
            var isRecovery = method is Acr.MultiFactorMethod;
            if (method is not null) await AttemptCounts.Return(db, attempt, CancellationToken.None);
            if (method is null || isRecovery)
                AuditEvent.Record(db, clock.GetUtcNow(), isRecovery ? new RecoveryCodeUsed() : new SecondFactorFailed(), facts.Actor, $"user:{user.Subject}", facts.Address);
            await db.SaveChangesAsync(CancellationToken.None);
            return method;
        }, CancellationToken.None);
    }

    /// <summary>Sets an app up that shows the right code. The recovery codes that come with the first factor of this kind; null when the code is wrong or there is an app already.</summary>
    public async Task<List<string>?> Add(User user, NewAuthenticator authenticator, string? code, RequestFacts facts)
    {
        var now = clock.GetUtcNow();
        if (OneTimePassword.StepFor(authenticator.Secret, RecoveryCodes.Plain(code ?? ""), now, options.SecondFactors.StepTolerance) is not { } step) return null;
        try
        {
            var codes = await database.Write(async db =>
            {
                if (await db.Set<Authenticator>().AnyAsync(a => a.UserId == user.Id)) return null;
                // The code that sets it up has been used by that.
                db.Add(new Authenticator { UserId = user.Id, SealedSecret = Seal(user, authenticator.Secret), LastStep = step, CreatedAt = now });
                AuditEvent.Record(db, now, new SecondFactorAdded(), $"user:{user.Subject}", $"user:{user.Subject}", facts.Address);
                factors.Tell(db, user, MailKind.SecondFactorAdded);
                return await SecondFactorStatements.MakeRecoveryCodes(db, user.Id, CancellationToken.None);
            }, CancellationToken.None);
            outbox.Wake();
            return codes;
        }
        catch (DbUpdateException failure) when (Database.IsUniqueViolation(failure))
        {
            // Twice at the same moment: the other one has it.
            return null;
        }
    }

    private async Task<bool> TakeStep(IdpDbContext db, User user, string code)
    {
        if (await db.Set<Authenticator>().AsNoTracking().SingleOrDefaultAsync(a => a.UserId == user.Id) is not { } stored) return false;
        var secret = sealer.Open(KeyPurpose.SealStored, Use, stored.SealedSecret, BoundTo(user))?.Content ??
            throw new InvalidOperationException($"The authenticator of {user.Subject} cannot be opened with any key that there is.");
        return OneTimePassword.StepFor(secret, code, clock.GetUtcNow(), options.SecondFactors.StepTolerance) is { } step &&
            await SecondFactorStatements.TakeStep(db, user.Id, step, CancellationToken.None);
    }

    private string Seal(User user, byte[] secret) => sealer.Seal(KeyPurpose.SealStored, Use, secret, BoundTo(user));

    private static byte[] BoundTo(User user) => Encoding.ASCII.GetBytes(user.Subject);
}
