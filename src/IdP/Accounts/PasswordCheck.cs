using IdP.Audit;
using IdP.Http;
using IdP.Observability;
using IdP.Protocol.OAuth;
using IdP.Storage;
using IdP.Throttles;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;

namespace IdP.Accounts;

/// <summary>A person who has just proved who they are. <see cref="Accept"/> belongs into the transaction that acts on it.</summary>
internal sealed record ProvenPerson(User User, byte[]? AttemptKey, string? NewHash)
{
    /// <summary>Proved otherwise than by a password: there is no attempt to give back.</summary>
    public static ProvenPerson WithoutPassword(User user) => new(user, AttemptKey: null, NewHash: null);

    /// <summary>Gives the reserved attempt back and stores the stronger hash, if there is one.</summary>
    public async Task Accept(IdpDbContext db, CancellationToken ct)
    {
        if (AttemptKey is not null) await AttemptCounts.Return(db, AttemptKey, ct);
        if (NewHash is not null)
            await db.Set<User>().Where(u => u.Id == User.Id && u.PasswordHash == User.PasswordHash)
                .ExecuteUpdateAsync(set => set.SetProperty(u => u.PasswordHash, NewHash), ct);
    }
}

/// <summary>
/// Checks a user name and password. Wrong, unknown, disabled and locked give one answer; unknown names are counted and cost a hash
/// like known ones. An attempt is reserved before the hash is computed, so that parallel guesses cannot outrun the limit.
/// </summary>
internal sealed class PasswordCheck(Database database, AttemptCounts counts, HashPool pool, FailureLimiter limiter, NetworkThrottle throttle, IdpOptions options, TimeProvider clock)
{
    private static readonly UpperInvariantLookupNormalizer Normalizer = new();

    /// <param name="name">The user name or e-mail address.</param>
    /// <param name="password">The password.</param>
    /// <param name="facts">Who asks.</param>
    /// <param name="ct">Cancels, until the attempt counts.</param>
    /// <param name="device">The device that asks, if accounts have signed in from it before.</param>
    /// <param name="hasWorked">Whether its browser has done the work that stands for waiting: see <see cref="ProofOfWork"/>.</param>
    /// <param name="asksForMany">Whether a server asks, for all of the people who use it: its address says nothing about who guesses.</param>
    public async Task<Result<ProvenPerson>> Check(string name, string password, RequestFacts facts, CancellationToken ct, KnownDevice? device = null, bool hasWorked = false, bool asksForMany = false)
    {
        if (limiter.Blocked("user", name, facts.Address) is { } seconds) return Throttled(seconds);
        // HMAC pads its key with zeros, so that a password and the same with a NUL after it have one hash.
        if (password.EndsWith('\0')) return Wrong("a NUL at the end of the password");
        if (PasswordRules.IsTooLong(password) || name.Length > 256 || name.Contains('\0')) return Wrong("name or password too long");
        using var place = pool.TryEnter();
        if (place is null) return OAuthError.Unavailable("too many sign-ins at this moment; try again", pool.RetryAfter, "hash queue full");

        var user = await Find(name, ct);
        // The owner's own device waits for nobody who guesses in the same network.
        var isStranger = !(user is not null && device?.IsOf(user) == true);
        List<Guesses> guesses = isStranger ? [Guesses.ByStrangers(Stranger(user, name), options)] : [];
        if (isStranger && !asksForMany) guesses.Add(Guesses.From(facts.Address, options));
        if (!hasWorked)
            foreach (var one in guesses)
                if (await throttle.Blocked(one, ct) is { } wait) return Throttled(wait);
        var attempt = counts.Key(isStranger ? Stranger(user, name) : $"device:{device!.Id}:{user!.Subject}");
        // From here on a caller that hangs up changes nothing: an attempt that was reserved is settled, or a person with a bad line locks themselves out.
        ct = CancellationToken.None;
        if (!await counts.TakeGuess(attempt, ct))
        {
            await Count(guesses, user, facts, ct);
            return Refuse("locked", name, facts);
        }
        PasswordVerificationResult verified;
        try
        {
            verified = await place.Verify(user, password);
        }
        catch (StoppingException)
        {
            // A restart must lock nobody out.
            await database.Write(db => AttemptCounts.Return(db, attempt, ct), ct);
            throw;
        }
        if (verified == PasswordVerificationResult.Failed || user is null || user.DisabledAt is not null)
        {
            var reason = user is null ? "unknown user" : verified == PasswordVerificationResult.Failed ? "wrong password" : "disabled user";
            await RecordFailure(user, attempt, reason, facts, ct);
            await Count(guesses, user, facts, ct);
            return Refuse(reason, name, facts);
        }
        limiter.Succeeded("user", name, facts.Address);
        Telemetry.Count(Telemetry.PasswordChecks, "outcome", "right");
        var newHash = verified == PasswordVerificationResult.SuccessRehashNeeded ? await place.Rehash(password) : null;
        return new ProvenPerson(user, attempt, newHash);
    }

