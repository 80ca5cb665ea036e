using IdP.Http;

namespace IdP.Passkeys;

/// <summary>Decides whether somebody who has just typed a password is offered a passkey: where it would work, once, and not again soon after a no.</summary>
internal sealed class PasskeyOffer(RelyingParty party, PasskeyStatements statements, Cookies cookies)
{
    /// <summary>What the script says of a browser that can make passkeys.</summary>
    private const string Capable = "1";
    private static readonly TimeSpan Rest = TimeSpan.FromDays(90);

    public async Task<bool> IsDue(HttpContext http, Guid userId, string? browser) =>
        browser == Capable && party.IsPossible && cookies.Read(http, Cookies.NoPasskey) is null && !await statements.HasAny(userId, CancellationToken.None);

    /// <summary>Not now: this browser is left in peace for a while.</summary>
    public void Declined(HttpContext http) => cookies.Set(http, Cookies.NoPasskey, "1", Rest);
}
