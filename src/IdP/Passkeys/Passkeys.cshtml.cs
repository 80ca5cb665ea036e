using IdP.Account;
using IdP.Http;
using IdP.Protocol.OAuth;
using IdP.Sessions;
using IdP.Ui;
using Microsoft.AspNetCore.Mvc;

namespace IdP.Passkeys;

/// <summary>People see, add, rename and remove their passkeys. Seeing takes a session; everything else takes one that is fresh.</summary>
internal sealed class PasskeysModel(AccountDoor door, PasskeyCeremony ceremony, PasskeyStatements statements, RelyingParty party) : AccountPage(door)
{
    private readonly AccountDoor _door = door;

    public IReadOnlyList<Passkey> Passkeys { get; private set; } = [];

    /// <summary>Whether the sign-in is fresh enough to change anything.</summary>
    public bool MayChange { get; private set; }
    public bool IsPossible => party.IsPossible;
    public bool IsFull => Passkeys.Count >= PasskeyStatements.Most;

    protected override TimeSpan? FreshWithin => HttpMethods.IsPost(Request.Method) ? AccountDoor.Fresh : null;

    public Task OnGetAsync(CancellationToken ct) => Load(ct);

    /// <summary>To change something, the person has signed in once more; the door has seen to it.</summary>
    public IActionResult OnPostUnlock() => new SeeOther(Request.Path);

    public async Task<IActionResult> OnPostOptionsAsync(CancellationToken ct)
    {
        if (!party.IsPossible || await statements.Owner(Person.UserId, ct) is not { } user) return StatusCode(403);
        return Content(await ceremony.Begin(HttpContext, PasskeyPurpose.Register, user, ct), "application/json");
    }

    public async Task<IActionResult> OnPostAsync([FromForm] string? name, [FromForm] string? credential, CancellationToken ct)
    {
        var texts = Texts.Of(HttpContext);
        // Before the passkey is looked at: its question is used up by that.
        if (PasskeyStatements.NameOf(string.IsNullOrWhiteSpace(name) ? texts["Passkeys.DefaultName"] : name) is not { } kept) return await Refuse("Passkeys.NameProblem", ct);
        return await Register(ceremony, statements, HttpContext, Person, kept, credential, ct) ? Done(PageAddresses.Passkeys, "passkey-added") : await Refuse("Passkeys.NotAdded", ct);
    }

    public async Task<IActionResult> OnPostRenameAsync([FromForm] Guid passkey, [FromForm] string? name, CancellationToken ct)
    {
        if (PasskeyStatements.NameOf(name) is not { } kept) return await Refuse("Passkeys.NameProblem", ct);
        return await statements.Rename(Person, passkey, kept, RequestFacts.Of(HttpContext), CancellationToken.None) ? Done(PageAddresses.Passkeys, "passkey-renamed") : await Refuse("Passkeys.Gone", ct);
    }

    public async Task<IActionResult> OnPostRemoveAsync([FromForm] Guid passkey, CancellationToken ct) =>
        await statements.Remove(Person, passkey, RequestFacts.Of(HttpContext), CancellationToken.None) is { } problem ? await Refuse(problem, ct) : Done(PageAddresses.Passkeys, "passkey-removed");

    /// <summary>Checks the browser's answer and keeps the passkey; false with the reason in the log.</summary>
    public static async Task<bool> Register(PasskeyCeremony ceremony, PasskeyStatements statements, HttpContext http, SignedIn session, string name, string? credential, CancellationToken ct)
    {
        var facts = RequestFacts.Of(http);
        if (await statements.Owner(session.UserId, ct) is not { } user) return false;
        if ((await ceremony.Register(http, user, credential, ct)).Failed(out var passkey, out var error)) { facts.Detail = error.Detail; return false; }
        if (!await statements.Add(session, passkey, name, facts, CancellationToken.None)) { facts.Detail = "somebody's already, too many, or the session has ended"; return false; }
        return true;
    }

    private async Task<IActionResult> Refuse(string problem, CancellationToken ct)
    {
        await Load(ct);
        return Again(Texts.Of(HttpContext)[problem]);
    }

    private async Task Load(CancellationToken ct)
    {
        MayChange = await _door.Require(HttpContext, ct, AccountDoor.Fresh) is not null;
        Passkeys = await statements.Of(Person.UserId, ct);
    }
}