    private OAuthError Refuse(string reason, string name, RequestFacts facts)
    {
        limiter.Failed("user", name, facts.Address);
        Telemetry.Count(Telemetry.PasswordChecks, "outcome", reason == "locked" ? "locked" : "wrong");
        return Wrong(reason);
    }

    private static OAuthError Throttled(int seconds)
    {
        Telemetry.Count(Telemetry.PasswordChecks, "outcome", "throttled");
        return OAuthError.TooManyFailures(seconds);
    }

    private static OAuthError Wrong(string reason) => OAuthError.InvalidGrant("the user name or password is wrong", reason);

    /// <summary>Whom people mean by a name: the user name, or else the confirmed address. Disabled accounts included.</summary>
    public async Task<User?> Find(string name, CancellationToken ct)
    {
        var normalized = Normalized(name);
        await using var db = database.OpenForReading();
        // One look whatever is found, so that its time tells nothing; the name goes before the address.
        return await db.Users.Where(u => u.NormalizedUserName == normalized || (u.NormalizedEmail == normalized && u.EmailConfirmed))
            .OrderBy(u => u.NormalizedUserName == normalized ? 0 : 1).FirstOrDefaultAsync(ct);
    }

    private static string Normalized(string name)
    {
        try
        {
            return Normalizer.NormalizeName(name.Trim());
        }
        catch (ArgumentException)
        {
            // A lone surrogate cannot be normalized and names nobody.
            return "\uFFFD";
        }
    }

    /// <summary>What wrong passwords of strangers to an account are counted under.</summary>
    public static string ByStrangers(User user) => $"unknown-device:{user.Subject}";

    // An account's own device has a count of its own, so that a stranger who guesses locks out strangers only.
    private static string Stranger(User? user, string name) => user is null ? $"nobody:{Normalized(name)}" : ByStrangers(user);

    private Task RecordFailure(User? user, byte[] attempt, string reason, RequestFacts facts, CancellationToken ct) => database.Write(async db =>
    {
        var failures = await db.Set<SignInAttempts>().Where(a => a.Key == attempt).Select(a => a.Failures).SingleOrDefaultAsync(ct);
        AuditEvent.Record(db, clock.GetUtcNow(), failures >= options.Passwords.LockoutAttempts ? new SignInLocked(Told.Of(reason)) : new SignInFailed(Told.Of(reason)),
            facts.Actor, user is null ? null : $"user:{user.Subject}", facts.Address);
        await db.SaveChangesAsync(ct);
    }, ct);

    // Whoever reaches a limit is told in the audit, once.
    private async Task Count(List<Guesses> guesses, User? user, RequestFacts facts, CancellationToken ct)
    {
        foreach (var one in guesses)
        {
            if (!await throttle.Failed(one, ct)) continue;
            Event what = one == Guesses.From(facts.Address, options) ? new NetworkThrottled() : new AccountThrottled();
            await database.Write(async db =>
            {
                AuditEvent.Record(db, clock.GetUtcNow(), what, "server", what is AccountThrottled && user is not null ? $"user:{user.Subject}" : null, facts.Address);
                await db.SaveChangesAsync(ct);
            }, ct);
        }
    }
}
