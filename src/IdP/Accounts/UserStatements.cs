using IdP.Audit;
using IdP.Grants;
using IdP.Protocol;
using IdP.Sessions;
using IdP.Storage;
using Microsoft.AspNetCore.Identity;
using Microsoft.AspNetCore.Identity.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace IdP.Accounts;

/// <summary>What operators may do to accounts, and owners to their own. Every method runs in its caller's transaction and writes its audit event there.</summary>
internal sealed class UserStatements(TimeProvider clock)
{
    private static readonly UpperInvariantLookupNormalizer Normalizer = new();

    /// <summary>Adds an account that has its name, and whatever else its owner is known by; the rest is set here. Without a password nobody signs in by one.</summary>
    public async Task<User> Add(IdpDbContext db, User user, HashedPassword? password, string actor, CancellationToken ct)
    {
        await ServerState.TakeTurn(db, ct);
        RequireFineText(user);
        await RequireFree(db, user, ct);
        var now = clock.GetUtcNow();
        user.Id = Guid.CreateVersion7(now);
        user.PasswordHash = password?.Value;
        (user.CreatedAt, user.UpdatedAt) = (now, now);
        using var accounts = Accounts(db);
        Succeed(await accounts.CreateAsync(user));
        await Record(db, new UserCreated(), user, actor, ct);
        return user;
    }

    /// <summary>Whether somebody has this user name, in any spelling.</summary>
    public static Task<bool> Exists(IdpDbContext db, string name, CancellationToken ct)
    {
        var normalized = PlainText.IsFine(name, 256) ? Normalizer.NormalizeName(name) : "";
        return db.Users.AnyAsync(u => u.NormalizedUserName == normalized, ct);
    }

    /// <summary>Ends the account and every token under it; false when it was disabled already.</summary>
    public async Task<bool> Disable(IdpDbContext db, string name, string actor, CancellationToken ct)
    {
        await ServerState.TakeTurn(db, ct);
        var user = await Require(db, name, ct);
        if (user.DisabledAt is not null) return false;
        user.DisabledAt = clock.GetUtcNow();
        await End(db, user, ct);
        await Record(db, new UserDisabled(), user, actor, ct);
        return true;
    }

    public static string Normalized(string email) => Normalizer.NormalizeEmail(email);

    /// <summary>Whether anybody signs in, or could, with this address.</summary>
    public static Task<bool> IsTaken(IdpDbContext db, string email, CancellationToken ct, Guid? except = null)
    {
        var normalized = Normalized(email);
        return db.Users.AnyAsync(u => u.Id != except && (u.NormalizedEmail == normalized || u.NormalizedUserName == normalized), ct);
    }

    /// <summary>Whether the account may have the address: nobody else has it, or signs in with it as their name.</summary>
    public static async Task<bool> MayHave(IdpDbContext db, User user, string email, CancellationToken ct) => !await IsTaken(db, email, ct, except: user.Id);

    /// <summary>
    /// Gives the account a confirmed address, which <see cref="MayHave"/> allows; a user name that is the address goes with it. Links in mails to
    /// the old one end, sessions do not.
    /// </summary>
    public async Task ChangeEmail(IdpDbContext db, string name, string email, string actor, string? address, CancellationToken ct)
    {
        await ServerState.TakeTurn(db, ct);
        var user = await Require(db, name, ct);
        if (user.UserName == user.Email) user.UserName = email;
        (user.Email, user.EmailConfirmed, user.UpdatedAt) = (email, true, clock.GetUtcNow());
        using var accounts = Accounts(db);
        Succeed(await accounts.UpdateSecurityStampAsync(user));
        AuditEvent.Record(db, clock.GetUtcNow(), new EmailChanged(), actor, $"user:{user.Subject}", address);
        await db.SaveChangesAsync(ct);
    }

    /// <summary>Lets the person sign in again; the tokens that ended stay so. False when the account was not disabled.</summary>
    public async Task<bool> Enable(IdpDbContext db, string name, string actor, CancellationToken ct)
    {
        await ServerState.TakeTurn(db, ct);
        var user = await Require(db, name, ct);
        if (user.DisabledAt is null) return false;
        user.DisabledAt = null;
        user.UpdatedAt = clock.GetUtcNow();
        await Record(db, new UserEnabled(), user, actor, ct);
        return true;
    }

    /// <summary>Sets another password and ends every token under the account.</summary>
    public async Task ChangePassword(IdpDbContext db, string name, HashedPassword password, string actor, CancellationToken ct)
    {
        await ServerState.TakeTurn(db, ct);
        var user = await Require(db, name, ct);
        user.PasswordHash = password.Value;
        await End(db, user, ct);
        await Record(db, new PasswordChanged(), user, actor, ct);
    }

    /// <summary>
    /// The owner sets another password: every token ends and every session but theirs, whose cookie changes. Null when account or session have
    /// changed since the person proved who they are, and then nothing has happened.
    /// </summary>
    public async Task<SignedIn?> ChangeOwnPassword(IdpDbContext db, SignedIn session, User proven, HashedPassword password, string address, CancellationToken ct)
    {
        await ServerState.TakeTurn(db, ct);
        if (!await Grant.IsLive(db, proven.Id, proven.SecurityStamp!, ct) || await BrowserSessions.Refresh(db, session, proven.Id, ct) is not { } kept) return null;
        var user = await db.Users.AsTracking().SingleAsync(u => u.Id == proven.Id, ct);
        user.PasswordHash = password.Value;
        await End(db, user, ct, kept.SessionId);
        await Record(db, new PasswordChanged(), user, $"user:{user.Subject}", ct, address);
        return kept;
    }

