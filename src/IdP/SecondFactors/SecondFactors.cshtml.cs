using IdP.Account;
using IdP.Accounts;
using IdP.Audit;
using IdP.Authorize;
using IdP.Http;
using IdP.Mail;
using IdP.Outbox;
using IdP.Protocol.OpenId;
using IdP.Sessions;
using IdP.Storage;
using IdP.Ui;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;

namespace IdP.SecondFactors;

/// <summary>The second factors of one's own account. Always after a fresh sign-in, as strong as the account can prove it.</summary>
internal sealed class SecondFactorsModel(
    AccountDoor door, SecondFactorCheck check, SecondFactorStatements factors, AuthenticatorSetUp setUp, SignInSteps steps, Database database, OutboxSender outbox, TimeProvider clock) : AccountPage(door)
{
    protected override TimeSpan? FreshWithin => AccountDoor.Fresh;

    /// <summary>When the app was set up; null when there is none.</summary>
    public DateTimeOffset? Since { get; private set; }
    public int CodesLeft { get; private set; }
    public SetUpView SetUp { get; private set; } = null!;

    /// <summary>New recovery codes, shown this once.</summary>
    public List<string>? Codes { get; private set; }

    public async Task OnGetAsync(CancellationToken ct)
    {
        await using var db = database.OpenForReading();
        Since = await db.Set<Authenticator>().Where(a => a.UserId == Person.UserId).Select(a => (DateTimeOffset?)a.CreatedAt).SingleOrDefaultAsync(ct);
        CodesLeft = await db.Set<RecoveryCode>().CountAsync(c => c.UserId == Person.UserId, ct);
        if (Since is null) SetUp = setUp.Offer(HttpContext, await Me(db, ct));
    }

    public async Task<IActionResult> OnPostAsync([FromForm] string? authenticator, [FromForm] string? code, CancellationToken ct)
    {
        await using var db = database.OpenForReading();
        var user = await Me(db, ct);
        if (setUp.Open(HttpContext, user, authenticator) is not { } offered) return new SeeOther(AccountSection.SecondFactors);
        if (await check.Add(user, offered, code, RequestFacts.Of(HttpContext)) is not { } codes)
        {
            // Set up in another tab meanwhile: the page says so.
            if (await db.Set<Authenticator>().AnyAsync(a => a.UserId == user.Id, ct)) return new SeeOther(AccountSection.SecondFactors);
            SetUp = setUp.View(HttpContext, user, offered);
            return Again(Texts.Of(HttpContext)["SetUpFactor.Wrong"]);
        }
        // The first code is a proof of it: this session is a stronger one from now on.
        await steps.ProvedSecond(HttpContext, new Interaction(), (user, Person), $"{Acr.OneTimePasswordMethod} {Acr.MultiFactorMethod}", remember: false, ct);
        Codes = codes;
        return Page();
    }

    public async Task<IActionResult> OnPostCodesAsync()
    {
        // Without an app there is nothing to recover.
        Codes = await database.Write(async db =>
        {
            if (!await db.Set<Authenticator>().AnyAsync(a => a.UserId == Person.UserId)) return null;
            AuditEvent.Record(db, clock.GetUtcNow(), new RecoveryCodesMade(), $"user:{Person.UserId:N}", $"user:{Person.UserId:N}", RequestFacts.Of(HttpContext).Address);
            factors.Tell(db, await Me(db, CancellationToken.None), MailKind.RecoveryCodesMade);
            return await SecondFactorStatements.MakeRecoveryCodes(db, Person.UserId, CancellationToken.None);
        }, CancellationToken.None);
        outbox.Wake();
        return Codes is null ? new SeeOther(AccountSection.SecondFactors) : Page();
    }

    public async Task<IActionResult> OnPostRemoveAsync()
    {
        var subject = $"user:{Person.UserId:N}";
        await database.Write(async db => await factors.Remove(
            db, await Me(db, CancellationToken.None), Person.SessionId, subject, RequestFacts.Of(HttpContext).Address, clock.GetUtcNow(), CancellationToken.None), CancellationToken.None);
        outbox.Wake();
        return Done(AccountSection.SecondFactors, "factor-removed");
    }

    private Task<User> Me(IdpDbContext db, CancellationToken ct) => db.Users.AsNoTracking().SingleAsync(u => u.Id == Person.UserId, ct);
}
