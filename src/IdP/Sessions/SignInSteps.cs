using IdP.Accounts;
using IdP.Authorize;
using IdP.Http;
using IdP.Protocol.OpenId;
using IdP.SecondFactors;
using IdP.Storage;
using IdP.Upstream;
using Microsoft.EntityFrameworkCore;

namespace IdP.Sessions;

/// <summary>What became of a proof: how the interaction goes on, or the text of what the person is told.</summary>
internal sealed record ProvedStep(Interaction? Next, string? Problem);

/// <summary>The one way from a proof of who somebody is to a session, whatever the proof was: no page begins a session by itself.</summary>
internal sealed class SignInSteps(
    BrowserSessions sessions, SecondFactorStatements factors, RememberedDevices remembered, KnownDevices devices, UpstreamAccounts upstream, Database database, TimeProvider clock)
{
    /// <summary>
    /// Signs in whoever has proved who they are, and connects the account of another provider that is to be theirs. Where a second factor
    /// is due the proof waits for it in the interaction, and nobody is signed in.
    /// </summary>
    public async Task<ProvedStep> Proved(HttpContext http, Interaction way, SignInProof proof, CancellationToken ct, PendingLink? link = null)
    {
        var user = proof.Person.User;
        if (proof.Acr != Acr.MultiFactor)
        {
            var account = await factors.Of(user.Id, ct);
            if (account.MustHave || (account.MustHavePasskey && account.HasPasskey) || (account.IsAsked && !remembered.Knows(http, user, devices.Find(http))))
            {
                // The password was right, whatever comes of the rest.
                await database.Write(db => proof.Person.Accept(db, CancellationToken.None), CancellationToken.None);
                RequestFacts.Of(http).Outcome = "first_factor";
                return new(way with { FirstFactor = FirstFactor.Of(proof, link, clock.GetUtcNow()) }, null);
            }
        }
        return await Begin(http, way, proof, link ?? (way.FirstFactor?.UserId == user.Id ? way.FirstFactor.Link : null), remember: false, ct);
    }

    /// <summary>Whoever has proved a first factor on the way, or is signed in; null when that is over, or the account has changed since.</summary>
    public async Task<(User User, SignedIn? Session)?> Known(HttpContext http, Interaction way, CancellationToken ct)
    {
        if (way.FirstFactor is { } first)
        {
            if (!first.IsYoung(clock.GetUtcNow()) || await Find(first.UserId, ct) is not { } waiting || FirstFactor.StampOf(waiting) != first.Stamp) return null;
            return (waiting, null);
        }
        return await sessions.Find(http, ct) is { } session && await Find(session.UserId, ct) is { } user ? (user, session) : null;
    }

    /// <summary>The second factor is proved too: the whole proof signs in, or makes the session that there is a stronger one.</summary>
    /// <param name="http">The request.</param>
    /// <param name="way">What the person has done so far.</param>
    /// <param name="known">What <see cref="Known"/> has found.</param>
    /// <param name="methods">How the second factor was proved, as <c>amr</c> tells it.</param>
    /// <param name="remember">Whether this browser is trusted from now on.</param>
    /// <param name="ct">Cancels reading.</param>
    public Task<ProvedStep> ProvedSecond(HttpContext http, Interaction way, (User User, SignedIn? Session) known, string methods, bool remember, CancellationToken ct)
    {
        var (first, person) = (way.FirstFactor, ProvenPerson.WithoutPassword(known.User));
        var proof = first is not null
            ? new SignInProof(person, Acr.MultiFactor, $"{first.Amr} {methods}") { At = Time(first.AuthenticatedAt), UpstreamProviderId = first.UpstreamProviderId }
            // The first factor was proved when the session began, or last was begun anew.
            : new SignInProof(person, Acr.MultiFactor, string.Join(' ', known.Session!.Amr.Split(' ').Union(methods.Split(' '), StringComparer.Ordinal))) { At = known.Session.AuthenticatedAt, UpstreamProviderId = known.Session.UpstreamProviderId };
        return Begin(http, way, proof, first?.Link, remember, ct);
    }

    private async Task<ProvedStep> Begin(HttpContext http, Interaction way, SignInProof proof, PendingLink? link, bool remember, CancellationToken ct)
    {
        var current = await sessions.Find(http, ct);
        if (await sessions.Begin(http, proof, current, CancellationToken.None) is not { } session) return new(null, "SignIn.Wrong");
        var device = devices.Remember(http, session.UserId);
        if (remember) remembered.Remember(http, proof.Person.User, device);
        // Both are proved now: the account there a moment ago, the one here by this sign-in.
        if (link is not null && !await upstream.Link(link, session.UserId, CancellationToken.None)) return new(null, "SignIn.LinkTaken");
        RequestFacts.Of(http).Outcome = "signed_in";
        return new(way with { FirstFactor = null, FreshSession = session.SessionId, FreshGeneration = session.Generation }, null);
    }

    private async Task<User?> Find(Guid userId, CancellationToken ct)
    {
        await using var db = database.OpenForReading();
        return await db.Users.SingleOrDefaultAsync(u => u.Id == userId && u.DisabledAt == null, ct);
    }

    private static DateTimeOffset? Time(long? milliseconds) => milliseconds is { } value ? DateTimeOffset.FromUnixTimeMilliseconds(value) : null;
}