    /// <summary>Removes the account and all that belongs to it; its apps are told that its sessions ended. Whoever takes the name later is somebody else.</summary>
    public async Task Delete(IdpDbContext db, Guid userId, string actor, CancellationToken ct, string? address = null)
    {
        await ServerState.TakeTurn(db, ct);
        await SessionEnd.End(db, db.Set<Session>().Where(s => s.UserId == userId), clock.GetUtcNow(), ct);
        // Sessions, grants, keys and the rest go with it. What the trail has stays.
        if (await db.Users.Where(u => u.Id == userId).ExecuteDeleteAsync(ct) == 0) return;
        AuditEvent.Record(db, clock.GetUtcNow(), new UserDeleted(), actor, $"user:{userId:N}", address);
        await db.SaveChangesAsync(ct);
    }

    /// <summary>Ends the person's sessions and every token under the account; they may sign in again.</summary>
    public async Task SignOut(IdpDbContext db, string name, string actor, CancellationToken ct)
    {
        await ServerState.TakeTurn(db, ct);
        var user = await Require(db, name, ct);
        await End(db, user, ct);
        await Record(db, new UserSignedOut(), user, actor, ct);
    }

    private async Task End(IdpDbContext db, User user, CancellationToken ct, Guid? keptSession = null)
    {
        user.UpdatedAt = clock.GetUtcNow();
        using var accounts = Accounts(db);
        Succeed(await accounts.UpdateSecurityStampAsync(user));
        await SessionEnd.End(db, db.Set<Session>().Where(s => s.UserId == user.Id && s.Id != keptSession), clock.GetUtcNow(), ct);
        await Grant.Revoke(db.Set<Grant>().Where(g => g.UserId == user.Id), clock.GetUtcNow(), ct);
    }

    public static async Task<User> Require(IdpDbContext db, string name, CancellationToken ct)
    {
        var normalized = PlainText.IsFine(name, 256) ? Normalizer.NormalizeName(name) : "";
        return await db.Users.AsTracking().SingleOrDefaultAsync(u => u.NormalizedUserName == normalized, ct) ??
            throw ChangeRefusedException.NotFound($"There is no user {PlainText.Quoted(name)}: correct the name.");
    }

    private static void RequireFineText(User user)
    {
        if (!PlainText.IsFine(user.UserName ?? "", 256) || Normalizer.NormalizeName(user.UserName!).Length > 256)
            throw ChangeRefusedException.Invalid($"The user name {PlainText.Quoted(user.UserName ?? "")} cannot be used: it must be 1 to 256 characters without line breaks, control characters or spaces around it.");
        if (user.Email is not null)
            user.Email = EmailAddress.Canonical(user.Email) ??
                throw ChangeRefusedException.Invalid($"{PlainText.Quoted(user.Email)} is not an e-mail address: it looks like name@example.com.");
        string?[] claims =
        [
            user.Name, user.GivenName, user.FamilyName, user.MiddleName, user.Nickname, user.Profile, user.Picture, user.Website, user.Gender, user.Birthdate, user.ZoneInfo,
            user.Locale, user.StreetAddress, user.Locality, user.Region, user.PostalCode, user.Country, user.PhoneNumber,
        ];
        if (Array.Find(claims, claim => claim is not null && !PlainText.IsFine(claim, 256)) is { } broken)
            throw ChangeRefusedException.Invalid($"{PlainText.Quoted(broken)} cannot be used: it must be 1 to 256 characters without line breaks, control characters or spaces around it.");
    }

    // People sign in with their name or their confirmed address, the name first: neither may be what somebody else signs in with.
    private static async Task RequireFree(IdpDbContext db, User user, CancellationToken ct)
    {
        var name = Normalizer.NormalizeName(user.UserName!);
        if (await db.Users.AnyAsync(u => u.NormalizedUserName == name, ct))
            throw ChangeRefusedException.Conflict($"There is a user {PlainText.Quoted(user.UserName!)} already: choose another name.");
        if (await db.Users.AnyAsync(u => u.NormalizedEmail == name, ct))
            throw ChangeRefusedException.Conflict($"The user name {PlainText.Quoted(user.UserName!)} is somebody's e-mail address: choose another name.");
        if (user.Email is null) return;
        if (await IsTaken(db, user.Email, ct))
            throw ChangeRefusedException.Conflict($"Somebody has the e-mail address or user name {PlainText.Quoted(user.Email)} already: give another address.");
    }

    // Identity's own way of writing accounts: stamps, normalized names, concurrency. The rules are ours, above.
    private static UserManager<User> Accounts(IdpDbContext db) => new(
        new UserOnlyStore<User, IdpDbContext, Guid>(db), Options.Create(new IdentityOptions()), new PasswordHasher<User>(), [], [], Normalizer,
        new IdentityErrorDescriber(), null!, NullLogger<UserManager<User>>.Instance);

    private static void Succeed(IdentityResult result)
    {
        if (!result.Succeeded) throw ChangeRefusedException.Conflict(string.Join(' ', result.Errors.Select(error => error.Description)));
    }

    private Task<int> Record(IdpDbContext db, Event what, User user, string actor, CancellationToken ct, string? address = null)
    {
        AuditEvent.Record(db, clock.GetUtcNow(), what, actor, $"user:{user.Subject}", address);
        return db.SaveChangesAsync(ct);
    }
}
